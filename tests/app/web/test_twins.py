"""What a person can do on a page, a program can do by the API: the same form and the same verb of a service.

Found in the code itself, so nobody keeps a list: for every unsafe route of the dashboard there must be one of the API
that takes the same struct and calls the same verb. ALONE and OTHERWISE name those where it is different on purpose.
"""

import ast
import inspect
import textwrap
from functools import lru_cache
from typing import Any

import pytest
from litestar.handlers import HTTPRouteHandler

from app.web.csrf import SAFE, CsrfMiddleware
from tests.app.web.test_routes import TABLE, name_of

PERSON = "about the person in the browser: a key acts for somebody, it is nobody"
ALONE = {
    "accounts:set-up": "nobody has a key yet; unattended: AGENTBASE_ADMIN_EMAIL",
    "accounts:enter": PERSON,
    "accounts:sign-out": PERSON,
    "accounts:sign-in-with": PERSON,
    "accounts:join": PERSON,
    "accounts:join-signed-in": PERSON,
    "accounts:save-profile": PERSON,
    "language:choose": PERSON,
    "accounts:save-password": PERSON,
    "accounts:end-session": PERSON,
    "accounts:end-other-sessions": PERSON,
    "accounts:create-key": "a stolen key must not breed; `agentbase key create`",
    "studio:tour-begin": PERSON,
    "studio:tour-keep": PERSON,
    "studio:presence": "who looks at this canvas right now",
}
"""Those that a program can't do, and why."""

FIELDS = "a page's form of fields; programs send operations"
WHOLE = "a page does it piece by piece; programs send the whole at once"
OTHERWISE = {
    "flows:begin": ("POST /flows", "a starter is a document of ours; programs bring one, then publish it"),
    "datasets:upload": ("POST /flows/{flow_id}/datasets/files", "a browser sends a file, programs its text"),
    "datasets:from-runs": ("POST /flows/{flow_id}/datasets/from-runs", FIELDS),
    "datasets:compare": ("POST /flows/{flow_id}/datasets/{dataset_id}/experiments", FIELDS),
    "checks:rule": ("PUT /flows/{flow_id}/tests/rule", FIELDS),
    "checks:suite-make": ("POST /flows/{flow_id}/tests/suites", FIELDS),
    "checks:suite-change": ("PUT /flows/{flow_id}/tests/suites/{suite_id}", FIELDS),
    "checks:run": ("POST /flows/{flow_id}/tests/runs", "the page ticks one or none; programs list them"),
    "checks:change": ("PUT /flows/{flow_id}/tests/{case_id}", FIELDS),
    "checks:save": ("POST /runs/{run_id}/tests", FIELDS),
    "gateway:add-fallback": ("PUT /connections/fallbacks", WHOLE),
    "gateway:move-fallback": ("PUT /connections/fallbacks", WHOLE),
    "gateway:remove-fallback": ("PUT /connections/fallbacks", WHOLE),
    "runs:answer": ("POST /runs/{run_id}/signals/{name}", "the answer to an approval is the signal it waits for"),
    "runs:answer-link": ("POST /runs/{run_id}/signals/{name}", "who has a link has no key: a link is for one question"),
    "runs:cancel-many": ("POST /runs/cancellations", "the page ticks them"),
    "runs:go-on": ("POST /flows/{flow_id}/tries/{run_id}/pauses", FIELDS),
    "runs:decide-all": ("POST /runs/decisions", "the page ticks them; programs may say something else of each"),
    "runs:limit": ("PUT /flows/{flow_id}/limits", FIELDS),
    "runs:replay-many": ("POST /runs/replays", "the page ticks them"),
    "runs:replay": ("POST /runs/{run_id}/replays", "the page's form says it in words"),
    "sites:page-about": ("PUT /pages/{page_id}", WHOLE),
    "sites:new-block": ("PUT /pages/{page_id}", WHOLE),
    "sites:block": ("PUT /pages/{page_id}", WHOLE),
    "sites:block-placement": ("PUT /pages/{page_id}", WHOLE),
    "sites:block-removal": ("PUT /pages/{page_id}", WHOLE),
    "sites:block-return": ("PUT /pages/{page_id}", WHOLE),
    "studio:make-live": ("PUT /flows/{flow_id}/live", "a button has no fields; the API's form names the version"),
    "studio:version-restore": (
        "POST /flows/{flow_id}/restoration",
        "a button has no fields; the API's form names the version",
    ),
    "studio:save-settings-form": ("PUT /flows/{flow_id}/settings-form", FIELDS),
    "studio:undo-settings-form": ("POST /flows/{flow_id}/undo", "the page knows its own client"),
    "studio:outline-detach": ("POST /flows/{flow_id}/ops", FIELDS),
    "studio:outline-expose": ("POST /flows/{flow_id}/ops", FIELDS),
    "studio:outline-about": ("POST /flows/{flow_id}/ops", FIELDS),
    "studio:outline-add": ("POST /flows/{flow_id}/ops", FIELDS),
    "studio:outline-place": ("POST /flows/{flow_id}/ops", FIELDS),
    "studio:outline-policy": ("POST /flows/{flow_id}/ops", FIELDS),
    "studio:outline-remove": ("POST /flows/{flow_id}/ops", FIELDS),
    "studio:outline-settings": ("POST /flows/{flow_id}/ops", FIELDS),
    "studio:outline-wire": ("POST /flows/{flow_id}/ops", FIELDS),
    "studio:outline-undo": ("POST /flows/{flow_id}/undo", "the page knows its own client"),
    "studio:outline-redo": ("POST /flows/{flow_id}/redo", "the page knows its own client"),
    "studio:shelf-undo": ("PUT /flows/placements", "what was before travels with the page; programs say it"),
    "studio:step-example": ("POST /flows", "the page names an example of ours; programs bring a document"),
    "studio:outline-try": ("POST /flows/{flow_id}/runs", "a try runs the draft, streamed to the canvas"),
    "studio:start-try": ("POST /flows/{flow_id}/runs", "a try runs the draft, streamed to the canvas"),
    "studio:cancel-try": ("DELETE /runs/{run_id}", "a try is a run"),
    "triggers:pace": ("PUT /triggers/{trigger_id}/pace", FIELDS),
    "triggers:switch-off": (
        "PUT /triggers/{trigger_id}/switch",
        "a button has no fields; the API's form says on or off",
    ),
    "triggers:switch-on": (
        "PUT /triggers/{trigger_id}/switch",
        "a button has no fields; the API's form says on or off",
    ),
    "webhooks:switch-off": ("PUT /webhooks/{endpoint_id}/switch", "a button has no fields; programs say on or off"),
    "webhooks:switch-on": ("PUT /webhooks/{endpoint_id}/switch", "a button has no fields; programs say on or off"),
}
"""Those that a program does by another form: by which route, and why it differs."""


def verbs(handler: HTTPRouteHandler) -> frozenset[str]:
    """The verbs of services that a handler calls, also through a function of its own module."""
    return _verbs(inspect.unwrap(handler.fn))


@lru_cache
def _verbs(function: Any, depth: int = 2) -> frozenset[str]:
    found: set[str] = set()
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return frozenset()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            target = _meant(node, function.__globals__)
            module = getattr(target, "__module__", "") or ""
            if not inspect.isfunction(target) or not module.startswith("app."):
                continue
            if inspect.iscoroutinefunction(target) and _is_verb(target, module):
                found.add(f"{module}.{target.__name__}")
            elif depth and module.rpartition(".")[0] == function.__module__.rpartition(".")[0]:
                found |= _verbs(target, depth - 1)
    return frozenset(found)


def _is_verb(function: Any, module: str) -> bool:
    """Of a service, or one that takes the actor first; reading is none."""
    if {"queries", "controllers", "api", "web"} & set(module.split(".")):
        return False
    return "service" in module.split(".") or next(iter(inspect.signature(function).parameters), "") == "actor"


def _meant(node: ast.AST, names: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _meant(node.value, names)
        return getattr(owner, node.attr, None) if inspect.ismodule(owner) else None
    return None


def form(handler: HTTPRouteHandler) -> Any:
    field = handler.parsed_data_field
    return field.annotation if field else None


UNSAFE = [(path, handler, method) for path, handler, method in TABLE if method not in SAFE]
PAGES = [
    (path, handler)
    for path, handler, _ in UNSAFE
    if any(isinstance(each, CsrfMiddleware) for each in handler.resolve_middleware())  # others are for machines
]
API = [handler for path, handler, _ in UNSAFE if path.startswith("/api/")]


def twins(handler: HTTPRouteHandler) -> list[HTTPRouteHandler]:
    return [each for each in API if form(each) is form(handler) and verbs(each) & verbs(handler)]


@pytest.mark.parametrize(("path", "handler"), PAGES, ids=[path for path, _ in PAGES])
def test_every_action_of_a_page_has_its_twin_in_the_api_or_a_reason(path, handler):
    name = name_of(path, handler)
    if name in ALONE or name in OTHERWISE:
        assert not twins(handler), f"{name} has a twin by now: take it off the list."
        return
    same_verb = [each.name or str(each) for each in API if verbs(each) & verbs(handler)]
    assert twins(handler), (
        f"{name} ({path}) calls {sorted(verbs(handler)) or 'no verb of a service'} with {form(handler)}. No route of "
        f"the API does the same with the same form (same verb: {same_verb or 'none'}). Add it to the domain's "
        f"api.py, or say in ALONE or OTHERWISE why not."
    )


def test_the_list_of_those_without_a_twin_names_routes_that_exist():
    assert ALONE.keys() | OTHERWISE.keys() <= {name_of(path, handler) for path, handler in PAGES}
    there = {f"{method} {path.removeprefix('/api/v1')}" for path, _, method in UNSAFE if path.startswith("/api/v1")}
    assert {route for route, _ in OTHERWISE.values()} <= there


async def test_the_api_describes_every_route_it_has(client):
    described = (await client.get("/api/v1/openapi.json")).json()
    for path, _, method in TABLE:
        if path.startswith("/api/v1") and "openapi" not in path:
            operation = described["paths"].get(path, {}).get(method.lower())
            assert operation, f"{method} {path} is not described"
            assert operation.get("summary"), f"{method} {path} has no summary"
            assert operation.get("tags"), f"{method} {path} belongs under no heading (tags)"
