"""What people and programs send about the repository."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Choice = Literal["ours", "theirs"]


class LinkForm(Struct, forbid_unknown_fields=True):
    """`token` empty: the one that is kept stays, unless the address changed. `pull_minutes` 0: not by itself.

    `tests`: tests and datasets travel, too, with what is recorded in them.
    """

    url: Annotated[str, Meta(min_length=1, max_length=500, title="Address")]
    branch: Annotated[str, Meta(max_length=100, title="Branch")] = "main"
    folder: Annotated[str, Meta(max_length=200, title="Folder")] = ""
    form: Annotated[Literal["json", "yaml"], Meta(title="Files")] = "json"
    user: Annotated[str, Meta(max_length=100, pattern=r"^[^\x00-\x1f:]*$", title="User")] = ""
    token: Annotated[str, Meta(max_length=1_000, pattern=r"^[\x21-\x7e]*$", title="Token")] = ""
    push_on_publish: bool = False
    pull_minutes: Annotated[int, Meta(ge=0, le=10_080, title="Look every … minutes")] = 0
    tests: bool = False


class SyncForm(Struct, forbid_unknown_fields=True):
    pull: bool = True
    push: bool = True


class ChoiceForm(Struct, forbid_unknown_fields=True):
    """Which side of a conflict stays: "ours" is written to git by the next sync, "theirs" replaces the draft."""

    choice: Choice
