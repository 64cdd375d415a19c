"""`agentbase run`: lanes and variables, in this process."""

import json

import pytest
from click.testing import CliRunner

from app.commands.run import command

READER = {
    "format": 1,
    "name": "Reader",
    "nodes": [
        {"id": "in", "type": "start.api"},
        {"id": "say", "type": "ai.prompt", "settings": {"template": "From {{ vars.shop }}: {{ of.word }}"}},
        {"id": "out", "type": "show.answer"},
    ],
    "edges": [{"from": "in.input", "to": "say.of"}, {"from": "say.text", "to": "out.text"}],
}
WAITING = {
    "format": 1,
    "name": "Waiting",
    "nodes": [{"id": "in", "type": "start.api"}, {"id": "say", "type": "logic.signal", "settings": {"name": "go"}}],
    "edges": [{"from": "in.input", "to": "say.value"}],
}


@pytest.mark.parametrize("lane", ["express", "durable", "auto"])
def test_a_flow_file_runs_in_either_lane_with_its_variables(tmp_path, lane):
    (tmp_path / "f.json").write_text(json.dumps(READER))
    sent = [str(tmp_path / "f.json"), "--input", '{"word": "tulips"}', "--lane", lane]
    assert CliRunner().invoke(command, [*sent, "--vars", '{"shop": "Fernhill"}']).stdout == "From Fernhill: tulips\n"
    without = CliRunner().invoke(command, sent)
    assert without.exit_code and "no variables here" in str(without.exception)


def test_the_express_lane_is_refused_to_a_flow_that_waits(tmp_path):
    (tmp_path / "f.json").write_text(json.dumps(WAITING))
    refused = CliRunner().invoke(command, [str(tmp_path / "f.json"), "--lane", "express"])
    assert refused.exit_code == 2 and "needs the durable lane" in refused.output
    waits = CliRunner().invoke(command, [str(tmp_path / "f.json"), "--lane", "auto"])
    assert "waits for somebody's answer" in str(waits.exception)


def test_variables_that_are_no_object_are_refused(tmp_path):
    (tmp_path / "f.json").write_text(json.dumps(READER))
    refused = CliRunner().invoke(command, [str(tmp_path / "f.json"), "--vars", "[1]"])
    assert refused.exit_code == 2 and "--vars" in refused.output
