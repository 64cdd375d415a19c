"""The ledger in PostgreSQL. Tables: migrations/runs. What a status means: docs/flow-semantics.md.

Every claim of a run raises its epoch, and every write names the epoch of its claim: a worker that was declared dead and
comes back changes nothing (LostRun). Only what it did outside still counts: the outcome of a step that had begun is
taken as long as nobody claimed the run since, nor decided the doubt (`sql.LATE`).

The pool must belong to the role agentbase_system. A worker serves all workspaces and commits runs of many of them in
one transaction, so there is no single workspace to set for row security; instead each row takes its workspace_id from
the run's own row inside the statement, and nothing here accepts one from a caller.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import asyncpg
import msgspec

from flows.breaks import Breaks
from flows.ledger import postgres_sql as sql
from flows.ledger import postgres_values
from flows.ledger.postgres_batch import Write, Written, arguments, json_text
from flows.ledger.postgres_pool import OUTAGES, answers, borrowed, refused
from flows.ledger.postgres_writers import Writers
from flows.ledger.protocol import Claim, Fault, LostRun, RunChange, RunRow, StepChange, StepRow
from flows.sdk.capabilities import Usage
from flows.sdk.context import Signal, Wait

log = logging.getLogger("agentbase.ledger")

T = TypeVar("T")


class PostgresLedger:
    """One per worker process. While the database is away, reads and writes wait for it, however long that is: nobody
    else can take the run meanwhile, and if somebody did, the epoch tells. `patience`: seconds for which they are sent
    again when the database is there and yet can't do it.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        *,
        patience: float = 30.0,
        on_events: Callable[[str, int, Sequence[dict[str, Any]]], None] | None = None,
        on_queued: Callable[[str], None] | None = None,
        on_cleared: Callable[[Claim], None] | None = None,
    ) -> None:
        """`on_events(run, seq of the first, events)`, `on_queued(lane)` and `on_cleared(claim)`, for a run that left
        quarantine, are called after the commit; they must not raise.
        """
        self._pool = pool
        self._patience = patience
        self._on_events = on_events
        self._on_queued = on_queued
        self._on_cleared = on_cleared
        self._fresh: dict[Claim, asyncpg.Record] = {}
        self._seqs: dict[Claim, int] = {}
        self._given: dict[Claim, dict[str, Signal]] = {}
        self._used: dict[Claim, set[str]] = {}
        self._writers = Writers(self._commit)

    def took(self, row: asyncpg.Record) -> Claim:
        """Remember a freshly claimed row, so that `load` of a first claim needs no query."""
        claim = Claim(str(row["id"]), row["epoch"])
        self._fresh[claim] = row
        self._seqs[claim] = 0
        return claim

    def forget(self, claim: Claim) -> None:
        """The claim is over, whatever its end."""
        self._fresh.pop(claim, None)
        self._seqs.pop(claim, None)
        self._given.pop(claim, None)
        self._used.pop(claim, None)

    def given(self, claim: Claim) -> dict[str, Signal] | None:
        """Signals the engine has for this claim, by the id of their row; None before `load`. Add those handed on
        later.
        """
        return self._given.get(claim)

    async def load(self, claim: Claim) -> RunRow:
        row = self._fresh.pop(claim, None)
        if row is not None and row["epoch"] == 1 and not row["has_signals"]:
            self._given[claim] = {}
            return _run_row(row, (), ())
        row, steps, signals = await self._patiently(lambda: self._read(claim))
        self._seqs.setdefault(claim, 0)
        given = self._given[claim] = {str(signal["id"]): stored_signal(signal) for signal in signals}
        now = time.time()
        return _run_row(row, [_step_row(step, now) for step in steps], list(given.values()))

    async def rounds(self, claim: Claim, iters: Sequence[str]) -> Sequence[StepRow]:
        rows = await self._patiently(partial(self._rounds, claim, iters))
        now = time.time()
        return [_step_row(row, now) for row in rows]

    async def _rounds(self, claim: Claim, iters: Sequence[str]) -> Sequence[Any]:
        async with borrowed(self._pool) as connection:
            found: Sequence[Any] = await connection.fetch(sql.ROUNDS, claim.run, list(iters))
        return found

    async def _read(self, claim: Claim) -> tuple[Any, Sequence[Any], Sequence[Any]]:
        async with borrowed(self._pool) as connection:
            row = await connection.fetchrow(sql.RUN, claim.run, claim.epoch)
            if row is None:
                raise LostRun(f"Run {claim.run} is not ours any more: epoch {claim.epoch} is over.")
            steps = await connection.fetch(sql.STEPS, claim.run)
            signals = await connection.fetch(sql.SIGNALS, claim.run) if row["has_signals"] else ()
        return row, steps, signals

    async def _patiently(self, act: Callable[[], Awaitable[T]]) -> T:
        """Again until the database has done it. Raises what it said last when it is there and refuses all the same."""
        give_up, pause = time.monotonic() + self._patience, 0.05
        while True:
            try:
                return await act()
            except OUTAGES as outage:
                if refused(outage) or (time.monotonic() > give_up and await answers(self._pool)):
                    raise
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  no secret
                pause = min(pause * 2, 1.0)

    async def write(
        self,
        claim: Claim,
        steps: Sequence[StepChange] = (),
        run: RunChange | None = None,
        events: Sequence[dict[str, Any]] = (),
        used: Sequence[Signal] = (),
    ) -> None:
        """See protocol. During an outage of the database it waits and tries again, exactly once in effect.

        A write that came too late (the run was taken from us) still records outcomes of steps where that is safe.
        """
        self._seqs[claim] = seq = self._seqs.get(claim, 0) + 1
        ids = self._rows_of(claim, used)
        write = Write(claim, seq, steps, run, events, ids, asyncio.get_running_loop().create_future())
        self._writers.put(write)
        try:
            written = await write.done
        except Exception as error:
            if refused(error) or not isinstance(error, (LostRun, *OUTAGES)):
                self._seqs[claim] = seq - 1  # it changed nothing, so the write that tells why takes its place
            raise
        if self._on_events is not None and events:
            self._on_events(claim.run, written.first_seq, events)
        if written.status == "queued" and self._on_queued is not None:
            self._on_queued(written.lane)
        if written.cleared and self._on_cleared is not None:
            self._on_cleared(claim)

    def _rows_of(self, claim: Claim, used: Sequence[Signal]) -> list[str]:
        """The rows of signals that were used; of equal ones the oldest. They are not ours to use again."""
        given, gone, ids = self._given.get(claim, {}), self._used.setdefault(claim, set()), []
        for signal in used:
            id_ = next((id_ for id_, one in given.items() if one == signal and id_ not in gone), None)
            if id_ is not None:
                ids.append(id_)
                gone.add(id_)
        return ids

    async def _commit(self, writes: Sequence[Write]) -> None:
        rows = await self._patiently(lambda: self._send(writes))
        for write in writes:
            row = rows.get(write.claim.run)
            if write.done.done():
                continue
            if row is not None:
                write.done.set_result(row)
            else:
                await self._late(write)
                write.done.set_exception(
                    LostRun(f"Run {write.claim.run} is not ours any more: epoch {write.claim.epoch} is over.")
                )

    async def _send(self, writes: Sequence[Write]) -> dict[str, Written]:
        sleepers = sorted(
            write.claim.run for write in writes if write.run is not None and write.run.status == "waiting"
        )
        acting = {write.claim.run: acts for write in writes if (acts := [act for s in write.steps for act in s.acts])}
        async with borrowed(self._pool) as connection:
            if sleepers or acting:
                async with connection.transaction():
                    await connection.execute(sql.LOCK, sleepers)
                    rows = await connection.fetch(sql.WRITE, *arguments(writes))
                    for act in (act for row in rows for act in acting.get(str(row["id"]), ())):
                        await act(connection)
                    if cancelled := [row["id"] for row in rows if row["cancel"] and row["status"] == "waiting"]:
                        await connection.execute(sql.SLEEPER_CANCELLED, cancelled)
            else:
                rows = await connection.fetch(sql.WRITE, *arguments(writes))
            found = {
                str(row["id"]): Written(row["status"], row["lane"], row["first_seq"], row["cancel"], row["cleared"])
                for row in rows
            }
            for write in writes:
                if write.claim.run not in found:  # not ours any more, or applied by a try whose answer was lost
                    claim = write.claim
                    row = await connection.fetchrow(sql.APPLIED, claim.run, claim.epoch, write.seq)
                    if row is not None:
                        first = row["next_event_seq"] - len(write.events)
                        found[claim.run] = Written(row["status"], row["lane"], first, False)
        return found

    async def keep(self, claim: Claim, values: Mapping[str, bytes]) -> None:
        await self._patiently(partial(self._keep, claim, values))

    async def _keep(self, claim: Claim, values: Mapping[str, bytes]) -> None:
        async with borrowed(self._pool) as connection:
            await postgres_values.keep(connection, claim.run, values)

    async def fetch(self, claim: Claim, hash: str) -> bytes:
        return await self._patiently(partial(self._fetch, claim, hash))

    async def _fetch(self, claim: Claim, hash: str) -> bytes:
        async with borrowed(self._pool) as connection:
            return await postgres_values.fetch(connection, claim.run, hash)

    async def _late(self, write: Write) -> None:
        for step in write.steps:
            if step.status not in ("succeeded", "failed", "backoff") or step.effect == "pure" or step.acts:
                continue  # what belongs to the record did not happen without it
            row = await self._patiently(partial(self._store_late, write, step))
            log.info("run %s step %s: late outcome %s", write.claim.run, step.node, "kept" if row else "refused")
            if row is not None and self._on_queued is not None:
                self._on_queued(row["lane"])

    async def _store_late(self, write: Write, step: StepChange) -> Any:
        usage = step.usage or Usage()
        async with borrowed(self._pool) as connection:
            return await connection.fetchrow(
                sql.LATE,
                write.claim.run,
                write.claim.epoch,
                step.node,
                step.iter,
                step.attempt,
                step.status,
                step.output,
                json_text(step.fault),
                step.handled,
                step.ms,
                usage.prompt_tokens,
                usage.completion_tokens,
                usage.cost_micros,
                max(0.0, step.next_at - time.time()) if step.next_at is not None else None,
            )


def _decode(text: str | None, kind: Any = Any) -> Any:
    return None if text is None else msgspec.json.decode(text, type=kind)


def stored_signal(row: asyncpg.Record) -> Signal:
    return Signal(row["name"], _decode(row["data"]), row["sender"], row["step"])


def _run_row(row: asyncpg.Record, steps: Sequence[StepRow], signals: Sequence[Signal]) -> RunRow:
    data = _decode(row["input"])
    return RunRow(
        run=str(row["id"]),
        status=row["status"],
        input=data if isinstance(data, dict) else {},
        output=row["output"],
        fault=_decode(row["error"], Fault),
        cancel_requested=row["cancel"],
        deadline=None if row["deadline_in"] is None else time.time() + row["deadline_in"],
        workspace_id=str(row["workspace_id"]),
        flow_id=str(row["flow_id"]),
        version_id=str(row["version_id"]),
        trigger=row["trigger"],
        afresh=row["afresh"],
        value_bytes=row.get("value_bytes"),
        stored_bytes=row.get("stored_bytes", 0),
        repeats=row.get("repeats", 0),
        usage=_used(row),
        steps=steps,
        signals=signals,
        breaks=_decode(row.get("breaks"), Breaks),
        vars=_decode(row["vars"]),
    )


def _used(row: asyncpg.Record) -> Usage | None:
    """Of all tries; a run that was claimed just now for the first time has had none."""
    prompt, completion, cost = row.get("prompt", 0), row.get("completion", 0), row.get("cost", 0)
    return Usage(prompt, completion, cost) if prompt or completion or cost else None


def _step_row(row: asyncpg.Record, now: float) -> StepRow:
    used = row["prompt_tokens"] or row["completion_tokens"] or row["cost_micros"]
    return StepRow(
        node=row["node_id"],
        iter=row["iter_path"],
        status=row["status"],
        attempt=row["attempt"],
        effect=row["effect_class"],
        output=row["output"],
        fault=_decode(row["error"], Fault),
        handled=row["handled"],
        next_at=None if row["next_in"] is None else now + row["next_in"],
        wait=_decode(row["wait"], Wait),
        signal=_decode(row["signal"], Signal),
        usage=Usage(row["prompt_tokens"], row["completion_tokens"], row["cost_micros"]) if used else None,
        edits=_decode(row["edits"]),
    )
