"""Named suites: tests in any number of them, run alone, asked before publishing, in files, in JUnit, taken back."""

import asyncio
from uuid import UUID, uuid4
from xml.etree import ElementTree

import msgspec
import pytest

from app.checks import files, queries, service
from app.checks.forms import NamedForm
from app.checks.shapes import MOST_SUITES, Case, Expectation
from app.errors import Conflict, NotAllowed, NotFound, Refused
from app.runs import running
from app.studio import service as studio
from app.studio.forms import NodeConfig
from tests.factories.accounts import an_actor
from tests.factories.checks import a_case
from tests.factories.studio import a_batch, a_document, a_flow

RIGHT = [Expectation("contains", "Answer")]


def case(name, *suites, expect=RIGHT, message="Hi"):
    return Case(name, {"message": message, "history": []}, list(expect), [], "chat", list(suites))


@pytest.fixture
async def actor(db):
    await running.start("cli")
    yield await an_actor()
    await running.stop()


async def some(actor):
    """(flow, {name: id}) with four tests in two suites; `Broken` fails."""
    flow_id = await a_flow(actor)
    cases = [
        case("One", "Smoke"), case("Two", "Smoke", "Billing"), case("Three"),
        case("Broken", "Billing", expect=[Expectation("exact", "No")]),
    ]  # fmt: skip
    made = await service.put(actor, flow_id, cases)
    return flow_id, dict(zip((each.name for each in cases), made, strict=True))


async def suite_of(actor, flow_id, name):
    return next(each for each in (await queries.suite(actor, flow_id)).suites if each.name == name)


async def test_a_suite_runs_its_tests_and_no_others(actor):
    flow_id, ids = await some(actor)
    smoke = await suite_of(actor, flow_id, "Smoke")
    assert smoke.cases == [ids["One"], ids["Two"]]
    done = await service.run(actor, flow_id, suites=[smoke.id])
    assert [view.case.name for view, _ in done] == ["One", "Two"]
    both = [smoke.id, (await suite_of(actor, flow_id, "Billing")).id]
    assert len(await service.run(actor, flow_id, suites=both)) == 3, "a test in both runs once"
    only = await queries.suite(actor, flow_id, smoke.id)
    assert [each.case.name for each in only.cases] == ["One", "Two"] and only.every == 4


async def test_only_the_suites_that_gate_are_asked_before_publishing(actor):
    flow_id, _ = await some(actor)
    smoke, billing = [await suite_of(actor, flow_id, name) for name in ("Smoke", "Billing")]
    await service.demand(actor, flow_id, True, [smoke.id])
    gate = service.TestsGate()
    await gate.may_publish(actor, flow_id, a_document())
    await service.demand(actor, flow_id, True, [smoke.id, billing.id])
    with pytest.raises(service.FailedTest, match="Broken"):
        await gate.may_publish(actor, flow_id, a_document())
    await service.demand(actor, flow_id, True)
    with pytest.raises(service.FailedTest, match="Broken"):
        await gate.may_publish(actor, flow_id, a_document())
    await service.demand(actor, flow_id, True, [smoke.id])
    await service.remove_suite(actor, flow_id, smoke.id)
    with pytest.raises(service.FailedTest):  # the suite that was asked is gone: all are
        await gate.may_publish(actor, flow_id, a_document())
    await service.demand(actor, flow_id, False)
    await gate.may_publish(actor, flow_id, a_document())


async def test_suites_are_deleted_and_come_back_with_their_tests(actor):
    flow_id, ids = await some(actor)
    smoke = await suite_of(actor, flow_id, "Smoke")
    assert await service.remove_suite(actor, flow_id, smoke.id) == "Smoke"
    assert (await queries.case(actor, flow_id, ids["Two"])).case.suites == ["Billing"]
    await service.bring_suite_back(actor, flow_id, smoke.id)
    assert (await suite_of(actor, flow_id, "Smoke")) == smoke
    await service.remove_suite(actor, flow_id, smoke.id)
    await service.make_suite(actor, flow_id, NamedForm("Smoke"))
    with pytest.raises(Conflict, match="has this name by now"):
        await service.bring_suite_back(actor, flow_id, smoke.id)


async def test_what_is_not_there_or_not_yours_is_refused(actor):
    flow_id, ids = await some(actor)
    other, elsewhere = await some(actor)
    stranger = await an_actor()
    smoke = await suite_of(actor, flow_id, "Smoke")
    for deed in (
        service.make_suite(stranger, flow_id, NamedForm("Mine")),
        service.change_suite(stranger, flow_id, smoke.id, NamedForm("Mine")),
        service.remove_suite(stranger, flow_id, smoke.id),
        service.remove_suite(actor, other, smoke.id),
        service.run(actor, flow_id, suites=[uuid4()]),
        service.demand(actor, other, True, [smoke.id]),
        service.make_suite(actor, flow_id, NamedForm("Theirs", [elsewhere["One"]])),
        queries.suite(actor, other, smoke.id),
    ):
        with pytest.raises(NotFound):
            await deed
    with pytest.raises(Conflict):
        await service.make_suite(actor, flow_id, NamedForm(" Smoke "))
    with pytest.raises(Conflict):
        await service.change_suite(actor, flow_id, smoke.id, NamedForm("Billing"))
    with pytest.raises(Refused):
        await service.make_suite(actor, flow_id, NamedForm(" \0 "))
    for number in range(MOST_SUITES - 2):
        await service.make_suite(actor, flow_id, NamedForm(f"S{number}", [ids["One"]]))
    with pytest.raises(Refused, match="at most 20"):
        await service.make_suite(actor, flow_id, NamedForm("Too many"))


async def test_suites_travel_in_files(actor):
    flow_id, _ = await some(actor)
    text = files.write((await queries.suite(actor, flow_id)).cases)
    other = await a_flow(actor)
    await service.put(actor, other, files.read(text.encode()))
    assert files.write((await queries.suite(actor, other)).cases) == text
    there = {each.name: len(each.cases) for each in (await queries.suite(actor, other)).suites}
    assert there == {"Billing": 2, "Smoke": 2}


async def test_the_page_makes_runs_and_changes_suites(signed_in):
    actor = signed_in.actor
    flow_id, ids = await some(actor)
    here = f"/flows/{flow_id}/tests"
    made = await signed_in.post(f"{here}/suites", data={"name": "Mine", "cases": [str(ids["One"]), str(ids["Three"])]})
    assert made.status_code == 303
    place = made.headers["location"]
    suite = place.rpartition("=")[2]
    shown = (await signed_in.get(place)).text
    assert "Run the suite “Mine”" in shown and "Three" in shown and ">Broken</a>" not in shown
    ran = await signed_in.post(f"{here}/runs", data={"suite": suite})
    assert ran.headers["location"] == place and "2 passed" in (await signed_in.get(place)).text
    taken = await signed_in.post(f"{here}/suites", data={"name": "Smoke"})
    assert taken.status_code == 409 and "There is a suite of this name" in taken.text
    await signed_in.post(f"{here}/suites/{suite}", data={"name": "Ours", "cases": str(ids["One"])})
    assert (await queries.suite(actor, flow_id, UUID(suite))).only.name == "Ours"
    assert (await signed_in.post(f"{here}/rule", data={"rule": "suites"})).status_code == 422
    await signed_in.post(f"{here}/rule", data={"rule": "suites", "suites": suite})
    assert [each.name for each in (await queries.suite(actor, flow_id)).gates] == ["Ours"]
    assert "The tests of Ours run first" in (await signed_in.get(here)).text
    await signed_in.post(f"{here}/suites/{suite}/removal", data={})
    assert (await signed_in.get(place)).status_code == 404
    await signed_in.post(f"{here}/suites/{suite}/return", data={})
    assert (await signed_in.get(place)).status_code == 200


async def test_programs_do_the_same_and_get_junit_by_suite(api, signed_in):
    flow_id, ids = await some(signed_in.actor)
    here = f"/api/v1/flows/{flow_id}/tests"
    body = {"name": "Api", "cases": [str(ids["Broken"])]}
    suite = (await api.post(f"{here}/suites", json=body)).json()["id"]
    ran = (await api.post(f"{here}/runs", json={"suite": suite})).json()
    assert ran["passed"] is False and [each["name"] for each in ran["tests"]] == ["Broken"]
    assert (await api.put(f"{here}/rule", json={"required": True, "suites": [suite]})).status_code == 204
    assert [each["gates"] for each in (await api.get(here)).json()["suites"]] == [True, False, False]
    xml = ElementTree.fromstring((await api.get(f"{here}/junit.xml")).text)
    assert [(each.get("name"), each.get("tests"), each.get("failures")) for each in xml] == [
        ("Garden helper, Api", "1", "1"), ("Garden helper, Billing", "1", "1"), ("Garden helper, Smoke", "0", "0"),
    ]  # fmt: skip
    one = ElementTree.fromstring((await api.get(f"{here}/junit.xml?suite={suite}")).text)
    assert [each.get("name") for each in one] == ["Garden helper, Api"]
    assert (await api.put(f"{here}/suites/{suite}", json={"name": "Else"})).status_code == 204
    assert (await api.delete(f"{here}/suites/{suite}")).status_code == 204
    assert (await api.post(f"{here}/suites/{suite}/return")).status_code == 204


async def test_recorded_anew_by_one_act_and_taken_back(actor):
    flow_id, case_id = await a_case(actor, a_document(), {"message": "Hi", "history": []}, "Greeting")
    before = await queries.case(actor, flow_id, case_id)
    await studio.apply_ops(actor, flow_id, a_batch(0, NodeConfig("write", "template", "Reply {{ question }}")))
    await service.record_anew(actor, flow_id, case_id)
    anew = await queries.case(actor, flow_id, case_id)
    assert anew.source_run != before.source_run and anew.recorded_before and anew.case.expect == before.case.expect
    await service.take_recording_back(actor, flow_id, case_id)
    back = await queries.case(actor, flow_id, case_id)
    assert back.source_run == before.source_run and back.case == before.case and not back.recorded_before
    with pytest.raises(NotFound):
        await service.take_recording_back(actor, flow_id, case_id)
    await studio.apply_ops(actor, flow_id, a_batch(1, NodeConfig("write", "template", "{{ question.x.y }}")))
    with pytest.raises((Conflict, Refused)):
        await service.record_anew(actor, flow_id, case_id)
    assert (await queries.case(actor, flow_id, case_id)).case == before.case
    from msgspec.structs import replace

    with pytest.raises(NotAllowed):
        await service.record_anew(replace(actor, role="viewer"), flow_id, case_id)


async def test_a_file_s_suite_is_run_by_name_and_reported_by_itself(tmp_path):
    from click.testing import CliRunner

    from app.commands.test import command
    from flows.files import write_flow

    (tmp_path / "garden.json").write_text(write_flow(a_document(), "json"))
    cases = [case("One", "Smoke"), case("Two", "Smoke", "Billing"), case("Broken", expect=[Expectation("exact", "No")])]
    (tmp_path / "garden.tests.json").write_bytes(msgspec.json.encode(cases))
    report = tmp_path / "report.xml"

    def ran(*words):
        return CliRunner().invoke(command, [str(tmp_path), "--junit", str(report), *words])

    done = await asyncio.to_thread(ran, "--suite", "Smoke", "--suite", "Billing")
    assert done.exit_code == 0, done.output
    names = [(each.get("name"), each.get("tests")) for each in ElementTree.parse(report).getroot()]
    assert names == [("Garden helper, Smoke", "2"), ("Garden helper, Billing", "1")]
    assert (await asyncio.to_thread(ran)).exit_code == 1
    assert (await asyncio.to_thread(ran, "--suite", "None")).exit_code == 2
