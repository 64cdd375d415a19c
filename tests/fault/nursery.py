"""A process that has imported everything and forks a worker for every line "spawn" on its input. Prints the pid.

Starting Python anew for each killed worker would take longer than the faults are apart.

    python -m tests.fault.nursery EFFECT_PORT SLOTS NUDGES     (NUDGES: plain, dropped, repeated)
"""

import asyncio
import ctypes
import os
import signal
import sys

import app.worker
from app.runs import running
from flows.worker import Timings
from tests.fault import steps
from tests.fault.nudges import Dropped, Repeated

TIMINGS = Timings(
    heartbeat=0.5, dead_after=2.0, loop_lag=1.5, sweep=0.3, renudge=2.0, watch_cancels=0.3, cancel_grace=2.0, drain=2.0,
    quarantine_hold=3.0,
)  # fmt: skip


def main() -> None:
    port, slots, nudges = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    steps.install(port)
    plain = running.transport
    if nudges == "dropped":
        running.transport = lambda: Dropped()
    elif nudges == "repeated":
        running.transport = lambda: Repeated(plain())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    libc, me = ctypes.CDLL(None), os.getpid()
    for _ in iter(sys.stdin.readline, ""):
        pid = os.fork()
        if pid == 0:
            libc.prctl(1, signal.SIGKILL)
            if os.getppid() != me:
                os._exit(0)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            sys.stdin.close()
            try:
                asyncio.run(app.worker.serve(timings=TIMINGS, slots=slots, models=False))
            finally:
                os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
