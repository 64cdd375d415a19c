"""Stored secrets in a step's request: put in when it leaves, taken out of whatever comes back. Pure."""

import base64
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

import msgspec

from app import logs
from flows.sdk.capabilities import HttpRequest
from flows.sdk.errors import NodeError

SHORTEST = 6
"""Characters. What is shorter stands in many texts by chance."""
UNQUOTED = ("", "/", "/?:@", "/?:@!$'()*,", "/?:@!$'()*,;")
"""What programs leave as it is in an address, each its own way; the fourth is ours."""
FORM = "application/x-www-form-urlencoded"


def filled(request: HttpRequest, headers: Mapping[str, str], values: Mapping[str, str]) -> HttpRequest:
    """The request as it leaves, with `headers` instead of its own. `values`: by the name a secret is stored under.

    Raises NodeError(field="secrets") for a body into which no field can be put.
    """
    url, body, sent = request.url, request.body, dict(headers)
    for header, (name, before) in request.secrets.items():
        _put(sent, header, f"{before}{values[name]}")
    for part in request.parts:
        value = values[part.secret]
        if part.where == "basic":
            _put(sent, "Authorization", f"Basic {_basic(part.name, value)}")
        elif part.where == "query":
            split = urlsplit(url)
            more = f"{quote_plus(part.name)}={quote_plus(value)}"
            url = urlunsplit(split._replace(query=f"{split.query}&{more}" if split.query else more))
        else:
            body = _in_body(sent, body, part.name, value)
    return msgspec.structs.replace(request, url=url, body=body, headers=sent, secrets={}, parts=())


def shapes(request: HttpRequest, values: Mapping[str, str]) -> list[str]:
    """Every way in which a value may come back, the longest first. They are cut out of this process's logs, too."""
    found: dict[str, None] = {}
    for value in values.values():
        if len(value) >= SHORTEST:
            written = msgspec.json.encode(value).decode()[1:-1]
            found.update(
                dict.fromkeys((value, *(quote(value, safe=kept) for kept in UNQUOTED), quote_plus(value), written))
            )
    for part in request.parts:
        if part.where == "basic":
            found[_basic(part.name, values[part.secret])] = None
    for shape in found:
        logs.keep_out(shape)
    return sorted(found, key=len, reverse=True)


def without(text: str, shapes: Iterable[str]) -> str:
    for shape in shapes:
        text = text.replace(shape, logs.HIDDEN)
    return text


def bytes_without(body: bytes, shapes: Iterable[str]) -> bytes:
    for shape in shapes:
        body = body.replace(shape.encode(), logs.HIDDEN.encode())
    return body


def _put(headers: dict[str, str], name: str, value: str) -> None:
    for other in [each for each in headers if each.lower() == name.lower()]:
        del headers[other]
    headers[name] = value


def _basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def _in_body(headers: dict[str, str], body: bytes, name: str, value: str) -> bytes:
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    if kind.partition(";")[0].strip().lower() == FORM:
        return (body + b"&" if body else b"") + f"{quote_plus(name)}={quote_plus(value)}".encode()
    found: Any = {}
    if body:
        try:
            found = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            found = None
    if not isinstance(found, dict):
        raise NodeError(
            f"'{name}' can't be put into the body: it is neither a JSON object nor a form.", field="secrets"
        )
    if not kind:
        headers["Content-Type"] = "application/json"
    return msgspec.json.encode({**found, name: value})
