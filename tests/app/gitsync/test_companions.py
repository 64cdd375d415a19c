"""Tests and datasets in git: files of their own beside the flow, both ways; where both sides changed, people decide."""

import msgspec
import pytest

from app import config
from app.checks import dataset_files, dataset_queries, datasets
from app.checks import queries as tests_of
from app.checks import service as checks
from app.checks.dataset_forms import RowsForm
from app.checks.dataset_reading import Row
from app.checks.forms import CaseForm
from app.checks.shapes import Case, Expectation
from app.gitsync import queries, service
from app.runs import running
from app.studio import queries as studio
from app.studio import service as flows
from tests.factories.accounts import an_actor
from tests.factories.checks import a_case
from tests.factories.gitsync import Colleague, a_bare_repository, a_link
from tests.factories.studio import a_document, a_flow

TESTS, DATA, FLOW = "garden-helper.tests.json", "garden-helper.data.json", "garden-helper.json"
ROWS = [Row({"message": "Hi ☘", "n": 1.5}, "Answer Hi"), Row({"message": "Two"})]


def case(name, *suites, value="Answer"):
    return Case(name, {"message": name, "history": []}, [Expectation("contains", value)], [], "chat", list(suites))


@pytest.fixture
async def world(db, tmp_path):
    """(actor, bare repository, a colleague, flow): two tests and a dataset, all in git already."""
    await running.start("cli")
    with config.using(git_local=(str(tmp_path),), data=tmp_path / "data"):
        actor, bare = await an_actor(), a_bare_repository(tmp_path)
        await a_link(actor, bare, tests=True)
        flow_id, _ = await a_case(actor, a_document(), {"message": "Hi", "history": []}, "Recorded")
        await checks.put(actor, flow_id, [case("Another", "Smoke")])
        await datasets.put(actor, flow_id, RowsForm("Mails", ROWS))
        done = await service.sync(actor)
        assert done.pushed == [FLOW, DATA, TESTS] and not done.conflicts
        ada = Colleague(bare, tmp_path / "ada")
        ada.pull()
        yield actor, bare, ada, flow_id
    await running.stop()


async def names(actor, flow_id):
    return [view.case.name for view in (await tests_of.suite(actor, flow_id)).cases]


async def the_file(actor, path):
    return next(each for each in (await queries.link(actor)).files if each.path == path)


async def test_they_lie_beside_the_flow_and_again_changes_nothing(world):
    actor, _, ada, _ = world
    assert ada.files() == [f"flows/{each}" for each in (DATA, FLOW, TESTS)]
    written = ada.read(f"flows/{DATA}")
    assert '      {"input": {"message":"Hi ☘","n":1.5}, "expected": "Answer Hi"},\n' in written
    assert dataset_files.write(dataset_files.read(written.encode())) == written
    assert [each["name"] for each in msgspec.json.decode(ada.read(f"flows/{TESTS}"))] == ["Another", "Recorded"]
    assert (await service.sync(actor)).said == "Both sides are the same."


async def test_what_a_colleague_changed_comes_here_and_the_rest_stays_as_it_was(world):
    actor, _, ada, flow_id = world
    before = {view.case.name: view for view in (await tests_of.suite(actor, flow_id)).cases}
    cases = msgspec.json.decode(ada.read(f"flows/{TESTS}"), type=list[Case])
    kept = [each for each in cases if each.name == "Recorded"]
    ada.write(f"flows/{TESTS}", msgspec.json.encode([*kept, case("Theirs", "Smoke", "Night")]).decode())
    ada.write(f"flows/{DATA}", msgspec.json.encode([RowsForm("Mails", ROWS[:1]), RowsForm("More", ROWS)]).decode())
    ada.push()
    done = await service.sync(actor)
    assert sorted(done.pulled) == [DATA, TESTS] and not done.pushed and not done.conflicts
    now = {view.case.name: view for view in (await tests_of.suite(actor, flow_id)).cases}
    assert sorted(now) == ["Recorded", "Theirs"] and now["Recorded"] == before["Recorded"]
    assert [each.name for each in (await tests_of.suite(actor, flow_id)).suites] == ["Night", "Smoke"]
    there = {each.name: each.rows for each in await dataset_queries.datasets(actor, flow_id)}
    assert there == {"Mails": 1, "More": 2}
    assert (await service.sync(actor)).said == "Both sides are the same.", "another layout is no change"
    await checks.bring_back(actor, flow_id, before["Another"].id)


@pytest.mark.parametrize("choice", ["ours", "theirs"])
async def test_changed_on_both_sides_a_person_decides(world, choice):
    actor, _, ada, flow_id = world
    (another,) = [each for each in (await tests_of.suite(actor, flow_id)).cases if each.case.name == "Another"]
    await checks.change(actor, flow_id, another.id, CaseForm(name="Ours <b>"))
    ada.write(f"flows/{TESTS}", msgspec.json.encode([case("Theirs")]).decode())
    ada.push()
    assert (await service.sync(actor)).conflicts == [TESTS]
    assert sorted(await names(actor, flow_id)) == ["Ours <b>", "Recorded"], "nothing happens before somebody chooses"
    file = await the_file(actor, TESTS)
    sides = await queries.sides(actor, file.id)
    assert (sides.what, sides.ours_there, sides.theirs_there) == ("tests", True, True)
    assert any(piece.kind == "new" and "Theirs" in piece.text for piece in sides.pieces)
    await service.resolve(actor, file.id, choice)
    done = await service.sync(actor)
    assert not done.conflicts
    ada.pull()
    told = [each["name"] for each in msgspec.json.decode(ada.read(f"flows/{TESTS}"))]
    wanted = ["Ours <b>", "Recorded"] if choice == "ours" else ["Theirs"]
    assert told == sorted(await names(actor, flow_id)) == wanted


async def test_removed_there_asks_and_removed_here_is_removed_there(world):
    actor, _, ada, flow_id = world
    ada.write(f"flows/{TESTS}", None)
    ada.push()
    assert (await service.sync(actor)).conflicts == [TESTS]
    file = await the_file(actor, TESTS)
    assert file.state == "gone"
    await service.resolve(actor, file.id, "theirs")
    assert await names(actor, flow_id) == []
    (mails,) = await dataset_queries.datasets(actor, flow_id)
    await datasets.remove(actor, flow_id, mails.id)
    assert (await service.sync(actor)).pushed == [DATA]
    ada.pull()
    assert ada.files() == [f"flows/{FLOW}"]
    assert (await service.sync(actor)).said == "Both sides are the same."


async def test_a_flow_that_goes_takes_them_along_and_one_that_comes_brings_them(world):
    actor, _, ada, flow_id = world
    kept = {each: ada.read(f"flows/{each}") for each in (FLOW, TESTS, DATA)}
    await flows.archive(actor, flow_id)
    assert sorted((await service.sync(actor)).pushed) == sorted(kept)
    ada.pull()
    for path, text in kept.items():
        ada.write(f"flows/new-{path}", text)
    ada.push()
    assert len((await service.sync(actor)).pulled) == 3
    made = next(flow for flow in await studio.flows(actor) if not flow.archived)
    assert await names(actor, made.id) == ["Another", "Recorded"]
    assert (await service.sync(actor)).said == "Both sides are the same."


async def test_the_flow_removed_there_is_one_question_not_three(world):
    actor, _, ada, _ = world
    for path in (FLOW, TESTS, DATA):
        ada.write(f"flows/{path}", None)
    ada.push()
    assert (await service.sync(actor)).conflicts == [FLOW]
    await service.resolve(actor, (await the_file(actor, FLOW)).id, "theirs")
    assert (await service.sync(actor)).said == "Both sides are the same."
    assert (await queries.link(actor)).files == []


@pytest.mark.parametrize(
    ("path", "text", "why"),
    [
        (TESTS, "{", "no file of tests"),
        (TESTS, "[" * 100_000, "no file of tests"),
        (TESTS, msgspec.json.encode([case("A"), case("A")]).decode(), "one name"),
        (TESTS, msgspec.json.encode([case(f"T{i}") for i in range(201)]).decode(), "at most 200"),
        (DATA, '[{"name": "x", "rows": []}]', "no file of datasets"),
        (DATA, '[{"name": "x", "rows": [{"input": 1, "evil": 2}]}]', "no file of datasets"),
        (DATA, msgspec.json.encode([RowsForm(f"D{i}", ROWS) for i in range(101)]).decode(), "at most 100"),
    ],
)
async def test_a_hostile_or_broken_file_is_named_and_nothing_is_written(world, path, text, why):
    actor, _, ada, flow_id = world
    before = await checks.as_files(actor, flow_id)
    ada.write(f"flows/{path}", text)
    ada.push()
    assert (await service.sync(actor)).conflicts == [path]
    file = await the_file(actor, path)
    assert file.state == "broken" and why in file.said
    assert await checks.as_files(actor, flow_id) == before


async def test_files_beside_no_flow_are_left_and_without_the_setting_nothing_travels(world):
    actor, bare, ada, flow_id = world
    ada.write("flows/nobody.tests.json", "[]")
    ada.push()
    done = await service.sync(actor)
    assert done.left == ["nobody.tests.json"] and not done.conflicts
    await a_link(actor, bare, tests=False)
    await checks.put(actor, flow_id, [case("Later")])
    assert (await service.sync(actor)).said == "Both sides are the same."
    await a_link(actor, bare, tests=True)
    assert (await service.sync(actor)).pushed == [TESTS]


async def test_two_tests_of_one_name_are_told_apart_for_ever(world):
    actor, _, ada, flow_id = world
    ids = await checks.put(actor, flow_id, [case("Second")])
    await checks.change(actor, flow_id, ids[0], CaseForm(name="Another"))
    await service.sync(actor)
    ada.pull()
    names_there = [each["name"] for each in msgspec.json.decode(ada.read(f"flows/{TESTS}"))]
    assert names_there == ["Another", "Another 2", "Recorded"]
    assert (await service.sync(actor)).said == "Both sides are the same."


async def test_a_flow_without_tests_has_no_such_files(world):
    actor = world[0]
    await a_flow(actor)
    assert (await service.sync(actor)).pushed == ["garden-helper-2.json"]
