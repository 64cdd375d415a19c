"""`make bench`: every `figures()` of this folder, one JSON line per figure on stdout; what went wrong on stderr.

    python -m tests.bench.run            all but the long ones (ONLY_WHEN_NAMED)
    python -m tests.bench.run start web  only tests/bench/start.py and tests/bench/web.py

A module is `tests/bench/<name>.py` with `def figures() -> Iterator[Figure]`; it brings up what it needs and takes it
down again.
"""

import importlib
import sys
import time
import traceback
from pathlib import Path

import msgspec

NOT_MODULES = {"__init__", "run", "figure"}


def modules() -> list[str]:
    """Names of the modules that offer figures, in the order of the alphabet."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return [file.stem for file in files if file.stem not in NOT_MODULES and "def figures(" in file.read_text()]


def _is_long(name: str) -> bool:
    return "ONLY_WHEN_NAMED = True" in Path(__file__).with_name(f"{name}.py").read_text()


def main(wanted: list[str]) -> int:
    known, failed = modules(), False
    for name in wanted:
        if name not in known:
            print(f"There is no tests/bench/{name}.py. There are: {', '.join(known)}.", file=sys.stderr)
            return 2
    for name in wanted or [name for name in known if not _is_long(name)]:
        began = time.monotonic()
        try:
            for figure in importlib.import_module(f"tests.bench.{name}").figures():
                print(msgspec.json.encode(figure.line()).decode(), flush=True)
        except Exception:
            failed = True
            print(f"{name} failed:", file=sys.stderr)
            traceback.print_exc()
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
