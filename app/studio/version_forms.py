"""What comes in about versions."""

from typing import Annotated

from msgspec import Meta, Struct


class AboutVersionForm(Struct, forbid_unknown_fields=True):
    """What a version is called and what is new in it; both may be empty."""

    name: Annotated[str, Meta(max_length=120, title="Name")] = ""
    notes: Annotated[str, Meta(max_length=4_000, title="What is new")] = ""


Ref = Annotated[
    str,
    Meta(max_length=40, description='"draft", "live", "nothing", a version\'s number or its id; "" = the usual side.'),
]
