import asyncio
import gzip
import zlib

import pytest

from app import egress
from app.egress.address import Reach
from app.egress.errors import Blocked, EgressError, NoAnswer, OverLimit
from tests.app.egress.servers import says, sends_on, serving

HERE = Reach(allow=("127.0.0.1",))
"""Only this address of loopback: 127.0.0.2 plays the private network."""


@pytest.fixture(autouse=True)
async def closed(settings):
    yield
    await egress.stop()


async def test_a_request_arrives_as_it_was_made_and_the_answer_comes_back():
    async with serving(says(b'{"ok":true}', Content_Type="application/json", X_Twice="a")) as server:
        reply = await egress.send(
            "post",
            server.url + "/a%2Fb?q=%C3%BC&x=1+2",
            headers={"Authorization": "Bearer t"},
            body=b"data",
            reach=HERE,
        )
        assert (reply.status, reply.body, reply.headers["content-type"]) == (200, b'{"ok":true}', "application/json")
        (request,) = server.requests
        assert (request.method, request.path, request.body) == ("POST", "/a%2Fb?q=%C3%BC&x=1+2", b"data")
        assert request.headers["authorization"] == "Bearer t"
        assert request.headers["host"] == f"127.0.0.1:{server.port}"
        assert request.headers["user-agent"].startswith("Agentbase/")
        assert "cookie" not in request.headers


async def test_connections_are_kept_and_cookies_are_not():
    async with serving(says(Set_Cookie="a=b; Path=/")) as server:
        for _ in range(3):
            await egress.send("GET", server.url, reach=HERE)
        assert server.connections == 1
        assert all("cookie" not in request.headers for request in server.requests)


async def test_a_proxy_in_the_environment_is_ignored(monkeypatch):
    async with serving(says(b"proxy")) as proxy, serving(says(b"direct")) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert (await egress.send("GET", server.url, reach=HERE)).body == b"direct"
        assert proxy.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_a_private_address_is_not_followed(status):
    async with serving(says(b"secret"), "127.0.0.2") as private:
        for place in (private.url, private.url.replace("http:", ""), f"http://127.2:{private.port}/"):
            async with serving(sends_on(place, status)) as server:
                with pytest.raises(Blocked):
                    await egress.send("GET", server.url, reach=HERE)
        assert private.connections == 0


@pytest.mark.parametrize(
    "place", ["file:///etc/passwd", "gopher://x/", "http://a@127.0.0.1/", "http://[::1", "http://x y"]
)
async def test_a_redirect_to_what_is_no_plain_web_address_is_refused(place):
    async with serving(sends_on(place)) as server:
        with pytest.raises(Blocked):
            await egress.send("GET", server.url, reach=HERE)


async def test_a_redirect_to_another_origin_takes_no_credentials_along():
    async with serving(says(b"there")) as other:
        async with serving(sends_on(other.url + "/x", 307)) as server:
            headers = {"Authorization": "Bearer t", "X-Api-Key": "k", "Cookie": "c=1", "Accept": "text/plain"}
            await egress.send("GET", server.url, headers=headers, reach=HERE)
        (request,) = other.requests
        assert request.headers["accept"] == "text/plain"
        assert not {"authorization", "x-api-key", "cookie"} & set(request.headers)


async def test_a_redirect_on_the_same_origin_keeps_them_and_follows_relative_places():
    async def answer(request, writer):
        await (says(b"end") if request.path == "/b" else sends_on("b"))(request, writer)

    async with serving(answer) as server:
        reply = await egress.send("GET", server.url + "/a", headers={"Authorization": "Bearer t"}, reach=HERE)
        assert reply.body == b"end" and reply.url.endswith("/b")
        assert server.requests[1].headers["authorization"] == "Bearer t"


@pytest.mark.parametrize(("status", "method", "body"), [(301, "GET", b""), (303, "GET", b""), (307, "POST", b"data")])
async def test_a_redirected_post_becomes_what_the_standard_says(status, method, body):
    async def answer(request, writer):
        await (says() if request.path == "/b" else sends_on("/b", status))(request, writer)

    async with serving(answer) as server:
        await egress.send("POST", server.url, body=b"data", headers={"Content-Type": "text/plain"}, reach=HERE)
        assert (server.requests[1].method, server.requests[1].body) == (method, body)


async def test_redirects_end():
    async with serving(sends_on("/again")) as server:
        with pytest.raises(OverLimit, match="more than 5 times"):
            await egress.send("GET", server.url, reach=HERE)
        assert len(server.requests) == 6


async def endless(request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
        await writer.drain()


async def drip(request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def silent(request, writer):
    await asyncio.sleep(30)


async def many_headers(request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(200_000):
        writer.write(b"X-%d: %s\r\n" % (number, b"y" * 100))
        await writer.drain()


async def one_long_header(request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(200):
        writer.write(b"y" * 65_536)
        await writer.drain()


async def gibberish(request, writer):
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    writer.close()


async def half(request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    writer.close()


@pytest.mark.parametrize(
    ("answer", "problem", "code"),
    [
        (endless, OverLimit, "too_large"),
        (drip, OverLimit, "too_slow"),
        (silent, NoAnswer, "too_slow"),
        (many_headers, NoAnswer, "bad_http"),
        (one_long_header, NoAnswer, "bad_http"),
        (gibberish, NoAnswer, "bad_http"),
        (half, NoAnswer, "bad_http"),
    ],
)
async def test_tricks_of_an_answer_end_in_time_and_space(answer, problem, code):
    limits = egress.Limits(seconds=1.5, silence=0.5, size=500_000)
    async with serving(answer) as server:
        async with asyncio.timeout(3):
            with pytest.raises(problem) as refused:
                await egress.send("GET", server.url, reach=HERE, limits=limits)
        assert refused.value.code == code


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_packed_answer_is_unpacked_and_a_bomb_is_stopped_early(encoding):
    pack = gzip.compress if encoding == "gzip" else zlib.compress
    async with serving(says(pack(b"hello" * 1000), Content_Encoding=encoding)) as server:
        assert (await egress.send("GET", server.url, reach=HERE)).body == b"hello" * 1000
    bomb = pack(b"\0" * 50_000_000)
    assert len(bomb) < 60_000
    async with serving(says(bomb, Content_Encoding=encoding)) as server:
        with pytest.raises(OverLimit, match="larger than 100000 bytes"):
            await egress.send("GET", server.url, reach=HERE, limits=egress.Limits(size=100_000))


async def test_an_answer_packed_in_a_way_nobody_asked_for_is_refused():
    async with serving(says(b"x", Content_Encoding="br")) as server:
        with pytest.raises(NoAnswer, match="not asked for"):
            await egress.send("GET", server.url, reach=HERE)
        assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Connection"])
async def test_headers_that_could_split_the_request_are_ours(name):
    with pytest.raises(Blocked):
        await egress.send("GET", "http://127.0.0.1:1/", headers={name: "x"}, reach=HERE)


@pytest.mark.parametrize("headers", [{"X-A": "a\r\nX-B: b"}, {"X-A\r\nX-B": "b"}])
async def test_a_line_break_in_a_header_sends_nothing(headers):
    async with serving(says()) as server:
        with pytest.raises(EgressError):
            await egress.send("GET", server.url, headers=headers, reach=HERE)
        assert server.requests == []


async def test_a_stream_gives_pieces_as_they_come_and_leaving_it_closes_the_connection():
    left = asyncio.Event()

    async def answer(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for number in range(1000):
                writer.write(b"9\r\ndata: %d\n\n\r\n" % (number % 10))
                await writer.drain()
                await asyncio.sleep(0.02)
        finally:
            left.set()

    async with serving(answer) as server:
        async with egress.stream("POST", server.url, body=b"{}", reach=HERE) as reply:
            assert reply.status == 200
            pieces = []
            async for piece in reply.pieces():
                pieces.append(piece)
                if len(pieces) == 3:
                    break
        assert pieces[0] == b"data: 0\n\n"
        async with asyncio.timeout(2):
            await left.wait()


async def test_the_time_limit_of_a_stream_holds_while_the_caller_works_with_it():
    async with serving(drip) as server:
        with pytest.raises(OverLimit, match=r"longer than 0\.3 seconds"):
            async with egress.stream("GET", server.url, reach=HERE, limits=egress.Limits(seconds=0.3)) as reply:
                async for _ in reply.pieces():
                    await asyncio.sleep(0.01)


async def test_nobody_there_is_said_with_what_to_do():
    async with serving(says()) as server:
        pass
    with pytest.raises(NoAnswer, match="does not accept connections") as refused:
        await egress.send("GET", server.url, reach=HERE)
    assert refused.value.retry and not refused.value.sent
    with pytest.raises(NoAnswer, match="no server named") as refused:
        await egress.send("GET", "http://does-not-exist.invalid/", reach=HERE)
    assert refused.value.code == "unknown_host"


async def test_a_certificate_that_nobody_vouches_for_is_refused_and_sni_carries_the_name(tmp_path):
    import ssl
    import subprocess

    from app.egress import connect

    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=models.example", "-addext", "subjectAltName=DNS:models.example", "-keyout", key, "-out", cert],
        capture_output=True,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    names = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.sni_callback = lambda _, name, __: names.append(name)

    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    real = connect.lookup

    async def lookup(host, port):
        return await real("127.0.0.1", port)

    connect.lookup = lookup
    try:
        with pytest.raises(NoAnswer) as refused:
            await egress.send("GET", f"https://models.example:{port}/", reach=HERE)
        assert refused.value.code == "certificate"
        trust = ssl.create_default_context(cafile=str(cert))
        reply = await egress.send("GET", f"https://models.example:{port}/", reach=HERE, trust=trust)
        assert reply.body == b"ok" and names[-1] == "models.example"
        with pytest.raises(NoAnswer) as refused:  # right authority, wrong name
            await egress.send("GET", f"https://other.example:{port}/", reach=HERE, trust=trust)
        assert refused.value.code == "certificate"
    finally:
        connect.lookup = real
        server.close()


async def test_an_answer_that_announces_more_than_is_taken_is_cut_off_and_one_that_announces_little_is_read_at_once():
    async with serving(says(b"x" * 5_000)) as server:
        assert len((await egress.send("GET", server.url, reach=HERE)).body) == 5_000
        with pytest.raises(OverLimit):
            await egress.send("GET", server.url, reach=HERE, limits=egress.Limits(size=4_999))
