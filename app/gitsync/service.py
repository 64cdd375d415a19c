"""What people do with the repository of their workspace. Every verb takes the actor first."""

from pathlib import Path
from typing import Any
from uuid import UUID

from app import config
from app.db import Tx, system_tx, tenant_tx
from app.egress.pin import pinned
from app.errors import Conflict, DomainError, NotAllowed, NotFound, Refused
from app.gitsync import addresses, companions, queries
from app.gitsync.forms import Choice, LinkForm
from app.gitsync.merging import written
from app.gitsync.repository import Repository
from app.gitsync.shapes import Done
from app.gitsync.syncing import sync_both
from app.gitsync.telling import told
from app.studio import service as flows
from app.vault import service as vault
from app.web import Actor
from app.web.ids import digest, new_secret

MOST_WAIT = 600
"""Seconds after which a sync that never ended is taken for dead."""


async def connect(actor: Actor, form: LinkForm) -> None:
    """Connect the workspace's repository, or change it. Another address forgets what both sides agreed on.

    A changed address needs its token again: otherwise whoever may edit could send the stored one to their own server.
    Raises NotAllowed, and Refused with the field at fault. Whether git gets in shows at the first sync.
    """
    _owner(actor)
    url = addresses.address(form.url)
    branch, folder = addresses.branch(form.branch), addresses.folder(form.folder)
    if not addresses.is_local(url):
        await pinned(url)
    async with tenant_tx(actor.workspace_id) as tx:
        old = await tx.fetchrow("select url, branch, folder, token_sealed, token_hint from git_link for update")
        moved = old is not None and (old["url"], old["branch"], old["folder"]) != (url, branch, folder)
        if old is not None and old["url"] != url and old["token_sealed"] is not None and not form.token:
            raise Refused(
                "The address changed, so the token is needed once more.",
                remedy="Enter the token for the new address: the stored one is sent to the old address only.",
                field="token",
            )
        sealed, hint = (old["token_sealed"], old["token_hint"]) if old is not None else (None, "")
        if form.token:
            sealed = await vault.seal(tx, _place(actor.workspace_id), form.token)
            hint = form.token[-4:] if len(form.token) >= 12 else ""
        if moved:
            await tx.execute("delete from git_file")
        await tx.execute(
            """insert into git_link as l (workspace_id, url, branch, folder, form, git_user, token_sealed, token_hint,
                      push_on_publish, pull_minutes, created_by, tests)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $13)
               on conflict (workspace_id) do update set url = $2, branch = $3, folder = $4, form = $5, git_user = $6,
                      token_sealed = $7, token_hint = $8, push_on_publish = $9, pull_minutes = $10, created_by = $11,
                      tests = $13,
                      head = case when $12 then '' else l.head end,
                      state = case when $12 then 'new' else l.state end""",
            actor.workspace_id,
            url,
            branch,
            folder,
            form.form,
            form.user.strip(),
            sealed,
            hint,
            form.push_on_publish,
            form.pull_minutes,
            actor.user_id,
            moved,
            form.tests,
        )


async def disconnect(actor: Actor) -> None:
    """Forget the repository, its token and what was agreed on. Flows stay here, files stay there."""
    _owner(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        if await tx.fetchval("delete from git_link returning 1") is None:
            raise NotFound(queries.NONE)


async def open_hook(actor: Actor) -> str:
    """A new secret address that others call when something was pushed; an earlier one is dead. Returns its path."""
    _owner(actor)
    token = new_secret()
    async with tenant_tx(actor.workspace_id) as tx:
        done = await tx.fetchval("update git_link set hook_digest = $1 returning 1", digest(token))
    if done is None:
        raise NotFound(queries.NONE)
    return f"/git-hooks/{token}"


async def called(token: str) -> None:
    """Somebody called the address: look at the repository soon. Raises NotFound for an unknown one."""
    async with system_tx("git hook") as tx:
        done = await tx.fetchval(
            "update git_link set wanted_at = coalesce(wanted_at, now()) where hook_digest = $1 returning 1",
            digest(token),
        )
    if done is None:
        raise NotFound("There is no such address.")


async def sync(actor: Actor, *, pull: bool = True, push: bool = True, why: str = "button") -> Done:
    """Both ways, or one. Only one at a time; what went wrong is in the log and raised."""
    _may(actor)
    link, token = await _begun(actor)
    problem: DomainError | None = None
    done: Done | None = None
    head = link["head"]
    try:
        home = config.settings().data.absolute() / "git" / f"{actor.workspace_id}.git"
        repository = Repository(Path(home), link["url"], link["branch"], link["git_user"], token)
        _still_allowed(link["url"])
        done, head = await sync_both(
            actor, repository, link["folder"], link["form"], tests=link["tests"], pull=pull, push=push
        )
    except DomainError as failed:
        problem = failed
        raise
    finally:
        state = "failed" if done is None else "conflict" if done.conflicts else "ok"
        said = str(problem) if problem is not None else done.said if done is not None else "It was interrupted."
        async with tenant_tx(actor.workspace_id) as tx:
            await tx.execute(
                "update git_link set busy_at = null, head = $1, state = $2, said = $3,"
                " synced_at = case when $2 = 'failed' then synced_at else now() end",
                head,
                state,
                said,
            )
        await told(actor, done, problem, why)
    return done


async def resolve(actor: Actor, file_id: UUID, choice: Choice) -> None:
    """Say which side of a conflict stays; the next sync does it. Raises NotFound, Conflict, Refused."""
    _may(actor)
    sides = await queries.sides(actor, file_id)
    file = sides.file
    if file.state not in ("conflict", "gone", "broken"):
        raise Conflict("Both sides agree on this one by now.", remedy="Look at the list again.")
    if choice == "ours" and file.state == "broken" and not sides.ours_there:
        raise Refused("There is no flow here that could take its place.", remedy="Repair it in git.")
    if choice == "theirs" and file.state == "broken":
        raise Refused("What stands in git can't be read as a flow.", remedy="Repair it there, or keep ours.")
    if choice == "theirs" and sides.what != "flow":
        await companions.give_way(actor, file)
        return
    async with tenant_tx(actor.workspace_id) as tx:
        if choice == "ours":
            await tx.execute("update git_file set base = theirs, state = 'same', said = '' where id = $1", file_id)
        elif not sides.theirs_there and file.flow_id is not None:
            await flows.archive(actor, file.flow_id)
            await tx.execute("delete from git_file where id = $1", file_id)
        else:
            ours = await queries.ours_of(actor, file)
            text = written(file.path, ours) if ours is not None else None
            await tx.execute("update git_file set base = $2, state = 'same', said = '' where id = $1", file_id, text)


async def _begun(actor: Actor) -> tuple[Any, config.Secret | None]:
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(
            "update git_link set busy_at = now(), looked_at = now(), wanted_at = null"
            " where busy_at is null or busy_at < now() - make_interval(secs => $1) returning *",
            MOST_WAIT,
        )
        if row is None:
            if not await tx.fetchval("select exists (select from git_link)"):
                raise NotFound(queries.NONE, remedy="Connect one under Settings, Git.")
            raise Conflict("A sync is under way.", remedy="Wait until it has ended.")
        return row, await _token(tx, actor, row["token_sealed"])


async def _token(tx: Tx, actor: Actor, sealed: bytes | None) -> config.Secret | None:
    if sealed is None:
        return None
    try:
        return await vault.unseal(tx, _place(actor.workspace_id), sealed)
    except vault.CannotOpen:
        await tx.execute("update git_link set busy_at = null")
        raise Refused("The token can't be opened any more.", remedy="Enter it again.", field="token") from None


def _still_allowed(url: str) -> None:
    """What the operator allows may have changed since it was connected."""
    if addresses.is_local(url):
        addresses.address(url)


def _place(workspace_id: UUID) -> vault.Place:
    return vault.Place(workspace_id, "git_link", "token_sealed", str(workspace_id))


def _may(actor: Actor) -> None:
    if not actor.can_edit:
        raise NotAllowed("Syncing is up to the editors of this workspace.", remedy="Ask an owner.")


def _owner(actor: Actor) -> None:
    if not actor.is_owner:
        raise NotAllowed("The repository is up to the owners of this workspace.", remedy="Ask an owner.")
