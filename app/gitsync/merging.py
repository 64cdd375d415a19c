"""What to do with one flow, given what both sides have and what they last agreed on. Pure.

None = the side has no such file. Texts are in the one layout that flows are written in, so that a file that somebody
laid out otherwise is no change.
"""

from typing import Literal

from flows.document import BadDocument
from flows.files import FORMS, read_flow, write_flow
from flows.model import Flow

Verdict = Literal["same", "push", "pull", "conflict", "gone"]


def decide(base: str | None, ours: str | None, theirs: str | None) -> Verdict:
    """ "gone": it was removed there and is unchanged here; a person says whether it goes here, too."""
    if ours == theirs:
        return "same"
    if ours == base:
        return "gone" if theirs is None else "pull"
    if theirs == base:
        return "push"
    return "conflict"


def read(path: str, content: bytes) -> tuple[Flow | None, str, str]:
    """(the flow, its text in our layout, "") or (None, the text as it is, why it can't be read)."""
    try:
        flow = read_flow(content, FORMS[ending(path)])
        return flow, written(path, flow), ""
    except (BadDocument, KeyError) as problem:
        return None, content.decode("utf-8", "replace").replace("\0", "\ufffd"), str(problem)


def written(path: str, flow: Flow) -> str:
    return write_flow(flow, FORMS[ending(path)])


def ending(path: str) -> str:
    return f".{path.rpartition('.')[2].lower()}"
