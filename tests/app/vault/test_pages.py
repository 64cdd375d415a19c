"""Secrets on pages, in the editor's dialog and by the API: in, replaced, out; and never a value in any answer."""

import pytest

from app.db import tenant_tx
from app.errors import NotFound, Refused
from app.vault import service
from tests.factories.accounts import an_actor

HTMX = {"hx-request": "true", "hx-request-type": "partial"}
VALUE = "sk-canary-0123456789abcd"


async def test_a_secret_goes_in_is_listed_by_its_end_and_goes_out(signed_in):
    assert "No secret yet" in (await signed_in.get("/settings/secrets")).text
    sent = {"name": "Shop", "value": VALUE, "hosts": "API.shop.example, b.example"}
    assert (await signed_in.post("/settings/secrets", data=sent)).status_code == 303
    page = (await signed_in.get("/settings/secrets")).text
    assert "ends in abcd" in page and "api.shop.example b.example" in page and VALUE not in page
    where = page.partition('action="/settings/secrets/')[2].partition('"')[0]
    assert (await signed_in.post(f"/settings/secrets/{where}")).status_code == 303
    assert "No secret yet" in (await signed_in.get("/settings/secrets")).text


async def test_the_dialog_of_the_editor_keeps_and_names_and_says_what_is_wrong(signed_in):
    assert "A new secret" in (await signed_in.get("/settings/secrets/in-place", headers=HTMX)).text
    sent = {"name": " Shop ", "value": VALUE, "hosts": ""}
    kept = await signed_in.post("/settings/secrets/in-place", data=sent, headers=HTMX)
    assert kept.status_code == 200 and 'data-made="Shop"' in kept.text and VALUE not in kept.text
    again = await signed_in.get("/settings/secrets/in-place?name=Shop", headers=HTMX)
    assert "Another value for" in again.text and VALUE not in again.text
    wrong = await signed_in.post("/settings/secrets/in-place", data=sent | {"hosts": "http://x/"}, headers=HTMX)
    assert wrong.status_code == 422 and "is no name of a server" in wrong.text and VALUE not in wrong.text


async def test_the_api_lists_names_and_never_values(api):
    made = await api.put("/api/v1/secrets", json={"name": "Shop", "value": VALUE})
    listed = await api.get("/api/v1/secrets")
    assert [each["name"] for each in listed.json()] == ["Shop"] and VALUE not in listed.text
    assert (await api.delete(f"/api/v1/secrets/{made.json()['id']}")).status_code == 204


async def test_a_secret_goes_only_where_it_may(db):
    actor = await an_actor()
    await service.put_secret(actor, "Shop", VALUE, "api.shop.example")
    async with tenant_tx(actor.workspace_id) as tx:
        assert str(await service.secret_for(tx, actor.workspace_id, "shop", "API.shop.example")) == VALUE
        with pytest.raises(Refused, match="may only be sent to api.shop.example, not to evil.example"):
            await service.secret_for(tx, actor.workspace_id, "shop", "evil.example")
        for host in ("api.shop.example.evil.example", "shop.example", ""):
            with pytest.raises(Refused):
                await service.secret_for(tx, actor.workspace_id, "Shop", host)
    stranger = await an_actor()
    async with tenant_tx(stranger.workspace_id) as tx:
        with pytest.raises(NotFound):
            await service.secret_for(tx, stranger.workspace_id, "Shop", "api.shop.example")
