"""/steps: what each kind of step does, and an example of it as a flow of one's own."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.errors import NotFound
from app.studio import service
from app.studio.palette import FAMILIES
from app.studio.step_docs import StepDoc, all_docs, doc
from app.studio.step_examples import example_of
from app.web import search
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import go, page
from app.web.search import Hit
from flows import catalogue
from flows.model import Flow


async def named(actor: Actor, words: str, most: int) -> list[Hit]:
    """For Ctrl K: steps by title, family and name."""
    wanted = words.lower().split()
    found = [
        each
        for each in all_docs()
        if all(word in f"{each.title} {each.family_words} {each.name}".lower() for word in wanted)
    ]
    found.sort(key=lambda each: not each.title.lower().startswith(words.lower()))
    return [
        Hit(f"What “{each.title}” does", each.family_words, f"/steps/{each.name}", each.icon) for each in found[:most]
    ]


search.offer("Help with steps", "book-open", named)


class StepDocsController(Controller):
    path = "/steps"

    @get("/", name="studio:step-docs")
    async def index(self, request: Request, actor: NamedDependency[Actor], q: FromQuery[str] = "") -> Response[Any]:
        words = q[:200].lower().split()
        found = [each for each in all_docs() if all(word in _searched(each) for word in words)]
        families = [(icon, title, [each for each in found if each.family == key]) for key, icon, title in FAMILIES]
        shown = [family for family in families if family[2]]
        return page(request, "studio/steps/index.html", nav="flows", families=shown, q=q[:200], count=len(found))

    @get("/{name:str}", name="studio:step-doc")
    async def show(self, request: Request, actor: NamedDependency[Actor], name: FromPath[str]) -> Response[Any]:
        found = _known(name)
        example = example_of(catalogue.load()[name])
        near = [each for each in all_docs() if each.family == found.family and each.name != name]
        return page(request, "studio/steps/step.html", nav="flows", doc=found, example=example, near=near)

    @post("/{name:str}/example", name="studio:step-example", status_code=303)
    async def example(self, request: Request, actor: NamedDependency[Actor], name: FromPath[str]) -> Response[Any]:
        """The example as a flow of this workspace, opened on the canvas."""
        flow_id = await service.create_flow(actor, f"Example: {_known(name).title}", _example(name))
        flash(request, "This example is yours now: change it as you like.")
        return go(request, f"/flows/{flow_id}")


def _searched(each: StepDoc) -> str:
    return f"{each.title} {each.family_words} {each.name} {each.what}".lower()


def _known(name: str) -> StepDoc:
    found = doc(name)
    if found is None:
        raise NotFound("There is no such step here.", remedy="Choose one of the list, or install its package.")
    return found


def _example(name: str) -> Flow:
    made = example_of(catalogue.load()[name])
    if made is None:
        raise NotFound("This step has no example: it needs another flow of yours.", remedy="Add it to a flow by hand.")
    return made
