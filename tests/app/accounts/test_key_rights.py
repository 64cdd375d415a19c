import pytest

from app import clock
from app.accounts import service
from app.accounts.forms import KeyForm
from app.errors import Refused
from app.web import bearer
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


async def test_a_key_of_a_viewer_can_t_start_answer_or_cancel_runs_whatever_it_once_could(client):
    owner = await an_actor()
    viewer = await an_actor(role="viewer", workspace_id=owner.workspace_id)
    theirs = {"authorization": f"Bearer {await an_api_key(owner, 'run')}"}
    old = {"authorization": f"Bearer {await an_api_key(viewer, 'run')}"}
    _, flow, _ = await a_version(an_approval(), owner.workspace_id)
    started = await client.post(f"/api/v1/flows/{flow}/runs", json={}, headers=theirs)
    assert started.status_code == 202
    run = f"/api/v1/runs/{started.json()['id']}"
    assert (await client.get(run, headers=old)).status_code == 200
    assert (await client.post(f"/api/v1/flows/{flow}/runs", json={}, headers=old)).status_code == 403
    assert (await client.post(f"{run}/signals/approval", json={}, headers=old)).status_code == 403
    assert (await client.delete(run, headers=old)).status_code == 403


async def test_a_revoked_key_is_refused_by_the_very_next_request(client):
    owner = await an_actor()
    made = await service.create_key(owner, KeyForm(name="Shop", rights="read"))
    headers = {"authorization": f"Bearer {made.secret}"}
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 200
    await service.revoke_key(owner, made.id)
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 401


async def test_a_key_that_another_process_revoked_is_refused_a_second_later(client, monkeypatch):
    owner = await an_actor()
    made = await service.create_key(owner, KeyForm(name="Shop", rights="read"))
    headers = {"authorization": f"Bearer {made.secret}"}
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 200
    monkeypatch.setattr(bearer, "forget", lambda key_id: None)  # as far as this process knows, nothing happened
    await service.revoke_key(owner, made.id)
    later = clock.monotonic() + 1.0
    monkeypatch.setattr(clock, "monotonic", lambda: later)
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 401
