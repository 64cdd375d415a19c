"""What the page of one run shows beside the run itself: timeline, graph, the chosen step, how it compares."""

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct, structs

from app.db import tenant_tx
from app.errors import Refused
from app.runs import breaking, queries
from app.runs.fields import Field
from app.runs.graph import Graph, graph
from app.runs.ports import fields_for
from app.runs.shapes import RunView, StepView
from app.runs.timeline import Timeline, timeline
from app.web import Actor
from app.web.words import money
from flows.model import Flow

Tab = Literal["values", "attempts", "log"]
PEERS = 50

PEERS_OF = """
select extract(epoch from r.finished_at - coalesce(r.started_at, r.created_at)) * 1000 as ms
  from run r where r.flow_id = $1 and r.finished_at is not null and r.created_at < $2 and r.id <> $3
   and r.status in ('succeeded', 'failed') order by r.created_at desc limit $4
"""


class Peers(Struct, frozen=True):
    """Milliseconds of the runs before, oldest first, this run last. `slower_than`: how many of them took less."""

    times: list[float]
    slower_than: int

    @property
    def number(self) -> int:
        return len(self.times) - 1

    @property
    def words(self) -> str:
        if self.slower_than > self.number / 2:
            return f"Slower than {self.slower_than} of {self.number}."
        return f"Faster than {self.number - self.slower_than} of {self.number}."


class Rounds(Struct, frozen=True):
    """Where the chosen step stands among the rounds of its container. `failed`: keys of those that failed."""

    nth: int
    number: int
    before: str
    after: str
    failed: list[str]


class PauseForm(Struct, frozen=True):
    """What can be put into the chosen step, before which the run pauses. `wrong`, `cause`: what was refused, why."""

    fields: list[Field]
    error: str = ""
    wrong: str = ""
    cause: str = ""


class RunPage(Struct, frozen=True):
    """`base`: the path of this page. `shared`: somebody looks who has a link: nothing can be done from there."""

    run: RunView
    timeline: Timeline
    graph: Graph | None
    chosen: StepView | None
    rounds: Rounds | None
    peers: Peers | None
    shares: list[tuple[str, int, str]]
    tab: Tab
    unreached: list[str]
    base: str
    shared: bool = False
    pause: "PauseForm | None" = None

    @property
    def view(self) -> str:
        return "graph" if self.graph is not None else "timeline"


async def run_page(
    actor: Actor,
    run_id: UUID,
    *,
    step: str = "",
    tab: str = "",
    view: str = "",
    sent: Mapping[str, str] | None = None,
    refused: Refused | None = None,
) -> RunPage:
    """The statements of `queries.run`, and 1 more once it has ended or while it pauses. Raises NotFound.

    `sent`, `refused`: a form that goes on with a pause, and why it could not.
    """
    run, flow = await queries.opened(actor, run_id)
    peers = await _peers(actor, run) if run.finished_at is not None else None
    shown = composed(run, flow, peers, step=step, tab=tab, view=view)
    if shown.chosen is None or not shown.chosen.paused:
        return shown
    found = [each for each in await breaking.pauses(actor, run_id) if each.step == shown.chosen.key]
    if not found:
        return shown
    fields = fields_for(found[0].ports, found[0].inputs, sent)
    wrong, cause = (refused.field or "", str(refused)) if refused is not None else ("", "")
    return structs.replace(shown, pause=PauseForm(fields, found[0].error, wrong, cause))


def composed(
    run: RunView,
    flow: Flow,
    peers: Peers | None = None,
    *,
    base: str = "",
    step: str = "",
    tab: str = "",
    view: str = "",
    shared: bool = False,
) -> RunPage:
    picked = chosen(run, step)
    tabs: tuple[Tab, ...] = ("values", "attempts", "log")
    return RunPage(
        run=run,
        timeline=timeline(run, flow),
        graph=graph(run, flow) if view == "graph" else None,
        chosen=picked,
        rounds=_rounds(run, picked),
        peers=peers,
        shares=_shares(run),
        tab=next((each for each in tabs if each == tab), "values"),
        unreached=_unreached(run, flow),
        base=base or f"/runs/{run.id}",
        shared=shared,
    )


def chosen(run: RunView, key: str) -> StepView | None:
    """The step the panel shows: the one asked for, else the one that needs somebody, failed, works, or came last."""
    by_key = {step.key: step for step in run.steps}
    if key in by_key:
        return by_key[key]
    for status in ("paused", "waiting", "in_doubt", "failed", "running"):
        found = next((step for step in run.steps if step.status == status), None)
        if found is not None:
            return found
    return next((step for step in reversed(run.steps) if step.status != "skipped"), None)


async def _peers(actor: Actor, run: RunView) -> Peers | None:
    async with tenant_tx(actor.workspace_id) as tx:
        rows: list[Any] = await tx.fetch(PEERS_OF, run.flow_id, run.created_at, run.id, PEERS)
    if len(rows) < 3:
        return None  # of two runs nobody learns anything
    times = [float(row["ms"] or 0) for row in reversed(rows)]
    return Peers([*times, run.ms], sum(time < run.ms for time in times))


def _rounds(run: RunView, step: StepView | None) -> Rounds | None:
    if step is None or not step.iter:
        return None
    same = sorted((each for each in run.steps if each.node == step.node), key=_round_number)
    at = next(i for i, each in enumerate(same) if each.key == step.key)
    return Rounds(
        at + 1,
        len(same),
        same[at - 1].key if at else "",
        same[at + 1].key if at + 1 < len(same) else "",
        [each.key for each in same if each.status == "failed"][:20],
    )


def _round_number(step: StepView) -> list[int]:
    return [int(part) if part.isdigit() else 0 for part in step.iter.split(".")]


def _shares(run: RunView) -> list[tuple[str, int, str]]:
    """Where the money went: the two dearest steps and the rest, as parts.shares draws them."""
    if run.cost_micros <= 0:
        return []
    by_title: dict[str, int] = {}
    for step in run.steps:
        by_title[step.title] = by_title.get(step.title, 0) + step.cost_micros
    dear = sorted((item for item in by_title.items() if item[1] > 0), key=lambda item: -item[1])
    parts = [(title, micros, money(micros)) for title, micros in dear[:2]]
    rest = sum(micros for _, micros in dear[2:])
    return [*parts, ("The rest", rest, money(rest))] if rest else parts


def _unreached(run: RunView, flow: Flow) -> list[str]:
    """Titles of steps that an ended run never came to."""
    if run.live:
        return []
    seen = {step.node for step in run.steps}
    return [use.label or use.id for use in flow.nodes if use.id not in seen and not use.type.startswith("note.")]
