"""Going back to an older version, and forward again, in one step each."""

import pytest

from app.db import tenant_tx
from app.errors import Conflict, NotFound
from app.runs import service as runs
from app.studio import queries, service
from app.studio.forms import NodeLabel
from tests.factories.accounts import an_actor
from tests.factories.studio import a_batch, a_document, a_flow


async def two_versions(actor):
    flow_id = await a_flow(actor)
    first = await service.publish(actor, flow_id, "", "")
    await service.apply_ops(actor, flow_id, a_batch(0, NodeLabel("ask", "Changed")))
    return flow_id, first, await service.publish(actor, flow_id, "", "")


async def test_an_older_version_is_live_again_the_draft_stays_and_undo_goes_forward(signed_in):
    actor = signed_in.actor
    flow_id, first, second = await two_versions(actor)
    assert (
        "Make version 1 live"
        in (await signed_in.get(f"/flows/{flow_id}/versions", headers={"HX-Request": "true"})).text
    )
    answer = await signed_in.post(f"/flows/{flow_id}/versions/{first}/live", data={})
    assert answer.status_code == 303
    assert await runs.live_version(actor.workspace_id, flow_id) == first
    assert (await queries.editor(actor, flow_id)).live_version_id == first
    assert (await queries.draft(actor, flow_id))[0].nodes[0].label == "Changed"
    undo = f"/flows/{flow_id}/versions/{second}/live"
    assert undo in (await signed_in.get("/flows")).text
    await signed_in.post(undo, data={})
    assert await runs.live_version(actor.workspace_id, flow_id) == second


async def test_programs_do_the_same(signed_in, api):
    flow_id, first, _ = await two_versions(signed_in.actor)
    answer = await api.put(f"/api/v1/flows/{flow_id}/live", json={"version_id": str(first)})
    assert answer.status_code == 204
    assert await runs.live_version(signed_in.actor.workspace_id, flow_id) == first


async def test_only_published_versions_of_this_flow_and_not_the_live_one(db):
    actor = await an_actor()
    flow_id, first, second = await two_versions(actor)
    with pytest.raises(Conflict, match="Version 2 is live already"):
        await service.make_live(actor, flow_id, second)
    async with tenant_tx(actor.workspace_id) as tx:
        draft = await runs.save_version(tx, actor.workspace_id, flow_id, a_document(), "", None, kind="draft")
    other = await two_versions(actor)
    stranger = await an_actor()
    for who, flow, version in (
        (actor, flow_id, draft), (actor, flow_id, other[1]), (stranger, flow_id, first), (stranger, other[0], first),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await service.make_live(who, flow, version)
    await service.archive(actor, flow_id)
    with pytest.raises((Conflict, NotFound)):
        await service.make_live(actor, flow_id, first)
