"""Node-RED and Agentbase side by side, under the same load: `make bench-peers`. Not part of `make bench`.

Installs Node-RED from npm into .tools/bench-nodered (once), with function nodes and with its built-in change nodes.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from app.embedded.folder import free_port
from tests.bench import hooks
from tests.bench.bed import bed
from tests.bench.cores import server_alone
from tests.bench.figure import Figure
from tests.bench.hooks import BODY
from tests.bench.load import hammer
from tests.factories.runs import a_version

VERSION, NODE = "5.0.7", "22"
"""Node-RED wants a newer Node than many systems have: the package `node` brings one of its own."""
PLACE = Path(__file__).parents[3] / ".tools" / "bench-nodered"
ROUNDS = 3
SECONDS = 3.0
NODES = (1, 10, 50)


def figures() -> Iterator[Figure]:
    """The two take turns; each figure is the best of ROUNDS, so that a busy moment hits neither alone."""
    _installed()
    yield from uvloop.run(_measure())


async def _measure() -> list[Figure]:
    theirs: dict[str, float] = {}
    ours: dict[str, float] = {}
    with node_red() as (port, pid):
        async with bed() as it:
            server_alone(it.pids[0], pid)
            paths = {f"{n}": await _ours(hooks.flow_of(n)) for n in NODES}
            paths["fan_out"] = await _ours(hooks.fan_out())
            for _ in range(ROUNDS):
                for name, path in paths.items():
                    for found, where, to in ((theirs, port, f"/{name}"), (ours, it.port, path)):
                        await hammer(where, to, BODY, connections=8, seconds=0.5)
                        one = await hammer(where, to, BODY, connections=16, seconds=SECONDS)
                        found[name] = max(found.get(name, 0.0), one.rate)
                for name in ("change_10", "change_50"):
                    one = await hammer(port, f"/{name}", BODY, connections=16, seconds=SECONDS)
                    theirs[name] = max(theirs.get(name, 0.0), one.rate)
    return [
        *(Figure(f"peers.nodered_{name}.c16.rate", rate, "1/s") for name, rate in theirs.items()),
        *(Figure(f"peers.agentbase_{name}.c16.rate", rate, "1/s", theirs[name]) for name, rate in ours.items()),
    ]


async def _ours(flow: Any) -> str:
    workspace, id, _ = await a_version(flow)
    return await hooks.address(workspace, id)


def _installed() -> None:
    if (PLACE / "node_modules" / "node-red").exists():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm is not there, so Node-RED can't be installed.")
    PLACE.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [
            npm,
            "install",
            "--prefix",
            PLACE,
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
            f"node-red@{VERSION}",
            f"node@{NODE}",
        ],
        check=True,
    )


@contextmanager
def node_red() -> Iterator[tuple[int, int]]:
    """Node-RED with the same flows: its port and its process."""
    port, home = free_port(), PLACE / "home"
    home.mkdir(exist_ok=True)
    (home / "flows.json").write_bytes(msgspec.json.encode(_flows()))
    settings = {"flowFile": "flows.json", "logging": {"console": {"level": "warn"}}, "httpAdminRoot": False}
    (home / "settings.js").write_text(f"module.exports = {msgspec.json.encode(settings).decode()}\n")
    red = PLACE / "node_modules" / "node-red" / "red.js"
    command = [PLACE / "node_modules" / "node" / "bin" / "node", red, "--userDir", home, "--port", str(port)]
    with (home / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            _until_answers(port)
            yield port, server.pid
        finally:
            server.terminate()


def _flows() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [{"id": "tab", "type": "tab", "label": "bench"}]
    for n in NODES:
        made += _chain(f"{n}", n, _function)
    for n in (10, 50):
        made += _chain(f"change_{n}", n, _change)
    ends = [f"fan.{i}" for i in range(100)]
    made += [_door("fan_out", ends), *(_function(id, "fan.join", i) for i, id in enumerate(ends))]
    array = {"mode": "custom", "build": "array", "property": "payload", "propertyType": "msg", "count": "100"}
    made.append({"id": "fan.join", "type": "join", "z": "tab", **array, "wires": [["fan.end"]]})
    return [*made, _reply("fan.end")]


def _chain(name: str, nodes: int, kind: Any) -> list[dict[str, Any]]:
    """The door, `nodes` nodes, the reply: as Node-RED counts, whose door and reply are nodes of their own."""
    ids = [*(f"{name}.{i}" for i in range(nodes)), f"{name}.end"]
    inner = [kind(id, after, i) for i, (id, after) in enumerate(pairwise(ids))]
    return [_door(name, [ids[0]]), *inner, _reply(ids[-1])]


def _door(name: str, to: list[str]) -> dict[str, Any]:
    return {"id": f"{name}.in", "type": "http in", "z": "tab", "url": f"/{name}", "method": "post", "wires": [to]}


def _reply(id: str) -> dict[str, Any]:
    return {"id": id, "type": "http response", "z": "tab", "statusCode": "200", "wires": []}


def _function(id: str, after: str, number: int) -> dict[str, Any]:
    code = f"msg.payload = {{...msg.payload, n{number % 3}: '{number}'}}; return msg;"
    return {"id": id, "type": "function", "z": "tab", "func": code, "outputs": 1, "wires": [[after]]}


def _change(id: str, after: str, number: int) -> dict[str, Any]:
    rule = {"t": "set", "p": f"payload.n{number % 3}", "pt": "msg", "to": str(number), "tot": "str"}
    return {"id": id, "type": "change", "z": "tab", "rules": [rule], "wires": [[after]]}


def _until_answers(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("POST", "/1", BODY, {"content-type": "application/json"})
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"Node-RED did not start: {(PLACE / 'home' / 'log').read_text()[-1000:]}")


if __name__ == "__main__":
    for figure in figures():
        print(msgspec.json.encode(figure.line()).decode(), flush=True)
    sys.exit(0)
