"""Pages of this domain."""

from app.accounts import queries
from app.accounts.controllers.entrance import JoinController, SetupController, SignInController, sign_out
from app.accounts.controllers.outside import OutsideController
from app.accounts.controllers.settings import (
    DevicesController,
    KeysController,
    MembersController,
    ProfileController,
    settings_page,
)
from app.web import search

search.offer("People", "users", queries.named)
routes = [
    SetupController,
    SignInController,
    JoinController,
    OutsideController,
    sign_out,
    settings_page,
    ProfileController,
    MembersController,
    DevicesController,
    KeysController,
]

__all__ = ["routes"]
