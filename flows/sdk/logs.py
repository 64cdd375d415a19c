"""What steps say for whoever reads the run later (`ctx.log`): kept with the run's record, within limits."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct

Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")
MOST_LINE = 4_000
"""Characters of one line, and of the JSON of what is said beside it."""
MOST_OF_STEP = 200
"""Lines of one step in one round."""
MOST_OF_RUN = 2_000
"""Lines of a run, or of as much of it as one worker carries out."""
ENOUGH = "More was said than is kept."


class LogLine(Struct, frozen=True, omit_defaults=True):
    """`at`: Unix seconds; in the record of an express run `began` instead, ms since the run began.

    `data`: what was said beside the text, plain JSON.
    """

    text: str
    level: Level = "info"
    at: float = 0
    attempt: int = 1
    began: float = 0
    data: dict[str, Any] = {}

    def __str__(self) -> str:
        return self.text


class RunLog:
    """The lines of one run. `keep`: is given each as an event; without it they are held here, by step."""

    __slots__ = ("_counts", "_keep", "_total", "lines")

    def __init__(self, keep: Callable[[dict[str, Any]], None] | None = None) -> None:
        self.lines: dict[tuple[str, str], list[LogLine]] = {}
        self._keep = keep
        self._counts: dict[tuple[str, str], int] = {}
        self._total = 0

    def add(self, event: dict[str, Any]) -> None:
        """A step.log event. What is too much is left out; a step's last line then says so."""
        place = (event["node"], event["iter"])
        count = self._counts.get(place, 0)
        if count > MOST_OF_STEP or self._total > MOST_OF_RUN:
            return
        self._counts[place] = count + 1
        self._total += 1
        if count == MOST_OF_STEP or self._total > MOST_OF_RUN:
            event = {**event, "text": ENOUGH, "level": "warning", "output": {}}
        if self._keep is not None:
            self._keep(event)
        else:
            self.lines.setdefault(place, []).append(line_of(event))


def line_of(event: dict[str, Any]) -> LogLine:
    text, level = event.get("text", ""), event.get("level", "info")
    return LogLine(text, level, event.get("at", 0), event.get("attempt", 1), data=event.get("output", {}))


def plain(data: dict[str, Any]) -> dict[str, Any]:
    """What was said beside a text, as JSON has it; nothing where it can't be said so, or is too long."""
    if not data:
        return data
    try:
        text = msgspec.json.encode(data)
    except (TypeError, ValueError, OverflowError):
        return {}
    made: dict[str, Any] = msgspec.json.decode(text) if len(text) <= MOST_LINE else {}
    return made


def lines_in(events: Iterator[dict[str, Any]]) -> dict[tuple[str, str], list[LogLine]]:
    """Lines by step and round, from stored events."""
    found: dict[tuple[str, str], list[LogLine]] = {}
    for event in events:
        found.setdefault((event.get("node", ""), event.get("iter", "")), []).append(line_of(event))
    return found
