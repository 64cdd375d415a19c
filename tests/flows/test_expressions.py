import subprocess
import sys

import pytest
from msgspec import Struct

from flows.expressions import ExpressionError, binder, expression, template
from flows.sdk import Expression, Message, Template
from flows.sdk.holes import names_in

ORDER = {"order": {"items": [{"name": "Rake"}, {"name": "Hoe"}], "total": 12.5, "odd key": 1}, "m": Message("hi")}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("order.items[1].name", "Hoe"),
        ('order["odd key"]', 1),
        ("m.text", "hi"),
        ("order.total > 10.0 && size(order.items) == 2", True),
        ("order.items.map(i, i.name)", ["Rake", "Hoe"]),
        ("order.items.filter(i, i.name.startsWith('H'))[0].name", "Hoe"),
        ("has(order.sum) ? order.sum : 0", 0),
        ("m.text + '!'", "hi!"),
        ('{"a": [1, 2]}', {"a": [1, 2]}),
        ("true", True),
        ("null", None),
        ("", None),
    ],
)
def test_expressions_give_values(source, value):
    assert expression(source)(ORDER) == value


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("order.sum", "`order.sum`: 'order' has no 'sum'. It has: items, total, odd key."),
        ("order.items[7]", "is a list of 2, so it has no '7'"),
        ("order.total.x", "is a number, so it has no 'x'"),
        ("nobody", "there is no 'nobody' here. Known are: m, order."),
        ("nobody + 1", "there is no 'nobody' here"),
        ("order.total + 'x'", "these values don't fit together (order is an object)"),
        ("order.total.foo()", "'foo' does not work on this value, or there is no such function"),
        ("1 / 0", "division by zero"),
        ("[1][3]", "the list is shorter than that"),
    ],
)
def test_an_error_names_the_expression_the_value_and_what_is_there(source, says):
    with pytest.raises(ExpressionError) as refused:
        expression(source)(ORDER)
    assert says in refused.value.message and f"`{source}`" in refused.value.message


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("1 +", "can't be read at character 4"),
        ("x" * 5_000, "is 5000 characters long"),
        ("a.map(x, a.map(y, a.map(z, z)))", "more than 2 deep"),
        ("a" + ".map(x, x)" * 7, "7 times; at most 6"),
        ("[s].map(x, x+x+x+x+x+x+x+x)", "adds 7 times inside"),
        ("__import__('os').system('x')", ""),
    ],
)
def test_rule_33_what_could_grow_without_end_or_can_not_be_read_is_refused(source, says):
    with pytest.raises(ExpressionError) as refused:
        expression(source)({"a": [1], "s": "x"})
    assert says in refused.value.message


def test_template_without_holes_costs_nothing_and_with_holes_writes_values_plainly():
    assert template("no holes }} here") is None
    fill = template("{{ a }}-{{b}}-{{ '}' }}-{{ \"{{\" }}")
    assert fill is not None and fill({"a": 2.0, "b": [True]}) == "2-[true]-}-{{"


@pytest.mark.parametrize("value", [Message("Hello"), {"text": "Hello"}, {"text": "Hello", "role": "assistant"}])
def test_a_message_in_a_text_is_its_text_also_when_it_came_as_an_object(value):
    assert template("Q: {{ question }}!")({"question": value}) == "Q: Hello!"


def test_an_object_that_is_no_message_is_written_as_json():
    assert template("{{ it }}")({"it": {"text": "Hello", "size": 3}}) == '{"text":"Hello","size":3}'


def test_names_are_those_that_must_be_given():
    source = "a.b + items.filter(x, x.y > c)[0].d && size(foo) > input.z || 'q' == \"w\" ? true : k in m"
    assert names_in(source) == ("a", "items", "c", "foo", "k", "m")


class Row(Struct, frozen=True):
    left: Expression = ""
    right: Template = ""


class Settings(Struct, frozen=True):
    rows: list[Row] = []
    url: Template = ""
    headers: dict[str, Template] = {}
    plain: int = 1


def test_rule_32_settings_are_filled_wherever_they_hold_expressions_and_stay_otherwise():
    settings = Settings([Row("order.total", "{{ x }}")], "https://{{ host }}/", {"A": "b{{ c }}", "B": "{}"})
    fill = binder(settings)
    assert fill is not None
    given = {"order": {"total": 4}, "x": 1, "host": "h", "c": "d"}
    assert fill(given) == Settings([Row(4, "1")], "https://h/", {"A": "bd", "B": "{}"})
    assert settings.url == "https://{{ host }}/" and binder(Settings(url="fixed")) is None


def test_an_error_in_settings_says_which_one():
    with pytest.raises(ExpressionError) as refused:
        binder(Settings([Row("1 +")]))
    assert refused.value.field == "rows[0].left"
    fill = binder(Settings(headers={"A": "{{ x.y }}"}))
    assert fill is not None
    with pytest.raises(ExpressionError) as refused:
        fill({"x": 1})
    assert refused.value.field == "headers.A"


def test_the_heavy_part_of_cel_is_never_imported():
    code = (
        "import sys; from flows.expressions import expression; expression('1 + 1')({}); print('typer' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
