"""Pieces of the editor's page as text: for the page itself and for the answers to edits."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
from markupsafe import Markup

from app.language.choice import current
from app.language.sentences import say
from app.studio import queries
from app.studio.changes import changes
from app.studio.schemas import KINDS
from app.studio.sentence_words import COMPARISONS
from app.studio.service.editing import Answer
from app.studio.service.store import Batch
from app.studio.settings_form import Field, field_errors
from app.triggers import queries as triggers
from app.web import render, words
from flows import catalogue
from flows.model import Flow
from flows.problems import Problem
from flows.sdk.annotations import CONDITION


def conditional(fields: Sequence[Field]) -> bool:
    """Whether one of them is a condition, here or in a row: then the panel brings the list of comparisons."""
    return any(field.control == CONDITION or conditional(field.row) for field in fields)


def script_json(value: Any) -> Markup:
    """JSON for a <script type="application/json">: nothing in it can end the element."""
    return Markup(msgspec.json.encode(value).decode().replace("<", "\\u003c"))  # noqa: S704  "<" is written as a number


class _Comparisons:
    """For scripts, in the language of the page that is being made."""

    def __html__(self) -> str:
        return _comparisons(current())


@lru_cache(maxsize=16)
def _comparisons(language: str) -> Markup:
    return script_json([msgspec.structs.replace(each, words=say(each.words)) for each in COMPARISONS])


render.offer("comparisons", COMPARISONS)
render.offer("comparisons_json", _Comparisons())
render.offer("conditional", conditional)
render.offer("schema_kinds", KINDS)


def cards(request: Any, flow: Flow, found: list[Problem], only: set[str]) -> dict[str, str]:
    """Element id -> markup of these steps. `found`: the flow's problems."""
    if not only:
        return {}
    shown = queries.views(flow, found, only)
    return {f"node-{view.id}": render.text(request, "studio/_node.html", node=view) for view in shown}


def problems(request: Any, flow: Flow, found: list[Problem]) -> dict[str, str]:
    """The list of what is left to fix, as {element id: markup}."""
    kinds = catalogue.load()
    titles = {n.id: n.label or (say(kinds[n.type].title) if n.type in kinds else n.type) for n in flow.nodes}
    return {"problems": render.text(request, "studio/_problems.html", problems=found, titles=titles)}


def planned_times(request: Any, flow: Flow, only: set[str]) -> dict[str, str]:
    """The next times of schedules among these steps, for the panel that may be open."""
    uses = [use for use in flow.nodes if use.id in only and use.type == "start.schedule"]
    part = "triggers/_next_times.html"
    return {
        words.dom_id("times", use.id): render.text(request, part, node_id=use.id, **triggers.planned(use))
        for use in uses
    }


def draft_state(request: Any, flow: Flow, live: Flow | None) -> dict[str, str]:
    changed = len(changes(live, flow, catalogue.load())) if live is not None else None
    return {"draft-state": render.text(request, "studio/_draft_state.html", changed=changed)}


def told(batches: list[Batch]) -> list[dict[str, Any]]:
    return [{"rev": batch.rev, "client": batch.client, "ops": batch.ops} for batch in batches]


def edit_answer(request: Any, flow_id: UUID, answer: Answer, live: Flow | None) -> dict[str, Any]:
    """What the editor gets back for a batch: see static/src/canvas/outbox.js, took()."""
    flow, kinds = answer.flow, catalogue.load()
    found = queries.problems_at(flow_id, answer.rev, flow)
    nodes = {node.id: node for node in flow.nodes}
    errors = {
        id: {name: say(words) for name, words in field_errors(nodes[id], kinds[nodes[id].type], found).items()}
        for id in answer.touched
        if id in nodes and nodes[id].type in kinds
    }
    # Five hundred sentences a letter are slow to write, to send and to read: they go along when they changed.
    news = found != queries.known_problems(flow_id, answer.base)
    return {
        "rev": answer.rev,
        "since": told(answer.since),
        "extra": answer.extra,
        "dropped": answer.dropped,
        "html": {
            **cards(request, flow, found, answer.touched),
            **(problems(request, flow, found) if news else {}),
            **draft_state(request, flow, live),
            **planned_times(request, flow, answer.touched),
        },
        "faults": {id: say(words) for id, words in queries.faults_of(found).items()} if news else None,
        "errors": errors,
        "undo": answer.undo,
        "redo": answer.redo,
        "resync": answer.resync,
        "said": say(answer.said) if answer.said else answer.said,
        "over": answer.over,
    }
