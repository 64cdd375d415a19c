"""What the forms of tests send: the rows of expectations, and an input as JSON."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.checks.shapes import LEAST, MOST_CHECKS, WORDS, Expectation
from app.errors import Refused


def expectations(sent: Mapping[str, Any]) -> list[Expectation]:
    """The rows `kind-0`, `path-0`, `value-0`, `least-0`, `model-0`, …; one without a kind is left out.

    Raises Refused for an unknown kind.
    """
    found = []
    for i in range(MOST_CHECKS + 1):
        kind = str(sent.get(f"kind-{i}", ""))
        if not kind:
            continue
        if kind not in WORDS:
            raise Refused("There is no such way to compare.", field=f"kind-{i}")
        value = str(sent.get(f"value-{i}", "")).replace("\r\n", "\n")
        fields: dict[str, Any] = {"kind": kind, "path": str(sent.get(f"path-{i}", "")).strip(), "value": value}
        if kind in LEAST:
            fields |= {"least": _least(str(sent.get(f"least-{i}", "")), i), "model": str(sent.get(f"model-{i}", ""))}
        try:
            found.append(msgspec.convert(fields, Expectation))
        except msgspec.ValidationError:
            raise Refused("This is too long.", remedy="Expect a part of it.", field=f"value-{i}") from None
    return found


def _least(text: str, i: int) -> float | None:
    if not text.strip():
        return None
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        number = -1
    if not 0 <= number <= 1:
        raise Refused("A score is a number from 0 to 1.", field=f"value-{i}")
    return number


def input_of(sent: Mapping[str, Any]) -> Any:
    """Raises Refused when the text is no JSON."""
    try:
        return msgspec.json.decode(str(sent.get("input", "")))
    except msgspec.DecodeError as error:
        raise Refused(f"The input is no JSON: {error}.", remedy="Repair it, then save.", field="input") from None
