"""Questions by e-mail: each letter once, a link that decides nothing by being opened, dead once answered."""

import asyncio
import email
import re
from datetime import timedelta
from email.policy import default
from uuid import UUID

import msgspec
import pytest
import time_machine

from app import clock, mail
from app.db import system_tx, tenant_tx
from app.errors import Conflict, NotAllowed, NotFound, Refused
from app.events import outbox
from app.runs import asking, mailing, needs, queries, service
from flows.model import Edge, Flow, NodeUse
from tests.app.browser import token_of
from tests.doubles.smtp_server import mail_server
from tests.factories.accounts import an_actor
from tests.factories.runs import a_version, a_worker, wait_for

FIELDS = [{"name": "sum", "kind": "number", "label": "Sum"}, {"name": "note", "required": False}]
MARA, OLE = "mara@example.org", "ole@example.org"


def asks(**settings) -> Flow:
    given = {"title": "May {{ input.what }} go?", "mail_to": f"{MARA}, {OLE}"} | settings
    nodes = [
        NodeUse("start", "start.api"),
        NodeUse("ask", "people.approval", settings=given),
        NodeUse("yes", "show.answer", settings={"text": "yes {{ by }}"}),
        NodeUse("no", "show.answer", settings={"text": "no"}),
    ]
    return Flow(
        nodes,
        [Edge("start.input", "ask.value"), Edge("ask.by", "yes.by"), Edge("ask.approved", "yes.after"),
         Edge("ask.rejected", "no.after")],
        name="Order\nmailbox",
    )  # fmt: skip


async def waiting(actor, flow=None, given=None):
    """A run that asks, with its links made."""
    _, _, version = await a_version(flow or asks(), actor.workspace_id)
    async with a_worker():
        run = await service.start(actor, version, given or {"what": "it"}, trigger="api")
        await wait_for(actor.workspace_id, run, "waiting")
    await mailing.ask_people()
    return run


async def letters_of(workspace):
    """What lies in the outbox of a workspace, taken out and delivered to a real server."""
    async with system_tx("test") as tx:
        await tx.execute("update outbox set done_at = now() where workspace_id <> $1 and done_at is null", workspace)
    while await outbox.deliver({mail.KIND: mail.deliver}):
        pass


async def ended(actor, run):
    async with a_worker():
        row = await wait_for(actor.workspace_id, run, "succeeded", "failed")
    return msgspec.json.decode(row["output"])["text"] if row["output"] else row["error"]


def path_in(letter: str) -> str:
    message = email.message_from_string(letter, policy=default)
    body = message.get_body(("plain",))
    found = re.search(r"https?://[^/\s]+(/asked/\S+)", body.get_content())
    assert found
    return found.group(1)


async def test_each_person_gets_one_letter_with_a_link_of_their_own_and_the_first_answer_decides(engine, client):
    actor = await an_actor()
    async with mail_server() as letters:
        run = await waiting(actor, asks(fields=FIELDS), {"what": "€ 5"})
        await asyncio.gather(*(mailing.ask_people() for _ in range(4)))
        await letters_of(actor.workspace_id)
    assert len(letters) == 2
    messages = {m["To"]: m for m in (email.message_from_string(text, policy=default) for text in letters)}
    assert set(messages) == {MARA, OLE} and {m["Subject"] for m in messages.values()} == {"May € 5 go?"}
    mara, ole = path_in(next(t for t in letters if MARA in t)), path_in(next(t for t in letters if OLE in t))
    assert mara != ole
    page = await client.get(mara)
    assert page.status_code == 200 and "May € 5 go?" in page.text and page.headers["cache-control"] == "no-store"
    for method in ("GET", "HEAD", "GET"):  # a link preview, a mail scanner
        await client.request(method, mara + "?choice=approve")
    assert (await asking.opened(mara.rpartition("/")[2])).standing == "open"

    wrong = await client.post(mara, data={"_csrf": token_of(page), "choice": "approve", "field.sum": "much"})
    assert wrong.status_code == 422 and "must be a number" in wrong.text and 'value="much"' in wrong.text
    form = {"_csrf": token_of(page), "choice": "approve", "field.sum": "5", "comment": "fine"}
    assert (await client.post(mara, data=form)).status_code == 303
    for path in (mara, ole):
        assert "has been answered" in (await client.get(path)).text
    late = await client.post(ole, data={"_csrf": token_of(page), "choice": "reject"})
    assert late.status_code == 303
    assert await ended(actor, run) == f"yes {MARA}"
    assert "has been answered" in (await client.get(ole)).text
    async with tenant_tx(actor.workspace_id) as tx:
        told = await tx.fetch("select data from event where type = 'run.answered-by-link'")
    assert len(told) == 1 and MARA in told[0]["data"]


async def test_a_foreign_page_can_not_answer_and_an_unknown_link_says_nothing(engine, client):
    actor = await an_actor()
    run = await waiting(actor)
    link = (await asking.links(actor, run))[0]
    page = await client.get(link.path)
    for more in ({}, {"_csrf": "x" * 64}):
        assert (await client.post(link.path, data={"choice": "approve"} | more)).status_code == 403
    foreign = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    data = {"choice": "approve", "_csrf": token_of(page)}
    assert (await client.post(link.path, data=data, headers=foreign)).status_code == 403
    assert (await asking.opened(link.path.rpartition("/")[2])).standing == "open"
    for path in ("/asked/" + "A" * 43, "/asked/x", link.path + "x"):
        assert (await client.get(path)).status_code == 404
        assert (await client.post(path, data=data)).status_code == 303
    with pytest.raises(Refused):
        await asking.answer(link.path.rpartition("/")[2], "maybe", "", {})


async def test_of_two_people_who_answer_at_once_one_decides(engine):
    actor = await an_actor()
    run = await waiting(actor)
    tokens = [link.path.rpartition("/")[2] for link in await asking.links(actor, run)]
    done = await asyncio.gather(
        *(asking.answer(token, choice, "", {}) for token in tokens for choice in ("approve", "reject")),
        return_exceptions=True,
    )
    assert [type(each) for each in done if each] == [Conflict] * 3
    async with tenant_tx(actor.workspace_id) as tx:
        assert await tx.fetchval("select count(*) from run_signal where run_id = $1", run) == 1


async def test_reminders_come_when_they_are_due_once_each_and_end_with_the_answer(engine):
    actor = await an_actor()
    settings = {"mail_to": MARA, "remind_hours": 2, "reminders": 2, "escalate_hours": 3, "escalate_to": OLE}
    async with mail_server() as letters:
        run = await waiting(actor, asks(**settings))

        async def after(hours: float) -> list[str]:
            """Move the clock on by moving what is due back; the database's clock is the only one that counts."""
            async with system_tx("test") as tx:
                await tx.execute("update run_ask set next_at = next_at - make_interval(mins => $1)", int(hours * 60))
            await asyncio.gather(*(mailing.ask_people() for _ in range(3)))
            await letters_of(actor.workspace_id)
            heads = [email.message_from_string(text, policy=default) for text in letters]
            letters.clear()
            return sorted(f"{'again' if 'Reminder' in m['Subject'] else 'first'} {m['To']}" for m in heads)

        assert await after(0) == [f"first {MARA}"]
        assert await after(1) == []
        assert await after(1.1) == [f"again {MARA}"]
        assert await after(1) == [f"first {OLE}"]
        assert await after(1.1) == [f"again {MARA}"]
        assert await after(1.1) == [f"again {OLE}"]
        await service.signal(actor, run, "approval", {"choice": "reject"})
        assert await after(9) == []
        assert await ended(actor, run) == "no"
        assert await after(99) == []


async def test_a_crash_between_writing_and_sending_doubles_no_letter(engine):
    """The letter and the row's next time are one transaction; the outbox knows the letter by its number."""
    actor = await an_actor()
    async with mail_server() as letters:
        await waiting(actor, asks(mail_to=MARA, remind_hours=1))
        async with system_tx("test") as tx:  # as if the worker had died before the row said that it was written
            await tx.execute("update run_ask set sent = 0, next_at = clock_timestamp()")
        await mailing.ask_people()
        await letters_of(actor.workspace_id)
    assert len(letters) == 1


async def test_without_a_mail_server_it_says_so_and_the_link_can_be_copied(signed_in, client, app):
    run = await waiting(signed_in.actor)
    shown = await signed_in.get("/needs-you")
    assert "Mail is not set up here" in shown.text and "AGENTBASE_SMTP_URL" in shown.text
    links = await asking.links(signed_in.actor, run)
    assert len(links) == 2 and all(link.path in shown.text for link in links)
    assert await mailing.ask_people() == 0 and {link.sent for link in links} == {0}
    page = await client.get(links[0].path)
    form = {"_csrf": token_of(page), "choice": "reject"}
    await client.post(links[0].path, data=form)
    assert await ended(signed_in.actor, run) == "no"


async def test_a_member_can_hand_any_question_on_by_page_and_by_api(signed_in, api, client, app):
    run = await waiting(signed_in.actor, asks(mail_to=""))
    assert await asking.links(signed_in.actor, run) == []
    answer = await signed_in.post(f"/runs/{run}/asks", data={"step": "ask"})
    assert answer.status_code == 303
    made = await api.post(f"/api/v1/runs/{run}/asks", json={"step": "ask", "email": OLE})
    assert made.status_code == 201
    listed = (await api.get(f"/api/v1/runs/{run}/asks")).json()
    assert [each["email"] for each in listed] == ["", OLE] and listed[1]["path"] == made.json()["path"]
    assert (await client.get(listed[0]["path"])).status_code == 200
    again = await api.post(f"/api/v1/runs/{run}/asks", json={"step": "ask", "email": OLE})
    assert again.json()["path"] == made.json()["path"]
    assert (await api.post(f"/api/v1/runs/{run}/asks", json={"step": "ask", "email": "no"})).status_code == 422
    assert (await api.post(f"/api/v1/runs/{run}/asks", json={"step": "start"})).status_code == 409
    with pytest.raises(NotFound):
        await asking.ask(await an_actor(), run, "ask")
    with pytest.raises(NotAllowed):
        await asking.ask(msgspec.structs.replace(signed_in.actor, role="viewer"), run, "ask")


async def test_a_link_expires_and_ends_with_its_run(engine, client):
    actor = await an_actor()
    run = await waiting(actor)
    first, second = await asking.links(actor, run)
    async with system_tx("test") as tx:
        await tx.execute("update run_ask set expires_at = now() where email = $1", first.email)
    assert "has expired" in (await client.get(first.path)).text
    with pytest.raises(Conflict):
        await asking.answer(first.path.rpartition("/")[2], "approve", "", {})
    await service.cancel(actor, run)
    assert "Nobody waits" in (await client.get(second.path)).text


async def test_when_the_time_is_up_it_goes_along_its_own_path_and_the_link_is_dead(engine, client):
    actor = await an_actor()
    flow = asks(mail_to=MARA, hours=0.0002, on_timeout="own path")
    nodes = [*flow.nodes, NodeUse("late", "show.answer", settings={"text": "late"})]
    flow = msgspec.structs.replace(flow, nodes=nodes, edges=[*flow.edges, Edge("ask.late", "late.after")])
    run = await waiting(actor, flow)
    assert await ended(actor, run) == "late"
    for link in await asking.links(actor, run):
        assert "has been answered" in (await client.get(link.path)).text


async def test_rounds_of_a_loop_and_parallel_branches_ask_each_for_itself(signed_in, client, app):
    nodes = [
        NodeUse("start", "start.api", settings={"fields": [{"name": "list", "kind": "list"}]}),
        NodeUse("each", "logic.each", settings={"at_once": 3}),
        NodeUse("ask", "people.approval", parent="each", settings={"title": "Round?", "mail_to": MARA}),
        NodeUse("slow", "logic.wait", settings={"amount": 1, "unit": "hours"}),
        NodeUse("answer", "show.answer"),
    ]
    edges = [
        Edge("start.list", "each.items"), Edge("each.item", "ask.value"), Edge("ask.approved", "each.result"),
        Edge("each.results", "answer.data"), Edge("start.list", "slow.value"),
    ]  # fmt: skip
    run = await waiting(signed_in.actor, Flow(nodes, edges, name="loop"), {"list": [1, 2, 3]})
    links = {link.step: link for link in await asking.links(signed_in.actor, run)}
    assert set(links) == {"ask:0", "ask:1", "ask:2"}
    assert [need.iter for need in (await needs.needs(signed_in.actor)).needs] == ["0", "1", "2"]
    await asking.answer(links["ask:1"].path.rpartition("/")[2], "approve", "", {})
    standing = [(await asking.opened(links[f"ask:{n}"].path.rpartition("/")[2])).standing for n in range(3)]
    assert standing == ["open", "answered", "open"]
    async with system_tx("test") as tx:  # a branch beside them is at work
        await tx.execute("update run set status = 'running' where id = $1", run)
    # what is answered needs nobody, though no worker has taken it yet
    left = (await needs.needs(signed_in.actor)).needs
    assert [need.iter for need in left] == ["0", "2"] and await queries.needing(signed_in.actor) == 1


async def test_more_questions_of_one_run_than_a_page_holds_are_all_shown(signed_in, app):
    nodes = [
        NodeUse("start", "start.api", settings={"fields": [{"name": "list", "kind": "list"}]}),
        NodeUse("each", "logic.each", settings={"at_once": 60}),
        NodeUse("ask", "people.approval", parent="each"),
    ]
    edges = [Edge("start.list", "each.items"), Edge("each.item", "ask.value"), Edge("ask.approved", "each.result")]
    await waiting(signed_in.actor, Flow(nodes, edges, name="loop"), {"list": list(range(60))})
    first = await needs.needs(signed_in.actor)
    second = await needs.needs(signed_in.actor, after=first.after)
    found = [need.iter for need in (*first.needs, *second.needs)]
    assert len(found) == 60 == len(set(found)) and second.after == ""


async def test_a_workspace_mails_only_so_many_questions_in_an_hour(engine, monkeypatch):
    actor = await an_actor()
    monkeypatch.setattr(mailing, "MOST_AN_HOUR", 1)
    async with mail_server() as letters:
        run = await waiting(actor)
        await letters_of(actor.workspace_id)
        assert len(letters) == 1
        held = [link for link in await asking.links(actor, run) if not link.sent]
        assert len(held) == 1 and held[0].next_at > clock.now() + timedelta(minutes=5)


async def test_hostile_words_stay_words_in_the_letter_and_on_the_page(engine, client):
    actor = await an_actor()
    hostile = "x\r\nBcc: all@example.org\r\n\r\n<img src=x onerror=alert(1)>"
    async with mail_server() as letters:
        run = await waiting(actor, asks(mail_to=MARA, description="<script>alert(1)</script>"), {"what": hostile})
        await letters_of(actor.workspace_id)
    (text,) = letters
    message = email.message_from_string(text, policy=default)
    assert message["Bcc"] is None and "<script>" not in message.get_body(("html",)).get_content()
    page = await client.get((await asking.links(actor, run))[0].path)
    assert "<script>alert" not in page.text and "<img src=x" not in page.text


async def test_secrets_in_what_is_decided_about_are_not_shown_to_who_has_a_link(engine, client):
    actor = await an_actor()
    run = await waiting(actor, given={"what": "it", "password": "tulips"})
    page = await client.get((await asking.links(actor, run))[0].path)
    assert page.status_code == 200 and "tulips" not in page.text


def test_a_token_tells_nothing_about_another(engine):
    a, b = (asking.token_of(UUID(int=n)) for n in (1, 2))
    assert a != b and len(a) == 43 and asking.proof(a) != asking.proof(b)


async def test_a_link_is_good_for_thirty_days(engine):
    actor = await an_actor()
    run = await waiting(actor)
    (link, _) = await asking.links(actor, run)
    assert timedelta(days=29, hours=23) < link.expires_at - clock.now() <= timedelta(days=30)
    with time_machine.travel(clock.now()):
        assert (await asking.opened(link.path.rpartition("/")[2])).expires_at == link.expires_at
