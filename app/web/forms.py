"""What was wrong with a form, in words for the person who filled it in, all fields at once."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import FieldInfo


def problems(values: Mapping[str, Any], form: type[Any]) -> dict[str, str]:
    """Field → what to do, for every field of the struct `form` that does not fit. {} = each field fits on its own.

    msgspec stops at the first problem; here each field is tried alone, so that a person sees all of them in one go.
    Text values are read leniently ("5" is a number, "true" is yes), as form posts have only text.
    """
    found: dict[str, str] = {}
    fields: tuple[FieldInfo, ...] = msgspec.structs.fields(form)
    for field in fields:
        value = values.get(field.encode_name, UNSET)
        if isinstance(value, UnsetType):
            if field.required:
                found[field.encode_name] = "Fill this in."
            continue
        try:
            msgspec.convert(value, field.type, strict=False)
        except msgspec.ValidationError as problem:
            place = ".".join(filter(None, (field.encode_name, field_of(str(problem)))))
            found[place] = human(str(problem), value)
    if form.__struct_config__.forbid_unknown_fields:
        known = {field.encode_name for field in fields}
        found.update({name: "There is no such field." for name in values if name not in known})
    return found


def human(message: str, value: Any = UNSET) -> str:
    """msgspec's message as a remedy: "Expected `str` of length >= 10" → "At least 10 characters."."""
    text = message.partition(" - at ")[0]
    if isinstance(value, str) and not value.strip():
        return "Fill this in."
    for pattern, remedy in _REMEDIES:
        if match := pattern.search(text):
            return remedy.format(*match.groups())
    return "This does not fit here."


def field_of(message: str) -> str:
    """The place msgspec names, as people write it: "… - at `$.steps[0].size`" → "steps.0.size"; "" for the whole
    form. A field that is missing, or that nobody knows, is named with the place it is in.
    """
    at = re.search(r"at `\$\.?(.*?)`", message)
    place = re.sub(r"\[(\d+|\.\.\.)\]", r".\1", at.group(1)).lstrip(".") if at else ""
    named = re.search(r"(?:missing required|unknown) field `([^`]+)`", message)
    return ".".join(filter(None, (place, named.group(1) if named else "")))


_REMEDIES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"missing required field"), "Fill this in."),
    (re.compile(r"unknown field"), "There is no such field."),
    (re.compile(r"`str` of length >= 1$"), "Fill this in."),
    (re.compile(r"`str` of length >= (\d+)"), "At least {} characters."),
    (re.compile(r"`str` of length <= (\d+)"), "At most {} characters."),
    (re.compile(r"`array` of length >= (\d+)"), "At least {}."),
    (re.compile(r"`array` of length <= (\d+)"), "At most {}."),
    (re.compile(r"`(?:int|float)` >= ([\d.eE+-]+)"), "{} or more."),
    (re.compile(r"`(?:int|float)` <= ([\d.eE+-]+)"), "{} or less."),
    (re.compile(r"`(?:int|float)` > ([\d.eE+-]+)"), "More than {}."),
    (re.compile(r"`(?:int|float)` < ([\d.eE+-]+)"), "Less than {}."),
    (re.compile(r"matching regex '.*@"), "Write an e-mail address, like mara@fernhill.example."),
    (re.compile(r"matching regex"), "This is not in the form that is expected here."),
    (re.compile(r"Invalid enum value"), "Choose one of the values in the list."),
    (re.compile(r"[Ii]nvalid UUID|Expected `uuid`"), "This is not an id of ours."),
    (re.compile(r"Invalid RFC3339|Expected `date"), "Write a date and time, like 2026-11-21T09:30:00Z."),
    (re.compile(r"Expected `int"), "Write a whole number."),
    (re.compile(r"Expected `float"), "Write a number."),
    (re.compile(r"Expected `bool"), "Write true or false."),
    (re.compile(r"Expected `str"), "Write text."),
    (re.compile(r"Expected `array"), "A list belongs here."),
    (re.compile(r"Expected `object"), "An object with named fields belongs here."),
)
