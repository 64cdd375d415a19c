from uuid import uuid4

import pytest

from app import config, mail
from app.db import system_tx, tenant_tx
from app.errors import Refused
from app.events import outbox
from tests.doubles.smtp_server import mail_server
from tests.factories.kernel import a_workspace


def posted(**changes) -> outbox.Letter:
    payload = {"to": "mara@example.com", "subject": "Grüße", "text": "Willkommen\n.\nEnde"} | changes
    return outbox.Letter(uuid4(), uuid4(), mail.KIND, payload, 1)


async def test_a_letter_arrives_with_its_number_and_its_words():
    async with mail_server() as letters:
        letter = posted(html="<p>Willkommen</p>")
        await mail.deliver(letter)
    (text,) = letters
    assert f"Message-ID: <{letter.id}@example.org>" in text
    assert "From: hello@example.org" in text and "To: mara@example.com" in text
    assert "multipart/alternative" in text


async def test_posting_is_part_of_the_change_and_refuses_what_is_no_address(db):
    workspace, key = await a_workspace(), uuid4().hex
    async with tenant_tx(workspace) as tx:
        for _ in range(2):
            await mail.post(tx, workspace, "mara@example.com", "Hi", "text", dedupe_key=key)
    async with system_tx("test") as tx:
        assert await tx.fetchval("select count(*) from outbox where dedupe_key = $1", key) == 1
        await tx.execute("delete from outbox where workspace_id = $1", workspace)
    for to in ("mara", "a@b@c", "a@b\r\nBcc: x@y", "a b@c"):
        with pytest.raises(Refused):
            async with tenant_tx(workspace) as tx:
                await mail.post(tx, workspace, to, "Hi", "text", dedupe_key=uuid4().hex)


async def test_without_a_mail_server_it_is_said_and_the_text_stays_out_of_the_log(capsys):
    from app import logs

    logs.setup("json")
    with pytest.raises(outbox.Undeliverable, match="AGENTBASE_SMTP_URL is empty"):
        await mail.deliver(posted(text="https://x/invite/c4n4ry"))
    err = capsys.readouterr().err
    assert "mara@example.com" in err and "c4n4ry" not in err


async def test_an_address_that_is_refused_for_good_is_not_tried_again():
    async with mail_server(refuse="550 no such user"):
        with pytest.raises(outbox.Undeliverable, match="550"):
            await mail.deliver(posted())
    async with mail_server(refuse="450 later"):
        with pytest.raises(Exception, match="450") as refused:
            await mail.deliver(posted())
        assert not isinstance(refused.value, outbox.Undeliverable)


async def test_a_password_is_never_sent_in_the_open():
    async with mail_server() as letters:
        url = config.settings().smtp_url.replace("smtp://", "smtp://user:hunter2@")
        with config.using(smtp_url=config.Secret(url)), pytest.raises(outbox.Undeliverable, match="no TLS"):
            await mail.deliver(posted())
    assert letters == []
