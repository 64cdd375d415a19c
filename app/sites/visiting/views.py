"""Blocks as a theme's templates see them: plain values, texts already made safe."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from markupsafe import Markup

from app.sites.blocks import Block, Chat, Form, Hero, Text
from app.sites.garden import garden, sprout
from app.sites.visiting.faces import FieldView
from app.sites.visiting.published import PublicPage
from app.sites.visiting.talk import Turn
from app.sites.visiting.visit import PublicSite
from app.web.words import escape_lines, markdown

LEAVES = Markup(
    '<svg class="leaves" viewBox="0 0 34 12" aria-hidden="true"><path d="M0 11C0 4 4 1 9 1 9 8 5 11 0 11Z"/>'
    '<path d="M12 11c0-7 4-10 9-10 0 7-4 10-9 10Z"/><path d="M24 11c0-7 4-10 9-10 0 7-4 10-9 10Z"/></svg>'
)


@dataclass(frozen=True)
class Rated:
    """An answer that can be rated. `good`: what the visitor said, None = nothing yet; `said`: with a note, just now."""

    run_id: UUID
    good: bool | None = None
    said: bool = False


@dataclass(frozen=True)
class FormState:
    """What a form block shows: empty fields, fields with remedies, or the flow's result."""

    values: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    result: str = ""
    rating: "Rated | None" = None


@dataclass(frozen=True)
class PageState:
    """What belongs to this visitor and this moment on a page, by block id."""

    turns: dict[str, list[Turn]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    forms: dict[str, FormState] = field(default_factory=dict)
    fields: dict[str, list[FieldView]] = field(default_factory=dict)
    preview: bool = False


def site_view(site: PublicSite, page: PublicPage) -> dict[str, Any]:
    nav = [{"path": entry.path, "title": entry.title} for entry in page.nav]
    return {"name": site.name, "nav": nav, "keep_days": site.keep_days}


def pictures(site: PublicSite) -> dict[str, Markup]:
    return {
        "garden": Markup(garden(site.name)),  # noqa: S704 - made of our own shapes; the name is only their dice
        "small_garden": Markup(garden(site.name + "/small", columns=3, rows=1)),  # noqa: S704
        "sprout": Markup(sprout(site.name)),  # noqa: S704
        "leaves": LEAVES,
    }


def rating_view(place: str, rated: Rated | None) -> dict[str, Any] | None:
    """`place`: of the block, as in its addresses; "" = nothing can be rated here (a preview)."""
    if rated is None or not place:
        return None
    given = "" if rated.good is None else "good" if rated.good else "bad"
    return {"action": f"/rating/{place}/{rated.run_id}", "given": given, "said": rated.said, "id": str(rated.run_id)}


def turn_view(turn: Turn, place: str = "") -> dict[str, Any]:
    """A visitor's words stay plain text; an answer is Markdown; a failed one says what to do. `place`: its block's."""
    html = markdown(turn.text) if turn.role == "assistant" and turn.state == "done" else escape_lines(turn.text)
    answered = turn.role == "assistant" and turn.state == "done" and turn.run_id is not None
    rated = Rated(turn.run_id, turn.good) if answered and turn.run_id is not None else None
    return {
        "id": str(turn.id), "role": turn.role, "html": html, "state": turn.state, "rating": rating_view(place, rated),
    }  # fmt: skip


def place_of(page_id: UUID, block_id: str) -> str:
    """A block as the addresses of its actions name it."""
    return f"{page_id}/{block_id}"


def block_view(block: Block, page_id: UUID, state: PageState) -> dict[str, Any]:
    place = "" if state.preview else place_of(page_id, block.id)
    match block:
        case Hero():
            return {
                "kind": "hero", "id": block.id, "title": block.title, "text": block.text,
                "button": block.button, "target": block.target,
            }  # fmt: skip
        case Text():
            return {"kind": "text", "id": block.id, "html": markdown(block.markdown)}
        case Chat():
            return {
                "kind": "chat", "id": block.id, "title": block.title, "greeting": block.greeting,
                "suggestions": block.suggestions, "placeholder": block.placeholder, "contact": block.contact,
                "turns": [turn_view(turn, place) for turn in state.turns.get(block.id, [])],
                "failed": state.failed.get(block.id, ""),
                "action": f"/chat/{place}" if place else "#",
            }  # fmt: skip
        case Form():
            return form_view(block, page_id, state)


def form_view(block: Form, page_id: UUID, state: PageState) -> dict[str, Any]:
    place = "" if state.preview else place_of(page_id, block.id)
    form, fields = state.forms.get(block.id, FormState()), state.fields.get(block.id, [])
    return {
        "kind": "form", "id": block.id, "title": block.title, "text": block.text, "button": block.button,
        "fields": fields, "problem": form.problem, "result_html": markdown(form.result) if form.result else "",
        "typed": {each.name: form.values.get(each.name, "") for each in fields},
        "remedies": {each.name: form.problems.get(each.name, "") for each in fields},
        "action": f"/form/{place}" if place else "#", "again": "",
        "rating": rating_view(place, form.rating),
    }  # fmt: skip
