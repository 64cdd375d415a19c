# ruff: noqa: E501 -- SQL keeps its own shape
"""The list of runs: filters, words, keyset pages. The same filter is the query of the page, of the API and of the link."""

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from app import clock
from app.db import tenant_tx
from app.errors import Refused
from app.runs import words
from app.runs.glance import NEEDS_YOU
from app.runs.reading import loads
from app.runs.redacting import redacted
from app.runs.shapes import state_of
from app.web import Actor

PAGE = 50
STATES = ("queued", "running", "waiting", "sleeping", "succeeded", "failed", "in_doubt", "cancelled")
RATINGS = ("good", "bad", "any")
"""What runs can be rated: good or bad by somebody; any = rated at all."""
PERIODS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}

LIST = f"""
select r.id, r.flow_id, r.status, r.trigger, r.draft, r.created_at, r.cost_micros, {NEEDS_YOU} as needs_you, r.origin_run,
       (select case when count(*) = 0 then '' when bool_and(g.good) then 'good' when bool_or(g.good) then 'mixed' else 'bad' end
          from run_rating g where g.run_id = r.id) as rating,
       v.document->>'name' as flow, v.number, r.error, e.name as environment,
       extract(epoch from coalesce(r.finished_at, clock_timestamp()) - coalesce(r.started_at, r.created_at)) * 1000 as ms
  from run r join flow_version v on v.id = r.version_id left join environment e on e.id = v.environment_id
 where ($1::uuid is null or r.flow_id = $1)
   and ($2 = '' or ($2 = 'waiting' and r.status in ('waiting', 'in_doubt', 'dead') and {NEEDS_YOU})
        or ($2 = 'sleeping' and r.status = 'waiting' and not {NEEDS_YOU})
        or ($2 = 'failed' and r.status in ('failed', 'dead')) or ($2 not in ('waiting', 'sleeping') and r.status = $2))
   and ($3::timestamptz is null or (r.created_at, r.id) < ($3, coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')))
   and ($5 = '' or split_part(r.trigger, ':', 1) = $5)
   and ($6::int is null or v.number = $6)
   and ($7::timestamptz is null or r.created_at >= $7) and ($8::timestamptz is null or r.created_at < $8)
   and ($9::bigint is null or r.cost_micros >= $9)
   and ($10::float8 is null or extract(epoch from coalesce(r.finished_at, clock_timestamp()) - coalesce(r.started_at, r.created_at)) >= $10)
   and ($11::uuid[] is null or r.id = any ($11))
   and ($13 = '' or exists (select from run_rating g where g.run_id = r.id and ($13 = 'any' or g.good = ($13 = 'good'))))
   and ($12 = '' or e.name = $12 or ($12 = 'live' and v.kind = 'published' and not r.draft))
 order by r.created_at desc, r.id desc limit {PAGE + 1}
"""  # noqa: S608 -- constants

CHOICES = """
(select l.flow_id, coalesce(nullif(v.document->>'name', ''), 'Unnamed flow') as name, 0 as place
  from flow_live l join flow_version v on v.id = l.version_id order by 2 limit 200)
union all (select null, name, position from environment) order by place, name
"""


class RunFilter(Struct, frozen=True):
    """`q`: words that must all be in the input, the output or the error. `seconds`: runs that took at least so long.

    `cost`: at least so many millionths of a US dollar. `since`, `until`: moments; `period`: hour, day, week, month.
    """

    q: str = ""
    state: str = ""
    flow: UUID | None = None
    trigger: str = ""
    version: int | None = None
    period: str = ""
    since: datetime | None = None
    until: datetime | None = None
    cost: int | None = None
    seconds: float | None = None
    environment: str = ""
    rating: str = ""

    @property
    def used(self) -> int:
        """How many conditions there are besides the flow."""
        given = (self.q, self.state, self.trigger, self.version, self.period, self.since, self.until, self.cost)
        return sum(each not in ("", None) for each in (*given, self.seconds, self.environment, self.rating))

    def link(self, **more: Any) -> str:
        """The query that says the same, without what is not set."""
        parts = {
            "q": self.q, "state": self.state, "flow": self.flow, "trigger": self.trigger, "version": self.version,
            "period": self.period, "since": self.since and self.since.date(), "until": self.until and self.until.date(),
            "cost": None if self.cost is None else f"{self.cost / 10_000:g}", "seconds": self.seconds and f"{self.seconds:g}",
            "environment": self.environment, "rating": self.rating,
        } | more  # fmt: skip
        return urlencode({key: value for key, value in parts.items() if value not in ("", None)})


class RunRow(Struct, frozen=True):
    """A line in the list of runs. `needs_you` wins over `status` for the badge. `rating`: "", good, bad or mixed."""

    id: UUID
    flow_id: UUID
    flow: str
    version: int
    status: str
    needs_you: bool
    trigger: str
    draft: bool
    created_at: datetime
    ms: float
    cost_micros: int
    error: str
    again: bool = False
    environment: str = ""
    rating: str = ""

    @property
    def state(self) -> str:
        return state_of(self.status, self.needs_you)

    @property
    def live(self) -> bool:
        return self.status in ("queued", "running", "waiting")


class Listed(Struct, frozen=True):
    """One page of runs, newest first. `before`: give it back for the next page, "" on the last one."""

    runs: list[RunRow]
    before: str


def filter_of(query: Any) -> RunFilter:
    """From the query of an address: what is not understood is left out, so that an old link still shows runs."""

    def number(name: str, times: float = 1) -> float | None:
        try:
            value = float(query.get(name, ""))
        except ValueError:
            return None
        return value * times if 0 <= value < 1e12 else None

    def day(name: str, later: int = 0) -> datetime | None:
        try:
            found = date.fromisoformat(query.get(name, "")[:10])
        except ValueError:
            return None
        return datetime(found.year, found.month, found.day, tzinfo=clock.now().tzinfo) + timedelta(days=later)

    try:
        flow = UUID(query.get("flow", ""))
    except ValueError:
        flow = None
    cost, version = number("cost", 10_000), number("version")
    state, period = query.get("state", ""), query.get("period", "")
    return RunFilter(
        q=query.get("q", "").strip()[:200],
        state=state if state in STATES else "",
        flow=flow,
        trigger=query.get("trigger", "")[:40],
        version=int(version) if version else None,
        period=period if period in PERIODS else "",
        since=day("since"),
        until=day("until"),
        cost=int(cost) if cost else None,
        seconds=number("seconds") or None,
        environment=query.get("environment", "")[:30],
        rating=rating if (rating := query.get("rating", "")) in RATINGS else "",
    )


def strict_filter_of(query: Any) -> RunFilter:
    """The same for a program, which must never be given more than it asked for.

    Raises Refused naming the filter for one there is not, and for a value it does not have.
    """
    names = RunFilter.__struct_fields__
    for name in query:
        if name not in (*names, "before"):
            raise Refused(
                f"There is no filter '{name[:40]}'.", remedy=f"There are {', '.join(names)}.", field=name[:40]
            )
    wanted = filter_of(query)
    for name in names:
        given = query.get(name, "").strip()
        if given.strip("0.") and not getattr(wanted, name):
            raise Refused(f"'{given[:40]}' is nothing that '{name}' can be.", field=name)
    return wanted


async def matching(actor: Actor, wanted: RunFilter) -> list[UUID] | None:
    """Runs that hold the words looked for; None when there are none to look for. 1 statement in a transaction of its
    own, so it comes before a page's.
    """
    return await words.found(actor.workspace_id, wanted.q) if wanted.q else None


async def listed(
    actor: Actor, wanted: RunFilter, before: str = "", among: list[UUID] | UnsetType | None = UNSET
) -> Listed:
    """One page, 50 runs. 1 statement, 2 when there are words to look for. `among`: what `matching` gave before."""
    moment, last = cursor(before)
    since = wanted.since
    if wanted.period:
        since = max(clock.now() - PERIODS[wanted.period], since) if since else clock.now() - PERIODS[wanted.period]
    until = wanted.until + timedelta(days=1) if wanted.until else None
    found = await matching(actor, wanted) if among is UNSET else among
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            LIST, wanted.flow, wanted.state, moment, last, wanted.trigger, wanted.version, since, until, wanted.cost,
            wanted.seconds, found, wanted.environment, wanted.rating,
        )  # fmt: skip
    made = [row_of(row) for row in rows[:PAGE]]
    return Listed(made, f"{made[-1].created_at.isoformat()}_{made[-1].id}" if len(rows) > PAGE else "")


async def choices(actor: Actor) -> tuple[list[tuple[str, str]], list[str]]:
    """For the filter: (id, name) of published flows, and the places besides live where versions run (none in most
    workspaces). 1 statement.
    """
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(CHOICES)
    flows = [(str(row["flow_id"]), row["name"]) for row in rows if row["flow_id"] is not None]
    return flows, [row["name"] for row in rows if row["flow_id"] is None]


def cursor(text: str) -> tuple[datetime | None, UUID | None]:
    moment, _, last = text.partition("_")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None, None
    try:
        return at, UUID(last)
    except ValueError:
        return at, UUID(int=0)


def row_of(row: Any) -> RunRow:
    return RunRow(
        row["id"],
        row["flow_id"],
        row["flow"] or "Unnamed flow",
        row["number"],
        row["status"],
        row["needs_you"],
        row["trigger"],
        row["draft"],
        row["created_at"],
        float(row["ms"] or 0),
        row["cost_micros"],
        redacted(str((loads(row["error"]) or {}).get("message", ""))),
        row["origin_run"] is not None,
        row["environment"] or "",
        row["rating"],
    )
