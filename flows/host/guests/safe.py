"""The child of the safe engine: Python by an interpreter in Rust that has no files, no network, no environment.

Started as `python -I -S -B safe.py <parent pid> <place of flows> <place of packages> <program of the interpreter>`; its
standard input is the socket. The interpreter itself is a process of its own below this one, with the same borders.
"""

import ast
import io
import math
import os
import socket
import sys
import time

sys.path[:0] = sys.argv[2:4]

import msgspec  # noqa: E402
import pydantic_monty as monty  # noqa: E402

from flows.host import confine  # noqa: E402
from flows.host.carried import NotCarried, carried  # noqa: E402
from flows.host.frames import Call, Ready, Reply, receive, send  # noqa: E402

KINDS: dict[str, str] = {"TimeoutError": "time", "MemoryError": "memory", "RecursionError": "code"}
GRACE = 0.5
"""Seconds after which an interpreter that does not stop by itself is killed."""
ADDRESS_SPACE = 2 * 1024 * 1024 * 1024
OURS = ("<python-input-0>", "main.py")


class Printed:
    """What the code printed, up to a number of characters; the rest is dropped."""

    def __init__(self, most: int) -> None:
        self.left = most
        self.parts: list[str] = []
        self.cut = False

    def __call__(self, stream: str, text: str) -> None:
        if len(text) > self.left:
            self.cut, text = True, text[: self.left]
        self.left -= len(text)
        if text:
            self.parts.append(text)


class Interpreter:
    """One process of the interpreter, replaced when it was over a limit, when it fell, and when the owner changes."""

    def __init__(self, program: str, below: io.TextIOBase | None) -> None:
        self.program = program
        self.below = below
        self.pid = 0
        self.pool = self._new()

    def _new(self) -> monty.Monty:
        pool = monty.Monty(
            binary_path=self.program,
            min_processes=1,
            max_processes=1,
            feed_duration_limit_grace=GRACE,
            request_timeout=120.0,
        )
        pool.__enter__()
        if self.below is not None:
            self.below.seek(0)
            self.pid = int((self.below.read().split() or ["0"])[0])
        return pool

    def worked(self) -> float:
        """Seconds of CPU of the interpreter's process since it began."""
        try:
            return time.clock_gettime((~self.pid << 3) | 2) if self.pid else time.perf_counter()  # type: ignore[arg-type,unused-ignore]
        except OSError:  # it has just fallen
            return 0.0

    def replace(self) -> None:
        self.pool.__exit__(None, None, None)
        self.pool = self._new()

    def run(self, call: Call) -> tuple[Reply, bool]:
        """The reply, and whether this interpreter must not be used again."""
        if call.do == "parse full":
            return _read_by_cpython(call.code), False
        bounds, printed = call.bounds, Printed(call.bounds.printed)
        limits: monty.ResourceLimits = {
            "max_feed_duration_secs": bounds.seconds,
            "max_memory": bounds.memory,
            "max_recursion_depth": 400,
            "max_suspensions": 100,
            "max_total_sleep_secs": bounds.seconds,
        }
        policy: monty.OSPolicy = {"sleep_system_max": math.inf}
        text = call.code if call.do == "run" else _unrun(call.code)
        began = self.worked()
        try:
            with self.pool.checkout(limits=limits, os_policy=policy) as session:
                value = session.feed_run(text, inputs=call.inputs, print_callback=printed)
            reply = Reply(value=carried(value, bounds)) if call.do == "run" else Reply()
            spoilt = False
        except monty.MontyCrashedError as error:
            reply, spoilt = Reply("time" if error.timed_out else "crash", message=str(error)), True
        except monty.MontyError as error:
            reply = _failed(error, call)
            spoilt = reply.why in ("time", "memory")
        except NotCarried as error:
            reply, spoilt = Reply("value", message=str(error)), False
        return (
            msgspec.structs.replace(
                reply,
                printed="".join(printed.parts),
                cut=printed.cut,
                cpu=max(0.0, self.worked() - began),
                pid=self.pid,
            ),
            spoilt,
        )


def _unrun(code: str) -> str:
    """The code where nothing reaches it: the interpreter reads all of it and does nothing of it.

    That is: everything after a `return`. Decorators and default values run only where their statement is reached.
    """
    return "return\n" + code


def _read_by_cpython(code: str) -> Reply:
    """Whether this Python can read it; the full engine is this Python. Nothing is compiled, nothing run."""
    try:
        ast.parse(code)
    except SyntaxError as error:
        return Reply("syntax", message=error.msg, kind="SyntaxError", line=error.lineno or 0, source=error.text or "")
    except (ValueError, RecursionError, MemoryError) as error:
        return Reply("syntax", message=str(error) or "it is nested too deep", kind="SyntaxError")
    return Reply()


def _failed(error: monty.MontyError, call: Call) -> Reply:
    inner = error.exception()
    kind, line, source = type(inner).__name__, 0, ""
    frames = error.traceback() if isinstance(error, monty.MontySyntaxError | monty.MontyRuntimeError) else []
    for frame in frames:
        if frame.filename in OURS:
            line, source = frame.line, (frame.source_line or "").split("\n")[0]
    if call.do == "parse":
        line -= 1
    why = "syntax" if isinstance(error, monty.MontySyntaxError) or _not_read(inner) else KINDS.get(kind, "code")
    return Reply(why, message=str(inner)[:2000], kind=kind, line=max(line, 0), source=source[:300])  # type: ignore[arg-type]


def _not_read(error: BaseException) -> bool:
    """The interpreter's words for what it does not know, such as `yield`, come as a NotImplementedError."""
    return isinstance(error, NotImplementedError) and "syntax parser" in str(error)


def _children() -> io.TextIOBase | None:
    """The kernel's list of our children, opened while files may still be opened."""
    try:
        return open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii")
    except OSError:
        return None


def main() -> None:
    confine.die_with_parent(int(sys.argv[1]))
    wire = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    confine.rlimits(memory=ADDRESS_SPACE, files=64)
    confine.no_new_privileges()
    borders = ["interpreter", "rlimits"]
    program = sys.argv[4]
    libraries = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"]
    below = _children()
    if confine.landlock([sys.base_prefix, *sys.argv[2:4], "/etc/ld.so.cache"], [program, *libraries]):
        borders.append("landlock")
    if confine.seccomp(may_start=True):
        borders.append("seccomp")
    interpreter = Interpreter(program, below)
    send(wire, Ready(tuple(borders)))
    decoder = msgspec.msgpack.Decoder(Call)
    used = False
    while (call := receive(wire, decoder)) is not None:
        if call.fresh and used:
            interpreter.replace()
        reply, spoilt = interpreter.run(call)
        used = not spoilt
        send(wire, reply)
        if spoilt:
            interpreter.replace()


if __name__ == "__main__":
    main()
