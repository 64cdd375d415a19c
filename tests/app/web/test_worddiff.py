"""Texts beside each other, word by word."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.worddiff import MOST_WORDS, Piece, pieces

words = st.lists(st.sampled_from(["a", "b", "tulip", " ", "\n", ". "]), max_size=40).map("".join)


@given(words, words)
def test_what_stayed_and_what_is_gone_make_the_first_text_and_with_what_is_new_the_second(before, after):
    found = pieces(before, after)
    assert "".join(p.text for p in found if p.kind != "new") == before
    assert "".join(p.text for p in found if p.kind != "gone") == after
    assert all(a.kind != b.kind for a, b in pairwise(found))


def test_words_that_changed_side_by_side_are_one_change():
    assert pieces("Answer in two short lines.", "Answer in three long lines.") == [
        Piece("same", "Answer in "),
        Piece("gone", "two short"),
        Piece("new", "three long"),
        Piece("same", " lines."),
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a " * (MOST_WORDS // 2 - 1), "b a " * (MOST_WORDS // 4)),
        ("a " * 1999 + "x", "y" + " a" * 1999),
        (" ".join(map(str, range(1_900))), " ".join(map(str, range(1_900, 0, -1)))),
        ("\n" * 500_000, "\n\t" * 250_000),
        ("x" * 1_000_000, "y" * 1_000_000),
    ],
)
def test_no_text_makes_anybody_wait(before, after):
    began = time.perf_counter()
    found = pieces(before, after)
    assert time.perf_counter() - began < 5
    assert "".join(p.text for p in found if p.kind != "new") == before
