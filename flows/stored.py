"""Large values: written to storage once, and named in the record (rules 100 to 105 of docs/flow-semantics.md).

In the record a reference stands in the place of the value, `{"$stored": {"hash": …, "size": …, …}}`. Only the engine
writes one: a value of a step that holds this key itself goes to storage whole, however small it is.
"""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Literal

import msgspec
from msgspec import NODEFAULT, Struct

from flows.limits import Limits
from flows.sdk.errors import NodeError
from flows.sdk.ports import VALUES

KEY = "$stored"
MARK = f'"{KEY}"'
INLINE = 256 * 1024
"""Bytes of JSON that the record keeps of one step (rule 100); what is more goes to storage, the largest value first."""
SMALLEST = 8 * 1024
"""Below this a value stays where it is: a reference with its beginning is hardly smaller."""
BEGINNING = 2_000
"""Characters of a value that its reference shows."""

HASH = re.compile(r"[0-9a-f]{64}")

_json = msgspec.json.Encoder()
_mark = MARK.encode()
_parts = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Stored(Struct, frozen=True, omit_defaults=True):
    """`hash`: blake2b-256 of the value's JSON, `size`: its bytes. `length`: characters of a text, items of a list.

    `begins`: the first characters of a text, of anything else of its JSON.
    """

    hash: str
    size: int
    kind: Literal["text", "list", "object", "other"]
    length: int = 0
    begins: str = ""


class Lost(Exception):
    """A value is not in storage any more, or not as it was written."""


Values = Mapping[str, bytes]
"""JSON of values by their hash."""
NOTHING: Values = {}


def record_of(out: Any, limits: Limits, path: str = "", *, whole: bool = False) -> tuple[str, Values]:
    """A step's outputs as the record keeps them, as JSON, and the values that have to be in storage before.

    `whole`: nothing goes to storage; then `limits.output_bytes` holds for all of it.
    Raises NodeError(field=port) for what JSON can't say, for a value above `limits.value_bytes`, and for a record above
    `limits.output_bytes`. `path`: the step, for the sentence.
    """
    try:
        text = _json.encode(out)
    except (TypeError, ValueError, OverflowError) as error:
        raise NodeError(f"The component gave a value that can't be stored: {error}. Its author must fix it.") from None
    if (len(text) <= INLINE and _mark not in text) or whole:
        _small_enough(len(text), limits)
        return text.decode(), NOTHING
    values: dict[str, bytes] = {}
    parts = _parts.decode(text)
    dynamic = _parts.decode(parts[VALUES]) if _has_dynamic(out, parts) else {}
    sized = [(len(raw), parts, port) for port, raw in parts.items() if not (dynamic and port == VALUES)]
    sized += [(len(raw), dynamic, port) for port, raw in dynamic.items()]
    rest = len(text)
    for size, there, port in sorted(sized, key=lambda each: -each[0]):
        raw = bytes(there[port])
        if (rest <= INLINE or size < SMALLEST) and _mark not in raw:
            continue
        if size > limits.value_bytes:
            raise NodeError(_too_large(path, port, size, limits.value_bytes), field=port)
        stored = reference(raw)
        values[stored.hash] = raw
        there[port] = msgspec.Raw(_json.encode({KEY: stored}))
        rest += len(there[port]) - size
    if dynamic:
        parts[VALUES] = msgspec.Raw(_json.encode(dynamic))
    _small_enough(rest, limits)
    return _json.encode(parts).decode(), values


def _has_dynamic(out: Any, parts: Mapping[str, msgspec.Raw]) -> bool:
    return VALUES in parts and isinstance(getattr(out, VALUES, None), dict)


def _small_enough(size: int, limits: Limits) -> None:
    if size > limits.output_bytes:
        raise NodeError(
            f"This step's output is {_mb(size)}; at most {_mb(limits.output_bytes)} are kept. Make it smaller."
        )


def _too_large(path: str, port: str, size: int, most: int) -> str:
    where = f"'{port}' of step '{path}'" if path else f"'{port}'"
    return (
        f"{where} is {_mb(size)}; at most {_mb(most)} of one value are kept. "
        "Make it smaller, or hand it on in parts (a list with 'For each')."
    )


def too_much(most: int) -> NodeError:
    """For a run whose values take more room altogether than they may."""
    return NodeError(f"The large values of this run take more than {_mb(most)} together. Split the work.")


def _mb(size: float) -> str:
    return f"{size / 1_048_576:.1f} MB" if size % 1_048_576 else f"{size / 1_048_576:.0f} MB"


def hash_of(raw: bytes) -> str:
    """By which storage knows a content: 64 hex digits."""
    return blake2b(raw, digest_size=32).hexdigest()


def reference(raw: bytes) -> Stored:
    """What the record says about this value."""
    hash = hash_of(raw)
    if raw[:1] == b'"':
        text = msgspec.json.decode(raw, type=str)
        return Stored(hash, len(raw), "text", len(text), text[:BEGINNING])
    begins = raw[: 4 * BEGINNING].decode(errors="ignore")[:BEGINNING]
    if raw[:1] == b"[":
        return Stored(hash, len(raw), "list", len(msgspec.json.decode(raw, type=list[msgspec.Raw])), begins)
    return Stored(hash, len(raw), "object" if raw[:1] == b"{" else "other", 0, begins)


def stored(value: Any) -> Stored | None:
    """The reference that stands in a value's place, None when it is the value itself."""
    if isinstance(value, dict) and len(value) == 1 and KEY in value:
        try:
            found = msgspec.convert(value[KEY], Stored)
        except msgspec.ValidationError:
            return None
        return found if HASH.fullmatch(found.hash) else None
    return None


def all_stored(value: Any) -> list[Stored]:
    """Every reference inside a value of a record."""
    if (one := stored(value)) is not None:
        return [one]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [each for part in inner for each in all_stored(part)]


def filled(value: Any, values: Values) -> Any:
    """The value with what was stored in its place. Raises Lost for one that `values` lacks."""
    if (one := stored(value)) is not None:
        if (raw := values.get(one.hash)) is None:
            raise Lost(one.hash)
        return msgspec.json.decode(raw)
    if isinstance(value, dict):
        return {key: filled(each, values) for key, each in value.items()}
    return [filled(each, values) for each in value] if isinstance(value, list) else value


def checked(hash: str, raw: bytes | None) -> bytes:
    """What storage gave for this hash. Raises Lost when it is gone or damaged."""
    if raw is None:
        raise Lost(f"value {hash[:12]}… is not in storage any more")
    if hash_of(raw) != hash:
        raise Lost(f"value {hash[:12]}… is damaged in storage")
    return raw


class Later:
    """Outputs on record, of which some are in storage: read when a step needs them (`Running.bring`).

    It can already be asked which ports are silent. Its attributes are the ports.
    """

    __slots__ = ("_kind_", "_raw_", "text_")

    def __init__(self, text: str, kind: type[Struct]) -> None:
        self.text_ = text
        self._kind_ = kind
        self._raw_: dict[str, Any] = msgspec.json.decode(text)

    def __getattr__(self, port: str) -> Any:
        for field in msgspec.structs.fields(self._kind_):
            if field.name == port:
                if field.encode_name in self._raw_:
                    return self._raw_[field.encode_name]
                if field.default_factory is not NODEFAULT:
                    return field.default_factory()
                if field.default is not NODEFAULT:
                    return field.default
        raise AttributeError(port)

    @property
    def wanted(self) -> list[Stored]:
        return all_stored(self._raw_)

    def with_values(self, values: Values) -> Any:
        """The outputs as the step gave them."""
        return msgspec.convert(filled(self._raw_, values), self._kind_)


def outputs_of(text: str, kind: Any) -> Any:
    """Outputs as the record keeps them: the step's own, or a Later where some are in storage."""
    return Later(text, kind) if MARK in text else msgspec.json.decode(text, type=kind)


__all__ = [
    "HASH", "INLINE", "KEY", "MARK", "NOTHING", "Later", "Lost", "Stored", "Values", "all_stored", "checked", "filled",
    "hash_of", "outputs_of", "record_of", "reference", "stored", "too_much",
]  # fmt: skip
