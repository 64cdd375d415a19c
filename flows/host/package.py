"""Node packages that are not trusted. Their code never runs in this process: not to be listed, not to be checked.

`nodes_of(folder, module)` gives ordinary node types: for the catalogue, the compiler and the engine they are like any
other. Where the function of a type runs is decided here and nowhere else: built-in ones and entry points of the
operator bring their own function (in process), these bring one that asks a box.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from flows.host.broker import Broker, Powers, Quota, believed
from flows.host.bubble import GUEST, boxed, one_of_few
from flows.host.cards import Card, Cards, StepCall
from flows.host.child import START, Fallen
from flows.host.frames import Bounds, Reply
from flows.host.pool import PLACE, READY, Missing
from flows.host.powers import powers_of
from flows.sdk.context import Context
from flows.sdk.errors import NodeError
from flows.sdk.node import FAMILY_ICONS, NodeType, node
from flows.sdk.ports import Port
from flows.sdk.values import Audio, Document, File, Image, Message

NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}(\.[a-z][a-z0-9_-]{0,39}){1,2}")
FIELD = re.compile(r"[a-z][a-z0-9_]{0,39}")
MODULE = re.compile(r"[A-Za-z_]\w{0,60}(\.\w{1,60}){0,4}")
ICON = re.compile(r"[a-z0-9-]{1,40}")
MOST_NODES, MOST_FIELDS, LONGEST_TEXT = 50, 60, 4_000
SECONDS = 30.0
BOUNDS = Bounds(seconds=SECONDS)
AVAILABLE = frozenset({"llm", "http", "files"})
KINDS: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list[Any],
    "object": dict[str, Any],
}
PORTS: dict[str, Any] = {
    "text": str,
    "number": float,
    "yesno": bool,
    "object": dict[str, Any],
    "list": list[Any],
    "file": File,
    "image": Image,
    "audio": Audio,
    "document": Document,
    "message": Message,
    "any": Any,
}
LIMITS = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "minLength": "min_length",
    "maxLength": "max_length",
}


class BadPackage(Exception):
    """The package can't be offered. The sentence names it, the node and what its author must change."""


async def nodes_of(
    folder: Path, module: str, *, prefix: str, quota: Quota | None = None
) -> list[NodeType[Any, Any, Any]]:
    """The node types of a package folder; every name begins with `prefix` and a dot.

    Raises BadPackage, and Missing where this machine has no boxes: such packages are then off, never run otherwise.
    """
    if not MODULE.fullmatch(module):
        raise BadPackage(f"'{module[:60]}' is no name of a module.")
    reply = await _in_box(folder, module, StepCall(seconds=SECONDS), {}, SECONDS, quota)
    if reply.why:
        raise BadPackage(f"The package '{prefix}' can't be read: {reply.message or reply.why} ({reply.kind}).")
    try:
        cards = msgspec.convert(reply.value, Cards).nodes
    except msgspec.ValidationError as error:
        raise BadPackage(f"What the package '{prefix}' says of itself can't be read: {error}.") from None
    if not 0 < len(cards) <= MOST_NODES or len({card.name for card in cards}) < len(cards):
        raise BadPackage(f"The package '{prefix}' offers {len(cards)} nodes; it must be 1 to {MOST_NODES}, each once.")
    return [_type(card, folder, module, prefix, quota) for card in cards]


def _type(card: Card, folder: Path, module: str, prefix: str, quota: Quota | None) -> NodeType[Any, Any, Any]:
    if not NAME.fullmatch(card.name) or not card.name.startswith(f"{prefix}."):
        raise BadPackage(f"The node '{card.name[:60]}' must be named '{prefix}.' and a word in small letters.")
    if card.special or card.effect in ("db", "probe"):
        uses = ", ".join(card.special[:9]) or card.effect
        raise BadPackage(f"'{card.name}' uses {uses}: a boxed node can't. Its author must change it.")
    unknown = [need for need in card.needs if need not in AVAILABLE]
    if unknown:
        raise BadPackage(f"'{card.name}' wants '{unknown[0][:40]}', which is not to be had in a box.")
    if max(len(card.title), len(card.description)) > LONGEST_TEXT or not card.title or card.version < 1:
        raise BadPackage(f"Title, description or version of '{card.name}' is not of a length that can be shown.")
    seconds = min(card.timeout or SECONDS, 10 * SECONDS)
    settings, inputs, outputs = _settings(card), _ports(card, card.inputs), _ports(card, card.outputs)

    async def run(settings: Any, inputs: Any, ctx: Context) -> Any:
        call = StepCall(
            card.name,
            msgspec.to_builtins(settings),
            msgspec.to_builtins(inputs),
            ctx.run_id,
            ctx.flow_id,
            ctx.node_id,
            ctx.iter,
            ctx.attempt,
            ctx.trigger,
            ctx.deadline,
            ctx.input,
            seconds,
        )
        try:
            reply = await _in_box(folder, module, call, powers_of(ctx, inputs, card.needs), seconds, quota)
        except Missing as error:
            raise NodeError(str(error)) from None
        if reply.why:
            raise _fault(card, reply)
        try:
            return msgspec.convert(reply.value, outputs)
        except msgspec.ValidationError as error:
            raise NodeError(
                f"'{card.title}' gave back what it did not promise: {error}. Its author must fix it."
            ) from None

    run.__doc__ = card.description
    run.__annotations__ = {"settings": settings, "inputs": inputs, "ctx": Context, "return": outputs}
    declare: Callable[[Any], NodeType[Any, Any, Any]] = node(
        card.name,
        version=card.version,
        title=card.title,
        effect=card.effect,
        icon=card.icon if ICON.fullmatch(card.icon) else FAMILY_ICONS[card.family],
        family=card.family,
        needs=tuple(card.needs),  # type: ignore[arg-type]
    )
    return declare(run)


async def _in_box(
    folder: Path, module: str, call: StepCall, powers: Powers, seconds: float, quota: Quota | None
) -> Reply:
    async with one_of_few():
        place = str(PLACE / "flows/sdk")
        binds = [(place, f"{GUEST}/flows/sdk"), (str(PLACE / "flows/host/cards.py"), f"{GUEST}/flows/host/cards.py")]
        child = boxed("node", module, binds=[*binds, (str(folder), f"{GUEST}/package")])
        try:
            await child.answer(READY, START)
            return believed(await Broker(powers, quota).serve(child, call, seconds), BOUNDS)
        except Fallen as error:
            return Reply("time" if error.late else "crash", message=str(error))
        finally:
            child.kill()


def _fault(card: Card, reply: Reply) -> NodeError:
    if reply.kind == "NodeError":
        return NodeError(reply.message, field=reply.field[:60], retry=reply.retry)
    what = {
        "time": "took longer than it may and was stopped",
        "memory": "wanted more memory than it may have and was stopped",
        "crash": f"brought its own process down ({reply.message})",
    }.get(reply.why, f"met an error it does not handle: {reply.message} ({reply.kind})")
    return NodeError(f"'{card.title}' {what}. Nothing else was harmed. Tell its author.")


def _settings(card: Card) -> type[Struct]:
    """A struct with the same form as the package's own; what it holds is checked again inside."""
    defs = card.settings.get("$defs", {})
    shape = _resolved(card.settings, defs)
    properties = shape.get("properties", {})
    if not isinstance(properties, dict) or len(properties) > MOST_FIELDS:
        raise BadPackage(f"The settings of '{card.name}' can't be read.")
    fields: list[Any] = []
    for name, raw in properties.items():
        if not FIELD.fullmatch(name) or not isinstance(raw, dict):
            raise BadPackage(f"'{card.name}' has a setting '{str(name)[:40]}': names are small letters, digits and _.")
        part = _inlined(raw, defs, 6)
        fields.append((name, _annotation(part), *_default(part)))
    fields.sort(key=lambda field: len(field) > 2)
    return msgspec.defstruct("Settings", fields, frozen=True, forbid_unknown_fields=True, kw_only=True)


def _annotation(part: dict[str, Any]) -> Any:
    kind: Any = Literal[tuple(part["enum"])] if part.get("enum") else KINDS.get(str(part.get("type")), Any)
    told: dict[str, Any] = {
        ours: part[theirs] for theirs, ours in LIMITS.items() if isinstance(part.get(theirs), int | float)
    }
    if kind not in (str, int, float):
        told = {}
    more = {name: value for name, value in part.items() if name.startswith("x-") or name in ("items", "properties")}
    title, description = (str(part.get(name, ""))[:LONGEST_TEXT] for name in ("title", "description"))
    return Annotated[kind, Meta(title=title or None, description=description or None, extra_json_schema=more, **told)]


def _default(part: dict[str, Any]) -> tuple[Any, ...]:
    if "default" not in part:
        return ()
    value = part["default"]
    if isinstance(value, list | dict):
        return (msgspec.field(default_factory=value.copy),)
    return (value,)


def _ports(card: Card, ports: list[Port]) -> type[Struct]:
    fields: list[Any] = []
    for port in ports:
        if not FIELD.fullmatch(port.name) or port.inside or len(ports) > MOST_FIELDS:
            raise BadPackage(f"The port '{port.name[:40]}' of '{card.name}' can't be offered.")
        more = {"x-many": True} if port.many else {}
        kind: Any = PORTS[port.type]
        if port.many:
            kind = list.__class_getitem__(kind)
        if port.branch:
            kind = Union[kind, UnsetType]  # noqa: UP007 - Any | UnsetType is no union at run time
        title, told = port.title[:200] or port.name, port.description[:LONGEST_TEXT]
        annotation = Annotated[kind, Meta(title=title, description=told or None, extra_json_schema=more)]
        default = () if port.required and not port.branch else (UNSET if port.branch else None,)
        fields.append((port.name, annotation if default != (None,) else Union[annotation, None], *default))  # noqa: UP007
    return msgspec.defstruct("Ports", sorted(fields, key=len), frozen=True, kw_only=True)


def _resolved(part: Mapping[str, Any], defs: Mapping[str, Any]) -> dict[str, Any]:
    reference = part.get("$ref")
    if isinstance(reference, str):
        found = defs.get(reference.rpartition("/")[2])
        return {**(found if isinstance(found, dict) else {}), **{k: v for k, v in part.items() if k != "$ref"}}
    return dict(part)


def _inlined(part: Mapping[str, Any], defs: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """Without references, so that the form of a row stands in its own field."""
    made = _resolved(part, defs)
    if depth == 0:
        return {}
    for name in ("items", "additionalProperties"):
        if isinstance(made.get(name), dict):
            made[name] = _inlined(made[name], defs, depth - 1)
    if isinstance(made.get("properties"), dict):
        made["properties"] = {
            name: _inlined(inner, defs, depth - 1)
            for name, inner in made["properties"].items()
            if isinstance(inner, dict)
        }
    return made
