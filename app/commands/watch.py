"""Noticing that a source file changed, for `agentbase up --reload`: by looking, so nothing more has to be installed."""

import subprocess
import sys
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).parents[2]
WATCHED = ("app", "flows", "components", "marketplace", "migrations", "static")
"""Not templates/: the web process itself looks whether one changed (app/web/render.py)."""
KINDS = {".py", ".html", ".css", ".js", ".json", ".svg", ".sql", ".md"}


class Watch:
    """Looks at most twice a second; a thousand files take 10 ms."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._seen = self._look()
        self._next = 0.0

    def changed(self) -> list[str]:
        """The files that were changed, made or removed since the last call, by name."""
        if monotonic() < self._next:
            return []
        self._next = monotonic() + 0.5
        before, self._seen = self._seen, self._look()
        if before == self._seen:
            return []
        return sorted({str(path.relative_to(self._root)) for path, _ in set(before.items()) ^ set(self._seen.items())})

    def settled(self) -> None:
        """What changed until now was our own doing."""
        self._seen = self._look()

    def _look(self) -> dict[Path, int]:
        found = {}
        for folder in WATCHED:
            for path in (self._root / folder).rglob("*"):
                if path.suffix in KINDS:
                    try:
                        found[path] = path.stat().st_mtime_ns
                    except FileNotFoundError:
                        continue
        return found


def is_source_of_assets(name: str) -> bool:
    """Whether static/dist is made of this file (tools/assets.py)."""
    return name.startswith("static/src/") or (name.startswith("marketplace/") and name.endswith(".css"))


def bundle(root: Path = ROOT) -> str:
    """Make static/dist anew; returns what the builder said last. Without Node it says so and changes nothing."""
    done = subprocess.run(
        [sys.executable, str(root / "tools" / "assets.py")], check=False, capture_output=True, text=True, cwd=root
    )
    lines = (done.stdout + done.stderr).strip().splitlines()
    return (lines or [""])[-1] if done.returncode == 0 else "\n".join(lines[-8:])
