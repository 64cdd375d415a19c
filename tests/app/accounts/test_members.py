import asyncio

import pytest

from app.accounts import queries, service
from app.accounts.forms import InviteForm, JoinForm, KeyForm
from app.accounts.sessions import Device, find_key
from app.db import system_tx, tenant_tx
from app.errors import Conflict, NotAllowed, NotFound, Refused
from app.web.ids import digest
from tests.app.browser import Browser, token_of
from tests.factories.accounts import PASSWORD, a_person, an_actor, an_api_key

NOBODY = Device()


def joining(email: str = "", name: str = "Bob Ray") -> JoinForm:
    from uuid import uuid4

    return JoinForm(name, email or f"{uuid4().hex}@school.example", PASSWORD)


def secret_of(invited) -> str:
    return invited.path.rpartition("/")[2]


async def test_an_invitation_lets_exactly_one_person_in_with_its_role(db):
    mara = await an_actor()
    secret = secret_of(await service.invite(mara, InviteForm("viewer")))
    tries = [service.accept_invite(secret, joining(), NOBODY) for _ in range(4)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, service.SignedIn) for each in results) == 1
    assert sum(isinstance(each, NotFound) for each in results) == 3
    assert sorted(p.role for p in await queries.people(mara)) == ["owner", "viewer"]


async def test_an_invitation_with_an_address_is_for_that_address_only(db):
    mara = await an_actor()
    secret = secret_of(await service.invite(mara, InviteForm("editor", "ann@school.example")))
    with pytest.raises(Refused, match="another e-mail") as refused:
        await service.accept_invite(secret, joining("eve@school.example"), NOBODY)
    assert refused.value.field == "email"
    assert (
        await service.accept_invite(secret, joining("Ann@School.example"), NOBODY)
    ).workspace_id == mara.workspace_id
    async with system_tx("test") as tx:
        await tx.execute("delete from user_account where lower(email) = 'ann@school.example'")


async def test_an_invitation_that_was_taken_back_or_is_old_opens_nothing(db):
    mara = await an_actor()
    back, old = [await service.invite(mara, InviteForm()) for _ in range(2)]
    await service.revoke_invite(mara, back.id)
    async with tenant_tx(mara.workspace_id) as tx:
        await tx.execute("update invite set expires_at = now() where id = $1", old.id)
    for invited in (back, old):
        assert await queries.invitation(secret_of(invited)) is None
        with pytest.raises(NotFound, match="too old"):
            await service.accept_invite(secret_of(invited), joining(), NOBODY)


async def test_only_the_hash_of_an_invitation_is_kept(db):
    mara = await an_actor()
    invited = await service.invite(mara, InviteForm())
    async with tenant_tx(mara.workspace_id) as tx:
        row = await tx.fetchval("select i::text from invite i where id = $1", invited.id)
    assert secret_of(invited) not in row


async def test_somebody_with_an_account_joins_after_signing_in(app):
    mara, bob = await an_actor(), await a_person(password=PASSWORD)
    invited = await service.invite(mara, InviteForm("editor"))
    async with Browser(app) as browser:
        page = await browser.get(invited.path)
        data = {"name": "Bob", "email": bob.actor.email, "password": PASSWORD, "_csrf": token_of(page)}
        refused = await browser.post(invited.path, data=data)
        assert refused.status_code == 409 and "already has an account" in refused.text
        browser.enter(bob)
        assert "Join as" in (await browser.get(invited.path)).text
        assert (await browser.post(invited.path + "/membership")).status_code == 303
        browser.secret = ""
        assert mara.workspace_name in (await browser.get("/settings/members")).text


async def test_a_workspace_never_loses_its_last_owner_even_when_two_leave_at_once(db):
    mara = await an_actor()
    with pytest.raises(Conflict, match="only owner"):
        await service.change_role(mara, mara.user_id, "viewer")
    with pytest.raises(Conflict, match="only owner"):
        await service.remove_member(mara, mara.user_id)
    bob = await an_actor(workspace_id=mara.workspace_id)
    results = await asyncio.gather(
        service.remove_member(mara, bob.user_id), service.remove_member(bob, mara.user_id), return_exceptions=True
    )
    assert sum(isinstance(each, Conflict) for each in results) == 1
    async with system_tx("test") as tx:
        count = "select count(*) from membership where workspace_id = $1 and role = 'owner'"
        assert await tx.fetchval(count, mara.workspace_id) == 1


async def test_who_is_removed_is_out_at_once_with_sessions_and_keys(app):
    mara = await an_actor()
    bob = await a_person(role="editor", workspace_id=mara.workspace_id)
    key = await an_api_key(bob.actor, "run")
    async with Browser(app) as browser:
        browser.enter(bob)
        assert (await browser.get("/settings/profile")).status_code == 200
        await service.remove_member(mara, bob.actor.user_id)
        assert (await browser.get("/settings/profile")).status_code == 303
    assert await find_key(digest(key)) is None


@pytest.mark.parametrize("role", ["editor", "viewer"])
async def test_people_are_up_to_owners(db, role):
    mara = await an_actor()
    other = await an_actor(role=role, workspace_id=mara.workspace_id)
    for deed in (
        service.invite(other, InviteForm("owner")),
        service.change_role(other, other.user_id, "owner"),
        service.remove_member(other, mara.user_id),
        queries.invites(other),
    ):
        with pytest.raises(NotAllowed):
            await deed


async def test_a_viewer_looks_and_changes_only_what_is_their_own(app):
    viewer = await a_person(role="viewer")
    async with Browser(app) as browser:
        browser.enter(viewer)
        assert (await browser.get("/settings/members")).status_code == 200
        assert (await browser.post("/settings/members/invites", data={"role": "owner"})).status_code == 403
        assert (await browser.post("/settings/profile/workspace", data={"name": "Mine"})).status_code == 403
        profile = {"name": "Vi", "theme": "dark", "density": "compact"}
        assert (await browser.post("/settings/profile", data=profile)).status_code == 303


async def test_a_form_cannot_bring_more_than_it_has_fields_for(signed_in):
    for extra in ({"role": "owner"}, {"workspace_id": "x"}, {"id": "x"}):
        answer = await signed_in.htmx("POST", "/settings/profile", data={"name": "M", "theme": "dark"} | extra)
        assert answer.status_code == 422


async def test_a_key_works_until_it_is_revoked_and_never_does_more_than_its_person_may(db):
    mara = await an_actor()
    made = await service.create_key(mara, KeyForm("Shop", "admin"))
    actor = await find_key(digest(made.secret))
    assert actor and actor.role == "key" and actor.scopes == {"read", "run", "write", "admin"}
    bob = await an_actor(role="owner", workspace_id=mara.workspace_id)
    await service.change_role(bob, mara.user_id, "viewer")
    weaker = await find_key(digest(made.secret))
    assert weaker and weaker.scopes == {"read"}
    await service.revoke_key(bob, made.id)
    assert await find_key(digest(made.secret)) is None


async def test_nobody_makes_a_key_stronger_than_themselves_and_a_key_makes_none(db):
    viewer = await an_actor(role="viewer")
    with pytest.raises(Refused) as refused:
        await service.create_key(viewer, KeyForm("x", "write"))
    assert refused.value.field == "rights"
    mara = await an_actor()
    actor = await find_key(digest(await an_api_key(mara)))
    assert actor
    with pytest.raises(NotAllowed):
        await service.create_key(actor, KeyForm("x", "read"))


async def test_a_key_is_shown_once_and_listed_by_its_beginning(signed_in):
    answer = await signed_in.htmx("POST", "/settings/keys", data={"name": "Shop", "rights": "run"})
    assert answer.status_code == 201 and "ab_" in answer.text
    secret = answer.text.split("<code>")[1].split("</code>")[0]
    page = await signed_in.get("/settings/keys")
    assert secret not in page.text and secret[:10] in page.text
    me = await signed_in.get("/api/v1/me", headers={"authorization": f"Bearer {secret}"})
    assert me.json()["scopes"] == ["read", "run"]


@pytest.mark.parametrize(("rights", "status"), [("read", 403), ("run", 403), ("write", 403), ("admin", 201)])
async def test_a_route_of_the_api_wants_its_own_right(signed_in, rights, status):
    key = await an_api_key(signed_in.actor, rights)
    answer = await signed_in.post("/api/v1/invites", json={}, headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "scope_missing"


async def test_the_command_line_makes_a_key_of_an_owner(db):
    mara = await an_actor()
    made = await service.create_key_on_this_machine("CI", "write", mara.email)
    actor = await find_key(digest(made.secret))
    assert actor and actor.user_id == mara.user_id
    with pytest.raises(NotFound, match="nobody@"):
        await service.create_key_on_this_machine("CI", "write", "nobody@fernhill.example")


async def test_people_of_other_workspaces_do_not_exist_for_the_web_role(db):
    mara, _ = await an_actor(), await an_actor()
    async with tenant_tx(mara.workspace_id) as tx:
        assert [row["id"] for row in await tx.fetch("select id from user_account")] == [mara.user_id]
        assert [row["id"] for row in await tx.fetch("select id from workspace")] == [mara.workspace_id]
    import asyncpg

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with tenant_tx(mara.workspace_id) as tx:
            await tx.fetch("select password_hash from user_account")
