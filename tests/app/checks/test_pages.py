"""Pages of tests for people, and the same for programs."""

import pytest

from app.checks import queries
from tests.factories.checks import a_case, a_run
from tests.factories.studio import a_document

GIVEN = {"message": "When do tulips flower?", "history": []}


async def test_from_a_run_to_a_test_that_passes(signed_in):
    flow_id, run_id = await a_run(signed_in.actor, a_document(), GIVEN)
    assert f"/runs/{run_id}/tests/new" in (await signed_in.get(f"/runs/{run_id}")).text
    asked = await signed_in.get(f"/runs/{run_id}/tests/new")
    assert "Save as a test" in asked.text and "tulips flower?" in asked.text
    rows = {
        "name": "Flowering",
        "kind-0": "contains",
        "path-0": "text",
        "value-0": "tulips",
        "kind-1": "",
        "value-1": "",
    }
    assert (await signed_in.post(f"/runs/{run_id}/tests", data=rows)).status_code == 303
    [view] = (await queries.suite(signed_in.actor, flow_id)).cases
    assert (view.case.name, len(view.case.expect)) == ("Flowering", 1)
    ran = await signed_in.post(f"/flows/{flow_id}/tests/runs", data={})
    assert ran.status_code == 303
    listed = await signed_in.get(f"/flows/{flow_id}/tests")
    assert (
        "Flowering" in listed.text and "1 passed" in listed.text and "All" not in listed.headers.get("hx-trigger", "")
    )
    assert "Passed" in (await signed_in.get(f"/flows/{flow_id}/tests/{view.id}")).text


async def test_what_was_typed_comes_back_with_the_reason(signed_in):
    flow_id, case_id = await a_case(signed_in.actor, a_document(), GIVEN)
    sent = {"name": "Mine", "input": "{no", "kind-0": "cel", "value-0": "text == <b>"}
    answer = await signed_in.post(f"/flows/{flow_id}/tests/{case_id}", data=sent)
    assert answer.status_code == 422
    assert "The input is no JSON" in answer.text and "text == &lt;b&gt;" in answer.text and "{no" in answer.text


async def test_deleting_is_undone_from_the_toast(signed_in):
    flow_id, case_id = await a_case(signed_in.actor, a_document(), GIVEN)
    await signed_in.post(f"/flows/{flow_id}/tests/{case_id}/removal", data={})
    listed = await signed_in.get(f"/flows/{flow_id}/tests")
    assert "No test yet" in listed.text and f"/flows/{flow_id}/tests/{case_id}/return" in listed.text
    await signed_in.post(f"/flows/{flow_id}/tests/{case_id}/return", data={})
    assert "Test 1" in (await signed_in.get(f"/flows/{flow_id}/tests")).text


async def test_programs_do_the_same(signed_in, api):
    flow_id, run_id = await a_run(signed_in.actor, a_document(), GIVEN)
    saved = (await api.post(f"/api/v1/runs/{run_id}/tests", json={"name": "By key"})).json()
    here = f"/api/v1/flows/{flow_id}/tests"
    changed = {"expect": [{"kind": "contains", "value": "roses"}]}
    assert (await api.put(f"{here}/{saved['id']}", json=changed)).status_code == 204
    ran = (await api.post(f"{here}/runs", json={})).json()
    assert ran["passed"] is False and ran["tests"][0]["result"]["verdicts"][0]["said"] == "'roses' is not in it."
    assert (await api.get(here)).json()["cases"][0]["case"]["name"] == "By key"
    case = {"name": "From a file", "input": GIVEN, "expect": [], "trigger": "chat"}
    assert (await api.put(here, json={"cases": [case, {**case, "name": "By key"}]})).status_code == 200
    assert [each["case"]["name"] for each in (await api.get(here)).json()["cases"]] == ["By key", "From a file"]
    assert (await api.delete(f"{here}/{saved['id']}")).status_code == 204


@pytest.mark.parametrize("deed", ["/runs", "/rule"])
async def test_a_stranger_finds_nothing(signed_in, stranger, deed):
    flow_id, case_id = await a_case(signed_in.actor, a_document(), GIVEN)
    for path in (f"/flows/{flow_id}/tests", f"/flows/{flow_id}/tests/{case_id}"):
        assert (await stranger.get(path)).status_code == 404
    assert (await stranger.post(f"/flows/{flow_id}/tests{deed}", data={"required": "true"})).status_code == 404
