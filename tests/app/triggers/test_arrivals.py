"""Mail and dropped files: each starts one run, and what strangers try with them starts none."""

import asyncio
import base64
import os
import smtplib
import time
from email.message import EmailMessage

import msgspec
import pytest

from app import config
from app.db import system_tx
from app.embedded.folder import free_port
from app.errors import NotFound, Refused
from app.triggers import arrivals, folder, service, smtp
from app.triggers.mail import Unreadable, read_mail
from tests.factories.accounts import a_person
from tests.factories.triggers import a_trigger, firings, token_of


async def input_of(row):
    async with system_tx("test") as tx:
        return msgspec.json.decode(await tx.fetchval("select input from run where id = $1", row["run_id"]))


def a_mail(text="Hello", **headers):
    mail = EmailMessage()
    mail["From"], mail["To"] = headers.pop("From", "Mara Fern <Mara@Fernhill.example>"), "x@localhost"
    mail["Subject"], mail["Message-ID"] = "An order", headers.pop("id", "<1@fernhill.example>")
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail


# -- mail, read


def test_a_mail_is_read_with_its_files_and_an_html_mail_loses_its_tags():
    mail = a_mail()
    mail.add_attachment(b"\x00\xff", maintype="image", subtype="png", filename="../../etc/passwd")
    read = read_mail(mail.as_bytes())
    assert read.input["text"] == "Hello" and read.address == "mara@fernhill.example"
    (file,) = read.input["files"]
    assert file["name"] == "passwd" and base64.b64decode(file["base64"]) == b"\x00\xff"
    html = EmailMessage()
    html["From"] = "a@b.example"
    html.set_content("<p>Hi <script>alert(1)</script><b>you</b></p>", subtype="html")
    assert "<" not in read_mail(html.as_bytes()).input["text"]


def test_headers_can_not_smuggle_lines_and_the_first_sender_counts():
    raw = (
        b"From: a@b.example\r\nFrom: boss@fernhill.example\r\nSubject: =?utf-8?q?x=0D=0ABcc:_all@c.example?=\r\n"
        b"Message-ID: <1>\r\n\r\nhi"
    )
    read = read_mail(raw)
    assert read.address == "a@b.example" and "\n" not in read.input["subject"] and "\r" not in read.input["subject"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00" * 1000,
        b"no mail at all",
        b"\xff\xfe" * 50,
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n",
    ],
)
def test_what_is_no_mail_is_refused(raw):
    with pytest.raises(Unreadable):
        read_mail(raw)


def test_a_mail_nested_a_thousand_deep_and_odd_charsets_do_not_break_the_reader():
    deep = b"From: a@b.example\r\n"
    for nth in range(1000):
        deep += b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (nth, nth)
    odd = b"From: a@b.example\r\nSubject: =?no?q?x?=\r\nContent-Type: text/plain; charset=nonsense\r\n\r\n\xff\xfe"
    for raw in (deep, odd):
        try:
            read_mail(raw)
        except Unreadable:
            pass


# -- mail, taken


async def test_a_mail_starts_one_run_however_often_it_comes(engine):
    made = await a_trigger("start.email")
    token = await token_of(made, "email")
    assert len(token) == 26 and token == token.lower()
    raw = a_mail().as_bytes()
    first, *others = await asyncio.gather(*(arrivals.take_mail(token.upper(), raw) for _ in range(5)))
    assert [done for done in (first, *others) if done is not None and done.run_id] and len(await firings(made.id)) == 1
    assert (await input_of((await firings(made.id))[0]))["subject"] == "An order"


async def test_unwanted_senders_and_automatic_replies_start_nothing_and_the_log_says_so(engine):
    made = await a_trigger("start.email", senders=["@fernhill.example"])
    token = await token_of(made, "email")
    await arrivals.take_mail(token, a_mail(From="x@fernhill.example.evil.example", id="<2>").as_bytes())
    await arrivals.take_mail(token, a_mail(Auto_Submitted="auto-replied", id="<3>").as_bytes())
    assert (await arrivals.take_mail(token, a_mail(id="<4>").as_bytes())).run_id
    assert [row["result"] for row in await firings(made.id)] == ["skipped", "skipped", "started"]


async def test_addresses_of_others_switched_off_or_of_another_kind_lead_nowhere(engine):
    actor = (await a_person()).actor
    mail = await a_trigger("start.email", workspace_id=actor.workspace_id)
    token = await token_of(mail, "email")
    hook = await a_trigger("start.webhook")
    for wrong in ("", "x" * 26, token[:-1], await token_of(hook, "webhook"), "é" * 26):
        with pytest.raises(NotFound):
            await arrivals.take_mail(wrong, a_mail().as_bytes())
    with pytest.raises(NotFound):
        await arrivals.take_file(token, "a.txt", b"x")
    with pytest.raises(Refused):
        await arrivals.take_mail(token, b"x" * (arrivals.MOST_MAIL + 1))
    await service.switch(actor, mail.id, on=False)
    with pytest.raises(NotFound):
        await arrivals.take_mail(token, a_mail().as_bytes())


async def test_our_own_mail_server_takes_mail_for_triggers_and_for_nobody_else(engine):
    made = await a_trigger("start.email")
    token, port = await token_of(made, "email"), free_port()

    def send(to, mail):
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as server:
            server.send_message(mail, "a@b.example", [to])

    with config.using(mail_in=f"127.0.0.1:{port}"):
        async with smtp.serving():
            await asyncio.to_thread(send, f"{token}@localhost", a_mail("By SMTP"))
            for to in ("somebody@elsewhere.example", f"{token[:-1]}@localhost"):
                with pytest.raises(smtplib.SMTPRecipientsRefused):
                    await asyncio.to_thread(send, to, a_mail())
            async with smtp.serving():
                pass  # a second worker of this machine: it listens to nothing, and goes on
    (row,) = await firings(made.id)
    assert (await input_of(row))["text"] == "By SMTP"


# -- files


async def test_a_file_over_http_is_handed_on_and_the_same_key_starts_one_run(signed_in, client):
    made = await a_trigger("start.drop", workspace_id=signed_in.actor.workspace_id)
    token = await token_of(made, "drop")
    for _ in range(2):
        answer = await client.put(f"/drop/{token}/prices.csv", content=b"a;b\n1;2", headers={"idempotency-key": "k1"})
        assert answer.status_code in (200, 202)
    assert (await client.put(f"/drop/{token}/photo.png", content=b"\x00\xff")).status_code == 202
    rows = await firings(made.id)
    assert len(rows) == 2
    assert (await input_of(rows[0]))["text"] == "a;b\n1;2"
    assert (await input_of(rows[1]))["base64"] == base64.b64encode(b"\x00\xff").decode()
    assert (await client.put(f"/drop/{token}/big", content=b"x" * 700_000)).status_code == 413
    assert (await client.put(f"/drop/{'A' * 43}/x", content=b"x")).status_code == 404


@pytest.mark.parametrize("name", ["..", ".hidden", "a/b", "a\\b", "a\nb", "", "x" * 201, " a", "C:evil", "a\0b"])
async def test_names_that_are_none_are_refused(engine, name):
    made = await a_trigger("start.drop")
    with pytest.raises(Refused):
        await arrivals.take_file(await token_of(made, "drop"), name, b"x")
    assert await firings(made.id) == []


async def test_a_file_over_the_steps_own_limit_is_refused_and_noted(engine):
    made = await a_trigger("start.drop", most_kb=1)
    with pytest.raises(Refused):
        await arrivals.take_file(await token_of(made, "drop"), "a", b"x" * 1001)
    assert [row["result"] for row in await firings(made.id)] == ["refused"]


@pytest.fixture
async def dropped(engine, settings):
    made = await a_trigger("start.drop")
    place = settings.data.absolute() / "drop" / await token_of(made, "drop")
    place.mkdir(parents=True)
    return made, place


def lay(path, content=b"x", seconds_ago=10.0):
    path.write_bytes(content)
    os.utime(path, (time.time() - seconds_ago,) * 2)


async def test_a_file_in_the_folder_starts_one_run_with_many_workers_and_is_gone_then(dropped):
    made, place = dropped
    for nth in range(3):
        lay(place / f"{nth}.txt", b"hello")
    await asyncio.gather(*(folder.take_files() for _ in range(4)))
    assert len(await firings(made.id)) == 3
    assert [path.name for path in place.iterdir()] == [".taken"] and not list((place / ".taken").iterdir())


async def test_unfinished_files_links_and_folders_are_left_alone(dropped, tmp_path):
    made, place = dropped
    secret = tmp_path / "secret"
    lay(secret, b"of this machine")
    (place / "link").symlink_to(secret)
    (place / "sub").mkdir()
    lay(place / "a.part")
    lay(place / ".b")
    lay(place / "new", seconds_ago=0)
    await folder.take_files()
    assert await firings(made.id) == [] and secret.exists()


async def test_a_worker_killed_after_moving_a_file_aside_loses_nothing_and_takes_nothing_twice(dropped, monkeypatch):
    made, place = dropped
    lay(place / "a.txt")
    ((aside, name),) = folder._aside(place)
    await folder.take_files()
    assert await firings(made.id) == []  # it is somebody else's, who may be slow
    monkeypatch.setattr(folder, "FORSAKEN", -1.0)
    await arrivals.take_file(place.name, name, b"x", key=aside.name.partition(" ")[0])  # killed after the commit
    await folder.take_files()
    assert len(await firings(made.id)) == 1 and not aside.exists()


async def test_a_file_that_is_too_large_is_put_away_and_does_not_come_again(dropped):
    made, place = dropped
    lay(place / "big", b"x" * (arrivals.MOST_FILE + 1))
    await folder.take_files()
    await folder.take_files()
    assert [row["result"] for row in await firings(made.id)] == ["refused"]
    assert len(list((place / ".refused").iterdir())) == 1
