"""Every kind of error that can end up on record leads somewhere: the code is walked, not a list of ours."""

import ast
import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest

import app
import components
import flows
from app import egress
from app.gateway.faults import Fault, Kind
from app.runs import running, service
from app.runs.remedies import TABLE, UNKNOWN, WORDS, line, remedy
from flows.failing import fault_of
from flows.model import Edge, Flow, NodeUse
from flows.plan import Step
from flows.sdk.errors import NodeError
from tests.factories.runs import a_version

ROOT = Path(app.__file__).parents[1]
SOME = UUID("01993d5e-0000-7000-8000-000000000002")
DOCS = (ROOT / "docs" / "debugging.md").read_text()


def everything(kind: type) -> set[type]:
    return {kind}.union(*(everything(each) for each in kind.__subclasses__()))


def imported() -> None:
    for package in (flows, components, app):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not any(part.startswith(("litellm", "piccolo_conf", "guests")) for part in module.name.split(".")):
                importlib.import_module(module.name)


def calls(*folders: str) -> list[ast.Call]:
    found = []
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            found += [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return found


def text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def name(call: ast.Call) -> str:
    return (
        call.func.id
        if isinstance(call.func, ast.Name)
        else call.func.attr
        if isinstance(call.func, ast.Attribute)
        else ""
    )


def kinds_in_code() -> dict[str, str]:
    """Each kind that can be on record → where it comes from."""
    imported()
    own = (kind for kind in everything(NodeError) if kind is not Fault)  # a Fault has a word of its own, see below
    found = {
        kind.__name__: "a class of errors"
        for kind in own
        if kind.__module__.split(".")[0] in ("flows", "app", "components")
    }
    found |= dict.fromkeys(get_args(Kind), "a model")
    for call in calls("flows", "app", "components"):
        given = {each.arg: each.value for each in call.keywords}
        if name(call) == "Fault":
            fifth = call.args[4] if len(call.args) > 4 else None
            found |= dict.fromkeys({text(given.get("kind")), text(fifth)} - {""}, "the engine")
        elif name(call) == "NodeError":
            found |= dict.fromkeys({text(given.get("kind"))} - {""}, "a component")
    codes = {kind.default_code for kind in everything(egress.EgressError)}
    for call in calls("app/egress"):
        codes |= {text(each.value) for each in call.keywords if each.arg == "code"}
    return found | {f"http_{code}": "a request" for code in codes - {""}}


def test_every_kind_of_error_has_a_line_and_every_line_a_cause() -> None:
    found = kinds_in_code()
    assert {kind: where for kind, where in found.items() if kind not in TABLE} == {}
    assert set(TABLE) - set(found) == set()


@pytest.mark.parametrize("kind", sorted(TABLE))
def test_a_line_says_what_happened_and_what_to_do_in_plain_words(kind: str) -> None:
    said = TABLE[kind]
    assert said.place in WORDS
    assert said.what[0].isupper() and not said.what.endswith(".") and said.do.endswith(".")
    for words in (said.what, said.do):
        assert len(words) < 80 and not re.search(r"invalid|oops|successfully|please|node\b|null|exception", words, re.I)
    assert f"| {said.what} | {said.do} |" in DOCS, "docs/debugging.md has the same table"


@pytest.mark.parametrize(
    ("kind", "field", "node", "href", "inside"),
    [
        ("key", "", "ask", "/connections", ("", "")),
        ("budget", "", "ask", "/connections/budgets", ("", "")),
        ("NodeError", "url", "call", f"/flows/{SOME}?step=call&field=url", ("call", "url")),
        ("NodeError", "secrets", "call", "/settings/secrets", ("", "")),
        ("TookTooLong", "", "call", f"/flows/{SOME}?step=call&field=timeout", ("call", "timeout")),
        ("Stopped", "", "stop", f"/flows/{SOME}?step=stop", ("stop", "")),
        ("Cost", "", "ask", f"/flows/{SOME}/outline?panel=about", ("", "")),
        ("Misfit", "text", "outer/inner", f"/runs/{SOME}?step=outer%2Finner", ("", "")),
        ("Deadline", "", "", f"/flows/{SOME}/outline?panel=about", ("", "")),
        ("ValueError", "", "code", f"/flows/{SOME}?step=code", ("code", "")),
        ("", "", "", f"/runs/{SOME}?step=", ("", "")),
        ('"><script>', '"&x=', "a b&c", f"/flows/{SOME}?step=a+b%26c", ("a b&c", "")),
    ],
)
def test_the_way_leads_to_the_place(kind: str, field: str, node: str, href: str, inside: tuple[str, str]) -> None:
    way = remedy(kind, field, node, SOME, SOME)
    assert (way.href, (way.node, way.field)) == (href, inside) and way.label in WORDS.values()


def test_a_word_of_an_error_goes_on_record_and_a_defect_of_a_component_is_named_as_such() -> None:
    step: Any = Step.__new__(Step)
    assert fault_of(step, "a", "", NodeError("No.", kind="http_lost")).kind == "http_lost"
    assert fault_of(step, "a", "", NodeError("No.")).kind == "NodeError"
    assert line("ZeroDivisionError") is UNKNOWN


async def test_the_run_its_steps_the_card_and_the_api_lead_to_the_remedy(app: Any, signed_in: Any, api: Any) -> None:
    await running.start("cli")
    try:
        settings = {"url": "http://127.0.0.1:9/x"}
        nodes = [NodeUse("start", "start.api"), NodeUse("call", "connect.http", settings=settings)]
        flow = Flow(
            [*nodes, NodeUse("answer", "show.answer")],
            [Edge("start.input", "call.after"), Edge("call.body", "answer.data")],
        )
        _, flow_id, version = await a_version(flow, signed_in.actor.workspace_id)
        run = (await service.answer(signed_in.actor, version, {}, trigger="api")).run_id
    finally:
        await running.stop()
    page = (await signed_in.get(f"/runs/{run}")).text
    assert "The run failed: requests don’t go to this address." in page
    assert f'href="/flows/{flow_id}?step=call&amp;field=url">Open settings<' in page
    states = (await signed_in.get(f"/flows/{flow_id}/tries/{run}/states")).json()["states"]
    assert states["call"]["error"]["label"] == "Open settings" and states["call"]["error"]["field"] == "url"
    told = (await api.get(f"/api/v1/runs/{run}")).json()
    assert told["error_kind"] == "http_address_blocked" and told["steps"][-1]["error_kind"] == "http_address_blocked"
