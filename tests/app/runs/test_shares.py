"""A link shows one run, without secrets, until it is over or taken back."""

from datetime import timedelta

import pytest
import time_machine

from app import clock
from app.errors import NotFound
from app.runs import service, shares
from tests.factories.accounts import an_actor
from tests.factories.runs import a_chain, a_version


async def a_run(actor):
    _, _, version = await a_version(a_chain(4, name="Order mailbox", start="start.api"), actor.workspace_id)
    given = {"order": "FH-204117", "password": "tulips", "note": "Bearer 0123456789abcdefghij"}
    return (await service.answer(actor, version, given, trigger="api")).run_id


async def test_a_stranger_with_the_link_sees_the_run_without_secrets_and_can_do_nothing(signed_in, client):
    run = await a_run(signed_in.actor)
    answer = await signed_in.post(f"/runs/{run}/shares", data={"days": "7"})
    assert answer.status_code in (200, 303)
    (link,) = await shares.shares(signed_in.actor, run)
    assert link.path in (await signed_in.get(f"/runs/{run}/shares")).text
    shown = await client.get(link.path)
    assert shown.status_code == 200 and shown.headers["x-robots-tag"] == "noindex"
    assert "FH-204117" in shown.text and "Order mailbox" in shown.text
    for secret in ("tulips", "0123456789abcdefghij", "<form", "/replays", f"/runs/{run}"):
        assert secret not in shown.text, secret
    step = await client.get(f"{link.path}?step=s1&view=graph")
    assert step.status_code == 200 and link.path in step.text


async def test_taken_back_over_and_unknown_links_answer_alike(client, app):
    actor = await an_actor()
    run = await a_run(actor)
    link, other = await shares.share(actor, run, 1), await shares.share(actor, run, 30)
    await shares.take_back(actor, run, link.id)
    answers = [await client.get(path) for path in (link.path, link.path + "x", "/shared/runs/" + "A" * 43)]
    assert {answer.status_code for answer in answers} == {404}
    with pytest.raises(NotFound):
        await shares.take_back(actor, run, link.id)
    stranger = await an_actor()
    with pytest.raises(NotFound):
        await shares.take_back(stranger, run, other.id)
    with time_machine.travel(clock.now() + timedelta(days=31), tick=True):
        assert (await client.get(other.path)).status_code == 404
        assert await shares.shares(actor, run) == []


async def test_only_twenty_links_of_a_run_are_open(engine):
    actor = await an_actor()
    run = await a_run(actor)
    made = [await shares.share(actor, run, 1) for _ in range(22)]
    assert {each.id for each in await shares.shares(actor, run)} == {each.id for each in made[2:]}
