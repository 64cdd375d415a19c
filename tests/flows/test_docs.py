"""The documents say what the code does: every rule has a test, and the example flow is one."""

import re
from pathlib import Path

from flows.catalogue import load
from flows.compile import check
from flows.document import load_flow
from flows.limits import Limits

ROOT = Path(__file__).resolve().parents[2]
SEMANTICS = (ROOT / "docs/flow-semantics.md").read_text()


def test_every_numbered_rule_has_a_test_and_every_test_a_rule():
    rules = set(re.findall(r"^(?:\| )?(\d+)(?:\.| \|)", SEMANTICS, re.MULTILINE))
    named = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        named |= set(re.findall(r"def test_rule_(\d+)_", file.read_text()))
    assert rules == named


def test_the_example_document_has_no_problem():
    example = re.search(r"```json\n(.*?)```", (ROOT / "docs/flow-format.md").read_text(), re.DOTALL)
    assert example is not None and check(load_flow(example.group(1)), load()) == []


def test_the_limits_in_the_document_are_the_real_ones():
    limits = Limits()
    for value in (f"{limits.steps:,} steps", f"{limits.items:,} rounds", f"at most {limits.depth} deep"):
        assert value in SEMANTICS
