"""How long pages take through the real server: one reader, one connection, a workspace with flows and runs in it.

`cpu` is the web process's own CPU time a page: other work on the machine stretches the times, but hardly this.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.bench.figure import Figure
from tests.instance import Instance

GOAL_MS = 50.0
CPU_MS = 15.0
WARM, ROUNDS = 10, 200
FLOWS, RUNS = 30, 300


def figures() -> Iterator[Figure]:
    with (
        tempfile.TemporaryDirectory(prefix="agentbase-bench-") as folder,
        Instance(Path(folder, "data"), env={"AGENTBASE_LOCAL_MODEL": "off"}) as it,
    ):
        flow, run, slug = _furnished(it)
        web = psutil.Process(it.process_of("app.cli web"))
        cookie = {"Cookie": it.sign_in()}
        site = {"Host": f"{slug}.localhost:{it.port}"}
        pages: tuple[tuple[str, str, dict[str, str]], ...] = (
            ("home", "/", cookie),
            ("flows", "/flows", cookie),
            ("canvas", f"/flows/{flow}", cookie),
            ("runs", "/runs", cookie),
            ("run", f"/runs/{run}", cookie),
            ("connections", "/connections", cookie),
            ("needs_you", "/needs-you", cookie),
            ("search", "/palette?q=sum", cookie),
            ("site", "/", site),
        )
        for name, path, headers in pages:
            busy = sum(web.cpu_times()[:2])
            times = _times(it, path, headers)
            cpu = (sum(web.cpu_times()[:2]) - busy) / (WARM + ROUNDS) * 1000
            yield Figure(f"page.{name}.p50", statistics.median(times), "ms", GOAL_MS)
            yield Figure(f"page.{name}.p95", statistics.quantiles(times, n=20)[-1], "ms", GOAL_MS)
            yield Figure(f"page.{name}.cpu", cpu, "ms", CPU_MS)


def _times(it: Instance, path: str, headers: dict[str, str]) -> list[float]:
    """Milliseconds from sending the request to having the whole answer, ROUNDS times."""
    connection = HTTPConnection("127.0.0.1", it.port, timeout=30)
    times = []
    for _ in range(WARM + ROUNDS):
        began = time.perf_counter()
        connection.request("GET", path, headers={"Accept": "text/html", **headers})
        answer = connection.getresponse()
        body = answer.read()
        times.append((time.perf_counter() - began) * 1000)
        assert answer.status == 200 and len(body) > 1_000, (path, answer.status, body[:200])
    connection.close()
    return times[WARM:]


def _furnished(it: Instance) -> tuple[str, str, str]:
    """Flows, published, with runs, and a site with the chat starter: (that starter's flow, a run, the site's slug)."""
    headers = {"authorization": f"Bearer {it.command('key', 'create')}"}
    with httpx.Client(base_url=f"{it.url}/api/v1", headers=headers, timeout=60) as api:
        for _ in range(FLOWS):
            last = _published(api, _sums())
        for number in range(RUNS):
            ran = api.post(f"/flows/{last}/runs", json={"input": {"n": number}, "wait": True})
            assert ran.json()["status"] == "succeeded", ran.text
        run = ran.json()["id"]
    cookie = it.sign_in()
    with httpx.Client(base_url=it.url, headers={"cookie": cookie, "origin": it.url}, timeout=60) as browser:
        page = browser.get("/start").text
        token = page.partition('name="_csrf" value="')[2].partition('"')[0]
        made = browser.post("/flows", data={"starter": "chat-assistant", "_csrf": token})
        assert made.status_code == 303, made.text[:500]
    flow = made.headers["location"].rpartition("/")[2]
    with httpx.Client(base_url=f"{it.url}/api/v1", headers=headers) as api:
        return flow, run, api.get("/site").json()["slug"]


def _published(api: httpx.Client, document: dict[str, Any]) -> str:
    flow: str = api.post("/flows", json={"document": document}).json()["id"]
    answer = api.post(f"/flows/{flow}/versions", json={"name": "First"})
    assert answer.status_code == 201, answer.text
    return flow


def _sums() -> dict[str, Any]:
    """Start, eight steps, answer: a card with a picture worth drawing."""
    steps = [
        {
            "id": f"s{i}",
            "type": "data.set",
            "x": 280 * i + 280,
            "settings": {"fields": [{"name": f"n{i}", "text": "x"}]},
        }
        for i in range(8)
    ]
    nodes = [{"id": "start", "type": "start.api"}, *steps, {"id": "end", "type": "show.answer", "x": 2800}]
    edges = [{"from": "start.input", "to": "s0.object"}]
    edges += [{"from": f"s{i}.object", "to": f"s{i + 1}.object"} for i in range(7)]
    edges += [{"from": "s7.object", "to": "end.data"}]
    return {"format": 1, "name": "Sums", "nodes": nodes, "edges": edges}
