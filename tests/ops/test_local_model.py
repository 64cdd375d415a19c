import json
import sys
import time
from http.client import HTTPConnection

import pytest

from app.embedded import local_model
from app.embedded.errors import StartProblem
from app.embedded.local_model import LocalModel, missing
from tests.instance import descendants, gone

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or bool(missing()), reason=missing() or "the supervisor's Linux half"
)

HOLD = """
import sys, time
from pathlib import Path
from app.embedded.local_model import LocalModel
model = LocalModel(Path(sys.argv[1]))
model.start()
print(model.process.pid, flush=True)
time.sleep(600)
"""


def test_it_answers_in_the_openai_form_without_key_or_network(tmp_path):
    model = LocalModel(tmp_path / "model", threads=1)
    try:
        assert model.start().endswith("/v1")
        model.wait_until_loaded()
        connection = HTTPConnection("127.0.0.1", model.port, timeout=60)
        question = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8}
        connection.request("POST", "/v1/chat/completions", json.dumps(question), {"Content-Type": "application/json"})
        answer = json.load(connection.getresponse())
        assert answer["choices"][0]["message"]["content"].strip()
        assert answer["usage"]["completion_tokens"] > 0
    finally:
        model.stop()
    assert not model.alive()


def test_when_we_are_killed_it_goes_too(python, tmp_path):
    holder = python("-c", HOLD, str(tmp_path / "model"))
    assert int(holder.stdout.readline()) in (family := descendants(holder.pid))
    holder.kill()
    holder.wait()
    assert not gone(family)


@pytest.mark.parametrize("after", [0.0, 0.3, 0.6, 0.9, 1.2])
def test_it_ends_at_once_at_whatever_moment_of_its_start_it_is_told_to(tmp_path, after):
    model = LocalModel(tmp_path / "model", threads=1)
    model.start()
    process = model.process
    time.sleep(after)
    process.terminate()
    assert process.wait(2) is not None
    model.stop()


def test_where_it_is_not_installed_it_says_how_to_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(local_model, "weights", lambda: None)
    with pytest.raises(StartProblem, match="connect any model under Connections"):
        LocalModel(tmp_path / "model").start()
