"""Who looks at a flow right now. Nothing is stored: every tab whispers where it is, and forgets who falls silent."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from app.events import hub
from app.studio import queries
from app.studio.forms import NodeId
from app.web import Actor


class PresenceForm(Struct, forbid_unknown_fields=True):
    """`client`: one tab. `at`: the steps selected there. `gone`: it is being closed."""

    client: Annotated[str, Meta(min_length=1, max_length=64)]
    at: Annotated[list[NodeId], Meta(max_length=20)] = []
    gone: bool = False


async def say(actor: Actor, flow_id: UUID, form: PresenceForm) -> None:
    """Tell everybody who has this flow open. Raises NotFound for a flow the actor can't see. 1 statement."""
    await queries.there(actor, flow_id)
    told: dict[str, Any] = {
        "client": form.client,
        "user": str(actor.user_id),
        "name": actor.name or actor.email,
        "at": form.at,
        "gone": form.gone,
    }
    hub.whisper(actor.workspace_id, f"flow:{flow_id}", "flow.here", told)
