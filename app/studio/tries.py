"""Runs of the draft from the editor, and what the editor shows of the last run of a flow."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct, field

from app.errors import DomainError, NotFound, Refused
from app.runs import queries as runs
from app.runs import service
from app.studio import queries
from app.studio.ports import ports_of, settings_of
from app.studio.ran import Ran, RanStep, ran, ran_of, ran_step
from app.studio.tries_again import frozen, told
from app.web import Actor
from flows import catalogue
from flows.model import Flow, NodeUse

Event = dict[str, Any]
MOST_TALK = 80
"""Characters of a conversation's name."""


class Face(Struct, frozen=True):
    """How the draft is tried: "chat", "form" or "input" (JSON). `start`: settings of `node`, the step that starts it.

    `keeps`: some of its steps keep their results. `last`: the newest try, whose input can be taken again.
    `talk`: the conversation that is gone on with, `said`: its turns; `talks`: those of the flow's tries.
    """

    kind: str
    node: str = ""
    start: Any = None
    sample: str = "{}"
    keeps: bool = False
    problems: list[Any] = field(default_factory=list)
    last: runs.Tried | None = None
    talk: str = ""
    said: list[runs.Said] = field(default_factory=list)
    talks: list[runs.Talk] = field(default_factory=list)

    def value(self, name: str) -> Any:
        """What a field held in the newest try; None when there is none."""
        given = self.last.input if self.last is not None else None
        return given.get(name) if isinstance(given, dict) else None

    @property
    def files(self) -> list[dict[str, Any]]:
        """The files of that input, as choices of a field."""
        given = self.last.input if self.last is not None else None
        found = given.values() if isinstance(given, dict) else ()
        return [{"value": each} for each in found if isinstance(each, dict) and each.get("id")]


async def start(
    actor: Actor,
    flow_id: UUID,
    input: dict[str, Any] | None,
    *,
    again: UUID | None = None,
    afresh: bool = False,
    upto: str = "",
) -> AsyncIterator[Event]:
    """Freeze the draft, run it, and give the run's events as they come; the last one is a run.* event.

    `again`: a run of this flow whose input is taken; `input` is then None, or that input as a person changed it.
    `afresh`: take no results that steps keep. `upto`: the last step to run, "" = all.

    Raises NotFound, Refused without any input, NotReady when the draft can't run. What fails later is told as
    run.failed.
    """
    if again is not None:
        input = await runs.input_again(actor, flow_id, again, input)
    elif input is None:
        await queries.draft(actor, flow_id)  # whose flow it is comes first
        raise Refused(
            "Nothing was given to start with.", remedy="Give an input, or a run to take it from.", field="input"
        )
    draft = await frozen(actor, flow_id, upto)
    if draft.pinned or draft.breaks:
        run_id = await service.begin_pinned(
            actor, draft.version_id, input, draft.pinned, afresh=afresh, breaks=draft.breaks
        )
        return told(actor, run_id)
    return _told(service.stream(actor, draft.version_id, input, trigger="editor", draft=True, afresh=afresh))


async def begin(actor: Actor, flow_id: UUID, input: Any) -> UUID:
    """The same for a page that does not listen: the run goes on by itself. Returns its id."""
    draft = await frozen(actor, flow_id)
    if draft.pinned or draft.breaks:
        return await service.begin_pinned(actor, draft.version_id, input, draft.pinned, breaks=draft.breaks)
    return await service.start(actor, draft.version_id, input, trigger="editor", draft=True, lane="interactive")


async def _told(events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    try:
        async for event in events:
            yield event
    except DomainError as problem:
        yield {"type": "run.failed", "error": str(problem)}


async def pause(actor: Actor, run_id: str, ran: RanStep | None, node_id: str) -> runs.Pause | None:
    """Where the run shown pauses before this step; None where it does not. 0 or 1 statement."""
    if ran is None or ran.status != "paused":
        return None
    return await runs.pause_at(actor, UUID(run_id), node_id)


def fields_of(use: NodeUse, ran: RanStep | None) -> list[runs.Field]:
    """What came into the step, as fields to put other values in; [] where nothing ran."""
    ports = ports_of(use, catalogue.load())
    return runs.fields_for(runs.typed_ports(ports.inputs), ran.input) if ran is not None and ports is not None else []


async def compared(actor: Actor, flow_id: UUID, run_id: UUID, node_id: str) -> tuple[list[Any], UUID | None]:
    """The step's pairs of this run and the one before (`comparing.Pair`, at most 20 rounds), and that run; None: there
    is none. Raises NotFound for a run of another flow.
    """
    await runs.of_flow(actor, run_id, flow_id)
    try:
        both = await service.compared(actor, run_id)
    except NotFound:
        return [], None
    return [pair for pair in both.pairs if pair.key.partition(":")[0] == node_id][:20], both.a.id


async def cancel(actor: Actor, run_id: UUID) -> str:
    return await service.cancel(actor, run_id)


def face_of(flow: Flow, problems: list[Any]) -> Face:
    """By the first start step: its own face; a webhook or an API call asks for JSON; no start step at all, too."""
    kinds = catalogue.load()
    order = ("chat", "form", "webhook", "api")
    starts = [(kind.trigger, use, kind) for use in flow.nodes if (kind := kinds.get(use.type)) and kind.trigger]
    starts.sort(key=lambda found: order.index(found[0]) if found[0] in order else 9)
    faults = [problem for problem in problems if problem.severity == "error"]
    keeps = any(use.keep for use in flow.nodes)
    if not starts:
        return Face("input", keeps=keeps, problems=faults)
    trigger, use, kind = starts[0]
    settings = settings_of(use, kind)
    if trigger in ("chat", "form") and settings is not None:
        return Face(trigger, use.id, msgspec.to_builtins(settings), keeps=keeps, problems=faults)
    fields = [each["name"] for each in use.settings.get("fields", []) if isinstance(each, dict) and each.get("name")]
    sample: Any = dict.fromkeys(fields, "")
    if trigger == "webhook":
        sample = {"method": "POST", "headers": {}, "query": {}, "body": {}}
    return Face("input", use.id, sample=_indented(sample), keeps=keeps, problems=faults)


async def face(actor: Actor, flow_id: UUID, flow: Flow, problems: list[Any], talk: str = "") -> Face:
    """The same, with what the newest try was given; of a chat the conversations, and what was said in `talk`, which is
    begun anew when it is not there. 1 statement, of a chat 2 or 3.
    """
    made, last = face_of(flow, problems), await runs.last_try(actor, flow_id)
    if made.kind == "chat":
        said = await runs.said(actor, flow_id, talk) if 0 < len(talk) <= MOST_TALK and "\0" not in talk else []
        talks = await runs.talks(actor, flow_id) if last is not None else []
        return msgspec.structs.replace(made, last=last, talk=talk if said else "", said=said, talks=talks)
    sample = _indented(last.input) if last is not None and made.kind == "input" else made.sample
    return msgspec.structs.replace(made, last=last, sample=sample)


def _indented(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


async def latest(actor: Actor, flow_id: UUID) -> Ran | None:
    """The flow's last run, tries included. 1 statement when it never ran, else those of `runs.run`."""
    found = (await runs.latest(actor, [flow_id])).get(flow_id)
    return await ran(actor, found.id) if found is not None else None


async def shown(actor: Actor, flow_id: UUID, run_id: str = "") -> Ran | None:
    """The run the editor shows: the one asked for when it is one of this flow, whatever started it, else the last."""
    try:
        if run_id and (found := await runs.run(actor, UUID(run_id))).flow_id == flow_id:
            return ran_of(found)
    except (ValueError, NotFound):
        pass
    return await latest(actor, flow_id)


async def result(actor: Actor, flow_id: UUID, run_id: UUID) -> runs.RunView:
    """A run of this flow for its result. The statements of `runs.run`. Raises NotFound."""
    found = await runs.run(actor, run_id)
    if found.flow_id != flow_id:
        raise NotFound("This run is none of this flow.")
    return found


async def step(actor: Actor, run_id: str, node_id: str) -> RanStep | None:
    """The step in the run the editor shows; None when there is none, or it is gone."""
    try:
        return await ran_step(actor, UUID(run_id), node_id)
    except (ValueError, NotFound):
        return None


__all__ = [
    "Face", "Ran", "RanStep", "begin", "cancel", "face", "face_of", "fields_of", "latest", "pause", "ran", "result",
    "shown", "start", "step",
]  # fmt: skip
