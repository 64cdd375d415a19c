"""The webhook door: what it takes, what it answers, what it leaves on record."""

import asyncio

import msgspec
import pytest

from app.db import tenant_tx
from app.runs import hooks
from app.runs.versions import token
from flows.model import Edge, Flow, NodeUse
from tests.factories.runs import a_chain, a_version, a_worker, wait_for


async def address(workspace, flow):
    async with tenant_tx(workspace) as tx:
        row = await tx.fetchrow("select id, token_round from trigger where flow_id = $1", flow)
    return f"/hooks/{token(row['id'], row['token_round'])}"


async def call(path, body=b"{}", *, method="POST", headers=(), pieces=1):
    """One request through the plain ASGI door: (status, headers, body)."""
    size = max(1, len(body) // pieces)
    parts = [body[i : i + size] for i in range(0, len(body), size)] or [b""]
    messages = [{"type": "http.request", "body": p, "more_body": i < len(parts) - 1} for i, p in enumerate(parts)]
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": b"a=1&b=%20x", "headers": list(headers)}
    await hooks.hook(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


async def test_an_express_flow_answers_and_is_on_record(engine):
    workspace, flow, _ = await a_version(a_chain(4))
    path = await address(workspace, flow)
    secret = [(b"authorization", b"Bearer x"), (b"x-from", b"shop")]
    status, headers, body = await call(path, b'{"a": 1}', headers=secret, pieces=3)
    assert (status, headers[b"content-type"]) == (200, b"application/json")
    assert msgspec.json.decode(body)["data"] == {"a": 1, "n0": "0", "n1": "1"}
    async with tenant_tx(workspace) as tx:
        row = await tx.fetchrow("select * from run where id = $1", headers[b"x-run"].decode())
    assert msgspec.json.decode(row["input"]) == {
        "method": "POST",
        "headers": {"x-from": "shop"},
        "query": {"a": "1", "b": " x"},
        "body": {"a": 1},
    }


@pytest.mark.parametrize("path", ["/hooks/", "/hooks/x", "/hooks/" + "A" * 43, "/hooks/../" + "A" * 40])
async def test_an_unknown_address_is_404_as_problem_json(engine, path):
    status, headers, _ = await call(path)
    assert (status, headers[b"content-type"]) == (404, b"application/problem+json")


async def test_too_large_wrong_method_and_long_keys_are_refused(engine):
    workspace, flow, _ = await a_version(a_chain(3))
    path = await address(workspace, flow)
    assert (await call(path, method="GET"))[0] == 405
    assert (await call(path, headers=[(b"content-length", b"99999999")]))[0] == 413
    assert (await call(path, b"x" * 1_000_001, pieces=4))[0] == 413
    assert (await call(path, headers=[(b"idempotency-key", b"k" * 201)]))[0] == 400


async def test_the_same_key_at_the_same_moment_is_one_run(engine):
    workspace, flow, _ = await a_version(a_chain(3))
    path = await address(workspace, flow)
    key = [(b"webhook-id", b"evt_1")]
    answers = await asyncio.gather(*(call(path, b'{"n": 1}', headers=key) for _ in range(8)))
    assert {status for status, _, _ in answers} == {200}
    assert len({headers[b"x-run"] for _, headers, _ in answers}) == 1
    async with tenant_tx(workspace) as tx:
        assert await tx.fetchval("select count(*) from run where flow_id = $1", flow) == 1
    assert (await call(path, b'{"n": 2}', headers=key))[0] == 409


async def test_at_once_answers_202_and_a_worker_runs_it(engine):
    made = a_chain(3)
    made.nodes[0] = NodeUse("start", "start.webhook", settings={"answer": "at once"})
    workspace, flow, _ = await a_version(made)
    status, _, body = await call(await address(workspace, flow))
    assert status == 202
    async with a_worker():
        await wait_for(workspace, msgspec.json.decode(body)["run"], "succeeded")


async def test_a_failing_flow_says_which_run_and_not_why(engine):
    flow = Flow(
        [
            NodeUse("start", "start.webhook"),
            NodeUse("parse", "data.json"),
            NodeUse("answer", "show.answer"),
        ],
        [Edge("start.body", "parse.source"), Edge("parse.value", "answer.data")],
    )
    workspace, flow_id, _ = await a_version(flow)
    status, headers, body = await call(await address(workspace, flow_id), b'"no json at all"')
    problem = msgspec.json.decode(body)
    assert status == 500 and headers[b"x-run"].decode() in problem["title"] and "json" not in problem["title"].lower()


async def test_an_archived_flow_is_not_there_any_more(engine, monkeypatch):
    from app.runs import service

    monkeypatch.setattr(hooks, "REMEMBERED", 0.0)
    workspace, flow, _ = await a_version(a_chain(3))
    path = await address(workspace, flow)
    assert (await call(path))[0] == 200
    async with tenant_tx(workspace) as tx:
        await service.take_down(tx, flow)
    assert (await call(path))[0] == 404
