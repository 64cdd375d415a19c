"""Sites with pages, and the visitors who come to them."""

from uuid import UUID, uuid4

from app.sites import service
from app.sites.blocks import Block, Chat, Hero
from app.sites.forms import NewPageForm
from app.sites.visiting.visit import PublicSite, Visit, forget, new_secret, site_of_host, visitor_of
from app.web.actor import Actor
from tests.factories.kernel import a_workspace


async def an_editor(workspace_id: UUID | None = None) -> Actor:
    workspace_id = workspace_id or await a_workspace()
    return Actor(user_id=uuid4(), workspace_id=workspace_id, role="editor", name="Mara", email="mara@fernhill.example")


async def a_site(actor: Actor, *blocks: Block, name: str = "", publish: bool = True) -> tuple[PublicSite, UUID]:
    """A site whose front page has these blocks (a hero and a chat unless said). Returns it and the page's id."""
    site_id = await service.open_site(actor, name or f"Garden {uuid4().hex[:8]}")
    shown = blocks or (Hero("top", "Ask us"), Chat("chat", uuid4(), title="Help desk"))
    page_id = await service.add_page(actor, site_id, NewPageForm(title="Front", path="/"), shown)
    if publish:
        await service.publish_page(actor, page_id)
    return await public(actor, site_id), page_id


async def public(actor: Actor, site_id: UUID) -> PublicSite:
    """The site as visitors find it by its host."""
    from app.db import tenant_tx

    async with tenant_tx(actor.workspace_id) as tx:
        slug = await tx.fetchval("select slug from site where id = $1", site_id)
    forget(slug)
    site = await site_of_host(f"{slug}.localhost:8000")
    assert site is not None
    return site


def a_visit(site: PublicSite) -> Visit:
    return Visit(site, visitor_of(new_secret()), "127.0.0.1")
