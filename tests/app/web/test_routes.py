"""The real route table: nothing open by accident, nothing unsafe without proof, no id that tells what is elsewhere."""

import re
from typing import Any
from uuid import uuid4

import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from app.main import create_app
from app.web import guards
from app.web.bearer import BearerMiddleware
from app.web.csrf import SAFE, CsrfMiddleware
from tests.samples import gather

PUBLIC = {
    "accounts:setup": "nobody has an account yet; afterwards it only redirects",
    "accounts:set-up": "the same; race-safe, refused once somebody exists",
    "accounts:sign-in": "the way in",
    "accounts:enter": "the way in, rate limited",
    "accounts:invitation": "the address holds the secret",
    "accounts:join": "the address holds the secret",
    "accounts:sign-in-with": "starts a sign-in at another provider",
    "accounts:sign-in-back": "where the provider sends the browser back to; only the browser that started may finish",
    "health:live": "for supervisors",
    "health:ready": "for load balancers",
    "static": "scripts, styles, fonts: the same for everybody",
    "openapi": "the API's description",
}
BY_TOKEN: set[str] = set()
"""Unsafe routes whose proof is a secret in the address: called by machines, never with a cookie."""


def table() -> list[tuple[str, HTTPRouteHandler, str]]:
    """(path, handler, method) of every route, without the OPTIONS that Litestar adds."""
    app: Litestar = create_app()
    rows = []
    for route in app.routes:
        for handler in getattr(route, "route_handlers", []):
            rows += [(route.path_format, handler, m) for m in handler.http_methods if m not in ("OPTIONS", "HEAD")]
    return rows


TABLE = table()


def name_of(path: str, handler: HTTPRouteHandler) -> str:
    if path.startswith("/api/v1/openapi.json"):
        return "openapi"
    return handler.name or f"(no name) {handler}"


@pytest.mark.parametrize(("path", "handler", "method"), TABLE, ids=[f"{m} {p}" for p, _, m in TABLE])
def test_every_route_is_guarded_or_on_the_short_list_of_public_ones(path, handler, method):
    name = name_of(path, handler)
    if handler.opt.get("public") or name == "openapi":
        assert name in PUBLIC, f"{method} {path} is open to everybody. Guard it, or say here why that is right."
        return
    wanted = guards.api_key if path.startswith("/api/") else guards.signed_in
    assert wanted in handler.resolve_guards(), f"{method} {path} has no guard."
    assert name not in PUBLIC


@pytest.mark.parametrize(
    ("path", "handler", "method"),
    [row for row in TABLE if row[2] not in SAFE],
    ids=[f"{m} {p}" for p, _, m in TABLE if m not in SAFE],
)
def test_every_unsafe_route_wants_a_csrf_token_or_a_bearer_key(path, handler, method):
    kinds = {type(each) for each in handler.resolve_middleware()}
    if handler.name in BY_TOKEN:
        assert not kinds & {CsrfMiddleware, BearerMiddleware}
    elif path.startswith("/api/"):
        assert BearerMiddleware in kinds and CsrfMiddleware not in kinds
    else:
        assert CsrfMiddleware in kinds


def test_every_route_has_a_name_of_its_own():
    nameless = [f"{m} {p}" for p, h, m in TABLE if name_of(p, h).startswith("(no name)")]
    assert not nameless


def test_public_names_exist():
    here = {name_of(p, h) for p, h, _ in TABLE}
    assert set(PUBLIC) <= here, f"No such route any more: {set(PUBLIC) - here}"


WITH_ID = [row for row in TABLE if re.search(r"\{\w+\}", row[0]) and row[1].name not in PUBLIC]


@pytest.mark.parametrize(("path", "handler", "method"), WITH_ID, ids=[f"{m} {p}" for p, _, m in WITH_ID])
async def test_an_id_of_another_workspace_is_answered_like_one_that_does_not_exist(
    path, handler, method, signed_in, stranger, api
):
    makers, bodies = gather("IDS"), gather("BODIES")
    parameters = re.findall(r"\{(\w+)\}", path)
    ids = [p for p in parameters if p in makers]
    unknown_kinds = [p for p in parameters if p not in makers and p.endswith("_id")]
    assert not unknown_kinds, f"tests/samples/ has no IDS entry for {unknown_kinds}: how is such a thing made?"
    if not ids:
        pytest.skip("no id of ours in this address")
    program = api if path.startswith("/api/") else signed_in
    body: Any = bodies.get(handler.name)
    sent = {} if body is None else ({"json": body} if path.startswith("/api/") else {"data": body})

    async def ask(values: dict[str, str]) -> tuple[int, str]:
        address = re.sub(r"\{(\w+)\}", lambda m: values.get(m.group(1), "x"), path)
        answer = await program.request(method, address, **sent)
        return answer.status_code, _without(answer.text, [*values.values(), answer.headers.get("x-request-id", "-")])

    foreign = {p: str(await makers[p](stranger.actor)) for p in ids}
    nobodys = {p: str(uuid4()) for p in ids}
    theirs, missing = await ask(foreign), await ask(nobodys)
    assert theirs == missing
    assert theirs[0] in (404, 422), theirs


def _without(text: str, parts: list[str]) -> str:
    """The answer without what differs by nature: the id itself, tokens, nonces."""
    for part in parts:
        text = text.replace(part, "…")
    return re.sub(r'(nonce|content|value)="[^"]{20,}"', r'\1="…"', text)
