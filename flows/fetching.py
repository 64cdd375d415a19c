"""The large values of a run that is being executed: what they take, and bringing them back when a step needs them."""

from typing import TYPE_CHECKING, Any

import msgspec

from flows.frame import Frame
from flows.journal import Journal
from flows.ledger.protocol import StepRow
from flows.limits import Limits
from flows.plan import Link, Step
from flows.sdk.errors import NodeError
from flows.stored import MARK, Later, Lost, all_stored, record_of, too_much

if TYPE_CHECKING:
    from collections.abc import Iterable


class RunValues:
    """`awaited`: some outputs were taken over whose values are still in storage. `bytes`: all that are there."""

    __slots__ = ("awaited", "bytes", "journal", "kept", "limits")

    def __init__(self, journal: Journal | None, limits: Limits, rows: "Iterable[StepRow]" = (), there: int = 0) -> None:
        """`there`: bytes that earlier claims of the run have put in storage."""
        self.journal = journal
        self.limits = limits
        self.awaited = False
        self.bytes = there
        self.kept: set[str] = set()
        for row in rows:
            if row.output is not None and MARK in row.output:
                self.kept.update(one.hash for one in all_stored(msgspec.json.decode(row.output)))

    def recorded(self, out: Any, path: str, step: Step | None = None) -> str:
        """JSON of a step's outputs for its row; large values go to storage with the next write. Raises NodeError.

        Of a step that ends more than itself, or undoes, nothing goes there: what it gave must be at hand at once.
        """
        whole = step is not None and step.kind is not None and (step.kind.undo or bool(step.kind.ends))
        text, values = record_of(out, self.limits, path, whole=whole)
        if values and self.journal is not None:
            new = {hash: raw for hash, raw in values.items() if hash not in self.kept}
            self.kept.update(new)
            self.bytes += sum(map(len, new.values()))
            if self.bytes > self.limits.stored_bytes:
                raise too_much(self.limits.stored_bytes)
            self.journal.keep(new)
        return text

    def missing(self, frame: Frame, step: Step) -> bool:
        """Whether something this step reads has to be brought first."""
        return any(isinstance(frame.outs[link.source], Later) for link in _links(step))

    async def bring(self, frame: Frame, step: Step) -> None:
        """Put what this step reads in its place, whole. Raises NodeError naming the value that is gone."""
        await self.bring_links(frame, _links(step), step.label)

    async def bring_links(self, frame: Frame, links: "list[Link]", label: str) -> None:
        for link in links:
            out = frame.outs[link.source]
            if isinstance(out, Later):
                made = await self.whole(out, f"Step '{label}' can't read {link.spoken}")
                frame.outs[link.source] = made

    async def whole(self, out: Any, unread: str) -> Any:
        """Outputs with all their values. `unread`: how the sentence begins when one can't be had."""
        if not isinstance(out, Later) or self.journal is None:
            return out
        found: dict[str, bytes] = {}
        for one in out.wanted:
            try:
                found[one.hash] = await self.journal.ledger.fetch(self.journal.claim, one.hash)
            except Lost as lost:
                raise NodeError(
                    f"{unread}: {lost} ({one.size / 1_048_576:.1f} MB). Run again from the step that made it."
                ) from None
        return out.with_values(found)


def _links(step: Step) -> list[Link]:
    return [link for port in step.ports for link in port.links] + [link for _, link in step.captures]
