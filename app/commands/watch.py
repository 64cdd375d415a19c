"""Noticing that a source file changed, for `agentbase up --reload`: by looking, so nothing more has to be installed."""

from pathlib import Path
from time import monotonic

ROOT = Path(__file__).parents[2]
WATCHED = ("app", "flows", "components", "marketplace", "migrations", "templates", "static/dist")
KINDS = {".py", ".html", ".css", ".js", ".json", ".svg", ".sql", ".md"}


class Watch:
    """Looks at most twice a second; a thousand files take 10 ms."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._seen = self._look()
        self._next = 0.0

    def changed(self) -> str:
        """The name of a file that was changed, made or removed since the last call; empty when none was."""
        if monotonic() < self._next:
            return ""
        self._next = monotonic() + 0.5
        before, self._seen = self._seen, self._look()
        if before == self._seen:
            return ""
        different = {path for path, _ in set(before.items()) ^ set(self._seen.items())}
        return str(sorted(different)[0].relative_to(self._root))

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
