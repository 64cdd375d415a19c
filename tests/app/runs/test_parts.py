"""Single values of runs: whole, as JSON, text or a table; and what type they are."""

import msgspec
import pytest

from app.errors import NotFound
from app.runs import parts, service
from app.runs.parts import table
from app.runs.schema import schema
from app.runs.viewing import view
from flows.model import Edge, Flow, NodeUse
from tests.factories.accounts import an_actor
from tests.factories.runs import a_chain, a_version

LARGE = "x" * 300_000


async def a_run(actor, input):
    _, _, version = await a_version(a_chain(3, start="start.api"), actor.workspace_id)
    return (await service.answer(actor, version, input, trigger="api")).run_id


async def read(actor, run, step="", side="out", port="", form="json", key=""):
    return await parts.part(actor, run, step=step, side=side, port=port, form=form, key=key)


async def test_a_value_of_a_step_or_of_the_run_comes_whole_without_secrets(engine):
    actor = await an_actor()
    run = await a_run(actor, {"orders": [{"sku": "a", "n": 1}], "password": "correct horse battery"})
    made = await read(actor, run, "s0", "in", "object")
    assert made.media_type == "application/json" and b"correct horse" not in made.body
    assert msgspec.json.decode(made.body)["orders"] == [{"sku": "a", "n": 1}]
    assert msgspec.json.decode((await read(actor, run, side="in", port="orders")).body) == [{"sku": "a", "n": 1}]
    assert (await read(actor, run, side="in", port="orders", form="csv")).body.decode("utf-8-sig") == "sku,n\r\na,1\r\n"
    inner = await read(actor, run, "s0", "in", "object", "csv", "orders")
    assert inner.body.decode("utf-8-sig") == "sku,n\r\na,1\r\n"
    with pytest.raises(NotFound):
        await read(actor, run, "s0", "in", "object", "csv", "nothing")
    assert made.name.endswith(".json") and "attachment" in made.headers["content-disposition"]


async def test_a_large_value_is_read_from_storage(engine):
    actor = await an_actor()
    flow = Flow(
        [NodeUse("start", "start.api"), NodeUse("big", "ai.prompt", settings={"template": "{{ input.text }}"})],
        [Edge("start.input", "big.after")],
    )
    _, _, version = await a_version(flow, actor.workspace_id)
    run = (await service.answer(actor, version, {"text": LARGE}, trigger="api")).run_id
    made = await read(actor, run, "big", "out", "text", "text")
    assert made.body.decode() == LARGE and made.media_type.startswith("text/plain")


async def test_what_is_not_there_and_what_is_anothers_is_not_found(engine):
    actor, stranger = await an_actor(), await an_actor()
    run = await a_run(actor, {"a": 1})
    for step, side, port in (("nobody", "out", ""), ("s0", "out", "nobody"), ("s0:3", "in", ""), ("", "in", "b")):
        with pytest.raises(NotFound):
            await read(actor, run, step, side, port)
    with pytest.raises(NotFound):
        await read(stranger, run)


async def test_the_address_of_a_part_gives_a_file_that_no_browser_runs(signed_in):
    run = await a_run(signed_in.actor, {"page": "<script>alert(1)</script>"})
    answer = await signed_in.get(f"/runs/{run}/parts?side=in&port=page&form=text")
    assert answer.status_code == 200 and answer.text == "<script>alert(1)</script>"
    assert (
        answer.headers["content-type"].startswith("text/plain")
        and "attachment" in answer.headers["content-disposition"]
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await signed_in.get(f"/runs/{run}/parts?side=sideways")).status_code in (400, 422)


@pytest.mark.parametrize("formula", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1"])
def test_a_spreadsheet_runs_nothing_of_a_table(formula):
    assert f"'{formula}" in table([{"a": formula}])


def test_a_table_has_a_column_for_each_field_any_row_has():
    assert table([{"a": 1}, {"b": [1, None]}, "loose"]) == 'a,b\r\n1,\r\n,"[1,null]"\r\nloose,\r\n'
    assert table(["x", True, None]) == 'x\r\nyes\r\n""\r\n'


def test_the_type_of_a_value_says_what_is_optional_and_what_differs():
    value = {"orders": [{"sku": "a", "n": 1}, {"sku": "b", "n": "two", "note": None}], "ok": True, "none": [], "in": {}}
    assert schema(value) == (
        "{\n  orders: list of 2: {\n    sku: text\n    n: number or text\n    note?: nothing\n  }\n"
        "  ok: yes or no\n  none: list of 0\n  in: object\n}"
    )
    assert schema([[1], [1, 2]]) == "list of 2: list: number"


def test_the_type_of_a_deep_and_of_a_long_value_is_found_in_bounded_work():
    deep: object = 1
    for _ in range(500):
        deep = {"in": deep}
    assert len(schema(deep)) < 2_000
    assert schema([{"n": i} for i in range(100_000)]).startswith("list of 100000: {")
    assert len(schema({f"f{i}": i for i in range(10_000)})) < 20_000


def test_an_image_is_shown_and_a_drawing_that_may_hold_scripts_is_not():
    png = "data:image/png;base64," + "iVBORw0KGgo=" * 4
    assert view(png).shape == "image"
    for hostile in (
        "data:image/svg+xml;base64,PHN2Zz4=" * 3,
        png + '" onerror="x',
        "data:text/html;base64," + "a" * 40,
    ):
        assert view(hostile).shape == "text"
