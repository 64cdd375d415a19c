import asyncio
import logging
import secrets as random
from uuid import uuid4

import asyncpg
import pytest

from app import config, logs
from app.db import site_tx, system_tx, tenant_tx
from app.errors import NotAllowed, NotFound, Refused
from app.vault import envelope, queries, service
from app.vault.envelope import CannotOpen, Place
from app.web.actor import Actor
from tests.factories.kernel import a_workspace

OLD, NEW = "old-" + "o" * 40, "new-" + "n" * 40


@pytest.fixture
async def workspace(db):
    service._opened.clear()
    return await a_workspace()


def an_actor(workspace, role="editor") -> Actor:
    return Actor(user_id=uuid4(), workspace_id=workspace, role=role, name="Mara", email="mara@example.com")


def place(workspace, row="1", column="key_sealed", table="connection") -> Place:
    return Place(workspace, table, column, row)


async def sealed_in(workspace, text="s3cret-value", where=None) -> bytes:
    async with tenant_tx(workspace) as tx:
        return await service.seal(tx, where or place(workspace), text)


async def test_what_was_sealed_opens_in_its_place_and_looks_like_nothing_at_rest(workspace):
    sealed = await sealed_in(workspace, "ключ-s3cret")
    assert b"s3cret" not in sealed
    assert sealed != await sealed_in(workspace, "ключ-s3cret")  # no two sealings are alike
    async with tenant_tx(workspace) as tx:
        opened = await service.unseal(tx, place(workspace), sealed)
    assert opened == "ключ-s3cret" and "s3cret" not in repr(opened)


async def test_a_sealed_value_opens_nowhere_else(workspace):
    other = await a_workspace()
    sealed = await sealed_in(workspace)
    await sealed_in(other)
    for elsewhere in (place(workspace, row="2"), place(workspace, column="other"), place(workspace, table="secret")):
        async with tenant_tx(workspace) as tx:
            with pytest.raises(CannotOpen, match="belongs elsewhere"):
                await service.unseal(tx, elsewhere, sealed)
    async with tenant_tx(other) as tx:
        with pytest.raises(CannotOpen):
            await service.unseal(tx, place(other), sealed)
        with pytest.raises(CannotOpen):  # even if it names the workspace: row security hides that key
            service._opened.clear()
            await service.unseal(tx, place(workspace), sealed)


@pytest.mark.parametrize("position", [0, 1, 16, 17, 28, 29, -1])
async def test_one_changed_bit_anywhere_is_noticed(workspace, position):
    sealed = bytearray(await sealed_in(workspace))
    sealed[position] ^= 1
    async with tenant_tx(workspace) as tx:
        with pytest.raises(CannotOpen):
            await service.unseal(tx, place(workspace), bytes(sealed))
        with pytest.raises(CannotOpen):
            await service.unseal(tx, place(workspace), b"")


async def test_first_seals_at_once_agree_on_one_key(workspace):
    values = await asyncio.gather(*(sealed_in(workspace, f"value-{n}") for n in range(8)))
    assert len({envelope.key_of(value) for value in values}) == 1


async def test_rotation_wraps_keys_anew_and_everything_still_opens_without_the_old_secret(workspace):
    async with system_tx("test") as tx:
        await tx.execute("delete from data_key")  # other tests' keys belong to another instance secret
    with config.using(secret_key=config.Secret(OLD)):
        sealed = await sealed_in(workspace)
    with config.using(secret_key=config.Secret(f"{NEW},{OLD}")):
        assert await service.rewrap() == 1
        assert await service.rewrap() == 0
    service._opened.clear()
    with config.using(secret_key=config.Secret(NEW)):
        async with tenant_tx(workspace) as tx:
            assert await service.unseal(tx, place(workspace), sealed) == "s3cret-value"
    service._opened.clear()
    with config.using(secret_key=config.Secret(OLD)):
        async with tenant_tx(workspace) as tx:
            with pytest.raises(CannotOpen, match="former AGENTBASE_SECRET_KEY"):
                await service.unseal(tx, place(workspace), sealed)
    async with system_tx("test") as tx:
        await tx.execute("delete from data_key")


async def test_a_running_process_notices_that_the_secret_file_was_rotated(workspace, tmp_path):
    async with system_tx("test") as tx:
        await tx.execute("delete from data_key")
    with config.using(secret_key=config.Secret(""), data=tmp_path):
        sealed = await sealed_in(workspace)
        path = (tmp_path / "secret.key").absolute()
        assert path.stat().st_mode & 0o777 == 0o600
        remembered = config._from_file[path]
        config.renew_secret_file()
        await service.rewrap()
        config.drop_old_secrets()
        config._from_file[path] = remembered  # as in a process that knows nothing of it
        service._opened.clear()
        async with tenant_tx(workspace) as tx:
            assert await service.unseal(tx, place(workspace), sealed) == "s3cret-value"
        assert len(path.read_text().split()) == 1 and path.stat().st_mode & 0o777 == 0o600
    async with system_tx("test") as tx:
        await tx.execute("delete from data_key")


async def test_a_new_data_key_leaves_the_old_values_readable(workspace):
    before = await sealed_in(workspace, "before")
    await service.renew_data_key(workspace)
    after = await sealed_in(workspace, "after")
    assert envelope.key_of(before) != envelope.key_of(after)
    async with tenant_tx(workspace) as tx:
        assert await service.unseal(tx, place(workspace), before) == "before"
        assert await service.unseal(tx, place(workspace), after) == "after"


async def test_deleting_the_workspace_shreds_its_secrets(workspace):
    sealed = await sealed_in(workspace)
    async with system_tx("test") as tx:
        await tx.execute("delete from workspace where id = $1", workspace)
    service._opened.clear()
    async with system_tx("test") as tx:
        with pytest.raises(CannotOpen, match="gone"):
            await service.unseal(tx, place(workspace), sealed)


async def test_a_person_keeps_replaces_lists_and_forgets_a_secret(workspace):
    mara = an_actor(workspace)
    first = await service.put_secret(mara, " Mail key ", "abcdefgh-1234")
    assert await service.put_secret(mara, "MAIL KEY", "short") == first
    (shown,) = await queries.secrets(mara)
    assert (shown.name, shown.hint) == ("Mail key", "")
    async with tenant_tx(workspace) as tx:
        assert await service.read_secret(tx, workspace, "mail key") == "short"
    async with site_tx(workspace) as tx:  # a published flow may need it
        assert await service.read_secret(tx, workspace, "mail key") == "short"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with tx.transaction():
                await tx.execute("update secret set name = 'x'")
    await service.delete_secret(mara, first)
    with pytest.raises(NotFound):
        await service.delete_secret(mara, first)
    async with tenant_tx(workspace) as tx:
        with pytest.raises(NotFound, match="'mail key'"):
            await service.read_secret(tx, workspace, "mail key")


async def test_viewers_and_foreign_workspaces_reach_nothing(workspace):
    kept = await service.put_secret(an_actor(workspace), "a", "value-value")
    stranger = an_actor(await a_workspace())
    with pytest.raises(NotFound):
        await service.delete_secret(stranger, kept)
    assert await queries.secrets(stranger) == []
    with pytest.raises(NotAllowed):
        await service.put_secret(an_actor(workspace, "viewer"), "a", "x")


@pytest.mark.parametrize(("name", "value"), [("", "x"), ("  ", "x"), ("n" * 101, "x"), ("a", ""), ("a", "x" * 65_537)])
async def test_what_is_no_secret_is_refused(workspace, name, value):
    with pytest.raises(Refused):
        await service.put_secret(an_actor(workspace), name, value)


async def test_an_opened_secret_never_reaches_a_log(workspace, capsys):
    canary = "canary" + random.token_hex(12)
    logs.setup("json")
    sealed = await sealed_in(workspace, canary)
    async with tenant_tx(workspace) as tx:
        opened = await service.unseal(tx, place(workspace), sealed)
    log = logs.logger("test")
    log.info(
        f"calling with {opened}", harmless=opened, nested={"a": [opened.encode()]}, settings=repr({"k": str(opened)})
    )
    logging.getLogger("some.library").warning("url %s", f"https://x/?k={opened}")
    try:
        raise ValueError(f"refused: {opened}")
    except ValueError:
        log.exception("failed")
    out = capsys.readouterr()
    assert canary not in out.err + out.out
    assert out.err.count(logs.HIDDEN) >= 5
