"""connect.http: one HTTP request."""

from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
from msgspec import Meta, Struct

from flows.sdk import (
    Advanced,
    ConnectionRef,
    Context,
    HttpReply,
    HttpRequest,
    NodeError,
    Secret,
    SecretPart,
    Template,
    lines,
    node,
    shown_when,
)
from flows.sdk.node import Effect

SAFE = frozenset({"GET", "HEAD"})
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})


class Pair(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(title="Name", min_length=1, max_length=200)]
    value: Annotated[Template, Meta(title="Value"), lines(1)] = ""


PLACES = {
    "header": "In a header", "bearer": "Bearer token", "basic": "Basic sign-in, as the password",
    "query": "In the address", "body": "In the body",
}  # fmt: skip


class SecretPlace(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a stored secret is put in when the request leaves."""

    name: Annotated[
        str,
        Meta(
            title="Name",
            description="Of the header, the parameter or the field; with a basic sign-in, of the user.",
            min_length=1,
            max_length=200,
        ),
    ] = "Authorization"
    secret: Annotated[Secret, Meta(title="Secret")] = ""
    before: Annotated[str, Meta(title="Before it", description="In a header, such as Token.", max_length=40)] = ""
    where: Annotated[
        Literal["header", "bearer", "basic", "query", "body"],
        Meta(title="Where", extra_json_schema={"x-labels": PLACES}),
    ] = "header"


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    method: Annotated[Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"], Meta(title="Method")] = "GET"
    url: Annotated[Template, Meta(title="Address", description="https://…; {{ name }} puts in an input."), lines(1)] = (
        ""
    )
    query: Annotated[list[Pair], Meta(title="Query", description="Added to the address.", max_length=50)] = []
    headers: Annotated[list[Pair], Meta(title="Headers", max_length=50)] = []
    body: Annotated[
        Template,
        Meta(title="Body", description="Text or JSON. Empty = the input 'body', as JSON."),
        shown_when("method", "POST", "PUT", "PATCH", "DELETE"),
        lines(6),
    ] = ""
    connection: Annotated[
        ConnectionRef, Meta(title="Connection", description="Its key signs requests to its own server.")
    ] = ""
    secrets: Annotated[
        list[SecretPlace],
        Meta(
            title="Secrets",
            description="Put in when the request leaves; neither the step nor its record has the value.",
            max_length=10,
        ),
    ] = []
    timeout: Annotated[float, Meta(gt=0, le=300, title="Time limit, in seconds"), Advanced] = 30
    fail_on_error: Annotated[
        bool, Meta(title="Stop on an error answer", description="400 and above stop the step."), Advanced
    ] = True
    idempotency_header: Annotated[
        str,
        Meta(
            title="Idempotency header",
            description="Such as Idempotency-Key, when the service promises to do a repeated request only once.",
            max_length=100,
        ),
        Advanced,
    ] = ""


class Inputs(Struct, frozen=True):
    body: Annotated[Any, Meta(description="Sent as JSON; text is sent as it is.")] = None


class Outputs(Struct, frozen=True):
    body: Annotated[Any, Meta(description="Read as JSON when it is JSON, else the text.")]
    status: int
    headers: dict[str, str]


def _effect(settings: Settings) -> Effect:
    """GET and HEAD change nothing; with an idempotency header the service itself makes sure of once."""
    return "idempotent" if settings.method in SAFE or settings.idempotency_header else "at_most_once"


@node(
    "connect.http",
    version=1,
    title="HTTP request",
    effect="at_most_once",
    icon="globe",
    needs=("http",),
    effect_of=_effect,
    summary=lambda settings: f"{settings.method} {settings.url}",
)
async def http(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Sends one HTTP request and gives the answer.

    A JSON answer is read; text stays text; anything else is refused. An input 'body' is sent as JSON unless the setting
    'Body' is filled in. With an idempotency header the step's key is sent along and the same for every try.

    Secrets are named here and put in when the request leaves: into a header, as a bearer token or a basic sign-in, into
    the address, or into a field of the body (a JSON object or a form). Where an answer repeats one, it reads [hidden].
    With a secret in the address or the body no redirect is followed.

    Raises NodeError(field="url") for an address that is none, NodeError with retry for busy services (408, 425, 429,
    5xx) when trying again is safe, NodeError without for other error answers.
    """
    reply = await ctx.http.send(_request(settings, inputs, ctx))
    if reply.status >= 400 and settings.fail_on_error:
        raise _refused(settings, reply)
    return Outputs(_read(reply), reply.status, {name.lower(): value for name, value in reply.headers.items()})


def _request(settings: Settings, inputs: Inputs, ctx: Context) -> HttpRequest:
    headers = {pair.name: pair.value for pair in settings.headers}
    names = {name.lower() for name in headers}
    body = b""
    if settings.method not in SAFE:
        text = settings.body
        if text.strip():
            body, kind = text.encode(), "application/json" if _is_json(text) else "text/plain; charset=utf-8"
        elif isinstance(inputs.body, str):
            body, kind = inputs.body.encode(), "text/plain; charset=utf-8"
        else:
            body, kind = (b"" if inputs.body is None else msgspec.json.encode(inputs.body)), "application/json"
        if body and "content-type" not in names:
            headers["Content-Type"] = kind
    if settings.idempotency_header:
        headers[settings.idempotency_header] = ctx.idempotency_key
    secrets, parts = _secrets(settings)
    url = _address(settings)
    return HttpRequest(settings.method, url, headers, body, settings.timeout, settings.connection, secrets, parts)


def _secrets(settings: Settings) -> tuple[dict[str, tuple[str, str]], tuple[SecretPart, ...]]:
    """Those in headers, and the others. Raises NodeError(field="secrets") for one in a body that is not sent."""
    headers: dict[str, tuple[str, str]] = {}
    parts = []
    for each in settings.secrets:
        if not each.secret:
            continue
        if each.where == "header":
            headers[each.name] = (each.secret, each.before)
        elif each.where == "bearer":
            headers["Authorization"] = (each.secret, "Bearer ")
        elif each.where == "body" and settings.method in SAFE:
            raise NodeError(f"{settings.method} sends no body, so '{each.name}' can't be put into it.", field="secrets")
        else:
            parts.append(SecretPart(each.where, each.name, each.secret))
    return headers, tuple(parts)


def _address(settings: Settings) -> str:
    url = settings.url.strip()
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NodeError(f"'{url}' is no web address. It begins with https:// or http://.", field="url")
    if not settings.query:
        return url
    query = parse_qsl(parts.query, keep_blank_values=True) + [(pair.name, pair.value) for pair in settings.query]
    return urlunsplit(parts._replace(query=urlencode(query)))


def _refused(settings: Settings, reply: HttpReply) -> NodeError:
    host = urlsplit(settings.url.strip()).hostname
    said = reply.body[:200].decode(errors="replace").strip()
    wait = {name.lower(): value for name, value in reply.headers.items()}.get("retry-after", "")
    return NodeError(
        f"{host} answered {reply.status} to {settings.method}" + (f": {said}" if said else "."),
        field="url",
        retry=reply.status in BUSY and _effect(settings) == "idempotent",
        retry_after=float(wait) if wait.isdigit() else None,
    )


def _read(reply: HttpReply) -> Any:
    if not reply.body:
        return None
    if _is_json_type(reply):
        try:
            return msgspec.json.decode(reply.body)
        except msgspec.DecodeError as error:
            raise NodeError(f"The answer says it is JSON, but can't be read: {error}.") from None
    try:
        return reply.body.decode()
    except UnicodeDecodeError:
        raise NodeError(
            f"The answer is no text ({len(reply.body):,} bytes). This step reads text and JSON only."
        ) from None


def _is_json_type(reply: HttpReply) -> bool:
    kind = next((value for name, value in reply.headers.items() if name.lower() == "content-type"), "")
    kind = kind.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    return True
