"""The documents say what the code does: every rule has a test and a picture, and the example flow is one."""

import re
from pathlib import Path
from textwrap import dedent

from flows.catalogue import load
from flows.compile import check
from flows.document import load_flow
from flows.limits import Limits

ROOT = Path(__file__).resolve().parents[2]
SEMANTICS = (ROOT / "docs/flow-semantics.md").read_text()
WIDEST = 110
"""Columns of a picture, so that it can be read without being pushed aside."""


def test_every_numbered_rule_has_a_test_and_every_test_a_rule():
    rules = set(re.findall(r"^(?:\| )?(\d+)(?:\.| \|)", SEMANTICS, re.MULTILINE))
    named = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        named |= set(re.findall(r"def test_rule_(\d+)_", file.read_text()))
    assert rules == named


def test_every_numbered_rule_has_a_picture_and_every_picture_names_its_rules():
    rules = set(re.findall(r"^(?:\| )?(\d+)(?:\.| \|)", SEMANTICS, re.MULTILINE))
    drawn: set[str] = set()
    for picture in re.findall(r"^ *```\n(.*?)^ *```$", SEMANTICS, re.MULTILINE | re.DOTALL):
        first, *rest = dedent(picture).splitlines()
        assert re.fullmatch(r"rule \d+|rules \d+(, \d+)+", first), f"a picture that names no rule: {first}"
        assert any(rest) and max(map(len, rest)) <= WIDEST, f"{first}: nothing in it, or too wide"
        drawn |= set(re.findall(r"\d+", first))
    assert drawn == rules


def test_the_example_document_has_no_problem():
    example = re.search(r"```json\n(.*?)```", (ROOT / "docs/flow-format.md").read_text(), re.DOTALL)
    assert example is not None and check(load_flow(example.group(1)), load()) == []


def test_the_limits_in_the_document_are_the_real_ones():
    limits = Limits()
    for value in (f"{limits.steps:,} steps", f"{limits.items:,} rounds", f"at most {limits.depth} deep"):
        assert value in SEMANTICS
