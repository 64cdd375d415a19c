"""Giving a flow its page: what the first hour does in one step. The studio reaches it as `Faces`."""

from collections.abc import Iterable
from uuid import UUID

from app.db import tenant_tx
from app.sites import queries
from app.sites.blocks import Block, Chat, Form, Hero
from app.sites.forms import NewPageForm
from app.sites.service.pages import added, published
from app.sites.service.sites import may_edit, opened, slug_of
from app.web.actor import Actor


async def show_flow(actor: Actor, flow_id: UUID, *, face: str, title: str, text: str, site_name: str) -> UUID:
    """Give a flow its page and publish it: the first one is the site's front page. Returns the page's id.

    `face` is "chat" or "form". The flow itself must have been published before, or the block says that it rests.
    """
    may_edit(actor)
    block: Block = Chat("chat", flow_id, title=title) if face == "chat" else Form("form", flow_id, title=title)
    hero = Hero("top", site_name, text=text, button="Ask a question" if face == "chat" else "Try it", target=block.id)
    async with tenant_tx(actor.workspace_id) as tx:
        site_id = await opened(tx, actor.workspace_id, site_name)
        taken = {row["path"] for row in await tx.fetch("select path from page where site_id = $1", site_id)}
        form = NewPageForm(title=site_name if not taken else title, path=_free_path(title, taken))
        page_id = await added(tx, actor.workspace_id, site_id, form, [hero, block])
        await published(tx, actor, page_id)
        return page_id


def _free_path(title: str, taken: set[str]) -> str:
    if "/" not in taken:
        return "/"
    wanted = "/" + slug_of(title)
    return next(path for path in (wanted, *(f"{wanted}-{n}" for n in range(2, 1000))) if path not in taken)


class SiteFaces:
    """What app.studio asks for as `Faces`; handed in by the composition root."""

    async def show(self, actor: Actor, flow_id: UUID, *, face: str, title: str, text: str) -> str:
        name = actor.workspace_name or title
        await show_flow(actor, flow_id, face=face, title=title, text=text, site_name=name)
        return (await queries.pages_of_flows(actor)).get(flow_id, "")

    async def addresses(self, actor: Actor, flow_ids: Iterable[UUID]) -> dict[UUID, str]:
        wanted = set(flow_ids)
        pages = await queries.pages_of_flows(actor) if wanted else {}
        return {flow_id: address for flow_id, address in pages.items() if flow_id in wanted}
