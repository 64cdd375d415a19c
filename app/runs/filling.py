"""What a person wrote into the form of a waiting step, looked at before it is sent. Pure.

The step itself reads it again in the kinds of its fields; this is so that a person hears at once what is wrong.
"""

from collections.abc import Mapping
from typing import Any

from app.errors import Refused

MOST = 10_000
"""Characters of one field."""


def filled(form: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """The fields the form knows, as they were written. Raises Refused naming the first one that does not fit."""
    found: dict[str, str] = {}
    must = form.get("required", [])
    for name, shape in form.get("properties", {}).items():
        if name == "comment":
            continue
        text, label = given.get(name, ""), str(shape.get("title") or name)
        if not text.strip() and shape.get("type") != "boolean":
            if name in must:
                raise Refused(f"'{label}' is empty.", remedy="Fill it in.", field=name)
            continue
        if len(text) > MOST:
            raise Refused(f"'{label}' has more than {MOST:,} characters.", field=name)
        if shape.get("type") == "number" and not _is_number(text):
            raise Refused(f"'{label}' must be a number.", field=name)
        if shape.get("enum") and text not in shape["enum"]:
            raise Refused(f"'{label}' must be one of: {', '.join(map(str, shape['enum']))}.", field=name)
        found[name] = text
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
