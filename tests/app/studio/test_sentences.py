"""A condition is a sentence and CEL at once: each form is read, written and read again without a change of meaning."""

import pytest

from app.studio.sentence_reading import read
from app.studio.sentence_words import COMPARISONS
from app.studio.sentences import Clause, Sentence, said, write
from app.studio.shapes import node_view
from flows import catalogue
from flows.expressions import expression
from flows.model import NodeUse
from flows.sdk.holes import names_in

ORDER = {
    "total": 12.5, "country": "DE", "paid": True, "items": ["a", 2], "note": "", "placed": "2027-01-31T10:00:00Z",
    "limit": 10, "amount": "11", "gone": None,
}  # fmt: skip

TRUE = [
    ("order.total", "more", "10", "order.total > 10"),
    ("order.total", "least", "{{ order.limit }}", "order.total >= order.limit"),
    ("order.total", "less", "20.5", "order.total < 20.5"),
    ("order.total", "most", "12.5", "order.total <= 12.5"),
    ("order.country", "is", "DE", 'order.country == "DE"'),
    ("order.amount", "is", '"11"', 'order.amount == "11"'),
    ("order.limit", "is", "10", "order.limit == 10"),
    ("order.country", "is-not", 'D"E\\', 'order.country != "D\\"E\\\\"'),
    ("order.country", "contains", "D", 'order.country.contains("D")'),
    ("order.country", "contains-not", "x", '!order.country.contains("x")'),
    ("order.country", "same", "de", 'order.country.matches("(?i)^de$")'),
    ("order.country", "contains-any", "e", 'order.country.matches("(?i)e")'),
    ("order.country", "starts", "D", 'order.country.startsWith("D")'),
    ("order.country", "ends", "E", 'order.country.endsWith("E")'),
    ("order.country", "pattern", "^[A-Z]{2}$", 'order.country.matches("^[A-Z]{2}$")'),
    ("order.amount", "number-more", "10", "double(order.amount) > 10"),
    ("order.amount", "number-less", "12", "double(order.amount) < 12"),
    ("order.placed", "after", "2027-01-01", 'timestamp(order.placed) > timestamp("2027-01-01T00:00:00Z")'),
    ("order.placed", "before", "2027-12-01T00:00:00Z", 'timestamp(order.placed) < timestamp("2027-12-01T00:00:00Z")'),
    ("order.country", "one-of", "DE, FR", 'order.country in ["DE", "FR"]'),
    ("order.country", "none-of", "IT, 3", '!(order.country in ["IT", 3])'),
    ("order.note", "empty", "", "size(order.note) == 0"),
    ("order.items", "filled", "", "size(order.items) > 0"),
    ("order.items", "longer", "1", "size(order.items) > 1"),
    ("order.items", "shorter", "3", "size(order.items) < 3"),
    ("order.items", "holds", "a", '"a" in order.items'),
    ("order.items", "holds-not", "3", "!(3 in order.items)"),
    ("order.paid", "yes", "", "order.paid == true"),
    ("!order.paid", "no", "", "(!order.paid) == false"),
    ("order.gone", "nothing", "", "order.gone == null"),
    ("order.total", "something", "", "order.total != null"),
    ("order.total", "there", "", "has(order.total)"),
    ("order.nobody", "missing", "", "!has(order.nobody)"),
]


def one(value, op, other=""):
    return Sentence("all", ((Clause(value, op, other),),))


def test_every_comparison_has_a_sentence_that_holds():
    assert {op for _, op, _, _ in TRUE} == {each.code for each in COMPARISONS}


@pytest.mark.parametrize(("value", "op", "other", "cel"), TRUE)
def test_a_sentence_becomes_cel_that_says_the_same_and_is_read_back(value, op, other, cel):
    assert write(one(value, op, other)) == cel
    assert expression(cel)({"order": ORDER}) is True
    again = read(cel)
    assert again is not None and write(again) == cel
    expected = other if op != "after" else "2027-01-01T00:00:00Z"
    assert again == one(value, op, expected)


@pytest.mark.parametrize(
    ("cel", "match", "groups"),
    [
        ("a == 1 && b == 2", "all", [["a", "b"]]),
        ("a == 1 || b == 2 || c == 3", "any", [["a", "b", "c"]]),
        ("(a == 1 && b == 2) || c == 3", "all", [["a", "b"], ["c"]]),
        ("a == 1 && b == 2 || c == 3", "all", [["a", "b"], ["c"]]),
        ("a == 1 && (b == 2 || c == 3)", "any", [["a"], ["b", "c"]]),
        ("((a == 1))", "all", [["a"]]),
        ("paid && !late", "all", [["paid", "late"]]),
    ],
)
def test_groups_are_read_as_and_and_or_bind(cel, match, groups):
    found = read(cel)
    assert found is not None
    assert (found.match, [[clause.value for clause in group] for group in found.groups]) == (match, groups)
    values = [
        {name: n >> i & 1 for i, name in enumerate("abc")} | {"paid": n & 1 > 0, "late": n & 2 > 0} for n in range(8)
    ]
    for value in values:
        doubled = {name: part * 2 if name == "b" else part * 3 if name == "c" else part for name, part in value.items()}
        assert expression(write(found))(doubled) == expression(cel)(doubled)


@pytest.mark.parametrize(
    "cel",
    [
        "a ? b : c", "items.filter(x, x > 1)", "a == b == c", "a > 1 && (b || (c && d))", "a &&", "a == ", "(", "a b",
        'a == r"x"', 'a == """x"""', 'a == "\\u00e9"', "true", "!(a > 1)", "a == [1]", 'a in ["x, y"]', "a in []",
        "size(a) >= 2", "timestamp(a) > b", "1 + 2", "!!a", "a == 1 && b +", "§", "a == 1e5",
    ],
)  # fmt: skip
def test_what_is_no_sentence_stays_an_expression(cel):
    assert read(cel) is None


def test_no_text_is_the_sentence_without_a_clause_and_a_clause_without_a_value_is_left_out():
    assert read("  ") == Sentence()
    assert (
        write(Sentence("all", ((Clause("", "is", "x"), Clause("a", "is", "x")), (Clause(" ", "yes"),)))) == 'a == "x"'
    )


HOSTILE = ['"', '""', "{{ a", "{{ a }} b", "ä\n\t", "a}} {{b", "(?i)x", "{v}{o}", "' or 1", "-3", '"{{ a }}"']


@pytest.mark.parametrize("typed", HOSTILE)
@pytest.mark.parametrize("op", ["is", "contains", "same", "contains-any", "pattern", "more", "holds"])
def test_hostile_text_stays_one_literal(op, typed):
    cel = write(one("a", op, typed))
    assert names_in(cel) == ("a",)
    expression(cel)  # it can be read
    again = read(cel)
    assert again is not None and write(again) == cel


def test_a_flood_is_no_sentence():
    assert read(" && ".join(["a == 1"] * 61)) is None
    assert read("(" * 5_000 + "a" + ")" * 5_000) is None


@pytest.mark.parametrize(
    ("cel", "words"),
    [
        ('order.total > 10 && order.country == "DE"', "order.total is greater than 10 and order.country is DE"),
        ('(a == 1 && b == 2) || c == "3"', '(a is 1 and b is 2) or c is "3"'),
        ("value.contains(input.word)", "value contains input.word"),
        ("size(items) == 0", "items is empty"),
        ("", ""),
    ],
)
def test_a_sentence_is_read_out_without_marks(cel: str, words: str) -> None:
    found = read(cel)
    assert found is not None and said(found) == words


def test_cards_of_conditions_say_the_sentence_and_keep_what_is_more_than_one() -> None:
    kinds = catalogue.load()

    def summary(type: str, **settings: object) -> str:
        return node_view(NodeUse("x", type, settings=settings), kinds).summary

    assert summary("logic.if", expression="order.total > 10") == "order.total is greater than 10"
    assert summary("logic.if", expression="a ? b\n  : c") == "a ? b : c"
    cases = [{"name": "eu", "when": 'country == "DE"'}, {"name": "rest", "when": ""}, {"name": "us", "when": "us"}]
    assert summary("logic.switch", cases=cases) == "eu if country is DE · us if us is yes"
    assert summary("logic.switch", cases=[{"name": "a"}, {"name": "b"}]) == "a, b"
    assert summary("logic.if", rows=[{"value": "a", "op": "is", "other": "b"}]) == "a is b"
    assert summary("logic.if", expression="<b>") == "<b>"  # the page escapes it
