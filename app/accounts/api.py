"""JSON twins of the settings pages. Signing in, sessions and making keys are for browsers: a key must not make keys."""

from uuid import UUID

from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from app.accounts import queries, service
from app.accounts.forms import InviteForm, RoleForm, WorkspaceForm
from app.accounts.service import Invited
from app.web.actor import Actor


class Me(Struct, frozen=True):
    """Whose key this is, and what it may do."""

    user_id: UUID
    workspace_id: UUID
    workspace_name: str
    name: str
    email: str
    scopes: list[str]
    language: str
    """What the person chose to read; "" = as the browser says. The API itself answers in English."""


class MeController(Controller):
    path = "/me"
    tags = ["Accounts"]

    @get("/", name="api:me", summary="Whose key this is")
    async def show(self, actor: NamedDependency[Actor]) -> Me:
        return Me(
            actor.user_id,
            actor.workspace_id,
            actor.workspace_name,
            actor.name,
            actor.email,
            sorted(actor.scopes),
            actor.language,
        )


class WorkspaceController(Controller):
    path = "/workspace"
    tags = ["Accounts"]

    @patch("/", name="api:save-workspace", summary="Rename the workspace", opt={"scope": "admin"})
    async def rename(self, actor: NamedDependency[Actor], data: JSONBody[WorkspaceForm]) -> None:
        await service.rename_workspace(actor, data)


class MembersController(Controller):
    path = "/members"
    tags = ["Accounts"]

    @get("/", name="api:members", summary="List members")
    async def index(self, actor: NamedDependency[Actor]) -> list[queries.Person]:
        return await queries.people(actor)

    @patch("/{user_id:uuid}", name="api:change-role", summary="Change a member's role", opt={"scope": "admin"})
    async def role(self, actor: NamedDependency[Actor], user_id: FromPath[UUID], data: JSONBody[RoleForm]) -> None:
        await service.change_role(actor, user_id, data.role)

    @delete("/{user_id:uuid}", name="api:remove-member", summary="Remove a member", opt={"scope": "admin"})
    async def remove(self, actor: NamedDependency[Actor], user_id: FromPath[UUID]) -> None:
        await service.remove_member(actor, user_id)


class InvitesController(Controller):
    path = "/invites"
    tags = ["Accounts"]
    opt = {"scope": "admin"}

    @get("/", name="api:invites", summary="List open invitations")
    async def index(self, actor: NamedDependency[Actor]) -> list[queries.OpenInvite]:
        return await queries.invites(actor)

    @post("/", name="api:invite", summary="Invite somebody")
    async def create(self, actor: NamedDependency[Actor], data: JSONBody[InviteForm]) -> Invited:
        return await service.invite(actor, data)

    @delete("/{invite_id:uuid}", name="api:revoke-invite", summary="Take an invitation back")
    async def remove(self, actor: NamedDependency[Actor], invite_id: FromPath[UUID]) -> None:
        await service.revoke_invite(actor, invite_id)


class KeysController(Controller):
    path = "/keys"
    tags = ["Accounts"]
    opt = {"scope": "admin"}

    @get("/", name="api:keys", summary="List API keys")
    async def index(self, actor: NamedDependency[Actor]) -> list[queries.Key]:
        return await queries.keys(actor)

    @delete("/{key_id:uuid}", name="api:revoke-key", summary="Revoke an API key")
    async def remove(self, actor: NamedDependency[Actor], key_id: FromPath[UUID]) -> None:
        await service.revoke_key(actor, key_id)


api_routes = [MeController, WorkspaceController, MembersController, InvitesController, KeysController]
