import re
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Conflict, NotFound, Refused
from app.studio import home_queries as queries
from app.studio import service, shelf_undo
from app.studio.home_queries import Wanted, inside
from flows import catalogue
from flows.model import Flow, NodeUse
from tests.factories.accounts import an_actor
from tests.factories.studio import a_document, a_flow


async def _names(actor, **wanted):
    return [card.name for card in await queries.cards(actor, Wanted(sort="name", **wanted))]


async def test_flows_lie_in_one_folder_and_stay_when_it_goes(db):
    actor = await an_actor()
    one = await service.create_flow(actor, "One", a_document())
    two = await service.create_flow(actor, "Two", a_document())
    mail = await service.make_folder(actor, "  Order   mail ")
    assert await service.move(actor, [one, two], mail) == 2
    assert await service.move(actor, [one], mail) == 0
    assert await _names(actor, folder=mail) == ["One", "Two"]
    shelf = await queries.shelf(actor)
    assert [(folder.name, folder.flows) for folder in shelf.folders] == [("Order mail", 2)]
    await service.rename_folder(actor, mail, "Post")
    assert (await queries.cards(actor))[0].folder == "Post"
    assert await service.remove_folder(actor, mail) == 2
    assert await _names(actor) == ["One", "Two"]


async def test_a_folders_name_is_taken_once_whatever_its_letters(db):
    actor, stranger = await an_actor(), await an_actor()
    mail = await service.make_folder(actor, "Mail")
    with pytest.raises(Conflict, match="There is a folder “MAIL” already"):
        await service.make_folder(actor, "MAIL")
    await service.rename_folder(actor, mail, "mail")
    await service.make_folder(stranger, "Mail")
    with pytest.raises(Refused, match="needs a name"):
        await service.make_folder(actor, "   ")


async def test_nothing_moves_when_one_of_the_flows_or_the_folder_is_not_there(db):
    actor, stranger = await an_actor(), await an_actor()
    mine, theirs = await a_flow(actor), await a_flow(stranger)
    folder, foreign = await service.make_folder(actor, "Mail"), await service.make_folder(stranger, "Mail")
    for flows, into in (([mine, theirs], folder), ([mine], foreign), ([mine, uuid4()], folder)):
        with pytest.raises(NotFound):
            await service.move(actor, flows, into)
    assert (await queries.cards(actor))[0].folder == ""
    with pytest.raises(NotFound):
        await service.remove_folder(actor, foreign)


async def test_tags_are_added_once_sorted_and_taken_away(db):
    actor = await an_actor()
    flow = await a_flow(actor)
    await service.tag(actor, [flow], add=["Daily ", "daily", "  two  words", ""])
    assert (await queries.cards(actor))[0].tags == ("daily", "two words")
    await service.tag(actor, [flow], add=["new"], remove=["DAILY"])
    assert (await queries.shelf(actor)).tags == ["new", "two words"]
    assert len(await queries.cards(actor, Wanted(tag="new"))) == 1
    with pytest.raises(Refused, match="at most 12 tags"):
        await service.tag(actor, [flow], add=[f"tag {i}" for i in range(11)])
    assert (await queries.cards(actor))[0].tags == ("new", "two words")


async def test_a_star_is_a_persons_own(db):
    actor = await an_actor()
    flow = await a_flow(actor)
    await service.star(actor, flow, on=True)
    await service.star(actor, flow, on=True)
    assert (await queries.shelf(actor)).starred == 1
    assert len(await queries.cards(actor, Wanted(starred=True))) == 1
    colleague = await an_actor(workspace_id=actor.workspace_id)
    assert not (await queries.cards(colleague))[0].starred
    await service.star(actor, flow, on=False)
    assert await queries.cards(actor, Wanted(starred=True)) == []


async def test_the_search_looks_into_prompts_and_says_in_which_step(db):
    actor = await an_actor()
    await a_flow(actor, a_document(prompt="You are a kind\nGARDENER. Answer {{ question }}"))
    await service.create_flow(actor, "Another", a_document())
    found = await queries.cards(actor, Wanted(search="gardener"))
    assert [(card.name, card.inside.step) for card in found] == [("Garden helper", "write")]
    assert found[0].inside.said.startswith("You are a kind GARDENER. Answer")
    assert await queries.cards(actor, Wanted(search="template")) == [], "the name of a setting is no text of a step"
    assert (await queries.cards(actor, Wanted(search="Another")))[0].inside is None


@given(st.text(min_size=1, max_size=30))
def test_whatever_is_searched_is_found_where_it_stands(search):
    flow = Flow(nodes=[NodeUse("a", "ai.prompt", settings={"template": f"before {search} after"})])
    assert inside(flow, search, catalogue.load()) is not None


@pytest.mark.parametrize("search", ['"', "\\", "a.b", ".*", "(", "$", "' or 1=1", "\\u0041", "ä€🌱", "@.x ? (1)"])
async def test_signs_with_a_meaning_elsewhere_are_letters_like_any_other(db, search):
    actor = await an_actor()
    await a_flow(actor, a_document(prompt=f"say {search} now"))
    await service.create_flow(actor, "Without it", a_document(prompt="nothing"))
    found = await queries.cards(actor, Wanted(search=search))
    assert "Garden helper" in [card.name for card in found]


async def test_what_was_done_with_several_flows_is_taken_back_as_it_was(signed_in):
    actor = signed_in.actor
    one, two = await a_flow(actor), await a_flow(actor)
    mail = await service.make_folder(actor, "Mail")
    await service.move(actor, [one], mail)
    await service.tag(actor, [two], add=["old"])
    site = await service.make_folder(actor, "Site")

    async def lie() -> dict[object, object]:
        return {card.id: (card.folder, card.tags) for card in await queries.cards(actor)}

    before = await lie()
    deeds = (("placements", {"folder": str(site)}), ("tags", {"add": "new"}), ("archivings", {}))
    for deed, fields in deeds:
        done = await signed_in.post(f"/flows/{deed}", data={"flows": [str(one), str(two)], **fields})
        assert done.status_code == 303, done.text
        page = await signed_in.get("/flows?view=list")
        undo = re.search(r'data-undo="(/flows/returns/[^"]+)"', page.text)
        assert undo, (deed, page.text[-800:])
        assert await lie() != before, deed
        assert (await signed_in.post(undo[1])).status_code == 204
        assert await lie() == before, deed


async def test_an_undo_changes_nothing_for_strangers_and_a_forged_one_is_refused(signed_in, stranger):
    flow = await a_flow(signed_in.actor)
    undo = shelf_undo.path("tags", {flow: ["mine"]})
    assert (await stranger.post(undo)).status_code == 204
    assert (await queries.cards(signed_in.actor))[0].tags == ()
    assert (await signed_in.post(undo[:-4] + "AAAA")).status_code == 404
    assert (await signed_in.post("/flows/returns/" + "é" * 40)).status_code == 404
    assert shelf_undo.path("tags", {uuid4(): [] for _ in range(shelf_undo.MOST + 1)}) == ""


async def test_several_flows_are_archived_and_brought_back_by_a_program(signed_in, api, stranger):
    flows = [str(await a_flow(signed_in.actor)) for _ in range(2)]
    theirs = str(await a_flow(stranger.actor))
    assert (await api.put("/api/v1/flows/archivings", json={"flows": [*flows, theirs]})).status_code == 404
    assert len(await queries.cards(signed_in.actor)) == 2
    assert (await api.put("/api/v1/flows/archivings", json={"flows": flows})).status_code == 204
    assert await queries.cards(signed_in.actor) == []
    assert (await api.put("/api/v1/flows/unarchivings", json={"flows": flows})).status_code == 204
    assert len(await queries.cards(signed_in.actor)) == 2
