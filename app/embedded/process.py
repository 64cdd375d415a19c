"""Starting a child that can never outlive us: not after Ctrl-C, not after `kill -9` of this process."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
NOBODY = 65534

LOST_PARENT = 96
"""Exit status of a child whose parent died before the child could ask to be told."""
NO_USER_NAMESPACE = 97
"""Exit status of a child that had to stop looking like root and was not allowed to."""

LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True) if LINUX else None


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def tied_to_parent(death_signal: signal.Signals, *, as_nobody: bool = False) -> Callable[[], None] | None:
    """What the child does between fork and exec; None where the system has no such thing (macOS, Windows).

    The kernel sends `death_signal` when the THREAD that forked ends, so children are started from the main thread only.
    `as_nobody`: enter a user namespace in which our uid 0 is called 65534. PostgreSQL refuses to run as root; this way
    it runs without an account being made and without opening a folder to others: on disk all stays root's, mode 0700.
    Why: docs/adr/0005-embedded-servers.md.
    """
    if not LINUX or _libc is None:
        return None
    libc, parent = _libc, os.getpid()

    def prepare() -> None:
        if as_nobody:
            try:
                if libc.unshare(CLONE_NEWUSER):
                    os._exit(NO_USER_NAMESPACE)
                with suppress(FileNotFoundError):  # kernels before 3.19 have no such file and need none
                    Path("/proc/self/setgroups").write_text("deny")
                Path("/proc/self/uid_map").write_text(f"{NOBODY} 0 1")
                Path("/proc/self/gid_map").write_text(f"{NOBODY} 0 1")
            except OSError:
                os._exit(NO_USER_NAMESPACE)
        libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(LOST_PARENT)

    return prepare


def child_environment(**settings: str) -> dict[str, str]:
    """Our environment with `settings` on top: what a child process starts with."""
    return {**os.environ, **settings}  # noqa: TID251  the one place that hands the environment on; nothing is read out of it


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    death_signal: signal.Signals = signal.SIGTERM,
    as_nobody: bool = False,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program that dies with us, its output at the end of `log`.

    It gets a session of its own: the terminal's Ctrl-C reaches us alone, and we stop things in order.
    """
    with log.open("ab") as out:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=env,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=tied_to_parent(death_signal, as_nobody=as_nobody),  # noqa: PLW1509  started before any thread
        )


def end(process: subprocess.Popen[bytes], steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send each signal and wait its seconds until the process is gone; SIGKILL is the last step in any case."""
    for number, seconds in (*steps, (signal.SIGKILL, 5.0)):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)


def running(pid: int) -> bool:
    """Is there a process of this number, ours or somebody else's? A zombie counts as gone."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    if LINUX:
        with suppress(OSError):
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def working_in(folder: Path) -> list[int]:
    """Numbers of the processes whose working directory is `folder`; empty where /proc does not tell."""
    found = []
    wanted = os.path.realpath(folder)
    for entry in Path("/proc").glob("[0-9]*") if LINUX else ():
        with suppress(OSError):
            if os.readlink(entry / "cwd") == wanted and running(int(entry.name)):
                found.append(int(entry.name))
    return found
