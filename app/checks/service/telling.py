"""Who has the tests of a flow open sees what happens to them; and values as they are stored."""

from typing import Any
from uuid import UUID

import msgspec

from app import events
from app.db import Tx
from app.web import Actor


async def tell(tx: Tx, actor: Actor, flow_id: UUID, kind: str, case_id: UUID | None) -> None:
    told = {"flow": str(flow_id), "test": str(case_id) if case_id else "", "by": actor.name}
    await events.publish(tx, actor.workspace_id, f"flow:{flow_id}", kind, told)


def text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
