"""Who is asking."""

from typing import Literal
from uuid import UUID

from msgspec import Struct

Role = Literal["owner", "editor", "viewer", "key"]
Scope = Literal["read", "run", "write", "admin"]
SCOPES: tuple[Scope, ...] = ("read", "run", "write", "admin")
"""What an API key may do: look, start runs, change flows and sites, manage members and keys. None includes another."""


class Actor(Struct, frozen=True, kw_only=True):
    """One person (or one API key) in one workspace. Every verb of a domain takes it first.

    A key acts for the person who made it: `user_id` is theirs, `role` is "key", `scopes` says what it may do.
    `session_id` is the row's id of a browser session, never the secret in the cookie; None for a key.
    `theme` and `density` are what the person chose for the screens ("light", "dark", "system"; "comfortable",
    "compact"), `language` the one they read in ("" = as the browser says).
    """

    user_id: UUID
    workspace_id: UUID
    role: Role
    name: str
    email: str
    session_id: UUID | None = None
    scopes: frozenset[str] = frozenset()
    key_id: UUID | None = None
    workspace_name: str = ""
    theme: str = "system"
    density: str = "comfortable"
    language: str = ""

    @property
    def can_edit(self) -> bool:
        return self.role in ("owner", "editor") or (self.role == "key" and "write" in self.scopes)

    @property
    def is_owner(self) -> bool:
        return self.role == "owner" or (self.role == "key" and "admin" in self.scopes)

    @property
    def initials(self) -> str:
        """Up to two letters for the round picture: "Mara Fern" → "MF"; without a name, from the e-mail."""
        words = [w for w in (self.name or self.email).replace(".", " ").replace("@", " ").split() if w[:1].isalnum()]
        return "".join(w[0] for w in words[:2]).upper() or "?"
