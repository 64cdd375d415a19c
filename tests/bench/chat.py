"""A chat turn behind the webhook route: start, a model that takes 200 ms, answer; recorded like any other run.

`chat.direct`: the model called without us, by the same load generator. The model is the fake server in its own process.
"""

import contextlib
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

import msgspec
import uvloop

from app import logs
from app.embedded.folder import free_port
from app.gateway import service as gateway
from app.gateway.forms import ConnectForm
from flows.model import Edge, Flow, NodeUse
from tests.bench.bed import bed
from tests.bench.figure import Figure
from tests.bench.hooks import address
from tests.bench.load import Measured, hammer
from tests.factories.accounts import an_actor
from tests.factories.runs import a_version

MODEL = "fake-small"
THINKS_MS = 200
SECONDS = 5.0
FLOW = Flow(
    [
        NodeUse("start", "start.webhook"),
        NodeUse("chat", "ai.chat", settings={"model": f"compatible/{MODEL}"}),
        NodeUse("answer", "show.answer"),
    ],
    [Edge("start.body", "chat.message"), Edge("chat.text", "answer.text")],
    name="chat",
)


def figures() -> Iterator[Figure]:
    logs.setup(level=logging.WARNING)  # to stderr: stdout is for the figures
    alone, direct_alone, crowd, direct = uvloop.run(_measure())
    yield Figure("chat.direct.c64.rate", direct.rate, "1/s")
    yield Figure("chat.c64.rate", crowd.rate, "1/s")
    yield Figure("chat.c64.p95", crowd.p95, "ms")
    yield Figure("chat.direct.c1.p50", direct_alone.p50, "ms")
    yield Figure("chat.added_p50", alone.p50 - direct_alone.p50, "ms")


async def _measure() -> tuple[Measured, Measured, Measured, Measured]:
    with fake() as url:
        async with bed() as it:
            actor = await an_actor()
            await gateway.connect(actor, ConnectForm("compatible", base_url=url))
            workspace, flow, _ = await a_version(FLOW, actor.workspace_id)
            path = await address(workspace, flow)
            port = urlsplit(url).port or 0
            said = msgspec.json.encode("one two three")
            asked = msgspec.json.encode({"model": MODEL, "messages": [{"role": "user", "content": "one two three"}]})
            await hammer(it.port, path, said, connections=8, seconds=1.0)
            alone = await hammer(it.port, path, said, connections=1, seconds=SECONDS)
            direct_alone = await hammer(port, "/v1/chat/completions", asked, connections=1, seconds=SECONDS)
            crowd = await hammer(it.port, path, said, connections=64, seconds=SECONDS)
            direct = await hammer(port, "/v1/chat/completions", asked, connections=64, seconds=SECONDS)
            return alone, direct_alone, crowd, direct


@contextlib.contextmanager
def fake() -> Iterator[str]:
    """The fake model server; its address."""
    port = free_port()
    command = [sys.executable, "-m", "tests.doubles.openai_server", "--port", str(port)]
    with subprocess.Popen([*command, "--first-token-ms", str(THINKS_MS)]) as server:
        try:
            _until_open(port)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()


def _until_open(port: int) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            HTTPConnection("127.0.0.1", port, timeout=1).connect()
            return
        time.sleep(0.05)
    raise RuntimeError("the fake model did not start")
