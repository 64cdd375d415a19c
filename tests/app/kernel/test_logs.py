import json
import logging

import pytest

from app import logs

CANARY = "c4n4ryc4n4ryc4n4ry"


@pytest.fixture
def lines(capsys):
    logs.setup("json")

    def read() -> list[dict]:
        return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    yield read
    for handler in [one for one in logging.getLogger().handlers if isinstance(one, logs._Handler)]:
        logging.getLogger().removeHandler(handler)


def test_a_line_is_json_with_the_ids_of_where_it_was_written(lines):
    with logs.bound(request_id="r1", workspace_id="w1"):
        logs.logger("app.x").info("run started", run_id="u1", steps=3)
    logs.logger("app.x").info("outside")
    first, second = lines()
    assert (first["event"], first["request_id"], first["workspace_id"], first["run_id"], first["steps"]) == (
        "run started", "r1", "w1", "u1", 3,
    )  # fmt: skip
    assert first["level"] == "info" and first["timestamp"].endswith("Z") and "request_id" not in second


@pytest.mark.parametrize(
    "values",
    [
        {"password": CANARY}, {"api_key": CANARY}, {"Authorization": f"Bearer {CANARY}"}, {"x": {"Set-Cookie": CANARY}},
        {"headers": [{"X-Api-Key": CANARY}]}, {"client_secret": CANARY}, {"csrf": CANARY}, {"access_token": CANARY},
        {"url": f"postgresql://user:{CANARY}@db/x"}, {"text": f"Authorization: Bearer {CANARY}"},
        {"text": f"key sk-{CANARY}"}, {"text": f"sk-proj-{CANARY}-{CANARY}"}, {"text": f"ghp_{CANARY}"},
        {"body": f"bearer {CANARY}".encode()}, {"deep": {"a": {"b": {"c": {"d": {"e": {"f": {"token": CANARY}}}}}}}},
    ],
)  # fmt: skip
def test_what_is_named_or_looks_like_a_secret_is_hidden(lines, values):
    logs.logger("t").info("calling", **values)
    logging.getLogger("library").warning("calling %s", values)
    text = json.dumps(lines())
    assert "calling" in text
    assert CANARY not in text


def test_counts_of_tokens_and_plain_words_are_shown(lines):
    logs.logger("t").info("model called", tokens=12, prompt_tokens=5, max_token=7, text="a secret garden")
    (line,) = lines()
    assert (line["tokens"], line["prompt_tokens"], line["max_token"], line["text"]) == (12, 5, 7, "a secret garden")


def test_a_known_secret_is_cut_out_of_tracebacks_and_of_other_peoples_logs(lines):
    logs.keep_out(CANARY)
    try:
        raise RuntimeError(f"refused {CANARY}")
    except RuntimeError:
        logs.logger("t").exception("failed")
    logging.getLogger("library").error("sent %s to %s", CANARY, {"a": CANARY})
    text = json.dumps(lines())
    assert CANARY not in text and text.count("hidden") >= 3
    logs._known.clear()
