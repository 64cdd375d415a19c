"""What a run's page is made of, each part pure: secrets, reasons, lines, values."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runs.redacting import MARK, redacted, restored
from app.runs.timeline import ticks
from app.runs.viewing import lit, prose, view
from app.runs.why import reasons
from flows.model import Edge, Flow, NodeUse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "secret",
    [
        {"Authorization": "x"}, {"api-key": "abc"}, {"clientSecret": "s"}, {"deep": [{"password": "p"}]},
        "key sk-proj-0123456789abcdefghij", "Bearer abcdefghijklmnop",
        "postgres://u:hunter22@db/x", "AKIAABCDEFGHIJKLMNOP",
        "ghp_0123456789abcdefghijklmnopqrstuvwx", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeK",
        "-----BEGIN PRIVATE KEY-----\nMII",
    ],
)  # fmt: skip
def test_secrets_are_left_out_and_come_back_where_nobody_touched_them(secret):
    shown = redacted(secret)
    assert MARK in str(shown) and shown != secret
    assert restored(shown, secret) == secret


@pytest.mark.parametrize(
    "plain", ["2 tokens", {"tokens": 5, "prompt_tokens": "x"}, "a secret garden", {"secret": ""}, 3, None]
)
def test_what_is_no_secret_stays_the_very_same_object(plain):
    assert redacted(plain) is plain


@given(JSON)
def test_restoring_what_was_shown_gives_the_value_back(value):
    assert restored(redacted(value), value) == value


def test_a_hidden_value_can_not_be_moved_to_where_it_is_shown():
    value = {"password": "tulips", "note": "hello"}
    assert restored({"password": MARK, "note": MARK}, value) == {"password": "tulips", "note": MARK}


def test_a_skipped_step_is_explained_back_to_the_step_that_decided_it():
    flow = Flow(
        [
            NodeUse("start", "start.api"),
            NodeUse("if", "logic.if", label="Large?"),
            NodeUse("a", "ai.prompt", label="Ask"),
            NodeUse("b", "ai.prompt", label="Send"),
            NodeUse("hook", "start.webhook"),
            NodeUse("off", "ai.prompt", disabled=True),
        ],
        [Edge("start.input", "if.value"), Edge("if.yes", "a.text"), Edge("a.text", "b.text")],
    )
    seen = {
        ("start", ""): ("succeeded", {"input": {}}),
        ("if", ""): ("succeeded", {"no": {}}),
        ("a", ""): ("skipped", None),
        ("b", ""): ("skipped", None),
    }
    why = reasons(flow, seen, "api")
    told = why("b", "")
    assert [link.node for link in told.chain] == ["b", "a"]
    assert told.cause == "Ask: Its 'text' comes from 'Large?', which gave nothing on 'yes'. It went 'no'."
    assert "webhook" in why("hook", "").cause and "api" in why("hook", "").cause
    assert why("off", "").cause == "This step is switched off."


@given(st.floats(min_value=1, max_value=1e10))
def test_the_axis_has_a_few_round_moments_from_nought_on(whole):
    found = ticks(whole)
    assert found[0].x == 0 and 1 <= len(found) <= 9
    assert all(a.x < b.x <= 100 for a, b in pairwise(found))


@given(JSON)
def test_every_value_can_be_shown(value):
    assert view(value).json


def test_values_are_read_as_what_they_are():
    calls = [{"function": {"name": "look", "arguments": '{"id": 7}'}, "result": "found"}]
    talk = view([{"role": "user", "text": "Hi"}, {"role": "assistant", "content": "I look", "tool_calls": calls}])
    assert talk.shape == "talk" and talk.turns[1].calls[0].name == "look" and talk.turns[1].calls[0].gave == "found"
    assert view([{"a": 1, "b": "x"}]).columns == ["a", "b"]
    assert view("**bold** words").shape == "markdown" and view("plain words").shape == "text"
    assert view({"values": {"yes": 1}, "text": "x"}).fields[0][0] == "text"
    assert "<script>" not in prose("<script>x</script>") and "<h1>" not in prose("# Big")
    assert lit('{\n  "<b>": 1\n}') == '{\n  <span class="code__key">&#34;&lt;b&gt;&#34;</span>: 1\n}'
