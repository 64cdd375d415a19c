"""Two runs side by side: step by step, what came out, how long it took, what it cost. Pure but for reading them."""

import difflib
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct, field

from app.db import tenant_tx
from app.errors import NotFound
from app.runs import listing, queries
from app.runs.listing import RunFilter, RunRow
from app.runs.shapes import RunView, StepView
from app.web import Actor

MOST_LINES = 200
LOOKED_AT = 1_000
"""Newest runs among which flows that ran twice are looked for."""
BEFORE = """
select r.id from run r join run a on a.id = $1
 where r.flow_id = a.flow_id and (r.created_at, r.id) < (a.created_at, a.id)
 order by r.created_at desc, r.id desc limit 1
"""

FLOWS = f"""
select r.flow_id, coalesce(nullif((array_agg(v.document->>'name' order by r.created_at desc))[1], ''), 'Unnamed flow') as name
  from (select flow_id, version_id, created_at from run order by created_at desc limit {LOOKED_AT}) r
  join flow_version v on v.id = r.version_id
 group by r.flow_id having count(*) > 1 order by max(r.created_at) desc limit 100
"""  # noqa: E501, S608 -- a constant; SQL keeps its own shape

Mark = Literal["same", "added", "removed", "gap"]


class Line(Struct, frozen=True):
    mark: Mark
    text: str


class Pair(Struct, frozen=True):
    """One step in both runs; None where one did not come to it.

    `diff`: empty when the same came out; `given`: the same of what came in.
    """

    key: str
    title: str
    icon: str
    family: str
    a: StepView | None
    b: StepView | None
    diff: list[Line]
    given: list[Line] = field(default_factory=list)

    @property
    def same(self) -> bool:
        return self.a is not None and self.b is not None and self.a.status == self.b.status and not self.diff

    @property
    def ms(self) -> float:
        return (self.b.ms if self.b else 0) - (self.a.ms if self.a else 0)

    @property
    def cost(self) -> int:
        return (self.b.cost_micros if self.b else 0) - (self.a.cost_micros if self.a else 0)


class Compared(Struct, frozen=True):
    """`a` is the older run. `input`, `output`: differences of the whole runs."""

    a: RunView
    b: RunView
    pairs: list[Pair]
    input: list[Line]
    output: list[Line]

    @property
    def differing(self) -> int:
        return sum(not pair.same for pair in self.pairs)


class Offered(Struct, frozen=True):
    """What two runs are chosen from. `flows`: (id, name) of those that ran twice, the one that ran last first.

    `runs`: newest first; `chosen`: of them those marked already. `missing`: something was asked for that is not here.
    """

    flows: list[tuple[str, str]]
    flow: UUID | None
    runs: list[RunRow]
    chosen: list[UUID]
    missing: bool


async def offered(actor: Actor, ids: list[UUID], flow: UUID | None = None) -> Offered:
    """Runs of one flow to choose two from: of that of the first run in `ids` that is here, else `flow`, else the flow
    that ran last. At most 4 statements. What is not in this workspace is only told as `missing`.
    """
    async with tenant_tx(actor.workspace_id) as tx:
        flows = [(str(row["flow_id"]), row["name"]) for row in await tx.fetch(FLOWS)]
    asked = (await listing.listed(actor, RunFilter(), among=ids)).runs if ids else []
    known = {run.id: run for run in asked}
    first = next((known[each] for each in ids if each in known), None)
    if first is not None and str(first.flow_id) not in dict(flows):  # it ran once, or long ago
        flows = [(str(first.flow_id), first.flow), *flows]
    newest = UUID(flows[0][0]) if flows else None
    unknown = first is None and flow is not None and str(flow) not in dict(flows)
    wanted = first.flow_id if first is not None else newest if unknown else flow or newest
    runs = (await listing.listed(actor, RunFilter(flow=wanted))).runs if wanted is not None else []
    there = {run.id for run in runs}
    runs = [*runs, *(run for run in asked if run.flow_id == wanted and run.id not in there)]
    chosen = [each for each in dict.fromkeys(ids) if each in known and known[each].flow_id == wanted]
    return Offered(flows, wanted, runs, chosen, unknown or any(each not in known for each in ids))


async def compared(actor: Actor, one: UUID, other: UUID | None = None) -> Compared:
    """`other` None: the run of the same flow before it. The statements of two runs, and 1. Raises NotFound."""
    if other is None:
        async with tenant_tx(actor.workspace_id) as tx:
            other = await tx.fetchval(BEFORE, one)
    first = await queries.run(actor, one)
    if other is None:
        raise NotFound("There is no run of this flow before it.", remedy="Choose two runs in the list.")
    second = await queries.run(actor, other)
    return compare(*sorted((first, second), key=lambda run: (run.created_at, run.id)))


def compare(a: RunView, b: RunView) -> Compared:
    """Steps of `a` in its order, then those that only `b` has. Rounds are compared by their number."""
    left, right = ({step.key: step for step in run.steps} for run in (a, b))
    pairs = [_pair(key, left.get(key), right.get(key)) for key in dict.fromkeys([*left, *right])]
    return Compared(a, b, pairs, diff(a.input, b.input), diff(a.output, b.output))


def _pair(key: str, a: StepView | None, b: StepView | None) -> Pair:
    step = a or b
    if step is None:
        raise AssertionError("a key comes from one of the two")
    changed = diff(a.output, b.output) if a is not None and b is not None else []
    given = diff(a.inputs, b.inputs) if a is not None and b is not None else []
    return Pair(key, step.title, step.icon, step.family, a, b, changed, given)


def diff(a: Any, b: Any) -> list[Line]:
    """Lines of both values as JSON with what changed and two lines around it; [] when they are equal."""
    if a == b:
        return []
    found: list[Line] = []
    for text in difflib.unified_diff(_lines(a), _lines(b), n=2, lineterm=""):
        if text.startswith(("---", "+++")):
            continue
        if text.startswith("@@"):
            if found:
                found.append(Line("gap", ""))
            continue
        mark: Mark = "added" if text.startswith("+") else "removed" if text.startswith("-") else "same"
        found.append(Line(mark, text[1:]))
        if len(found) >= MOST_LINES:
            break
    return found


def _lines(value: Any) -> list[str]:
    if isinstance(value, str):
        return value.splitlines()[:5_000]
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode().splitlines()[:5_000]
