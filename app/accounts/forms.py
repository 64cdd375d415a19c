"""What comes in from people and API callers, with limits."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Email = Annotated[str, Meta(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)*$")]
"""Only the shape: whether it exists, a mail would show. Local domains ("me@localhost") are fine."""
Password = Annotated[str, Meta(min_length=10, max_length=256)]
AnyPassword = Annotated[str, Meta(min_length=1, max_length=256)]
Name = Annotated[str, Meta(max_length=100)]
Title = Annotated[str, Meta(min_length=1, max_length=100)]
MemberRole = Literal["owner", "editor", "viewer"]


class SetupForm(Struct, frozen=True, forbid_unknown_fields=True):
    """The first page. `code` is needed only when it is filled in from another machine."""

    site_name: Title
    email: Email
    password: Password
    code: Annotated[str, Meta(max_length=100)] = ""


class SignInForm(Struct, frozen=True, forbid_unknown_fields=True):
    email: Annotated[str, Meta(min_length=1, max_length=254)]
    password: AnyPassword
    next: Annotated[str, Meta(max_length=2000)] = ""


class JoinForm(Struct, frozen=True, forbid_unknown_fields=True):
    name: Title
    email: Email
    password: Password


class ProfileForm(Struct, frozen=True, forbid_unknown_fields=True):
    name: Name
    theme: Literal["system", "light", "dark"] = "system"
    density: Literal["comfortable", "compact"] = "comfortable"
    language: Annotated[str, Meta(max_length=20)] = ""
    """A code of app.language.choice.names(); "" = as the browser says."""


class PasswordForm(Struct, frozen=True, forbid_unknown_fields=True):
    """`current` may be empty for somebody who never had a password (came in by Google or GitHub)."""

    password: Password
    current: Annotated[str, Meta(max_length=256)] = ""


class InviteForm(Struct, frozen=True, forbid_unknown_fields=True):
    """With an e-mail only the person of that address can use the link."""

    role: MemberRole = "editor"
    email: Annotated[str, Meta(max_length=254, pattern=r"^$|^[^@\s]+@[^@\s]+$")] = ""


class RoleForm(Struct, frozen=True, forbid_unknown_fields=True):
    role: MemberRole


class KeyForm(Struct, frozen=True, forbid_unknown_fields=True):
    """`rights`: "read" looks, "run" also starts flows, "write" also changes them, "admin" also manages members and
    keys.
    """

    name: Title
    rights: Literal["read", "run", "write", "admin"] = "run"


class WorkspaceForm(Struct, frozen=True, forbid_unknown_fields=True):
    name: Title


class WayForm(Struct, frozen=True, forbid_unknown_fields=True):
    """Where to go after a sign-in at another provider, and the invitation it takes, if any."""

    next: Annotated[str, Meta(max_length=2000)] = ""
    invite: Annotated[str, Meta(max_length=100)] = ""
