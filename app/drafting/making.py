"""The conversation with the model: ask, read, check, ask for repair, until the flow is valid or the rounds are used up.

It goes on when whoever asked leaves the page. One that is cancelled, by whichever process, stops before its next round;
the call under way is cut off when it is in this process.
"""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import msgspec
from msgspec import Struct

from app import events
from app.db import tenant_tx
from app.drafting.building import Built, build
from app.drafting.grammar import Said, schema
from app.drafting.prompting import messages, repair
from app.gateway.service.asking import Asker, Fault, asking
from app.logs import logger
from app.studio.service.proposals import exported
from flows import catalogue
from flows.model import Flow
from flows.sdk.capabilities import ChatRequest
from flows.sdk.values import Message

log = logger(__name__)

MOST_ROUNDS = 4
"""One answer and three repairs: what is not right by then does not become so."""
LONGEST = 240.0
"""Seconds for all rounds together."""
LONGEST_ROUND = 120.0
MOST_TOKENS = 8_000
OFTEN = 0.7
"""Seconds between two looks at how far the model is."""
_LABEL = re.compile(r'"label"\s*:\s*"((?:[^"\\]|\\.){1,80})"')


class Work(Struct, frozen=True):
    """One proposal to be made. `before`: the document it starts from (empty = a new flow)."""

    id: UUID
    workspace_id: UUID
    flow_id: UUID | None
    wish: str
    model: str
    before: Flow
    models: Sequence[str]


class Gone(Exception):
    """Somebody cancelled the proposal."""


async def make(work: Work) -> None:
    """Never raises: what goes wrong ends as a sentence in the proposal."""
    teller = _Teller(work)
    try:
        async with asyncio.timeout(LONGEST), asking(work.workspace_id, work.flow_id) as asker:
            await _talked(work, asker, teller)
    except Gone:
        return
    except Fault as fault:
        await teller.end("failed", fault.message)
    except TimeoutError:
        await teller.end(
            "failed", f"The model took longer than {LONGEST:g} s. Describe less, or choose a faster model."
        )
    except asyncio.CancelledError:
        with suppress(Exception):  # the process ends, or the person cancelled: then it is said already
            await asyncio.shield(teller.end("cancelled", "Stopped."))
        raise
    except Exception:
        log.exception("a proposal could not be made", proposal=str(work.id))
        with suppress(Exception):  # without a database it can't be said: then it is shown as interrupted, later
            await teller.end("failed", "Something of ours went wrong. It is in the log; nothing was changed.")


async def _talked(work: Work, asker: Asker, teller: "_Teller") -> None:
    given = exported(work.before, catalogue.load()) if work.flow_id is not None else None
    talk = messages(work.wish, given, work.models)
    faults: list[str] = []
    for number in range(1, MOST_ROUNDS + 1):
        await teller.round(number, faults, asker.cost_micros)
        answer, built = await _answered(work, asker, teller, talk)
        if not built.faults:
            said = _sentence(answer)
            if built.flow.nodes == work.before.nodes and built.flow.edges == work.before.edges:
                await teller.end("failed", said or "The model found nothing to change.", asker.cost_micros)
            else:
                await teller.ready(said, built, asker.cost_micros)
            return
        faults = built.faults
        talk = [*talk, *repair(answer, faults)]
    await teller.end(
        "failed",
        f"After {MOST_ROUNDS} tries the flow still has a mistake: {faults[0]} "
        "Say it in other words or in smaller parts, or choose a larger model.",
        asker.cost_micros,
    )


async def _answered(work: Work, asker: Asker, teller: "_Teller", talk: list[Message]) -> tuple[str, Built]:
    request = ChatRequest(talk, work.model, temperature=0.2, max_tokens=MOST_TOKENS, schema=schema())
    watching = asyncio.create_task(teller.watch())
    try:
        reply = await asker.chat(request, limit=LONGEST_ROUND, log=teller.note, piece=teller.piece)
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await teller.cost(asker.cost_micros)
    try:
        said = msgspec.convert(reply.data, Said)
    except msgspec.ValidationError as error:
        return reply.text, Built(work.before, [f"This does not have the shape asked for: {error}."])
    return reply.text, build(work.before, said, work.models)


def _sentence(answer: str) -> str:
    """What the model says to the person: one short plain text."""
    try:
        said = msgspec.json.decode(answer, type=Said).say
    except (msgspec.DecodeError, msgspec.ValidationError):
        return ""
    return " ".join(said.split())[:600]


class _Teller:
    """Writes into the proposal how far it is, and tells open pages to look."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.lines: list[str] = []
        self.text: list[str] = []
        self.told: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)

    def piece(self, text: str) -> None:
        self.text.append(text)

    async def watch(self) -> None:
        """While the model writes: the names of the steps it has written so far."""
        while True:
            await asyncio.sleep(OFTEN)
            seen = [_plain(label) for label in _LABEL.findall("".join(self.text))][:60]
            if seen != self.told:
                self.told = seen
                await self._write("seen = $2", msgspec.json.encode(seen).decode())

    async def round(self, number: int, faults: Sequence[str], cost: int) -> None:
        if faults:
            more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
            self.note(f"Not right yet: {faults[0]}{more}. Asking for repair.")
        self.note(f"Asking {self.work.model}." if number == 1 else f"Try {number} of {MOST_ROUNDS}.")
        self.text.clear()
        self.told = []
        await self._write("rounds = $2, cost_micros = $3, log = $4, seen = '[]'", number, cost, self._log())

    async def cost(self, micros: int) -> None:
        """What was spent is spent, also on a proposal that was cancelled meanwhile."""
        async with tenant_tx(self.work.workspace_id) as tx:
            await tx.execute("update proposal set cost_micros = $2 where id = $1", self.work.id, micros)

    async def ready(self, said: str, built: Built, cost: int) -> None:
        await self._write(
            "status = 'ready', said = $2, after = $3, notes = $4, cost_micros = $5, log = $6",
            said,
            msgspec.json.encode(built.flow).decode(),
            msgspec.json.encode(built.notes).decode(),
            cost,
            self._log(),
        )

    async def end(self, status: str, said: str, cost: int | None = None) -> None:
        await self._write(
            "status = $2, said = $3, cost_micros = coalesce($4, cost_micros), log = $5",
            status,
            said[:2_000],
            cost,
            self._log(),
            lost=False,
        )

    async def _write(self, change: str, *values: object, lost: bool = True) -> None:
        """Only while it is being made. Raises Gone when it is not any more, if `lost`."""
        work = self.work
        async with tenant_tx(work.workspace_id) as tx:
            there = await tx.fetchval(
                f"update proposal set {change}, updated_at = now() where id = $1 and status = 'working' returning id",  # noqa: S608 -- ours
                work.id,
                *values,
            )
            if there is not None:
                await events.publish(tx, work.workspace_id, "workspace", "proposal.changed", {"proposal": str(work.id)})
        if there is None and lost:
            raise Gone

    def _log(self) -> str:
        return msgspec.json.encode([line[:500] for line in self.lines[-60:]]).decode().replace("\\u0000", "")


def _plain(label: str) -> str:
    """A label out of half-written JSON."""
    try:
        return str(msgspec.json.decode(f'"{label}"'))
    except msgspec.DecodeError:
        return label
