"""Saved flows of every format ever released open, stay what they are, and run to what they gave when they were saved.

A file is never changed. A new format or construct adds files: `<format>-<what>.json`, and beside it `.expect.json`.
"""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from flows.catalogue import load
from flows.compile import check, compile, ports_of
from flows.document import dump_flow, load_flow
from flows.ledger import MemoryLedger
from flows.model import FORMAT
from flows.plan import Plan
from flows.run import Engine
from flows.sdk import Context, Signal, node

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(path for path in GOLDEN.glob("*.json") if not path.name.endswith(".expect.json"))


class Greet(Struct, frozen=True, forbid_unknown_fields=True):
    name: str = ""
    volume: int = 1
    mark: str = "!"


class Nothing(Struct, frozen=True): ...


class Text(Struct, frozen=True):
    text: str


def first(settings: dict[str, Any]) -> dict[str, Any]:
    return {"name": settings["who"], "volume": 2 if settings.get("loud") else 1}


def second(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"mark": "!"}


@node("golden.greet", version=3, title="Greet", effect="pure", upgrades={1: first, 2: second})
async def greet(settings: Greet, inputs: Nothing, ctx: Context) -> Text:
    text = f"Hello {settings.name}{settings.mark}"
    return Text(text.upper() if settings.volume > 1 else text)


def catalogue() -> dict[str, Any]:
    return load() | {"golden.greet": greet}


def expectation(path: Path) -> Any:
    return json.loads(path.with_suffix(".expect.json").read_text())


def test_there_is_one_of_every_format():
    assert {int(path.name.partition("-")[0]) for path in FILES} == set(range(1, FORMAT + 1))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_opens_and_saving_it_changes_nothing(path):
    made = load_flow(path.read_bytes())
    assert load_flow(dump_flow(made)) == made
    given = json.loads(path.read_text())
    saved = {use["id"]: use for use in json.loads(dump_flow(made))["nodes"]}
    for use in given["nodes"]:
        assert {"version": 1, **saved[use["id"]]} == {"version": 1, **use}
    assert sorted(json.loads(dump_flow(made))["edges"], key=str) == sorted(given["edges"], key=str)
    wrong = [problem.message for problem in check(made, catalogue()) if problem.severity == "error"]
    if "problem" in expectation(path):
        assert len(wrong) == 1 and expectation(path)["problem"] in wrong[0]
    else:
        assert wrong == []


def test_an_unknown_step_keeps_its_ports_and_a_newer_one_says_so():
    made = load_flow((GOLDEN / "1-unknown-node.json").read_bytes())
    gone = next(use for use in made.nodes if use.id == "gone")
    ports = ports_of(gone, catalogue(), made)
    assert [p.name for p in ports.inputs] == ["where"] and [p.name for p in ports.outputs] == ["report"]
    newer = load_flow({"nodes": [{"id": "a", "type": "golden.greet", "version": 9, "settings": {"future": 1}}]})
    assert "made with version 9 of 'Greet', and version 3 is installed" in check(newer, catalogue())[0].message
    assert newer.nodes[0].settings == {"future": 1}


@pytest.mark.parametrize("path", [p for p in FILES if "problem" not in expectation(p)], ids=lambda path: path.stem)
async def test_it_runs_to_what_it_gave(path):
    want = expectation(path)
    plan = compile(load_flow(path.read_bytes()), catalogue())
    assert isinstance(plan, Plan), plan
    ledger = MemoryLedger()
    ledger.open("r", want["input"], trigger=want["trigger"])
    engine = Engine(catalogue(), ledger)
    outcome = await engine.advance(ledger.claim("r"), plan)
    while outcome.status == "waiting":
        if outcome.wake_at is not None and "signal" not in want:
            await asyncio.sleep(max(0.0, outcome.wake_at - time.time()))
        elif "signal" in want:
            ledger.signal("r", Signal(**want["signal"]))
        outcome = await engine.advance(ledger.claim("r"), plan)
    assert outcome.status == "succeeded", outcome.fault
    output = json.loads(outcome.output or "{}")
    assert {key: output[key] for key in ("text", "data") if key in want} == {
        k: want[k] for k in ("text", "data") if k in want
    }
