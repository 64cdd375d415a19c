"""The child of the full engine: one piece of Python, run once by a whole CPython, in a box of its own (bubble.py).

What it says may come from the code itself, which shares this process: the other side believes none of it unread.
"""

import ast
import os
import socket
import sys
import traceback
from typing import Any, ClassVar

sys.path[:0] = ["/guest", "/guest/packages"]

import msgspec  # noqa: E402

from flows.host import confine  # noqa: E402
from flows.host.carried import NotCarried, carried  # noqa: E402
from flows.host.frames import Call, Ready, Reply, receive, send  # noqa: E402
from flows.host.guests.asking import Asking  # noqa: E402

NAME = "<step>"
RESULT = "__result__"
OWN = 96 * 1024 * 1024
"""Address space that Python itself takes."""


class Printed:
    """Stands where sys.stdout was."""

    encoding, errors, closed = "utf-8", "replace", False

    def __init__(self, most: int) -> None:
        self.left = most
        self.parts: list[str] = []
        self.cut = False

    def write(self, text: str) -> int:
        kept = text[: self.left]
        self.left -= len(kept)
        self.cut = self.cut or len(kept) < len(text)
        if kept:
            self.parts.append(kept)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        return False


class Files:
    """`files` in the code: the files that came in, by name."""

    __slots__: ClassVar[tuple[str, ...]] = ("_ask",)

    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def read(self, name: str) -> bytes:
        return bytes(self._ask("files", "read", name))


def main() -> None:
    if sys.argv[1:] == ["--probe"]:
        return
    wire = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    send(wire, Ready(("namespaces", "read-only", "seccomp", "rlimits")))
    call = receive(wire, msgspec.msgpack.Decoder(Call))
    if call is None:
        return
    printed = Printed(call.bounds.printed)
    sys.stdout = sys.stderr = printed
    reply = _bounded(call, Asking(wire))
    usage = _usage()
    send(
        wire,
        msgspec.structs.replace(reply, printed="".join(printed.parts), cut=printed.cut, cpu=usage[0], memory=usage[1]),
    )
    os._exit(0)  # threads and exit handlers of the code get no further word


def _bounded(call: Call, asking: Asking) -> Reply:
    bounds = call.bounds
    confine.rlimits(
        memory=bounds.memory + OWN, seconds=int(bounds.seconds) + 2, files=64, written=bounds.memory, processes=64
    )
    try:
        return Reply(value=carried(_run(call.code, {"files": Files(asking), **call.inputs}), bounds))
    except NotCarried as error:
        return Reply("value", message=str(error))
    except SyntaxError as error:
        return Reply("syntax", message=error.msg, kind="SyntaxError", line=error.lineno or 0, source=error.text or "")
    except MemoryError:
        return Reply("memory", message="out of memory", line=_line_of(sys.exc_info()[2]))
    except BaseException as error:
        line = _line_of(error.__traceback__)
        lines = call.code.splitlines()
        source = lines[line - 1] if 0 < line <= len(lines) else ""
        return Reply("code", message=_said(error), kind=type(error).__name__, line=line, source=source[:300])


def _run(code: str, names: dict[str, Any]) -> Any:
    """The value of `return`, else of the last line."""
    tree = ast.parse(code, NAME)
    names["__name__"] = "__step__"
    if any(_returns(step) for step in tree.body):
        given = [ast.arg(name, lineno=1, col_offset=0) for name in names if name.isidentifier() and name[:2] != "__"]
        body = ast.FunctionDef(
            name=RESULT,
            args=ast.arguments(posonlyargs=[], args=given, kwonlyargs=[], kw_defaults=[], defaults=[]),
            body=tree.body,
            decorator_list=[],
        )
        if sys.version_info >= (3, 12):
            body.type_params = []
        tree.body = [body]
        ast.fix_missing_locations(tree)
        exec(compile(tree, NAME, "exec"), names)  # noqa: S102 - this process exists to run it, in its box
        return names[RESULT](**{arg.arg: names[arg.arg] for arg in given})
    if tree.body and isinstance(last := tree.body[-1], ast.Expr):
        tree.body[-1] = ast.copy_location(ast.Assign([ast.Name(RESULT, ast.Store())], last.value), last)
        ast.fix_missing_locations(tree)
    exec(compile(tree, NAME, "exec"), names)  # noqa: S102 - the same
    return names.get(RESULT)


def _returns(step: ast.AST) -> bool:
    """Whether a `return` stands here that belongs to no function of its own."""
    if isinstance(step, ast.Return):
        return True
    if isinstance(step, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
        return False
    return any(_returns(part) for part in ast.iter_child_nodes(step))


def _line_of(trace: Any) -> int:
    lines = [frame.lineno or 0 for frame in traceback.extract_tb(trace) if frame.filename == NAME]
    return lines[-1] if lines else 0


def _said(error: BaseException) -> str:
    try:
        return str(error)[:2000]
    except Exception:  # an exception of the code whose __str__ fails
        return ""


def _usage() -> tuple[float, int]:
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


if __name__ == "__main__":
    main()
