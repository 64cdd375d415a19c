"""What starts runs besides schedules, each knocked at through the product's own web process: a webhook, a mail, an
event of the workspace, and a flow that follows another.
"""

import asyncio
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import httpx

from app.db import tenant_tx
from app.events import publish
from flows.model import Edge, Flow, NodeUse
from tests.factories.runs import a_version
from tests.factories.triggers import Made, the_trigger, token_of
from tests.fault.web import Web, browsers
from tests.fault.world import World


class Doors:
    """`knocked`: how often at each. A sender knocks until it is told that it was heard, and once more after that: as
    senders do that did not get the answer.
    """

    def __init__(self, it: World, web: Web, made: dict[str, Made], addresses: dict[str, str]) -> None:
        self.it, self.web, self.made, self._addresses = it, web, made, addresses
        self.workspace = made["webhook"].workspace_id
        self.knocked = 0

    async def knock(self) -> None:
        """Once at each."""
        self.knocked += 1
        n = self.knocked
        mail = EmailMessage()
        mail["From"], mail["Subject"], mail["Message-ID"] = (
            "mara@fernhill.example",
            f"Order {n}",
            f"<{n}@fernhill.example>",
        )
        mail.set_content(f"Order {n}")
        hook, mail_in = (f"{self.web.url}{self._addresses[kind]}" for kind in ("webhook", "email"))
        async with browsers() as client:
            for _ in range(2):
                await heard(client, hook, json={"n": n}, headers={"idempotency-key": f"order-{n}"})
                await heard(client, mail_in, content=mail.as_bytes(), headers={"content-type": "message/rfc822"})
        while True:
            try:
                async with tenant_tx(self.workspace) as tx:
                    await publish(tx, self.workspace, "workspace", "garden.grew", {"n": n})
                break
            except Exception:  # the database is away: it was not published
                await asyncio.sleep(0.2)

    async def all_answered(self, seconds: float = 60.0) -> None:
        """Each knock has started one run at each door, and one more that follows the webhook's; not one more."""
        flows = {kind: made.flow_id for kind, made in self.made.items()}
        await self.it.until(
            "select count(*) >= $2 from run where flow_id = any ($1::uuid[]) and status = 'succeeded'",
            list(flows.values()), self.knocked * len(flows), seconds=seconds,
        )  # fmt: skip
        rows = await self.it.ask(
            "select id, flow_id, version_id from run where flow_id = any ($1::uuid[])", list(flows.values())
        )
        runs = {kind: sum(row["flow_id"] == flow for row in rows) for kind, flow in flows.items()}
        assert runs == dict.fromkeys(flows, self.knocked), f"left out, or twice: {runs}"
        self.it.accepted += [row["id"] for row in rows]
        self.it.sizes |= {row["version_id"]: 3 for row in rows}


async def heard(client: httpx.AsyncClient, url: str, **request: Any) -> None:
    """As a sender who gets an error, or nothing: again."""
    for _ in range(600):
        try:
            answer = await client.post(url, **request)
        except httpx.TransportError:
            await asyncio.sleep(0.1)
            continue
        if answer.status_code in (200, 202):
            return
        assert answer.status_code in (429, 503), (answer.status_code, answer.text)
        await asyncio.sleep(0.1)
    raise AssertionError("nobody heard")


async def opened(it: World, web: Web) -> Doors:
    hook = await a_short_flow("start.webhook", "body", settings={"answer": "at once"})
    workspace = hook.workspace_id
    made = {
        "webhook": hook,
        "email": await a_short_flow("start.email", "text", workspace),
        "event": await a_short_flow("start.event", "event", workspace, {"kinds": ["garden.*"]}),
        "after": await a_short_flow(
            "start.after", "run", workspace, {"flow": str(hook.version_id), "when": "succeeded"}
        ),
    }
    addresses = {
        "webhook": f"/hooks/{await token_of(made['webhook'], 'webhook')}",
        "email": f"/mail-in/{await token_of(made['email'], 'email')}",
    }
    return Doors(it, web, made, addresses)


async def a_short_flow(
    start: str, port: str, workspace: UUID | None = None, settings: dict[str, Any] | None = None
) -> Made:
    """A start step, a tenth of a second, an answer: for workers, of steps that the web process has, too."""
    flow = Flow(
        [
            NodeUse("start", start, settings=settings or {}),
            NodeUse("rest", "logic.wait", settings={"amount": 0.1, "unit": "seconds"}),
            NodeUse("answer", "show.answer"),
        ],
        [Edge(f"start.{port}", "rest.value"), Edge("rest.value", "answer.data")],
        name=f"By {start}",
    )
    workspace_id, flow_id, version = await a_version(flow, workspace)
    return Made(await the_trigger(flow_id), workspace_id, flow_id, version)
