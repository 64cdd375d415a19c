"""`agentbase test` with files: what it prints, its exit status, and the JUnit file."""

from xml.etree.ElementTree import fromstring

import msgspec
import pytest
from click.testing import CliRunner

from app.checks.files import beside
from app.checks.junit import Ran, junit
from app.checks.shapes import Case, Expectation, Result, Verdict
from app.commands.importing import flow_files
from app.commands.test import command
from app.runs.rehearsal import Answer
from flows.files import write_flow
from tests.factories.checks import a_support_flow
from tests.samples.checks import THEN

GIVEN = {"message": "When do tulips flower?", "history": []}
MODEL = Answer("model", "", {"text": "In May.", "data": {}, "model": "m", "values": {}})


@pytest.fixture
def folder(tmp_path):
    """A flow whose model is recorded, with a test that passes."""
    (tmp_path / "support.json").write_text(write_flow(a_support_flow(), "json"))
    put(tmp_path, Expectation("exact", "In May."))
    return tmp_path


def put(folder, *expect):
    cases = [Case("Flowering", GIVEN, list(expect), [MODEL], "chat")]
    beside(folder / "support.json").write_bytes(msgspec.json.encode(cases))


def test_a_folder_of_files_is_tested_without_server_and_model(folder):
    done = CliRunner().invoke(command, [str(folder), "--junit", str(folder / "out.xml")])
    assert (done.exit_code, "1 passed, 0 failed" in done.output) == (0, True), done.output
    xml = fromstring((folder / "out.xml").read_text())
    assert xml[0].attrib["name"] == "Support" and xml[0].attrib["tests"] == "1" and len(xml[0][0]) == 0
    assert [file.name for file in flow_files((folder,))] == ["support.json"]


def test_a_test_that_fails_is_the_exit_status_and_says_why(folder):
    put(folder, Expectation("contains", "June"))
    done = CliRunner().invoke(command, [str(folder / "support.json"), "--junit", str(folder / "out.xml")])
    assert done.exit_code == 1 and "✗ Flowering" in done.output and "'June' is not in it." in done.output
    failure = fromstring((folder / "out.xml").read_text())[0][0][0]
    assert failure.tag == "failure" and "came:     In May." in failure.text


def test_nothing_to_test_is_not_a_success(tmp_path, folder):
    beside(folder / "support.json").unlink()
    assert CliRunner().invoke(command, [str(folder)]).exit_code == 2
    assert CliRunner().invoke(command, []).exit_code == 2


def test_a_run_that_broke_is_an_error_and_control_characters_do_not_break_the_file():
    results = [
        ("a", Result("failed", THEN, "It broke: \x00\x1b")),
        ("b", Result("failed", THEN, "", [Verdict("exact", "", False, "No.", "<", "\x07")])),
    ]
    [suite] = fromstring(junit([Ran("Support <&>", results)]))
    assert (suite.attrib["errors"], suite.attrib["failures"], suite[0][0].tag) == ("1", "1", "error")
