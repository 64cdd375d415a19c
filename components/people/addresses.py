"""E-mail addresses as people write them into a setting."""

import re

from flows.sdk import NodeError

MOST = 20
"""People that one question goes to."""
ADDRESS = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,190}")


def addresses(text: str, field: str) -> tuple[str, ...]:
    """What stands between commas, semicolons and line breaks, each once, in order; () for nothing.

    Raises NodeError(field=field) for what is no address, and for more than MOST.
    """
    found = tuple(dict.fromkeys(part.strip() for part in re.split(r"[,;\n]", text) if part.strip()))
    for each in found:
        if not ADDRESS.fullmatch(each):
            raise NodeError(f"'{each[:100]}' is no e-mail address. Write mara@example.org, with commas.", field=field)
    if len(found) > MOST:
        raise NodeError(f"{len(found)} people are too many to ask by e-mail: at most {MOST}.", field=field)
    return found
