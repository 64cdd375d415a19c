"""The real route table: nothing open by accident, nothing unsafe without proof, no id that tells what is elsewhere."""

import re
from typing import Any
from uuid import uuid4

import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from msgspec import inspect
from msgspec.inspect import type_info

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
    "runs:shared": "the address holds the secret; read-only, redacted, expires",
    "studio:shared": "who has the link may look: its secret part is the proof, and nothing private is shown",
    "runs:asked": "the address holds the secret; decides nothing, shows one question until it is answered",
    "runs:answer-link": "the same: the address is for one question, which is answered once",
    "health:live": "for supervisors",
    "health:ready": "for load balancers",
    "triggers:mail-in": "the address holds the secret; whoever has it may start that one flow by a mail",
    "triggers:drop": "the same by a file",
    "git:called": "the address holds the secret; whoever has it may make us look at the repository",
    "runs:call": "the address holds the proof; it gives one run the one answer it waits for",
    "language:choose": "what language a stranger reads is a cookie of their own browser; checked against the list",
    "language:file": "the words of scripts: the same for everybody, named by its content",
    "static": "scripts, styles, fonts: the same for everybody",
    "openapi": "the API's description",
}
BY_TOKEN: set[str] = {"triggers:mail-in", "triggers:drop", "git:called", "runs:call"}
"""Unsafe routes whose proof is a secret in the address: called by machines, never with a cookie."""


def table() -> list[tuple[str, HTTPRouteHandler, str]]:
    """(path, handler, method) of every route, without the OPTIONS that Litestar adds."""
    app: Litestar = create_app()
    rows = []
    for route in app.routes:
        for handler in getattr(route, "route_handlers", []):
            rows += [(route.path_format, handler, m) for m in handler.http_methods if m not in ("OPTIONS", "HEAD")]
    return sorted(rows, key=lambda row: (row[0], row[2]))  # Litestar keeps sets: each xdist worker would differ


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


def test_public_names_exist():
    here = {name_of(p, h) for p, h, _ in TABLE}
    assert set(PUBLIC) <= here, f"No such route any more: {set(PUBLIC) - here}"


def uuids_of(path: str, handler: HTTPRouteHandler) -> list[str]:
    """The parameters of an address that are ids of ours."""
    typed = {p for each in handler.paths for p in re.findall(r"\{(\w+):uuid\}", each)}
    for layer in handler.ownership_layers:
        typed |= set(re.findall(r"\{(\w+):uuid\}", str(getattr(layer, "path", ""))))
    return [p for p in re.findall(r"\{(\w+)\}", path) if p in typed]


WITH_ID = [(p, h, m) for p, h, m in TABLE if uuids_of(p, h)]


def test_every_kind_of_id_has_a_maker():
    kinds = {each for p, h, _ in WITH_ID for each in uuids_of(p, h)}
    missing = kinds - set(gather("IDS"))
    assert not missing, f"Say in tests/samples/<domain>.py, in IDS, how such a thing is made: {missing}"


def a_value(info: Any) -> Any:
    """Something of this type that a form takes: the least it asks for."""
    if isinstance(info, inspect.StructType):
        least = {f.encode_name: a_value(f.type) for f in info.fields if f.required}
        return least | ({info.tag_field: info.tag} if info.tag_field else {})
    if isinstance(info, inspect.UnionType):
        return a_value(info.types[0])
    if isinstance(info, inspect.LiteralType):
        return info.values[0]
    if isinstance(info, inspect.Metadata):
        return a_value(info.type)
    if isinstance(info, inspect.StrType):
        tries = ("x" * max(1, info.min_length or 1), "x" * 12, "/x", "a@b.example", "x.y")
        return next(each for each in tries if re.search(info.pattern or "", each))
    if isinstance(info, inspect.IntType | inspect.FloatType):
        return info.ge or 1
    if isinstance(info, inspect.CollectionType):
        return [a_value(info.item_type)] * (info.min_length or 0)
    kinds = {inspect.UUIDType: str(uuid4()), inspect.BoolType: True, inspect.NoneType: None}
    return next((value for kind, value in kinds.items() if isinstance(info, kind)), {})


async def test_an_id_of_another_workspace_is_answered_like_one_that_does_not_exist(signed_in, stranger, api):
    makers, bodies, queries = gather("IDS"), gather("BODIES"), gather("QUERIES")
    kinds = {each for p, h, _ in WITH_ID for each in uuids_of(p, h)} & set(makers)
    foreign = {kind: str(await makers[kind](stranger.actor)) for kind in sorted(kinds)}
    nobodys = {kind: str(uuid4()) for kind in kinds}

    async def ask(path: str, handler: Any, method: str, values: dict[str, str]) -> tuple[int, str]:
        machine = path.startswith("/api/")
        data = handler.parsed_fn_signature.parameters.get("data")
        body = bodies.get(handler.name) or (a_value(type_info(data.annotation)) if data is not None else None)
        form = data is not None and "urlencoded" in str(data.kwarg_definition)
        sent = {} if body is None else {"data" if form else "json": body}
        address = re.sub(r"\{(\w+)\}", lambda m: values.get(m.group(1), "1"), path) + queries.get(handler.name, "")
        answer = await (api if machine else signed_in).request(method, address, **sent)
        return answer.status_code, _without(answer.text, [*values.values(), answer.headers.get("x-request-id", "-")])

    wrong = []
    for path, handler, method in WITH_ID:
        theirs, missing = await ask(path, handler, method, foreign), await ask(path, handler, method, nobodys)
        nothing_said = theirs[0] in (404, 409) or (theirs[0] == 204 and not theirs[1])
        if theirs != missing or not nothing_said:
            wrong.append(f"{method} {path}: foreign {theirs[0]}, unknown {missing[0]}\n{theirs[1][-300:]}")
    assert not wrong, "\n".join(wrong)


async def test_ones_own_things_are_found(signed_in, api):
    """Otherwise the test above would be content with routes that find nothing at all."""
    makers = gather("IDS")
    own = {kind: str(await makers[kind](signed_in.actor)) for kind in sorted(makers)}
    found = 0
    for path, _, method in WITH_ID:
        parameters = re.findall(r"\{(\w+)\}", path)
        if path.endswith("/events"):
            continue  # a stream: it goes on for as long as the run does
        if method != "GET" or set(parameters) - set(own) or len(parameters) > 1:
            continue
        address = re.sub(r"\{(\w+)\}", lambda m: own[m.group(1)], path)
        answer = await (api if path.startswith("/api/") else signed_in).get(address)
        assert answer.status_code not in (403, 404, 500), f"GET {path}: {answer.status_code} {answer.text[-500:]}"
        found += 1
    assert found


def _without(text: str, parts: list[str]) -> str:
    """The answer without what differs by nature: the id itself, tokens, nonces."""
    for part in parts:
        text = text.replace(part, "…")
    return re.sub(r'(nonce|content|value)="[^"]{20,}"', r'\1="…"', text)
