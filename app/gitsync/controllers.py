"""Settings → Git: the repository, what stands where, conflicts, what happened."""

import asyncio
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody

from app import config
from app.errors import DomainError, NotAllowed, NotFound
from app.gitsync import queries, service
from app.gitsync.forms import ChoiceForm, LinkForm, SyncForm
from app.gitsync.shapes import STATES, Done
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import fragment, go, page

HERE = "/settings/git"
_under_way: set["asyncio.Task[Done]"] = set()


class GitController(Controller):
    path = HERE

    @get("/", name="git:settings")
    async def show(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        if request.htmx.partial:
            return fragment(request, "gitsync/_status.html", link=await queries.link(actor), states=STATES)
        return await _page(request, actor)

    @post("/", name="git:connect", status_code=303)
    async def connect(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[LinkForm]
    ) -> Response[Any]:
        try:
            await service.connect(actor, data)
        except NotAllowed:
            raise
        except DomainError as problem:
            return await _page(request, actor, data, problem)
        flash(request, "Saved. The next sync shows whether git gets in.")
        return go(request, HERE)

    @post("/sync", name="git:sync", status_code=303)
    async def sync(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[SyncForm]
    ) -> Response[Any]:
        task = asyncio.create_task(service.sync(actor, pull=data.pull, push=data.push))
        _under_way.add(task)
        task.add_done_callback(_under_way.discard)
        try:
            done = await asyncio.shield(task)  # it goes on when the person leaves
        except (NotFound, NotAllowed):
            raise
        except DomainError as problem:
            flash(request, str(problem), "danger")
        else:
            flash(request, done.said, "warning" if done.conflicts else "success")
        return go(request, HERE)

    @post("/hook", name="git:hook")
    async def hook(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        return await _page(request, actor, hook=config.settings().base_url + await service.open_hook(actor))

    @post("/removal", name="git:disconnect", status_code=303)
    async def disconnect(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        await service.disconnect(actor)
        flash(request, "Disconnected. Flows stay here, files stay there.", "info")
        return go(request, HERE)

    @get("/files/{file_id:uuid}", name="git:file")
    async def file(self, request: Request, actor: NamedDependency[Actor], file_id: FromPath[UUID]) -> Response[Any]:
        sides = await queries.sides(actor, file_id)
        return page(request, "gitsync/file.html", nav="settings", sides=sides, states=STATES)

    @post("/files/{file_id:uuid}/choice", name="git:choose", status_code=303)
    async def choose(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        file_id: FromPath[UUID],
        data: URLEncodedBody[ChoiceForm],
    ) -> Response[Any]:
        try:
            await service.resolve(actor, file_id, data.choice)
        except (NotFound, NotAllowed):
            raise
        except DomainError as problem:
            flash(request, str(problem), "warning")
        else:
            flash(request, "Decided. The next sync does it.")
        return go(request, HERE)


async def _page(
    request: Request,
    actor: Actor,
    sent: LinkForm | None = None,
    refused: DomainError | None = None,
    hook: str = "",
) -> Response[Any]:
    link = await queries.link(actor)
    return page(
        request,
        "gitsync/git.html",
        status_code=refused.status if refused is not None else 200,
        nav="settings",
        tab="git",
        link=link,
        sent=sent,
        refused=refused,
        hook=hook,
        states=STATES,
        local=bool(config.settings().git_local),
    )


routes: list[Any] = [GitController]
