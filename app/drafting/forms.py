"""What people and programs send."""

from typing import Annotated

from msgspec import Meta, Struct

MOST_LETTERS = 4_000


class WishForm(Struct, forbid_unknown_fields=True):
    """`wish`: what is wanted, in plain words. `model`: who drafts it ("connection/model"), "" = the first that can."""

    wish: Annotated[str, Meta(min_length=1, max_length=MOST_LETTERS, title="What you want")]
    model: Annotated[str, Meta(max_length=200, title="Model")] = ""
