"""What pages and the API show of outgoing webhooks. Each says how many SQL statements it takes."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app.db import tenant_tx
from app.errors import NotFound
from app.web.actor import Actor
from app.webhooks.service import GONE

LIST = """
select e.*, (select count(*) from webhook_delivery d where d.endpoint_id = e.id and d.state in ('dead', 'held')) as left_over
  from webhook_endpoint e where $1::uuid is null or e.id = $1 order by e.created_at
"""  # noqa: E501
LOG = """
select d.*, o.next_at from webhook_delivery d
  left join outbox o on o.workspace_id = d.workspace_id and o.kind = 'webhook' and o.dedupe_key = d.id || ':' || d.round
   and o.done_at is null and o.dead_at is null
 where d.endpoint_id = $1 and ($2 = '' or d.state = $2) and ($3::timestamptz is null or d.created_at < $3)
 order by d.created_at desc limit 51
"""


class EndpointView(Struct, frozen=True):
    """`state`: on, off, disabled (by us, after days of failures), failing. `left_over`: given up or kept back.

    `secret_name`: a secret of the vault that signs, "" = its own, which ends in `hint`.
    """

    id: UUID
    name: str
    url: str
    kinds: list[str]
    hint: str
    state: str
    left_over: int
    last_ok_at: datetime | None
    failing_since: datetime | None
    secret_name: str = ""

    @property
    def words(self) -> str:
        return ", ".join(self.kinds) or "every event"


class Try(Struct, frozen=True):
    """One call. `status` 0: no answer, and `error` says why."""

    at: datetime
    status: int
    ms: int
    error: str
    answer: str


class DeliveryView(Struct, frozen=True):
    """`state`: due, done, dead, held. `next_at`: when it is tried again."""

    id: UUID
    type: str
    body: str
    state: str
    created_at: datetime
    next_at: datetime | None
    tries: list[Try]

    @property
    def webhook_id(self) -> str:
        return f"msg_{self.id.hex}"


class Detail(Struct, frozen=True):
    endpoint: EndpointView
    deliveries: list[DeliveryView]
    before: datetime | None


async def endpoints(actor: Actor) -> list[EndpointView]:
    """1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(LIST, None)
    return [_view(row) for row in rows]


async def endpoint(actor: Actor, endpoint_id: UUID, state: str = "", before: datetime | None = None) -> Detail:
    """With its deliveries, newest first. 2 statements. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(LIST, endpoint_id)
        if row is None:
            raise NotFound(GONE, remedy="Look for it in the list of webhooks.")
        log = await tx.fetch(LOG, endpoint_id, state, before)
    listed = [_delivery(each) for each in log[:50]]
    return Detail(_view(row), listed, listed[-1].created_at if len(log) > 50 else None)


def _view(row: Any) -> EndpointView:
    state = (
        "disabled" if row["disabled_at"] else "off" if row["paused"] else "failing" if row["failing_since"] else "on"
    )
    return EndpointView(
        row["id"], row["name"] or row["url"].split("/")[2], row["url"], list(row["kinds"]), row["hint"], state,
        row["left_over"], row["last_ok_at"], row["failing_since"], row["secret_name"],
    )  # fmt: skip


def _delivery(row: Any) -> DeliveryView:
    tries = [
        Try(datetime.fromtimestamp(each["at"], UTC), each["status"], each["ms"], each["error"], each["answer"])
        for each in msgspec.json.decode(row["tries"])
    ]
    return DeliveryView(row["id"], row["type"], row["body"], row["state"], row["created_at"], row["next_at"], tries)
