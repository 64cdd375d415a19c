"""What is counted and what is logged of a request: its pattern, never what proves something."""

import json
import logging

import pytest
from prometheus_client import REGISTRY

from app import logs
from app.public import create_public_app
from app.runs import hooks
from tests.app.browser import Browser
from tests.factories.sites import a_site, an_editor


@pytest.fixture
def lines(app, capsys):
    logs.setup("json")
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    for handler in [one for one in logging.getLogger().handlers if isinstance(one, logs._Handler)]:
        logging.getLogger().removeHandler(handler)


def counted(route: str, method: str, status: str) -> float:
    labels = {"route": route, "method": method, "status": status}
    return REGISTRY.get_sample_value("agentbase_request_seconds_count", labels) or 0.0


async def test_a_request_is_counted_by_its_pattern_and_logged_once(signed_in, lines):
    before = counted("/flows", "GET", "2xx")
    answer = await signed_in.get("/flows", headers={"x-request-id": "from-the-proxy"})
    assert answer.status_code == 200
    assert counted("/flows", "GET", "2xx") == before + 1
    [line] = [line for line in lines() if line["event"] == "request"]
    assert (line["path"], line["status"], line["request_id"]) == ("/flows", 200, "from-the-proxy")


async def test_the_secret_of_an_invitation_is_not_in_the_log(client, lines):
    before = counted("/join/{secret}", "GET", "4xx")
    await client.get("/join/swordfish-swordfish-swordfish")
    assert counted("/join/{secret}", "GET", "4xx") == before + 1
    said = lines()
    assert [line["path"] for line in said if line["event"] == "request"] == ["/join/{secret}"]
    assert "swordfish" not in json.dumps(said)


async def test_visitors_are_counted_and_their_preview_tickets_are_not_logged(lines):
    site, _ = await a_site(await an_editor())
    before = counted("/", "GET", "2xx")
    async with Browser(create_public_app()) as visitor:
        host = {"host": f"{site.slug}.localhost:8000"}
        assert (await visitor.get("/", headers=host)).status_code == 200
        await visitor.get("/preview/swordfish-swordfish-swordfish", headers=host)
    assert counted("/", "GET", "2xx") == before + 1
    said = lines()
    assert [line["path"] for line in said if line["event"] == "request"] == ["/", "/preview/{ticket}"]
    assert "swordfish" not in json.dumps(said)


async def test_webhooks_are_counted_without_their_address(app):
    before = counted("/hooks/{token}", "other", "4xx")

    async def send(message):
        """Nobody listens."""

    await hooks.hook({"type": "http", "method": "BREW", "path": "/hooks/x", "headers": []}, None, send)
    assert counted("/hooks/{token}", "other", "4xx") == before + 1
