"""The invariants of the fault scenarios, checked from the ledger and from what the outside world wrote down."""

import asyncio
from collections import Counter, defaultdict
from typing import Any

from app.runs import news
from app.runs.announcing import WORKSPACE_NEWS
from tests.fault.world import World

ENDED = ("succeeded", "failed", "cancelled", "dead")


async def check(world: World, *, exact_doubts: bool = True, doubts_may_be_cancelled: bool = False) -> dict[str, Any]:
    """Assert all of them. `exact_doubts`: runs in doubt are those predicted at each kill, not more and not fewer.
    `doubts_may_be_cancelled`: for scenarios that cancel runs, where a step called off in the middle is in doubt, too;
    the record must show that it had begun.

    Gives figures of the scenario, for the report it prints.
    """
    runs = {str(row["id"]): row for row in await world.ask("select * from run")}
    calls = world.calls()
    await accepted_runs_are_not_lost(world, runs)
    await effects_are_applied_once(world, runs, calls)
    doubts = {run for run, row in runs.items() if row["status"] == "in_doubt"}
    if exact_doubts:
        assert doubts == world.predicted, f"I3: in doubt {doubts ^ world.predicted} differs from what was predicted"
    unexplained = doubts - world.predicted
    if doubts_may_be_cancelled:
        unexplained -= await cancelled_in_the_middle(world)
    assert not unexplained, f"I3: in doubt without a reason: {unexplained}"
    await no_commit_by_an_old_epoch(world)
    await every_call_was_announced(world, calls)
    await events_have_no_gaps(world)
    await nothing_is_half_done(world)
    await workspaces_are_apart(world)
    await usage_adds_up(world)
    await ends_are_told_once(world)
    await nothing_is_left_open(world)
    keys = Counter(call["key"] for call in calls)
    figures = {
        "runs": len(runs),
        **Counter(row["status"] for row in runs.values()),
        "calls": len(calls),
        "repeated_and_absorbed": sum(1 for call in calls if not call["applied"]),
        "keys_called_again": sum(1 for n in keys.values() if n > 1),
        "predicted_doubts": len(world.predicted),
        "faults": dict(Counter(what.partition(" ")[0] for _, what in world.faults)),
        "drained_in_s": world.drained,
    }
    if failed := [row["error"] for row in runs.values() if row["status"] == "failed"]:
        figures["failed_because"] = failed[0]
    print(figures)
    return figures


async def cancelled_in_the_middle(world: World) -> set[str]:
    """Runs that were called off while a step that must not happen twice was on record as begun, and nothing else."""
    rows = await world.ask(
        """select r.id from run r join node_exec n on n.run_id = r.id
             join node_attempt a on a.run_id = n.run_id and a.node_id = n.node_id and a.attempt = n.attempt
            where r.cancel_requested_at is not null and n.status = 'in_doubt' and n.effect_class = 'at_most_once'
              and a.started_at <= r.cancel_requested_at + interval '1 second'"""
    )
    return {str(row["id"]) for row in rows}


async def accepted_runs_are_not_lost(world: World, runs: dict[str, Any]) -> None:
    """I1: what was promised has ended, or says why it stands."""
    lost = [run for run in map(str, world.accepted) if run not in runs]
    assert not lost, f"I1: {len(lost)} accepted runs are gone: {lost[:3]}"
    assert len(set(world.accepted)) == len(runs), "I1: one key made two runs"
    open_runs = {run: row["status"] for run, row in runs.items() if row["status"] not in (*ENDED, "in_doubt")}
    assert not open_runs, f"I1: still open: {open_runs}"
    silent = [run for run, row in runs.items() if row["status"] in ("dead", "in_doubt", "failed") and not row["error"]]
    assert not silent, f"I1: stopped without a reason: {silent}"


async def effects_are_applied_once(world: World, runs: dict[str, Any], calls: list[dict[str, Any]]) -> None:
    """I2: with a key exactly once for a run that succeeded, never more. I3: without a key never called twice."""
    applied: Counter[tuple[str, str]] = Counter()
    raw: Counter[tuple[str, str]] = Counter()
    for call in calls:
        if call["kind"] in ("idem", "raw"):
            applied[call["run"], call["node"]] += call["applied"]
            raw[call["run"], call["node"]] += call["kind"] == "raw"
    doubled = {step: n for step, n in applied.items() if n > 1}
    assert not doubled, f"I2: applied twice: {doubled}"
    called_again = {step: n for step, n in raw.items() if n > 1}
    assert not called_again, f"I3: called twice without a key: {called_again}"
    rows = await world.ask(
        """select run_id, node_id from node_exec
            where status = 'succeeded' and effect_class in ('idempotent', 'at_most_once')"""
    )
    ours = {(call["run"], call["node"]) for call in calls if call["kind"] in ("start", "end")}
    done = {(str(row["run_id"]), row["node_id"]) for row in rows}
    missing = [step for step in done - ours if applied[step] != 1]
    assert not missing, f"I2: succeeded without an effect: {missing[:3]}"


async def no_commit_by_an_old_epoch(world: World) -> None:
    """I4: in the order of their commits, the epochs of a run's tries and events never go back."""
    for table, order in (("node_attempt", "seq"), ("run_event", "seq")):
        stale = await world.ask(
            f"""select run_id, {order} from (
                   select run_id, {order}, epoch, lag(epoch) over (partition by run_id order by {order}) as before
                     from {table}) t where epoch < before"""
        )
        assert not stale, f"I4: {len(stale)} rows of {table} by an epoch that was over: {stale[:3]}"


async def every_call_was_announced(world: World, calls: list[dict[str, Any]]) -> None:
    """I5: a worker that lost its lease makes no new call: each call belongs to a try that its worker had on record."""
    rows = await world.ask(
        "select a.run_id, a.node_id, a.attempt, a.epoch, w.pid from node_attempt a join worker w on w.id = a.worker"
    )
    announced = {(str(row["run_id"]), row["node_id"], row["pid"]) for row in rows}
    # A step that is tried again in the same attempt number after a hand-over keeps its first worker's row.
    tries: dict[tuple[str, str], set[int]] = defaultdict(set)
    for run, node, pid in announced:
        tries[run, node].add(pid)
    strange = [call for call in calls if call["pid"] not in tries[call["run"], call["node"]]]
    assert not strange, f"I5: {len(strange)} calls without a record of their try: {strange[:3]}"


async def events_have_no_gaps(world: World) -> None:
    """I6: numbers 1, 2, 3 … without gaps, and the counter stands behind the last."""
    rows = await world.ask(
        """select r.id, r.next_event_seq, count(e.seq) as n, min(e.seq) as first, max(e.seq) as last
             from run r left join run_event e on e.run_id = r.id where r.lane <> 'express' group by r.id"""
    )
    wrong = [row for row in rows if not (row["first"] == 1 and row["n"] == row["last"] == row["next_event_seq"] - 1)]
    assert not wrong, f"I6: {wrong[:3]}"


async def nothing_is_half_done(world: World) -> None:
    """I7: a run that succeeded has no step that is still open, and all its steps."""
    rows = await world.ask(
        """select r.id, r.version_id, count(n.node_id) filter (where n.status = 'succeeded') as done,
                  count(n.node_id) filter (where n.status not in ('succeeded', 'skipped')) as open
             from run r left join node_exec n on n.run_id = r.id where r.status = 'succeeded' group by r.id"""
    )
    wrong = [row for row in rows if row["open"] or row["done"] != world.sizes[row["version_id"]]]
    assert not wrong, f"I7: {wrong[:3]}"


async def workspaces_are_apart(world: World) -> None:
    """I8: every row of a run lies in the run's workspace."""
    for table in ("node_exec", "node_attempt", "run_event"):
        strange = await world.ask(
            f"select t.run_id from {table} t join run r on r.id = t.run_id where t.workspace_id <> r.workspace_id"
        )
        assert not strange, f"I8: {table}: {strange[:3]}"


async def usage_adds_up(world: World) -> None:
    """I9: a run is billed for what its tries used, failed ones too, each once (docs/flow-semantics.md, 71)."""
    wrong = await world.ask(
        """select r.id from run r left join node_attempt a on a.run_id = r.id
            where r.lane <> 'express' and r.status = 'succeeded' group by r.id
           having r.prompt_tokens <> coalesce(sum(a.prompt_tokens), 0)
               or r.cost_micros <> coalesce(sum(a.cost_micros), 0)"""
    )
    assert not wrong, f"I9: {wrong[:3]}"


async def ends_are_told_once(world: World) -> None:
    """I13: the workspace was told of each end and each wait of its runs, once: triggers and webhooks hang on it."""
    async with asyncio.timeout(30):
        while (await world.ask("select exists (select from run_news)"))[0][0]:
            await news.tell_untold()
    wrong = await world.ask(
        """select happened.*, told.n as told from (
               select run_id::text as run, type, count(*) as n from run_event where type = any ($1) group by 1, 2
           ) happened full join (
               select data->>'run' as run, type, count(*) as n from event where type = any ($1) group by 1, 2
           ) told using (run, type) where happened.n is distinct from told.n""",
        sorted(WORKSPACE_NEWS),
    )
    assert not wrong, f"I13: {len(wrong)} ends told never or twice: {[dict(row) for row in wrong[:3]]}"


async def nothing_is_left_open(world: World) -> None:
    """I11: no transaction stands open, nobody holds the sweeper's lock."""
    await world.until(
        """select not exists (select from pg_stat_activity
            where state like 'idle in transaction%' and state_change < clock_timestamp() - interval '5 seconds')""",
        seconds=10,
    )
