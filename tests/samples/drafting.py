"""What the templates and routes of drafting are tried with."""

from datetime import UTC, datetime
from typing import Any, get_args
from uuid import UUID

from app.drafting.differing import proposed
from app.drafting.shapes import ProposalView, Status
from app.web.actor import Actor
from flows.model import NodeUse
from tests.factories.checks import a_support_flow
from tests.factories.drafting import a_ready_proposal
from tests.factories.studio import a_document

SOME = UUID("01993d5e-0000-7000-8000-000000000011")
THEN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
AFTER = a_support_flow("Answer <b> sternly.")
AFTER.nodes += [
    NodeUse("loop", "logic.each", x=900, label="Each <b>"),
    NodeUse("call", "connect.http", settings={"url": "x"}),
]
CHANGE = proposed(a_support_flow(), AFTER)


def view(status: str, flow_id: UUID | None = None, **more: Any) -> ProposalView:
    fields: dict[str, Any] = {
        "id": SOME, "flow_id": flow_id, "flow": "Support <b>" if flow_id else "", "wish": "A <b>", "model": "m/large",
        "status": status, "said": "Done <b>.", "notes": ["Choose <b>."], "log": ["Asking."], "seen": ["Reply <b>"],
        "rounds": 2, "cost_micros": 1200, "made_flow": SOME, "by": None, "created_at": THEN,
    }  # fmt: skip
    return ProposalView(**fields | more)


VIEWS = [view(status, flow) for status in get_args(Status) for flow in (None, SOME)]
SAMPLES: dict[str, Any] = {
    "drafting/_describe.html": {},
    "drafting/_state.html": {},
    "drafting/_proposal.html": [
        *({"view": each} for each in VIEWS),
        {"view": view("ready", SOME, proposed=CHANGE)},
        {"view": view("accepted", proposed=CHANGE)},
        {"view": view("rejected", proposed=CHANGE)},
    ],
}


async def a_waiting_proposal(actor: Actor) -> UUID:
    return await a_ready_proposal(actor, a_document())


IDS = {"proposal_id": a_waiting_proposal}
BODIES: dict[str, Any] = {}
