from typing import Annotated, Literal

import pytest
from msgspec import Meta, Struct

from app.accounts import forms as accounts
from app.web.forms import field_of, human, problems


class Form(Struct, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=5)]
    size: Annotated[int, Meta(ge=1, le=10)]
    kind: Literal["a", "b"] = "a"
    ratio: float = 0.5


def test_every_field_that_does_not_fit_is_named_at_once_with_its_remedy():
    found = problems({"name": "", "size": "0", "kind": "z", "ratio": "x", "more": "1"}, Form)
    assert found == {
        "name": "Fill this in.",
        "size": "1 or more.",
        "kind": "Choose one of the values in the list.",
        "ratio": "Write a number.",
        "more": "There is no such field.",
    }


class Outer(Struct, forbid_unknown_fields=True):
    forms: list[Form]


def test_what_is_wrong_inside_a_field_is_named_with_its_place():
    assert problems({"forms": [{"name": "a", "size": 1}, {"name": "a"}]}, Outer) == {"forms.1.size": "Fill this in."}


def test_a_form_that_fits_has_no_problems_and_text_counts_as_number():
    assert problems({"name": "abc", "size": "5"}, Form) == {}


@pytest.mark.parametrize(("value", "remedy"), [("toolong", "At most 5 characters."), (None, "Fill this in.")])
def test_limits_are_told_with_their_number(value, remedy):
    given = {"size": "1"} | ({} if value is None else {"name": value})
    assert problems(given, Form) == {"name": remedy}


def test_an_address_without_an_at_is_told_how_one_looks():
    assert (
        "mara@fernhill.example"
        in problems({"site_name": "x", "email": "mara", "password": "1234567890"}, accounts.SetupForm)["email"]
    )


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("Expected `int`, got `str` - at `$.steps[0].size`", "steps.0.size"),
        ("Object missing required field `name`", "name"),
        ("Object contains unknown field `x`", "x"),
        ("Object contains unknown field `x` - at `$.steps[0]`", "steps.0.x"),
        ("Expected `object`, got `array`", ""),
    ],
)
def test_the_place_of_a_problem_reads_like_a_path(message, field):
    assert field_of(message) == field


def test_a_message_we_do_not_know_gives_a_sentence_all_the_same():
    assert human("Something new in msgspec 9", 3) == "This does not fit here."
