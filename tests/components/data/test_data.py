import pytest

from components.data.json import Inputs, Settings, json
from components.data.set import Inputs as SetInputs
from components.data.set import Row, set_fields
from components.data.set import Settings as SetSettings
from flows.sdk import Message, NodeError

ORDER = {"order": {"items": [{"name": "Rake"}, {"name": "Hoe"}], "total": None}}


@pytest.mark.parametrize(
    ("path", "value"),
    [("", ORDER), ("order.items[1].name", "Hoe"), ("order.items[-1].name", "Hoe"), ("order.total", None)],
)
async def test_a_path_leads_to_its_value(path, value, ctx):
    assert (await json.run(Settings(path=path), Inputs(ORDER), ctx)).value == value


@pytest.mark.parametrize("text", ['{"a": 1}', '  {"a": 1}\n', 'Sure!\n```json\n{"a": 1}\n```\nBye', '```\n{"a": 1}```'])
async def test_json_is_read_from_text_also_as_models_wrap_it(text, ctx):
    assert (await json.run(Settings(path="a"), Inputs(text), ctx)).value == 1


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("order.sum", "There is no 'sum' here. 'order' has: items, total"),
        ("order.items[2]", "There is no '2' here. 'order.items' is a list of 2"),
        ("nope", "The data has: order"),
        ("order..items", "can't be read at character 6"),
    ],
)
async def test_a_path_that_leads_nowhere_says_how_far_it_led(path, says, ctx):
    with pytest.raises(NodeError, match=says) as refused:
        await json.run(Settings(path=path), Inputs(ORDER), ctx)
    assert refused.value.field == "path"


async def test_what_is_not_there_may_be_empty_or_a_default(ctx):
    assert (await json.run(Settings(path="x", missing="empty"), Inputs({}), ctx)).value is None
    assert (await json.run(Settings(path="x", missing="default", default="[1]"), Inputs({}), ctx)).value == [1]
    with pytest.raises(NodeError, match="double quotes") as refused:
        await json.run(Settings(path="x", missing="default", default="abc"), Inputs({}), ctx)
    assert refused.value.field == "default"


async def test_text_that_is_no_json_shows_how_it_begins(ctx):
    with pytest.raises(NodeError, match="It begins with: Hello") as refused:
        await json.run(Settings(), Inputs("Hello"), ctx)
    assert refused.value.field == "source"


async def test_fields_are_kept_removed_and_set_and_the_object_that_came_in_stays_as_it_was(ctx):
    came = {"a": 1, "b": {"c": 2}}
    rows = [Row("t", text="hi"), Row("b.d", "value", value=[3]), Row("x.y", "value", value=True)]
    out = await set_fields.run(SetSettings(fields=rows, remove=["a", "none"]), SetInputs(came), ctx)
    assert out.object == {"b": {"c": 2, "d": [3]}, "t": "hi", "x": {"y": True}}
    assert came == {"a": 1, "b": {"c": 2}}
    only = await set_fields.run(SetSettings(fields=rows[:1], keep=False), SetInputs(came), ctx)
    assert only.object == {"t": "hi"}


async def test_a_name_that_reaches_into_a_text_is_refused(ctx):
    with pytest.raises(NodeError, match=r"'a\.b' reaches into 'a'") as refused:
        await set_fields.run(SetSettings(fields=[Row("a.b", text="x")]), SetInputs({"a": "text"}), ctx)
    assert refused.value.field == "fields[0].name"


async def test_a_name_may_reach_into_what_an_earlier_step_gave_as_a_message(ctx):
    asked = Message("Hi")
    out = await set_fields.run(SetSettings(fields=[Row("m.text", text="Bye")]), SetInputs({"m": asked}), ctx)
    assert out.object["m"]["text"] == "Bye"
    assert asked.text == "Hi"
