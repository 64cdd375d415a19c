"""Settings: profile, members, devices, keys."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody

from app.accounts import queries, service
from app.accounts.device import device_of
from app.accounts.forms import InviteForm, KeyForm, PasswordForm, ProfileForm, RoleForm, WorkspaceForm
from app.web import language, session
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import fragment, go, page

NAV = "settings"


@get("/settings", name="accounts:settings")
async def settings_page(request: Request) -> Response[Any]:
    return go(request, "/settings/profile")


class ProfileController(Controller):
    path = "/settings/profile"
    opt = {"viewer": True}

    @get("/", name="accounts:profile")
    async def show(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        profile = await queries.profile(actor)
        return page(request, "accounts/profile.html", nav=NAV, tab="profile", profile=profile)

    @post("/", name="accounts:save-profile", opt={"form": "accounts/_profile_form.html"})
    async def save(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[ProfileForm]
    ) -> Response[Any]:
        await service.save_profile(actor, data)
        language.keep(request, "")  # what the browser was told before sign-in no longer counts
        flash(request, "Profile saved.")
        # the frame around the form speaks the new language, too: the whole page comes anew
        return go(request, "/settings/profile")

    @post("/password", name="accounts:save-password", opt={"form": "accounts/_password_form.html"})
    async def password(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[PasswordForm]
    ) -> Response[Any]:
        secret = await service.change_password(actor, data, device_of(request))
        session.hand_out(request, secret)
        flash(request, "Password changed. Every other device was signed out.")
        return go(request, "/settings/profile")

    @post("/workspace", name="accounts:save-workspace", opt={"viewer": False, "form": "accounts/_workspace_form.html"})
    async def workspace(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[WorkspaceForm]
    ) -> Response[Any]:
        await service.rename_workspace(actor, data)
        flash(request, "Name changed.")
        return go(request, "/settings/profile")


class MembersController(Controller):
    path = "/settings/members"

    @get("/", name="accounts:members")
    async def show(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        people = await queries.people(actor)
        invites = await queries.invites(actor) if actor.is_owner else []
        return page(request, "accounts/members.html", nav=NAV, tab="members", people=people, invites=invites, link="")

    @post("/invites", name="accounts:invite", opt={"form": "accounts/_invite_form.html"})
    async def invite(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[InviteForm]
    ) -> Response[Any]:
        made = await service.invite(actor, data)
        link = str(request.base_url).rstrip("/") + made.path
        invites = await queries.invites(actor)
        return fragment(request, "accounts/invited.oob.html", status_code=201, link=link, invites=invites)

    @post("/invites/{invite_id:uuid}/revocation", name="accounts:revoke-invite")
    async def revoke(self, request: Request, actor: NamedDependency[Actor], invite_id: FromPath[UUID]) -> Response[Any]:
        await service.revoke_invite(actor, invite_id)
        flash(request, "Invitation taken back.")
        return go(request, "/settings/members")

    @post("/{user_id:uuid}/role", name="accounts:change-role")
    async def role(
        self, request: Request, actor: NamedDependency[Actor], user_id: FromPath[UUID], data: URLEncodedBody[RoleForm]
    ) -> Response[Any]:
        await service.change_role(actor, user_id, data.role)
        flash(request, "Role changed.")
        return go(request, "/settings/members")

    @post("/{user_id:uuid}/removal", name="accounts:remove-member")
    async def remove(self, request: Request, actor: NamedDependency[Actor], user_id: FromPath[UUID]) -> Response[Any]:
        await service.remove_member(actor, user_id)
        flash(request, "Member removed.")
        return go(request, "/settings/members")


class DevicesController(Controller):
    path = "/settings/devices"
    opt = {"viewer": True}

    @get("/", name="accounts:devices")
    async def show(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        devices = await queries.devices(actor)
        return page(request, "accounts/devices.html", nav=NAV, tab="devices", devices=devices)

    @post("/{session_id:uuid}/closure", name="accounts:end-session")
    async def close(self, request: Request, actor: NamedDependency[Actor], session_id: FromPath[UUID]) -> Response[Any]:
        await service.end_session(actor, session_id)
        if session_id == actor.session_id:
            session.take_back(request)
            return go(request, "/sign-in")
        flash(request, "Device signed out.")
        return go(request, "/settings/devices")

    @post("/closure", name="accounts:end-other-sessions")
    async def close_others(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        number = await service.end_other_sessions(actor)
        flash(request, f"{number} {'device' if number == 1 else 'devices'} signed out.")
        return go(request, "/settings/devices")


class KeysController(Controller):
    path = "/settings/keys"
    opt = {"viewer": True}

    @get("/", name="accounts:keys")
    async def show(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        keys = await queries.keys(actor)
        return page(request, "accounts/keys.html", nav=NAV, tab="keys", keys=keys, made=None)

    @post("/", name="accounts:create-key", opt={"form": "accounts/_key_form.html"})
    async def create(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[KeyForm]
    ) -> Response[Any]:
        made = await service.create_key(actor, data)
        keys = await queries.keys(actor)
        return fragment(request, "accounts/key_made.oob.html", status_code=201, made=made, keys=keys)

    @post("/{key_id:uuid}/revocation", name="accounts:revoke-key")
    async def revoke(self, request: Request, actor: NamedDependency[Actor], key_id: FromPath[UUID]) -> Response[Any]:
        await service.revoke_key(actor, key_id)
        flash(request, "Key revoked.")
        return go(request, "/settings/keys")
