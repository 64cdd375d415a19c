"""LangGraph in process, in a Python of its own: its packages bring an HTTP client that would change a base class
of ours (docs/adr/0004-litellm-pin.md), so they are installed beside, pinned with hashes, under .tools.

python -m tests.bench.peers.langgraph    prints microseconds of a node of a chain, without a checkpointer
"""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PLACE = ROOT / ".tools" / "bench-langgraph"
PATIENCE = 180


def chain_us(database: str = "") -> float | None:
    """Microseconds a node in a chain of 100, each adding 1; None where it can't be installed.

    `database`: a PostgreSQL in which its checkpointer may make tables; then each node is on record there.
    """
    python = _python()
    if python is None:
        return None
    line = [python, "-P", HERE / "langgraph_chain.py", *([database] if database else [])]
    ran = subprocess.run(line, capture_output=True, text=True, timeout=PATIENCE, check=True)
    return float(ran.stdout)


def _python() -> Path | None:
    python = PLACE / "bin" / "python"
    wanted = HERE / "langgraph.txt"
    done = PLACE / "installed"
    if done.exists() and done.read_bytes() == wanted.read_bytes():
        return python
    uv = shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")
    try:
        for command in (
            [uv, "venv", "-q", "--no-config", "--clear", "--python", sys.executable, PLACE],
            [uv, "pip", "install", "-q", "--no-config", "--python", python, "--require-hashes", "-r", wanted],
        ):
            subprocess.run(command, check=True, timeout=PATIENCE)
    except (OSError, subprocess.SubprocessError):
        return None
    done.write_bytes(wanted.read_bytes())
    return python


if __name__ == "__main__":
    print(chain_us())
