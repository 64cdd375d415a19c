"""A mail as a flow gets it. Pure. A stranger wrote everything in it: it is data, cut to size, and nothing else."""

import base64
import hashlib
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from typing import Any

import nh3
from msgspec import Struct

MOST_TEXT = 100_000
"""Characters of the text."""
MOST_FILES = 600_000
"""Bytes of all attachments that are handed on; of larger ones only name, type and size."""
MOST_PARTS = 50
LINE = 1_000


class Unreadable(Exception):
    """This is no mail."""


class Mail(Struct, frozen=True):
    """`key`: the same for the same mail. `address`: the sender's, small letters. `automatic`: a machine's reply."""

    key: str
    address: str
    automatic: bool
    input: dict[str, Any]


def read_mail(raw: bytes) -> Mail:
    """Raises Unreadable for what is no mail, and for one built to break readers."""
    try:
        message = message_from_bytes(raw, policy=default)
        return _read(message, raw)
    except Unreadable:
        raise
    except (RecursionError, ValueError, LookupError, AttributeError, TypeError, IndexError, KeyError) as problem:
        raise Unreadable(f"This mail can't be read ({type(problem).__name__}).") from None


def _read(message: EmailMessage, raw: bytes) -> Mail:
    sender, id = _line(message["from"]), _line(message["message-id"])
    if not sender and not message["subject"]:
        raise Unreadable("This is no mail: it has neither sender nor subject.")
    told = f"{id} {_line(message['date'])} {sender}" if id else ""
    given = {
        "from": sender, "to": _line(message["to"]), "subject": _line(message["subject"]), "text": _text(message),
        "date": _line(message["date"]), "message_id": id, "files": _files(message),
    }  # fmt: skip
    automatic = _line(message["auto-submitted"]).lower().startswith("auto-replied")
    key = hashlib.sha256(told.encode() or _sent(message, raw)).hexdigest()
    return Mail(key, parseaddr(sender)[1].lower(), automatic, given)


def _sent(message: EmailMessage, raw: bytes) -> bytes:
    """What its sender wrote. Servers on the way add lines at its head, others each time it comes again."""
    head = "\n".join(_line(message[name]) for name in ("from", "to", "cc", "subject", "date"))
    body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    return head.encode() + b"\n\n" + body


def _line(value: Any) -> str:
    """One header as one line: no breaks that could become headers elsewhere."""
    text = "" if value is None else str(value)
    return "".join(sign if sign.isprintable() else " " for sign in text)[:LINE].strip()


def _text(message: EmailMessage) -> str:
    body = message.get_body(preferencelist=("plain", "html"))
    if body is None:
        return ""
    text = str(body.get_content())
    if body.get_content_type() == "text/html":
        text = nh3.clean(text, tags=set())
    return text.replace("\0", "\ufffd")[:MOST_TEXT].strip()


def _files(message: EmailMessage) -> list[dict[str, Any]]:
    found, left = [], MOST_FILES
    for part in list(message.iter_attachments())[:MOST_PARTS]:
        content = part.get_payload(decode=True)
        content = content if isinstance(content, bytes) else b""
        name = _line(part.get_filename()).replace("\\", "/").rpartition("/")[2][:200] or "file"
        fits = len(content) <= left
        left -= len(content) if fits else 0
        found.append(
            {
                "name": name, "type": part.get_content_type(), "size": len(content),
                "base64": base64.b64encode(content).decode() if fits else "", "left_out": not fits,
            }
        )  # fmt: skip
    return found
