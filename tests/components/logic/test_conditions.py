from typing import Any

import pytest
from msgspec import UNSET

from components.logic.conditions import Row, holds
from components.logic.if_ import Inputs, Settings, if_
from components.logic.switch import Case, switch
from components.logic.switch import Inputs as SwitchInputs
from components.logic.switch import Settings as SwitchSettings
from flows.sdk import Message, NodeError

TRUE: list[tuple[Any, str, str]] = [
    ("Yes please", "is", " yes PLEASE "),
    ("abc", "is not", "abd"),
    (3, "is", "3.0"),
    (3.5, "is", "3.5"),
    (True, "is", "yes"),
    (False, "is", "no"),
    (Message("Order FH-12"), "contains", "fh-"),
    (["a", 2], "contains", "2"),
    ({"k": 1}, "contains", "k"),
    ("abc", "does not contain", "x"),
    ("Order", "starts with", "ord"),
    ("photo.PNG", "ends with", ".png"),
    (10, "is greater than", "9"),
    ("10", "is less than", "11"),
    (3, "is at least", "3"),
    (3, "is at most", "3"),
    ("  ", "is empty", ""),
    ([], "is empty", ""),
    (0, "is not empty", ""),
    (False, "is not empty", ""),
]


@pytest.mark.parametrize(("value", "op", "other"), TRUE)
def test_comparisons_read_values_as_people_do(value, op, other):
    assert holds(Row(value, op, other), None, "")


def test_a_row_without_a_value_takes_what_comes_in():
    assert holds(Row(None, "is", "abc"), "abc", "")


@pytest.mark.parametrize(("value", "other", "wrong"), [("many", "3", "many"), (3, "many", "many"), (None, "3", "None")])
def test_comparing_numbers_with_words_names_the_word_and_the_setting(value, other, wrong):
    with pytest.raises(NodeError, match=f"but '{wrong}' is none") as refused:
        holds(Row(value, "is at least", other), None, "rows[0].other")
    assert refused.value.field == "rows[0].other"


@pytest.mark.parametrize(
    ("match", "values", "yes"),
    [
        ("all", [1, 1], True),
        ("all", [1, 0], False),
        ("any", [0, 1], True),
        ("any", [0, 0], False),
        ("all", [], True),
        ("any", [], False),
    ],
)
async def test_if_takes_all_or_any_of_its_rows_and_the_other_way_stays_silent(match, values, yes, ctx):
    rows = [Row(value, "is", "1") for value in values]
    out = await if_.run(Settings(rows=rows, match=match, expression=None), Inputs("v"), ctx)
    assert (out.yes, out.no) == (("v", UNSET) if yes else (UNSET, "v"))


async def test_an_expression_goes_before_rows_and_must_be_true_or_false(ctx):
    out = await if_.run(Settings(expression=False), Inputs("v"), ctx)
    assert out.no == "v"
    with pytest.raises(NodeError, match="must give true or false, but gave '3'") as refused:
        await if_.run(Settings(expression=3), Inputs("v"), ctx)
    assert refused.value.field == "expression"


async def test_switch_takes_the_first_case_that_fits_else_otherwise(ctx):
    cases = [Case("small", "is less than", "10"), Case("medium", "is less than", "20")]
    for value, way in ((5, "small"), (15, "medium"), (25, "otherwise")):
        out = await switch.run(SwitchSettings(None, cases), SwitchInputs(value), ctx)
        assert out.values == {way: value}
    assert [(p.name, p.branch) for p in switch.ports(SwitchSettings("", cases)).outputs] == [
        ("small", True),
        ("medium", True),
        ("otherwise", True),
    ]


def test_two_cases_of_one_name_are_refused():
    with pytest.raises(NodeError, match="'a' is taken"):
        switch.ports(SwitchSettings("", [Case("a"), Case("a")]))


async def test_a_case_with_a_condition_of_its_own_goes_by_that(ctx):
    cases = [Case("a", when=False), Case("b", when=True), Case("c", when=True)]
    assert (await switch.run(SwitchSettings(cases=cases), SwitchInputs("v"), ctx)).values == {"b": "v"}
    with pytest.raises(NodeError, match="condition of 'a' must give true or false, but gave '3'") as refused:
        await switch.run(SwitchSettings(cases=[Case("a", when=3)]), SwitchInputs("v"), ctx)
    assert refused.value.field == "cases[0].when"
