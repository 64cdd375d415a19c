"""The outline: the flow as a list with plain forms. Every deed answers with the page again, so scripts may be off."""

from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from msgspec import UNSET, Meta, Struct, UnsetType

from app.errors import Refused
from app.studio import queries, service, tries
from app.studio.comment_forms import StepId
from app.studio.controllers.editor import bar
from app.studio.controllers.flows import published_words
from app.studio.forms import FlowMeta, NodeConfig, NodeLabel, NodePolicy, Op, OpsForm, PublishForm, RestoreForm
from app.studio.outline import intents, trying
from app.studio.outline.page import page_of
from app.studio.outline.posted import changed, read
from app.studio.settings_form import form_of
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import fragment, go, page
from flows import catalogue
from flows.model import OnError, Retry

Text = Annotated[str, Meta(max_length=400)]
End = Annotated[str, Meta(max_length=120)]


class AddForm(Struct, forbid_unknown_fields=True):
    type: Annotated[str, Meta(min_length=1, max_length=120, title="Kind of step")]
    after: Text = ""
    inside: Text = ""


class WireForm(Struct, forbid_unknown_fields=True):
    """`source` and `target` are "step.port". An empty one with `deed` "cut" lets go of every wire at the other."""

    source: End = ""
    target: End = ""
    deed: Literal["wire", "cut"] = "wire"


class PlaceForm(Struct, forbid_unknown_fields=True):
    parent: Text = ""


class PolicyForm(Struct, forbid_unknown_fields=True):
    tries: Annotated[int, Meta(ge=1, le=10)] = 1
    delay: Annotated[float, Meta(ge=0, le=3600)] = 1.0
    on_error: OnError = "stop"
    timeout: Annotated[str, Meta(max_length=20)] | None = None
    default: Annotated[str, Meta(max_length=20_000)] | None = None
    runs: Annotated[str, Meta(max_length=5)] = ""
    keep: Annotated[str, Meta(pattern="^[0-9]{0,7}$")] | None = None


class AboutForm(Struct, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=120, title="Name")]
    description: Annotated[str, Meta(max_length=2_000)] | None = None
    cost_limit: Annotated[str, Meta(max_length=20)] | None = None


class OutlineController(Controller):
    path = "/flows/{flow_id:uuid}/outline"

    @get("/", name="studio:outline")
    async def outline(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        step: FromQuery[Text] = "",
        panel: FromQuery[Text] = "",
        about: FromQuery[StepId] = "",
        resolved: FromQuery[bool] = False,
    ) -> Response[Any]:
        shown = await page_of(actor, flow_id, step=step, panel=panel, about=about, resolved=resolved)
        if request.htmx.partial:
            return fragment(request, "studio/outline/_rows.html", **shown)
        return page(
            request, "studio/outline/page.html", nav="flows", tab="outline", **shown, **bar(actor, shown["flow"])
        )

    @post("/steps", name="studio:outline-add", status_code=303)
    async def add(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: URLEncodedBody[AddForm]
    ) -> Response[Any]:
        flow, rev = await queries.draft(actor, flow_id)
        node_id, ops = intents.add(flow, data.type, catalogue.load(), after=data.after, inside=data.inside)
        await _edit(actor, flow_id, rev, ops)
        return _back(request, flow_id, node_id)

    @post("/steps/{node_id:str}/settings", name="studio:outline-settings", status_code=303)
    async def settings(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], node_id: FromPath[str]
    ) -> Response[Any]:
        """One edit with everything that changed. What can't be read is shown again with the reason; nothing is lost."""
        sent = await _sent(request)
        flow, rev = await queries.draft(actor, flow_id)
        use = queries.step(flow, node_id)
        kind = catalogue.load().get(use.type)
        fields = form_of(use, kind, []) if kind is not None else []
        found = read(fields, sent, (sent.get("deed") or [""])[-1])
        ops: list[Op] = [NodeConfig(node_id, name, value) for name, value in changed(fields, found.settings).items()]
        label = (sent.get("label") or [use.label])[-1].strip()[:120]
        if label not in (use.label, kind.title if kind is not None and not use.label else use.label):
            ops.append(NodeLabel(node_id, label))
        await _edit(actor, flow_id, rev, ops)
        if not found.faults:
            return _back(request, flow_id, node_id, "Saved." if ops else "")
        shown = await page_of(actor, flow_id, step=node_id, faults=found.faults)
        return _page(request, actor, shown, status_code=422)

    @post("/wires", name="studio:outline-wire", status_code=303)
    async def wire(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: URLEncodedBody[WireForm]
    ) -> Response[Any]:
        flow, rev = await queries.draft(actor, flow_id)
        source, target = data.source, data.target
        if data.deed == "cut" or not (source and target):
            ops = intents.unwire(flow, source, target) if source or target else []
        else:
            ops = intents.wire(flow, source, target, catalogue.load())
        await _edit(actor, flow_id, rev, ops)
        return _back(request, flow_id, request.query_params.get("step", ""))

    @post("/steps/{node_id:str}/place", name="studio:outline-place", status_code=303)
    async def place(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        node_id: FromPath[str],
        data: URLEncodedBody[PlaceForm],
    ) -> Response[Any]:
        flow, rev = await queries.draft(actor, flow_id)
        queries.step(flow, node_id)
        await _edit(actor, flow_id, rev, intents.move_into(flow, node_id, data.parent, catalogue.load()))
        return _back(request, flow_id, node_id)

    @post("/steps/{node_id:str}/policy", name="studio:outline-policy", status_code=303)
    async def policy(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        node_id: FromPath[str],
        data: URLEncodedBody[PolicyForm],
    ) -> Response[Any]:
        _, rev = await queries.draft(actor, flow_id)
        await _edit(actor, flow_id, rev, [_policy(node_id, data)])
        return _back(request, flow_id, node_id, "Saved.")

    @post("/steps/{node_id:str}/removal", name="studio:outline-remove", status_code=303)
    async def remove(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], node_id: FromPath[str]
    ) -> Response[Any]:
        _, rev = await queries.draft(actor, flow_id)
        await _edit(actor, flow_id, rev, intents.remove(node_id))
        flash(request, "Step removed.", undo=f"/flows/{flow_id}/outline/undoing")
        return _back(request, flow_id, "")

    @post("/steps/{node_id:str}/detachment", name="studio:outline-detach", status_code=303)
    async def detach(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], node_id: FromPath[str]
    ) -> Response[Any]:
        flow, rev = await queries.draft(actor, flow_id)
        queries.step(flow, node_id)
        ops = intents.detach(flow, node_id, catalogue.load())
        await _edit(actor, flow_id, rev, ops)
        undo = f"/flows/{flow_id}/outline/undoing" if ops else ""
        flash(request, "Taken out of the chain." if ops else "It has no wires to let go of.", undo=undo)
        return _back(request, flow_id, node_id)

    @post("/undoing", name="studio:outline-undo", status_code=303)
    async def undo(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        return _back(request, flow_id, "", (await service.undo(actor, flow_id, "outline")).said)

    @post("/redoing", name="studio:outline-redo", status_code=303)
    async def redo(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        return _back(request, flow_id, "", (await service.redo(actor, flow_id, "outline")).said)

    @post("/about", name="studio:outline-about", status_code=303)
    async def about(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: URLEncodedBody[AboutForm]
    ) -> Response[Any]:
        _, rev = await queries.draft(actor, flow_id)
        about = FlowMeta(name=data.name, description=data.description or "", cost_limit=_dollars(data.cost_limit))
        await _edit(actor, flow_id, rev, [about])
        return _back(request, flow_id, "", "Saved.")

    @post("/publication", name="studio:outline-publish", status_code=303)
    async def publish(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        data: URLEncodedBody[PublishForm],
    ) -> Response[Any]:
        made = await service.publish(actor, flow_id, data.name, data.notes, live=data.audience == "everybody")
        live = (await queries.editor(actor, flow_id)).live_version_id == made
        return _back(request, flow_id, "", published_words(data, live=live))

    @post("/restoration", name="studio:outline-restore", status_code=303)
    async def restore(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        data: URLEncodedBody[RestoreForm],
    ) -> Response[Any]:
        await service.restore(actor, flow_id, data.version_id)
        flash(request, "The draft is that version again.", undo=f"/flows/{flow_id}/outline/undoing")
        return _back(request, flow_id, "")

    @post("/tries", name="studio:outline-try", status_code=303)
    async def attempt(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        """Run the draft with what the form holds; the run's own page shows what happens."""
        flow, _ = await queries.draft(actor, flow_id)
        face = tries.face_of(flow, [])
        sent = {name: values[-1] for name, values in (await _sent(request)).items()}
        tried = trying.read(face, sent, await trying.offered(actor, face))
        if tried.faults:
            shown = await page_of(actor, flow_id, panel="try", tried=tried)
            return _page(request, actor, shown, status_code=422)
        return go(request, f"/runs/{await tries.begin(actor, flow_id, tried.input)}")


def _page(request: Request, actor: Actor, shown: dict[str, Any], status_code: int = 200) -> Response[Any]:
    head = bar(actor, shown["flow"])
    return page(
        request, "studio/outline/page.html", status_code=status_code, nav="flows", tab="outline", **shown, **head
    )


async def _edit(actor: Actor, flow_id: UUID, rev: int, ops: list[Op]) -> None:
    if ops:
        form = OpsForm(base=rev, batch=uuid4().hex, client="outline", ops=ops)  # type: ignore[arg-type]
        await service.apply_ops(actor, flow_id, form)


def _back(request: Request, flow_id: UUID, step: str, said: str = "") -> Response[Any]:
    if said:
        flash(request, said)
    return go(request, f"/flows/{flow_id}/outline" + (f"?step={step}#step" if step else ""))


async def _sent(request: Request) -> dict[str, list[str]]:
    form = await request.form()
    return {name: [str(value) for value in form.getall(name)] for name in form if name != "_csrf"}


def _dollars(text: str | None) -> float | UnsetType | None:
    if not text:
        return UNSET if text is None else None
    try:
        sum = float(text)
    except ValueError:
        sum = 0.0
    if not 0 < sum <= 100_000:
        raise Refused(f"“{text}” is no sum from 0.01 to 100,000 dollars.", field="cost_limit")
    return sum


def _policy(node_id: str, data: PolicyForm) -> NodePolicy:
    try:
        fixed = msgspec.json.decode(data.default or "{}", type=dict[str, Any])
        limit = float(data.timeout) if data.timeout else None
    except msgspec.DecodeError as problem:
        raise Refused(f"The fixed value is no JSON object: {problem}.", field="default") from None
    except ValueError:
        raise Refused(f"“{data.timeout}” is no number of seconds.", field="timeout") from None
    retry = Retry(data.tries, data.delay)
    keep = UNSET if data.keep is None else float(data.keep) if data.keep else None
    disabled = data.runs != "yes"
    return NodePolicy(
        node_id, retry=retry, on_error=data.on_error, default=fixed, timeout=limit, disabled=disabled, keep=keep
    )
