import pytest

from app.accounts import service
from app.accounts.forms import KeyForm
from app.db import system_tx
from app.errors import Refused
from tests.factories.accounts import an_actor, an_api_key
from tests.factories.runs import a_version, an_approval


@pytest.mark.parametrize(("role", "most"), [("viewer", "read"), ("editor", "write"), ("owner", "admin")])
async def test_nobody_makes_a_key_that_may_more_than_themselves(db, role, most):
    actor = await an_actor(role=role)
    rights = ["read", "run", "write", "admin"]
    for wanted in rights:
        form = KeyForm(name="Mine", rights=wanted)
        if rights.index(wanted) <= rights.index(most):
            assert wanted in (await service.create_key(actor, form)).scopes
        else:
            with pytest.raises(Refused) as refused:
                await service.create_key(actor, form)
            assert refused.value.field == "rights"


async def test_a_key_shrinks_with_its_person_so_a_viewer_can_t_start_or_answer_runs_by_one(client):
    actor = await an_actor(role="editor")
    key = {"authorization": f"Bearer {await an_api_key(actor, 'run')}"}
    _, flow, _ = await a_version(an_approval(), actor.workspace_id)
    started = await client.post(f"/api/v1/flows/{flow}/runs", json={}, headers=key)
    assert started.status_code == 202
    async with system_tx("test") as tx:
        await tx.execute("update membership set role = 'viewer' where user_id = $1", actor.user_id)
    run = f"/api/v1/runs/{started.json()['id']}"
    assert (await client.get(run, headers=key)).status_code == 200
    assert (await client.post(f"/api/v1/flows/{flow}/runs", json={}, headers=key)).status_code == 403
    assert (await client.post(f"{run}/signals/approval", json={}, headers=key)).status_code == 403
    assert (await client.delete(run, headers=key)).status_code == 403
