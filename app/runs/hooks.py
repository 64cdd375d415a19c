"""POST /hooks/{token}: a webhook's own address. Plain ASGI in front of the framework: this is the busiest door of all.

The token in the address is the proof, so there is no session, no cookie and no CSRF here. What is checked: the token
(by its hash), the method, the size while reading. What happens: an express flow runs at once and its record is
committed before the answer; any other flow is stored, and the caller waits or gets 202, as the webhook step says.
"""

import asyncio
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from msgspec import Struct

from app import clock, metrics
from app.errors import Conflict, DomainError
from app.logs import logger
from app.runs import doors, express, service, stages
from app.runs.running import Ready, host
from app.runs.versions import token_hash

log = logger(__name__)

PREFIX = "/hooks/"
MOST_BODY = 1_000_000
"""Bytes of a request's body."""
REMEMBERED = 1.0
"""Seconds for which an address is not looked up again: what was published or switched off is felt within this time."""
MOST_REMEMBERED = 10_000
PATIENCE = 30.0
"""Seconds a caller waits for a durable flow before it gets 202 and the run's id."""
SLOW_BODY = 20.0
"""Seconds a caller may take to send its body."""
PRIVATE = frozenset({b"authorization", b"cookie", b"proxy-authorization"})
"""Headers that are not handed to the flow: they would be kept in the record of the run."""

LOOK_UP = """
select t.id, t.workspace_id, t.flow_id, t.node_id, t.paced, l.version_id,
       (select count(*) from trigger o where o.flow_id = t.flow_id and o.kind = 'webhook' and o.enabled
           and o.environment_id is null) as alike
  from trigger t join flow_live l on l.flow_id = t.flow_id
 where t.token_hash = $1 and t.kind = 'webhook' and t.enabled and not t.paused
"""


class Target(Struct, frozen=True):
    """What an address starts. `at_once`: the caller gets 202 and does not wait. `paced`: so with a pace, too."""

    trigger_id: UUID
    ready: Ready
    at_once: bool
    until: float
    node: str
    guard: UUID
    start: str = "webhook"
    method: str = "POST"
    most: int = MOST_BODY
    signed: bool = False
    raw: bool = False
    settings: Any = None
    paced: doors.Hook | None = None


class Refusal(Exception):
    def __init__(
        self, status: int, title: str, detail: str = "", headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        self.status, self.title, self.detail, self.headers = status, title, detail, headers


_known: dict[str, Target] = {}
_asking: dict[str, "asyncio.Task[Target]"] = {}
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


async def hook(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI application of everything under /hooks/."""
    began = clock.monotonic()
    try:
        status, headers, body = await _answer(scope, receive)
    except Refusal as no:
        status, headers, body = _problem(no.status, no.title, no.detail, no.headers)
    except DomainError as problem:
        retry = getattr(problem, "retry_after", 0)
        more = ((b"retry-after", str(retry).encode()),) if retry else ()
        status, headers, body = _problem(problem.status, problem.message, problem.remedy, more)
    except Exception:  # the outermost handler of these requests: they never reach the one in app/web/errors.py
        log.exception("a webhook could not be answered")
        status, headers, body = _problem(503, "This can't be answered at the moment.", "Send it again.", RETRY)
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
    method = "POST" if scope["method"] == "POST" else "other"  # a label that callers can't make up
    metrics.request("/hooks/{token}", method, status, clock.monotonic() - began)


RETRY = ((b"retry-after", b"2"),)


async def _answer(scope: Any, receive: Any) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    token = scope["path"][len(PREFIX) :]
    target = _known.get(token)
    if target is None or target.until <= clock.monotonic():
        target = await _looked_up(token)
    if scope["method"] != target.method and (target.method != "any" or scope["method"] not in METHODS):
        takes = target.method if target.method != "any" else ", ".join(sorted(METHODS))
        raise Refusal(405, f"This address takes {takes}.", headers=((b"allow", takes.encode()),))
    headers = {name: value for name, value in scope["headers"] if name not in PRIVATE}
    body = await _body(headers, receive, target.most)
    delivery = ""
    if target.signed:
        admitted = await _admitted(target, headers, body)
        if admitted.answer is not None:
            return 200, [(b"content-type", b"text/plain; charset=utf-8"), NOSNIFF], admitted.answer
        headers, delivery = doors.handed_on(headers), admitted.delivery
    query = (
        dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        if scope["query_string"]
        else {}
    )
    sent = {
        "method": scope["method"],
        "headers": {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()},
        "query": query,
        "body": read_body(body),
    }
    if target.raw:
        sent["raw"] = body.decode("utf-8", "replace")
    key = delivery.encode() or headers.get(b"idempotency-key") or headers.get(b"webhook-id") or b""
    if len(key) > 200:
        raise Refusal(400, "The idempotency key is longer than 200 characters.")
    if target.paced is not None:
        return await _paced(target.paced, key.decode("latin-1"), sent)
    own_key = f"{target.trigger_id}:{key.decode('latin-1')}" if key else ""
    try:
        return await _run(target, sent, own_key)
    except Conflict as problem:
        if not delivery or problem.code != "idempotency_key_reused":
            raise
        # the sender tries the same delivery again, with other headers: it has had its effect
        return 200, [JSON], _encode({"status": "seen before"})


async def _paced(hook: doors.Hook, key: str, sent: Any) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    done = await doors.paced(hook, key, sent)
    retry = [(b"retry-after", str(done.retry).encode())] if done.retry else []
    if done.status >= 400:
        code, headers, body = _problem(done.status, done.told["status"], "", tuple(retry))
        return code, headers, body
    return done.status, [JSON], _encode(done.told)


async def _run(target: Target, sent: Any, own_key: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    workspace, ready = target.ready.workspace_id, await _for_caller(target, own_key)
    if target.at_once:
        run = await service.start(
            workspace, ready.version_id, sent, trigger=target.start, idempotency_key=own_key,
            trigger_id=target.trigger_id,
        )  # fmt: skip
        return 202, [JSON, (b"x-run", str(run).encode())], _encode({"run": str(run), "status": "queued"})
    if ready.plan.express and await ready.runs_here():
        request = express.Request(
            ready, sent, target.start, None, own_key, trigger_id=target.trigger_id, patience=PATIENCE
        )
        done = await express.run(host(), request)
        return _reply(done.run_id, done.status, done.output, done.text)
    outcome = await service.answer(
        workspace, ready.version_id, sent, trigger=target.start, idempotency_key=own_key,
        trigger_id=target.trigger_id, patience=PATIENCE,
    )  # fmt: skip
    if outcome.answered:
        return _reply(outcome.run_id, "succeeded", outcome.output, None)
    if not outcome.over and outcome.status != "in_doubt":
        told = {"run": str(outcome.run_id), "status": outcome.status}
        return 202, [JSON, (b"x-run", str(outcome.run_id).encode())], _encode(told)
    return _reply(outcome.run_id, outcome.status, outcome.output, None)


async def _for_caller(target: Target, own_key: str) -> Ready:
    """The live version, or the one that is rolled out. Asks memory only; the door itself stays that of the live one."""
    version = host().rollouts.pick(target.ready.flow_id, target.ready.version_id, own_key)
    if version == target.ready.version_id:
        return target.ready
    try:
        ready = await host().ready(version)
    except DomainError as problem:
        log.warning("the version that is rolled out can't run", version=str(version), why=str(problem))
        return target.ready
    return ready if any(step.id == target.node for step in ready.plan.all_steps()) else target.ready


JSON = (b"content-type", b"application/json")
NOSNIFF = (b"x-content-type-options", b"nosniff")
SANDBOX = (b"content-security-policy", b"sandbox; default-src 'none'")
"""What a flow answers never runs as a page of ours, whatever content type it has."""


async def _admitted(target: Target, headers: dict[bytes, bytes], body: bytes) -> doors.Admitted:
    """Raises Refusal(401), which says nothing about what was wrong: that is on the trigger's page."""
    try:
        return await doors.admitted(target.guard, target.ready.workspace_id, target.settings, headers, body)
    except doors.Forged:
        raise Refusal(401, "The signature of this call was not accepted.") from None


def _own_headers(said: Any) -> list[tuple[bytes, bytes]]:
    """Headers that the answer step sets: those left that can't change how the answer is read or kept."""
    given = said.get("headers") if isinstance(said, dict) else getattr(said, "headers", None)
    if not given:
        return []
    found = []
    for name, value in given.items():
        low = str(name).lower()
        if (low.startswith("x-") and low not in OURS) or low in SETTABLE:
            found.append((low.encode("latin-1", "replace"), str(value).encode("latin-1", "replace")))
    return [(name, value) for name, value in found if not any(sign in name + value for sign in b"\r\n\0")]


SETTABLE = frozenset({"cache-control", "content-language", "etag", "last-modified", "location", "retry-after", "vary"})
OURS = frozenset({"x-run", "x-content-type-options", "x-frame-options"})
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


def _reply(run: UUID, status: str, output: Any, text: str | None) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """The result of the run as the answer step wants it sent; a run without a result says only that it is done."""
    told = (b"x-run", str(run).encode())
    if status != "succeeded":
        words = f"The flow could not answer. Its owner finds the reason in run {run}."
        code, headers, body = _problem(500, words, "", ())
        return code, [*headers, told], body
    said = output if isinstance(output, dict) else None
    code = int((said.get("status", 200) if said else getattr(output, "status", 200)) or 200)
    kind = str((said.get("content_type", "") if said else getattr(output, "content_type", "")) or "")
    if kind:
        plain = str((said.get("text", "") if said else getattr(output, "text", "")) or "")
        typed = (b"content-type", kind.encode("latin-1"))
        return code, [typed, NOSNIFF, SANDBOX, told, *_own_headers(output)], plain.encode()
    body = text.encode() if text is not None else _encode(output)
    return code, [JSON, told, *_own_headers(output)], body


async def _looked_up(token: str) -> Target:
    """One request at a time looks an address up; those that come meanwhile wait for its answer. Raises as `_target`."""
    task = _asking.get(token)
    if task is None:
        task = _asking[token] = asyncio.get_running_loop().create_task(_target(token))
        task.add_done_callback(lambda _: _asking.pop(token, None))
    return await asyncio.shield(task)  # a caller that leaves does not take the answer from the others


async def _target(token: str) -> Target:
    """Raises Refusal(404) for an address that is unknown, switched off, or of a flow that is not published."""
    row = None
    if len(token) == 43 and token.isascii():
        proof = token_hash(token)
        row = await host().pool.fetchrow(LOOK_UP, proof) or await host().pool.fetchrow(stages.LOOK_UP, proof)
    if row is None:
        _known.pop(token, None)
        raise Refusal(404, "There is nothing at this address.")
    await host().rollouts.look()
    try:
        ready = await host().ready(row["version_id"])
    except DomainError as problem:
        log.warning("the flow behind a webhook can't run", flow=str(row["flow_id"]), why=str(problem))
        raise Refusal(503, "The flow behind this address can't run at the moment.", headers=RETRY) from None
    step = next((step for step in ready.plan.all_steps() if step.id == row["node_id"]), None)
    asked = step.settings if step is not None else None
    if len(_known) >= MOST_REMEMBERED:
        _known.clear()
    made = _known[token] = Target(
        row["id"],
        ready,
        getattr(asked, "answer", "result") == "at once",
        clock.monotonic() + REMEMBERED,
        row["node_id"],
        row.get("guard", row["id"]),  # an address of another environment is signed with the same secret
        "webhook" if row["alike"] < 2 else f"webhook:{row['node_id']}",
        getattr(asked, "methods", "POST"),
        min(getattr(asked, "most_kb", 1000) * 1000, MOST_BODY),
        getattr(asked, "signature", "none") != "none",
        getattr(asked, "keep_raw", False),
        asked,
        doors.Hook(row["id"], row["workspace_id"], row["flow_id"], row["version_id"], row["node_id"], row["alike"])
        if row.get("paced")
        else None,
    )
    return made


async def _body(headers: dict[bytes, bytes], receive: Any, most: int) -> bytes:
    size = headers.get(b"content-length", b"0")
    if not size.isdigit() or int(size) > most:
        raise Refusal(413, f"At most {most:,} bytes are taken.")
    message = await receive()
    body: bytes = message.get("body", b"")
    # When all that was announced is here, the server still has to say "no more": a message, and a turn, of its own.
    if message["type"] == "http.request" and (not message.get("more_body") or len(body) == int(size) > 0):
        if len(body) > most:
            raise Refusal(413, f"At most {most:,} bytes are taken.")
        return body
    parts, total = [], 0
    try:
        async with asyncio.timeout(SLOW_BODY):
            while True:
                if message["type"] == "http.disconnect":
                    raise Refusal(400, "The request ended too early.")
                parts.append(message.get("body", b""))
                total += len(parts[-1])
                if total > most:
                    raise Refusal(413, f"At most {most:,} bytes are taken.")
                if not message.get("more_body"):
                    return b"".join(parts)
                message = await receive()
    except TimeoutError:
        raise Refusal(408, f"The body did not arrive within {SLOW_BODY:g} seconds.") from None


def read_body(body: bytes) -> Any:
    """JSON when it is JSON, else the text; nothing = None."""
    if not body:
        return None
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body.decode("utf-8", "replace")


def _problem(
    status: int, title: str, detail: str, headers: tuple[tuple[bytes, bytes], ...]
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    body = {"type": "about:blank", "title": title, "status": status, **({"detail": detail} if detail else {})}
    return status, [(b"content-type", b"application/problem+json"), *headers], _encode(body)
