"""Ctrl K over the whole product: each domain's things by name, and nothing of another workspace."""

from uuid import uuid4

from app.web import search
from app.web.search import Hit, like
from tests.factories.accounts import a_person, an_actor


async def test_members_are_found_by_name_and_only_those_of_the_own_workspace(db):
    import app.accounts.controllers  # noqa: F401  offers its finder

    mara = await an_actor()
    name = f"Wilhelmina {uuid4().hex[:6]}"
    other = await a_person(name=name)
    assert other is not None
    people = [group for group in await search.find(mara, name[:10]) if group.title == "People"]
    assert people == []
    own = [group for group in await search.find(mara, mara.name[:3]) if group.title == "People"]
    assert [hit.name for hit in own[0].hits] == [mara.name]


async def test_without_letters_nothing_is_looked_up(db):
    assert await search.find(await an_actor(), "") == []


async def test_kinds_without_a_hit_are_left_out(db, monkeypatch):
    async def none(actor, words, limit):
        return []

    async def one(actor, words, limit):
        return [Hit(words, "note", "/x")]

    monkeypatch.setattr(search, "_kinds", {})
    search.offer("A", "users", none)
    search.offer("B", "plug", one)
    (group,) = await search.find(await an_actor(), "word")
    assert (group.title, group.hits[0].name) == ("B", "word")


def test_signs_of_patterns_are_letters():
    assert like("50%_\\") == "%50\\%\\_\\\\%"
