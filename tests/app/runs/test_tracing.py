"""Spans of ended runs arrive at a real receiver over HTTP, by the conventions, without what people wrote."""

from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import msgspec
import pytest

from app import config
from app.db import system_tx
from app.runs import service, tracing
from tests.factories.accounts import an_actor
from tests.factories.runs import a_chain, a_version

pytest.importorskip("opentelemetry.sdk")


@pytest.fixture
def receiver(settings, monkeypatch):
    """An OTLP receiver: what came in, and what it answers."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    got: dict = {"requests": [], "headers": [], "answer": 200}

    class Receiving(BaseHTTPRequestHandler):
        def do_POST(self):
            import gzip

            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            got["headers"].append((self.path, self.headers.get("x-team")))
            if got["answer"] == 200:
                got["requests"].append(ExportTraceServiceRequest.FromString(body))
            self.send_response(got["answer"])
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiving)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(tracing, "BEHIND", timedelta(0))
    endpoint = f"http://127.0.0.1:{server.server_port}"
    with config.using(otlp_endpoint=endpoint, otlp_headers=config.Secret("x-team=garden")):
        yield got
    server.shutdown()


def spans_in(got):
    return [
        span
        for request in got["requests"]
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def attributes(span):
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}


async def begin():
    async with system_tx("test") as tx:
        await tx.execute("delete from run_followed where name = 'spans'")
    await tracing.send_spans()  # remembers where to begin


async def test_a_run_and_its_steps_arrive_as_spans_of_one_trace(engine, receiver):
    await begin()
    actor = await an_actor()
    _, flow, version = await a_version(a_chain(4, name="Order mailbox", start="start.api"), actor.workspace_id)
    run = (await service.answer(actor, version, {"order": "very private"}, trigger="api")).run_id
    records = [
        {"node": "start", "status": "succeeded", "output": {"input": {}, "values": {}}},
        {"node": "s0", "status": "succeeded", "began": 5, "ms": 20,
         "output": {"model": "mistral-small", "text": "private"},
         "usage": {"prompt_tokens": 12, "completion_tokens": 3, "cost_micros": 270}},
        {"node": "s1", "status": "failed", "ms": 1, "fault": {"message": "It refused the key."}},
        {"node": "answer", "status": "skipped"},
    ]  # fmt: skip
    async with system_tx("test") as tx:
        await tx.execute(
            "update run set steps = $2, prompt_tokens = 12, completion_tokens = 3, cost_micros = 270 where id = $1",
            run,
            msgspec.json.encode(records).decode(),
        )
    assert await tracing.send_spans() >= 1
    assert receiver["headers"][0] == ("/v1/traces", "garden")
    mine = [span for span in spans_in(receiver) if span.trace_id == run.bytes]
    top, *steps = mine
    assert top.name == "run Order mailbox" and not top.parent_span_id
    assert {step.parent_span_id for step in steps} == {top.span_id} and len(steps) == 3
    said = attributes(top)
    assert (said["agentbase.flow.id"], said["gen_ai.usage.input_tokens"]) == (str(flow), 12)
    chat = next(step for step in steps if step.name == "chat mistral-small")
    told = attributes(chat)
    assert (told["gen_ai.operation.name"], told["gen_ai.request.model"]) == ("chat", "mistral-small")
    assert (told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"]) == (12, 3)
    assert chat.end_time_unix_nano - chat.start_time_unix_nano == 20_000_000
    failed = next(step for step in steps if step.status.code == 2)
    assert failed.status.message == "It refused the key."
    assert "private" not in str(mine)


async def test_what_the_receiver_did_not_take_comes_again_as_the_same_spans(engine, receiver):
    await begin()
    actor = await an_actor()
    _, _, version = await a_version(a_chain(3, start="start.api"), actor.workspace_id)
    run = (await service.answer(actor, version, {}, trigger="api")).run_id
    receiver["answer"] = 400
    with pytest.raises(ConnectionError, match="did not take"):
        await tracing.send_spans()
    receiver["answer"] = 200
    assert await tracing.send_spans() >= 1
    assert next(span.name for span in spans_in(receiver) if span.trace_id == run.bytes) == "run chain"
    before = len(receiver["requests"])
    assert await tracing.send_spans() == 0 and len(receiver["requests"]) == before


async def test_without_an_endpoint_nothing_is_loaded_or_asked(engine, statements):
    statements.clear()
    assert await tracing.send_spans() == 0
    assert not statements
