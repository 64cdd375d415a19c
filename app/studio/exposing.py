"""A flow's settings page: the settings that were marked for people who don't open the canvas, and nothing else."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID, uuid4

import msgspec
from msgspec import Meta, Struct

from app.errors import Refused
from app.language.sentences import say
from app.studio import queries, service
from app.studio.forms import NodeConfig, NodeExpose, OpsForm
from app.studio.outline.posted import Sent, Unreadable, changed, read, with_what_was_typed
from app.studio.settings_form import Field, form_of
from app.web import Actor
from flows import catalogue
from flows.model import Exposed, Flow, NodeUse
from flows.problems import Problem


class ShownStep(Struct, frozen=True):
    """One step with the settings it shows, under the names and help its author gave them."""

    id: str
    title: str
    fields: list[Field]


class ShownSetting(Struct, frozen=True):
    """One setting for a program. `control`: as in settings_form.Field; `options`: what a choice allows."""

    node: str
    step: str
    field: str
    label: str
    help: str
    control: str
    value: Any
    options: list[Any]
    error: str


class ExposedForm(Struct, forbid_unknown_fields=True):
    """New values: step -> setting -> value."""

    values: Annotated[dict[str, dict[str, Any]], Meta(max_length=500)]


def shown(flow: Flow, problems: list[Problem], faults: Mapping[str, list[Unreadable]] | None = None) -> list[ShownStep]:
    """In the order of the document. `faults`: by step, what a form sent that could not be read; it is shown again."""
    kinds = catalogue.load()
    found = []
    for use in flow.nodes:
        kind = kinds.get(use.type)
        if kind is None or not use.exposed:
            continue
        fields = with_what_was_typed(fields_of(use, problems), (faults or {}).get(use.id, []))
        if fields:
            found.append(ShownStep(use.id, use.label or say(kind.title), fields))
    return found


def fields_of(use: NodeUse, problems: list[Problem]) -> list[Field]:
    """Marked settings that the step still has. Always open: neither folded away nor bound to another setting."""
    kind = catalogue.load().get(use.type)
    return [
        msgspec.structs.replace(
            field,
            label=field.exposed.label or field.label,
            help=field.exposed.help or field.help,
            advanced=False,
            shown_when=None,
        )
        for field in (form_of(use, kind, problems) if kind is not None else [])
        if field.exposed is not None
    ]


def listed(steps: list[ShownStep]) -> list[ShownSetting]:
    return [
        ShownSetting(
            step.id, step.title, f.name, f.label, f.help, f.control, f.value, [o.value for o in f.options], f.error
        )
        for step in steps
        for f in step.fields
    ]


async def save(actor: Actor, flow_id: UUID, sent: Sent) -> tuple[int, dict[str, list[Unreadable]]]:
    """What the page sent, as one edit of the draft that can be undone. Names: `s.<step>.<setting>`.

    Returns how many settings changed, and what could not be read, by step. Only marked settings are looked at.
    """
    flow, rev = await queries.draft(actor, flow_id)
    verb, _, at = (sent.get("deed") or [""])[-1].partition(":")
    ops: list[NodeConfig] = []
    faults: dict[str, list[Unreadable]] = {}
    for use in flow.nodes:
        fields = fields_of(use, []) if use.exposed else []
        if not fields:
            continue
        mine = at.removeprefix(f"{use.id}.") if at.startswith(f"{use.id}.") else ""
        found = read(fields, sent, f"{verb}:{mine}" if mine else "", f"s.{use.id}")
        ops += [NodeConfig(use.id, name, value) for name, value in changed(fields, found.settings).items()]
        if found.faults:
            faults[use.id] = found.faults
    await _apply(actor, flow_id, rev, ops)
    return len(ops), faults


async def set_values(actor: Actor, flow_id: UUID, form: ExposedForm) -> int:
    """The same for a program. Raises Refused for a setting that is not marked."""
    flow, rev = await queries.draft(actor, flow_id)
    marked = {use.id: {field.name for field in fields_of(use, [])} for use in flow.nodes if use.exposed}
    ops = []
    for node, settings in form.values.items():
        for name, value in settings.items():
            if name not in marked.get(node, ()):
                raise Refused(
                    f"The setting {name!r} of the step {node!r} is not on the settings page.",
                    remedy="GET this address lists those that are; mark others in the editor.",
                    field=f"values.{node}.{name}",
                )
            ops.append(NodeConfig(node, name, value))
    await _apply(actor, flow_id, rev, ops)
    return len(ops)


async def mark(actor: Actor, flow_id: UUID, node_id: str, sent: Sent) -> bool:
    """What the outline's form says: `on` names the settings to show, `label.<setting>` and `help.<setting>` how.

    One edit; False when nothing changed.
    """
    flow, rev = await queries.draft(actor, flow_id)
    use = queries.step(flow, node_id)
    kind = catalogue.load().get(use.type)
    on = set(sent.get("on", ()))
    ops = []
    for field in form_of(use, kind, []) if kind is not None else ():
        words = {what: (sent.get(f"{what}.{field.name}") or [""])[-1].strip() for what in ("label", "help")}
        wanted = Exposed(words["label"][:120], words["help"][:500]) if field.name in on else None
        if wanted != use.exposed.get(field.name):
            ops.append(NodeExpose(node_id, field.name, wanted))
    await _apply(actor, flow_id, rev, ops)
    return bool(ops)


async def _apply(actor: Actor, flow_id: UUID, rev: int, ops: Sequence[NodeConfig | NodeExpose]) -> None:
    if ops:
        await service.apply_ops(actor, flow_id, OpsForm(base=rev, batch=uuid4().hex, client="settings", ops=list(ops)))
