"""Mail to people. With AGENTBASE_SMTP_URL it goes out by that server; without, a log line says what was not sent.

await mail.post(tx, workspace_id, to, subject, text, dedupe_key=f"invite:{id}")   # with the change, sent after it
"""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from msgspec import Struct, convert, to_builtins

from app import config
from app.db import Tx
from app.errors import Refused
from app.events import outbox
from app.logs import logger

log = logger(__name__)

KIND = "mail"
PATIENCE = 20
"""Seconds each step of the conversation with the mail server may take."""


class Letter(Struct, frozen=True):
    """`text` is plain; `html` the same for those who like it better, or ""."""

    to: str
    subject: str
    text: str
    html: str = ""


def available() -> bool:
    """Whether mail leaves this instance at all. Pages offer links to copy instead when it doesn't."""
    return bool(config.settings().smtp_url)


async def post(
    tx: Tx, workspace_id: UUID, to: str, subject: str, text: str, *, html: str = "", dedupe_key: str
) -> None:
    """Send once the transaction is committed; the same `dedupe_key` is sent once. Raises Refused for no address."""
    letter = Letter(checked(to), _line("subject", subject), text, html)
    await outbox.add(tx, workspace_id, KIND, to_builtins(letter), dedupe_key=dedupe_key)


def checked(to: str) -> str:
    """An address as it goes into a letter. Raises Refused for what is none."""
    address = _line("to", to)
    if address.count("@") != 1 or " " in address or len(address) > 320:
        raise Refused(f"{to[:100]!r} is no e-mail address.", field="email")
    return address


async def deliver(posted: outbox.Letter) -> None:
    """The outbox's handler for KIND: `{mail.KIND: mail.deliver}` in the worker."""
    letter = convert(posted.payload, Letter)
    if not available():
        # The text stays out: it may hold a link that signs somebody in.
        log.warning("mail is not set up (AGENTBASE_SMTP_URL): not sent", to=letter.to, subject=letter.subject)
        raise outbox.Undeliverable("Mail is not set up: AGENTBASE_SMTP_URL is empty.")
    await asyncio.to_thread(_send, message(letter, posted.id))


def message(letter: Letter, letter_id: UUID) -> EmailMessage:
    """Its Message-ID comes from the outbox row: a mail server that gets it twice can tell."""
    sender = _sender()
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, letter.to, letter.subject
    made["Date"] = formatdate(localtime=False)
    made["Message-ID"] = f"<{letter_id}@{sender.rpartition('@')[2].rstrip('>')}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(letter.text)
    if letter.html:
        made.add_alternative(letter.html, subtype="html")
    return made


def _sender() -> str:
    """The address in the URL's `?from=`, else its user when that is an address, else agentbase@<its host>."""
    place = urlsplit(config.settings().smtp_url)
    for part in place.query.split("&"):
        if part.startswith("from="):
            return _line("from", unquote(part[5:]))
    user = unquote(place.username or "")
    return user if "@" in user else f"agentbase@{place.hostname or 'localhost'}"


def _send(made: EmailMessage) -> None:
    place = urlsplit(config.settings().smtp_url)
    trust = ssl.create_default_context()
    host = place.hostname or "localhost"
    server: Any
    if place.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, place.port or 465, timeout=PATIENCE, context=trust)
    else:
        server = smtplib.SMTP(host, place.port or 587, timeout=PATIENCE)
    with server:
        server.ehlo()
        if place.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=trust)
        if place.username:
            # Over a plain connection a password would be read along; smtplib would send it all the same.
            if place.scheme == "smtp" and not isinstance(server.sock, ssl.SSLSocket):
                raise outbox.Undeliverable(f"{host} offers no TLS, so the password is not sent. Use smtps://.")
            server.login(unquote(place.username), unquote(place.password or ""))
        try:
            server.send_message(made)
        except smtplib.SMTPRecipientsRefused as refused:
            codes = [code for code, _ in refused.recipients.values()]
            if all(code >= 500 for code in codes):
                raise outbox.Undeliverable(f"The mail server refuses the address ({codes[0]}).") from None
            raise


def _line(name: str, text: str) -> str:
    """One header line. A line break in it would let the text add headers of its own."""
    if any(sign in text for sign in "\r\n\0"):
        raise Refused(f"The {name} of a mail can't have line breaks.")
    return text.strip()
