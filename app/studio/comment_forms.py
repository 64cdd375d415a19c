"""What comes in when people talk about a flow: the same forms for pages and for the API."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

StepId = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{0,40}$", title="Step")]
Words = Annotated[str, Meta(min_length=1, max_length=4_000, title="Comment")]


class CommentForm(Struct, forbid_unknown_fields=True):
    """A new thread about `step` ("" = about the flow), or a reply in `thread`. `text`: Markdown; "@Mara" mentions."""

    text: Words
    step: StepId = ""
    thread: Annotated[str, Meta(pattern="^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$", title="Thread")] = ""

    @property
    def answers(self) -> UUID | None:
        return UUID(self.thread) if self.thread else None


class WordsForm(Struct, forbid_unknown_fields=True):
    text: Words
