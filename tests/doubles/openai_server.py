"""A fake OpenAI-compatible server: raw ASGI, scripted, fast enough to measure other things with it.

Run by hand: `python -m tests.doubles.openai_server --port 9100 --first-token-ms 40 --tokens-per-second 80`.
In tests: `with FakeOpenAI.running() as fake: fake.script(Answer(status=429, retry_after=2)); ... fake.url`.

Routes: GET /v1/models, POST /v1/chat/completions (stream and not), POST /v1/embeddings, and for the one who scripts it
from outside: PUT /_script (JSON of `Settings`), GET /_calls (what arrived), DELETE /_calls.
"""

import argparse
import asyncio
import hashlib
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from tests.doubles.openai_script import Answer, Model, SeenCall, Settings, default_text, pieces_of, words_in

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
_encode = msgspec.json.Encoder().encode


class FakeOpenAI:
    """The ASGI application and its script. One instance is one server; safe to script from another thread."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.calls: list[SeenCall] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.url = ""

    def script(self, *answers: Answer) -> None:
        """Queue answers: the next calls to /chat/completions or /embeddings get them in this order."""
        self.settings.queue.extend(answers)

    def always(self, answer: Answer) -> None:
        self.settings.default = answer

    def reset(self) -> None:
        self.settings, self.calls, self.in_flight, self.most_in_flight = Settings(), [], 0, 0

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        path, method = scope["path"], scope["method"]
        raw = await _body(receive)
        if path == "/_script" and method == "PUT":
            self.settings = msgspec.json.decode(raw, type=Settings)
            return await _json(send, 200, {"ok": True})
        if path == "/_calls":
            if method == "DELETE":
                self.calls = []
            return await _json(send, 200, {"calls": self.calls, "most_in_flight": self.most_in_flight})
        key = dict(scope["headers"]).get(b"authorization", b"").decode().removeprefix("Bearer ")
        if self.settings.keys and key not in self.settings.keys:
            self.calls.append(SeenCall(path, key, {}, 401))
            return await _json(send, 401, _error(401, f"Incorrect API key provided: {key}.", "invalid_api_key"))
        if path == "/v1/models" and method == "GET":
            self.calls.append(SeenCall(path, key, {}, 200))
            return await _json(send, 200, {"object": "list", "data": [_model(m) for m in self.settings.models]})
        if path in ("/v1/chat/completions", "/v1/embeddings") and method == "POST":
            return await _until_gone(receive, self._answer(path, key, raw, send))
        return await _json(send, 404, _error(404, f"Unknown request URL: {method} {path}.", "unknown_url"))

    async def _answer(self, path: str, key: str, raw: bytes, send: Send) -> None:
        body = msgspec.json.decode(raw)
        answer = self.settings.queue.pop(0) if self.settings.queue else self.settings.default
        self.calls.append(SeenCall(path, key, body, answer.status))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if answer.hang:
                await asyncio.sleep(3600)
            if answer.first_token_ms:
                await asyncio.sleep(answer.first_token_ms / 1000)
            if answer.status != 200:
                extra = [] if answer.retry_after is None else [(b"retry-after", f"{answer.retry_after:g}".encode())]
                return await _json(send, answer.status, _error(answer.status, answer.error), extra)
            if answer.malformed:
                return await _start_and_end(send, 200, b"<html>bad gateway</html>", b"text/html", [])
            if path == "/v1/embeddings":
                return await _json(send, 200, self._embeddings(body))
            if body.get("stream"):
                return await _stream(send, body, answer)
            if answer.tokens_per_second:
                await asyncio.sleep(len(pieces_of(_text(answer, body))) / answer.tokens_per_second)
            return await _json(send, 200, _completion(body, answer))
        finally:
            self.in_flight -= 1

    def _embeddings(self, body: dict[str, Any]) -> dict[str, Any]:
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        vectors = [_vector(text, self.settings.embedding_size) for text in texts]
        data = [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(vectors)]
        tokens = words_in(body)
        return {"object": "list", "data": data, "model": body["model"], "usage": {"prompt_tokens": tokens}}

    @classmethod
    @contextmanager
    def running(cls, settings: Settings | None = None, port: int = 0) -> Iterator["FakeOpenAI"]:
        """The server in a thread with a loop of its own, on a free port, until the block ends."""
        fake = cls(settings)
        loop, ready = asyncio.new_event_loop(), threading.Event()
        chosen = port or _free_port()
        fake.url = f"http://127.0.0.1:{chosen}/v1"
        thread = threading.Thread(target=_serve_in_thread, args=(loop, fake, chosen, ready), daemon=True)
        thread.start()
        if not ready.wait(10):
            raise RuntimeError(f"The fake model server did not come up on port {chosen} within 10 s.")
        try:
            yield fake
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(5)


def _text(answer: Answer, body: dict[str, Any]) -> str:
    if answer.text is not None:
        return answer.text
    return "" if answer.tool_calls else default_text(body)


def _usage(body: dict[str, Any], answer: Answer) -> dict[str, int] | None:
    if answer.usage is False:
        return None
    prompt, completion = words_in(body), len(pieces_of(_text(answer, body)))
    if isinstance(answer.usage, tuple):
        prompt, completion = answer.usage
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _tool_calls(answer: Answer) -> list[dict[str, Any]]:
    return [
        {
            "index": i,
            "id": f"call_{i}",
            "type": "function",
            "function": {"name": call.name, "arguments": _encode(call.arguments).decode()},
        }
        for i, call in enumerate(answer.tool_calls)
    ]


def _completion(body: dict[str, Any], answer: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": _text(answer, body) or None}
    if answer.tool_calls:
        message["tool_calls"] = _tool_calls(answer)
    finish = "tool_calls" if answer.tool_calls else answer.finish_reason
    reply: dict[str, Any] = {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
    }
    usage = _usage(body, answer)
    return {**reply, "usage": usage} if usage else reply


async def _stream(send: Send, body: dict[str, Any], answer: Answer) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    head = {
        "id": "chatcmpl-fake",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": body["model"],
    }
    pieces = pieces_of(_text(answer, body))
    start, gap = time.perf_counter(), 1 / answer.tokens_per_second if answer.tokens_per_second else 0
    for i, piece in enumerate(pieces):
        if answer.cut_after is not None and i >= answer.cut_after:
            return await _end(send)
        if gap and (wait := start + i * gap - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        await _event(send, {**head, "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
    for call in _tool_calls(answer):
        halves = call["function"]["arguments"]
        middle = len(halves) // 2
        first = {**call, "function": {"name": call["function"]["name"], "arguments": halves[:middle]}}
        second = {"index": call["index"], "function": {"arguments": halves[middle:]}}
        for part in (first, second):
            await _event(
                send, {**head, "choices": [{"index": 0, "delta": {"tool_calls": [part]}, "finish_reason": None}]}
            )
    finish = "tool_calls" if answer.tool_calls else answer.finish_reason
    await _event(send, {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    usage = _usage(body, answer)
    if usage and (body.get("stream_options") or {}).get("include_usage"):
        await _event(send, {**head, "choices": [], "usage": usage})
    await send({"type": "http.response.body", "body": b"data: [DONE]\n\n", "more_body": True})
    await _end(send)


def _error(status: int, error: str | dict[str, Any], code: str = "") -> dict[str, Any]:
    if isinstance(error, dict):
        return {"error": error}
    usual = {
        401: "Incorrect API key provided.",
        429: "Rate limit reached for requests.",
        500: "The server had an error.",
    }
    return {"error": {"message": error or usual.get(status, f"Error {status}."), "type": "fake", "code": code or None}}


def _model(model: Model) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": model.id, "object": "model", "created": 0, "owned_by": "fake"}
    if model.context:
        entry["context_length"] = model.context
    if model.prompt_usd or model.completion_usd:
        entry["pricing"] = {"prompt": model.prompt_usd or "0", "completion": model.completion_usd or "0"}
    if model.embeds:
        entry["architecture"] = {"output_modalities": ["embeddings"]}
    entry["supported_parameters"] = ["tools", "response_format"] if model.tools else ["response_format"]
    return entry


def _vector(text: str, size: int) -> list[float]:
    """The same text gives the same vector of length 1, another text another one."""
    digest = hashlib.sha256(text.encode()).digest()
    raw = [(digest[i % 32] - 127.5) / 127.5 for i in range(size)]
    length = sum(x * x for x in raw) ** 0.5
    return [x / length for x in raw]


async def _until_gone(receive: Receive, answering: Coroutine[Any, Any, None]) -> None:
    """Answer, but stop as a real server does when the caller hangs up."""
    answer = asyncio.ensure_future(answering)
    gone = asyncio.ensure_future(_disconnected(receive))
    await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
    for task in (gone, answer):
        task.cancel()
    await asyncio.gather(answer, gone, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _json(send: Send, status: int, value: Any, extra: list[tuple[bytes, bytes]] | None = None) -> None:
    await _start_and_end(send, status, _encode(value), b"application/json", extra or [])


async def _start_and_end(
    send: Send, status: int, body: bytes, media_type: bytes, extra: list[tuple[bytes, bytes]]
) -> None:
    headers = [(b"content-type", media_type), (b"content-length", str(len(body)).encode()), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _event(send: Send, value: Any) -> None:
    await send({"type": "http.response.body", "body": b"data: " + _encode(value) + b"\n\n", "more_body": True})


async def _end(send: Send) -> None:
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _serve(fake: FakeOpenAI, host: str, port: int) -> None:
    from granian.constants import Interfaces
    from granian.server.embed import Server

    server = Server(fake, address=host, port=port, interface=Interfaces.ASGI, log_enabled=False, websockets=False)
    await server.serve()


def _serve_in_thread(loop: asyncio.AbstractEventLoop, fake: FakeOpenAI, port: int, ready: threading.Event) -> None:
    asyncio.set_event_loop(loop)
    loop.create_task(_serve(fake, "127.0.0.1", port))
    loop.create_task(_announce(port, ready))
    loop.run_forever()


async def _announce(port: int, ready: threading.Event) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            ready.set()
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--text", help="answer every call with this text instead of an echo")
    parser.add_argument("--first-token-ms", type=float, default=0)
    parser.add_argument("--tokens-per-second", type=float, default=0)
    parser.add_argument("--key", action="append", default=[], help="accept only these keys")
    given = parser.parse_args()
    standing = Answer(text=given.text, first_token_ms=given.first_token_ms, tokens_per_second=given.tokens_per_second)
    fake = FakeOpenAI(Settings(default=standing, keys=given.key))
    asyncio.run(_serve(fake, given.host, given.port))


if __name__ == "__main__":
    main()
