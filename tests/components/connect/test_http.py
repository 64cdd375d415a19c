import msgspec
import pytest

from components.connect.http import Inputs, Pair, SecretPlace, Settings, http
from flows.sdk import HttpReply, NodeError, SecretPart
from flows.sdk.testing import FakeHttp, context

URL = "https://api.example/items?a=1"


def answering(status: int = 200, body: bytes = b'{"ok": true}', kind: str = "application/json", **headers: str):
    return context(http=FakeHttp(HttpReply(status, {"Content-Type": kind, **headers}, body)))


async def test_address_query_headers_and_connection_are_sent():
    ctx = answering()
    settings = Settings(url=URL, query=[Pair("q", "a b&c")], headers=[Pair("X-A", "1")], connection="c1", timeout=5)
    out = await http.run(settings, Inputs(), ctx)
    sent = ctx.fake_http.sent[0]
    assert (sent.method, sent.url, sent.headers, sent.body) == ("GET", URL + "&q=a+b%26c", {"X-A": "1"}, b"")
    assert (sent.connection, sent.timeout) == ("c1", 5)
    assert out.body == {"ok": True} and out.status == 200 and out.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("setting", "given", "body", "kind"),
    [
        ("", {"a": 1}, b'{"a":1}', "application/json"),
        ("", "plain", b"plain", "text/plain; charset=utf-8"),
        ('{"b": 2}', {"a": 1}, b'{"b": 2}', "application/json"),
        ("hello", None, b"hello", "text/plain; charset=utf-8"),
    ],
)
async def test_a_body_comes_from_the_setting_or_from_the_input(setting, given, body, kind):
    ctx = answering()
    await http.run(Settings(method="POST", url=URL, body=setting), Inputs(given), ctx)
    assert ctx.fake_http.sent[0].body == body and ctx.fake_http.sent[0].headers["Content-Type"] == kind


async def test_an_own_content_type_stays():
    ctx = answering()
    await http.run(Settings(method="POST", url=URL, headers=[Pair("content-type", "text/csv")]), Inputs("a,b"), ctx)
    assert ctx.fake_http.sent[0].headers == {"content-type": "text/csv"}


@pytest.mark.parametrize(
    ("method", "header", "effect"),
    [
        ("GET", "", "idempotent"),
        ("HEAD", "", "idempotent"),
        ("POST", "", "at_most_once"),
        ("POST", "Idempotency-Key", "idempotent"),
    ],
)
async def test_what_may_be_repeated_follows_from_the_settings(method, header, effect):
    settings = Settings(method=method, url=URL, idempotency_header=header)
    assert http.effect_with(settings) == effect
    ctx = answering()
    await http.run(settings, Inputs(), ctx)
    assert ctx.fake_http.sent[0].headers.get("Idempotency-Key") == (ctx.idempotency_key if header else None)


@pytest.mark.parametrize(
    ("status", "method", "again"), [(503, "GET", True), (429, "GET", True), (503, "POST", False), (404, "GET", False)]
)
async def test_an_error_answer_says_what_was_said_and_whether_to_try_again(status, method, again):
    ctx = answering(status, b"come back later", "text/plain", **{"Retry-After": "7"})
    with pytest.raises(NodeError, match=rf"api\.example answered {status} to {method}: come back later") as refused:
        await http.run(Settings(method=method, url=URL), Inputs(), ctx)
    assert refused.value.retry is again and refused.value.retry_after == 7


async def test_an_error_answer_may_be_wanted():
    out = await http.run(Settings(url=URL, fail_on_error=False), Inputs(), answering(404, b"no", "text/plain"))
    assert (out.status, out.body) == (404, "no")


@pytest.mark.parametrize("url", ["", "example.com", "ftp://x/y", "https://", "javascript:alert(1)"])
async def test_what_is_no_web_address_is_refused(url):
    with pytest.raises(NodeError, match="is no web address") as refused:
        await http.run(Settings(url=url), Inputs(), context())
    assert refused.value.field == "url"


async def test_answers_that_can_not_be_read_say_why():
    with pytest.raises(NodeError, match="says it is JSON"):
        await http.run(Settings(url=URL), Inputs(), answering(body=b"<html>"))
    with pytest.raises(NodeError, match=r"no text \(3 bytes\)"):
        await http.run(Settings(url=URL), Inputs(), answering(body=b"\xff\xfe\xfd", kind="image/png"))
    assert (await http.run(Settings(url=URL), Inputs(), answering(body=b""))).body is None
    problem = answering(body=msgspec.json.encode({"title": "x"}), kind="application/problem+json; charset=utf-8")
    assert (await http.run(Settings(url=URL), Inputs(), problem)).body == {"title": "x"}


@pytest.mark.parametrize(
    ("where", "headers", "parts"),
    [
        ("header", {"key": ("Shop", "Token ")}, ()),
        ("bearer", {"Authorization": ("Shop", "Bearer ")}, ()),
        ("basic", {}, (SecretPart("basic", "key", "Shop"),)),
        ("query", {}, (SecretPart("query", "key", "Shop"),)),
        ("body", {}, (SecretPart("body", "key", "Shop"),)),
    ],
)
async def test_secrets_are_named_and_never_held(where, headers, parts):
    ctx, place = answering(), SecretPlace("key", "Shop", "Token ", where)
    await http.run(Settings(method="POST", url=URL, secrets=[place]), Inputs(), ctx)
    assert (ctx.fake_http.sent[0].secrets, ctx.fake_http.sent[0].parts) == (headers, parts)
    if where == "body":
        with pytest.raises(NodeError, match="GET sends no body"):
            await http.run(Settings(url=URL, secrets=[place]), Inputs(), ctx)
