from uuid import uuid4

import pytest

from app.errors import Conflict, NotAllowed, NotFound
from app.sites import service
from app.sites.blocks import Chat, Hero, Text
from app.sites.forms import NewPageForm, PageForm, SiteForm
from app.sites.visiting import published
from tests.factories.sites import a_site, an_editor, public

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Fernhill Garden", "fernhill-garden"),
        ("Ünïcode & <b>Co</b>", "uenicode-b-co-b"),
        ("U\u0308bung", "uebung"),
        ("Škoda Čapek", "skoda-capek"),
        ("Łódź Café ﬁne", "lodz-cafe-fine"),
        ("日本", "site"),
    ],
)
def test_an_address_keeps_the_letters_under_their_accents(name, slug):
    assert service.slug_of(name) == slug


async def test_a_site_s_address_is_its_name_and_a_taken_one_gets_a_number():
    name = f"Fernhill Gärten {uuid4().hex[:6]}"
    first, _ = await a_site(await an_editor(), name=name)
    second, _ = await a_site(await an_editor(), name=name)
    assert first.slug == service.slug_of(name)
    assert second.slug == first.slug + "-2"


async def test_opening_the_site_again_finds_the_same_one():
    actor = await an_editor()
    assert await service.open_site(actor, "One") == await service.open_site(actor, "Two")


async def test_visitors_see_a_change_only_after_it_was_published():
    actor = await an_editor()
    site, page_id = await a_site(actor, Text("text", "before"))
    await service.save_page(actor, page_id, PageForm(title="Front", rev=1, blocks=[Text("text", "after")]))
    assert (await published.page_at(site, "/")).blocks == [Text("text", "before")]

    assert await service.publish_page(actor, page_id) == 2
    assert (await published.page_at(site, "/")).blocks == [Text("text", "after")]


async def test_a_published_version_can_be_brought_back_into_the_draft():
    actor = await an_editor()
    site, page_id = await a_site(actor, Text("text", "first"))
    await service.save_page(actor, page_id, PageForm(title="Front", rev=1, blocks=[Text("text", "second")]))
    await service.restore_page(actor, page_id, 1)
    await service.publish_page(actor, page_id)
    assert (await published.page_at(site, "/")).blocks == [Text("text", "first")]


async def test_a_page_taken_off_the_site_is_gone_for_visitors_and_comes_back_by_publishing():
    actor = await an_editor()
    site, page_id = await a_site(actor)
    await service.unpublish_page(actor, page_id)
    with pytest.raises(NotFound):
        await published.page_at(site, "/")
    await service.publish_page(actor, page_id)
    assert (await published.page_at(site, "/")).id == page_id


async def test_saving_over_somebody_else_s_change_is_refused_and_nothing_is_lost():
    actor = await an_editor()
    _, page_id = await a_site(actor)
    await service.save_page(actor, page_id, PageForm(title="Theirs", rev=1))
    with pytest.raises(Conflict, match="Somebody changed this page"):
        await service.save_page(actor, page_id, PageForm(title="Mine", rev=1))


async def test_two_pages_can_t_have_one_address():
    actor = await an_editor()
    site, page_id = await a_site(actor)
    await service.add_page(actor, site.id, NewPageForm(title="About", path="/about"))
    with pytest.raises(Conflict) as refused:
        await service.save_page(actor, page_id, PageForm(title="Front", rev=1, path="/about"))
    assert refused.value.field == "path"


async def test_an_address_of_another_site_is_refused_and_points_at_the_field():
    taken, _ = await a_site(await an_editor())
    actor = await an_editor()
    mine, _ = await a_site(actor)
    with pytest.raises(Conflict, match="belongs to another site") as refused:
        await service.change_site(actor, mine.id, SiteForm(name="Mine", slug=taken.slug))
    assert refused.value.field == "slug"


async def test_the_first_flow_shown_becomes_the_front_page_and_the_next_gets_its_own():
    actor = await an_editor()
    chat, form = uuid4(), uuid4()
    await service.show_flow(actor, chat, face="chat", title="Help desk", text="Ask.", site_name="Fernhill")
    await service.show_flow(actor, form, face="form", title="Write a tip", text="Fill in.", site_name="Fernhill")
    site = await public(actor, await service.open_site(actor, "Fernhill"))
    front = await published.page_at(site, "/")
    assert isinstance(front.blocks[0], Hero)
    assert front.blocks[1] == Chat("chat", chat, title="Help desk")
    assert [entry.path for entry in front.nav] == ["/", "/write-a-tip"]


async def test_a_viewer_can_t_change_the_site():
    from msgspec.structs import replace

    actor = replace(await an_editor(), role="viewer")
    with pytest.raises(NotAllowed):
        await service.open_site(actor, "Mine")


async def test_another_workspace_s_page_is_answered_like_an_unknown_one():
    _, foreign = await a_site(await an_editor())
    actor = await an_editor()
    answers = []
    for page_id in (foreign, uuid4()):
        with pytest.raises(NotFound) as missing:
            await service.publish_page(actor, page_id)
        answers.append(str(missing.value))
    assert answers[0] == answers[1]
