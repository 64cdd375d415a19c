import ipaddress
import socket
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import config, egress
from app.egress import connect
from app.egress.address import PUBLIC, Reach, is_public, literal, parsed, rules
from app.egress.errors import Blocked, EgressError
from tests.app.egress.servers import says, serving

PRIVATE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "168.63.129.16", "224.0.0.1",
    "239.255.255.255", "255.255.255.255", "240.0.0.1", "192.0.0.170", "192.0.2.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "192.88.99.1",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1",
    "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "2001:db8::1", "100::1",
]  # fmt: skip
ANYBODYS = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "2a00:1450::1",
            "64:ff9b::808:808", "::ffff:8.8.8.8"]  # fmt: skip


@pytest.mark.parametrize("text", PRIVATE)
def test_no_form_of_a_private_address_is_public(text):
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", ANYBODYS)
def test_public_addresses_are(text):
    assert is_public(ipaddress.ip_address(text))


@given(st.ip_addresses(v=4))
def test_hiding_an_ipv4_address_in_ipv6_never_makes_it_more_public(address):
    for prefix in ("::ffff:0:0", "64:ff9b::", "::", "2002::"):
        shift = 80 if prefix == "2002::" else 0
        hidden = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | int(address) << shift)
        assert not is_public(hidden) or is_public(address)


SPELLINGS = [
    "http://127.0.0.1/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://0177.0.0.1/",
    "http://017700000001/", "http://127.1/", "http://127.0.1/", "http://127.0.0.1./", "http://0/", "http://[::1]/",
    "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[0:0:0:0:0:ffff:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[fe80::1%25lo]/", "http://localhost/",
    "http://LOCALHOST/", "http://localhost./", "http://foo.localhost/", "http://①②⑦.⓪.⓪.①/", "http://１２７.0.0.1/",
    "http://127。0。0。1/", "http://ⓛocalhost/", "http://localhost%00.example.com/", "http://127.0.0.1%2f@example.com/",
    "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://0x7f.0x0.0x0.0x1/", "http://00/",
]  # fmt: skip


@pytest.mark.parametrize("url", SPELLINGS)
async def test_no_spelling_of_this_machine_or_network_is_connected_to(url, settings):
    async with serving(says()) as server:
        for port in ("", f":{server.port}"):
            host, _, path = url.removeprefix("http://").partition("/")
            with pytest.raises(EgressError) as refused:
                await egress.send("GET", f"http://{host}{port}/{path}", limits=egress.Limits(seconds=3))
            assert refused.value.code in {"address_blocked", "unknown_host"}  # never "no_connection": not even tried
        assert server.connections == 0
    await egress.stop()


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "data:text/html,x", "//example.com/",
        "example.com", "", "http://", "http:///x", "http://user@example.com/", "http://user:pass@example.com/",
        "http://example.com\\@127.0.0.1/", "http://exa mple.com/", "http://example.com/\r\nX: y", "http://a\tb/",
        "http://example.com:0/", "http://example.com:99999/", "jar:http://x", "http://[::1", "HTTP+UNIX://x/",
    ],
)  # fmt: skip
async def test_what_two_parsers_might_read_differently_is_refused_before_any_lookup(url, settings, monkeypatch):
    async def never(host, port):
        raise AssertionError("looked up")

    monkeypatch.setattr(connect, "lookup", never)
    with pytest.raises(Blocked):
        await egress.send("GET", url)


def answering(*addresses: list[str]):
    """A name server: the first call gets the first list, and so on; the last stays."""
    calls = []

    async def lookup(host, port):
        calls.append(host)
        found = addresses[min(len(calls), len(addresses)) - 1]
        return [(socket.AF_INET6 if ":" in one else socket.AF_INET, one) for one in found]

    lookup.calls = calls
    return lookup


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["127.0.0.1", "93.184.216.34"], ["93.184.216.34", "::1"],
        ["2606:4700:4700::1111", "10.0.0.1"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"],
    ],
)  # fmt: skip
async def test_one_private_answer_refuses_the_name_whatever_else_it_has(addresses, settings, monkeypatch):
    async with serving(says()) as server:
        monkeypatch.setattr(connect, "lookup", answering(addresses))
        with pytest.raises(Blocked, match="not an address on the public internet"):
            await egress.send("GET", f"http://rebind.example:{server.port}/")
        assert server.connections == 0
    await egress.stop()


async def test_a_name_that_changes_its_answer_is_asked_once_and_connected_to_what_was_checked(settings, monkeypatch):
    """Rebinding: the check sees a good address, a second lookup would see a bad one. There is no second lookup."""
    async with serving(says(b"good")) as good, serving(says(b"evil"), "127.0.0.2", port=0) as evil:
        lookup = answering(["127.0.0.1"], ["127.0.0.2"])
        monkeypatch.setattr(connect, "lookup", lookup)
        reach = Reach(allow=("127.0.0.1",))
        reply = await egress.send("GET", f"http://rebind.example:{good.port}/", reach=reach)
        assert reply.body == b"good" and len(lookup.calls) == 1
        with pytest.raises(Blocked):
            await egress.send("GET", f"http://rebind.example:{evil.port}/", reach=reach)
        assert evil.connections == 0
    await egress.stop()


async def test_the_gate_at_the_socket_refuses_even_if_the_resolver_were_fooled(settings, monkeypatch):
    async with serving(says()) as server:
        monkeypatch.setattr("app.egress.connect.check_all", lambda *_: None)
        monkeypatch.setattr("app.egress.connect._Checked.approve", lambda *_: None)
        monkeypatch.setattr(connect, "lookup", answering(["127.0.0.1"]))
        with pytest.raises(Blocked):
            await egress.send("GET", f"http://fooled.example:{server.port}/")
        assert server.connections == 0
    await egress.stop()


async def test_a_connection_opened_under_wider_rules_is_not_used_under_narrower_ones(settings, monkeypatch):
    monkeypatch.setattr(connect, "lookup", answering(["127.0.0.1"], ["93.184.216.34"]))
    async with serving(says()) as server:
        url = f"http://both.example:{server.port}/"
        await egress.send("GET", url, reach=Reach(allow=("127.0.0.1",)))
        with pytest.raises(EgressError):  # the name now is public, but nobody is there
            await egress.send("GET", url, reach=PUBLIC, limits=egress.Limits(seconds=0.5, connect=0.3))
        assert len(server.requests) == 1
    await egress.stop()


async def test_this_machine_is_reached_for_local_models_only_and_never_our_own_servers(settings):
    async with serving(says(b"model")) as server:
        with pytest.raises(Blocked):
            await egress.send("GET", server.url)
        for host in ("127.0.0.1", "localhost"):
            reply = await egress.send("GET", f"http://{host}:{server.port}/v1/models", reach=egress.LOCAL_MODELS)
            assert reply.body == b"model"
        with pytest.raises(Blocked):
            await egress.send("GET", f"http://[::ffff:127.0.0.1]:{server.port}/", reach=egress.LOCAL_MODELS)
    for url in (settings.database_url, settings.redis_url):
        with pytest.raises(Blocked):
            await egress.send("GET", f"http://127.0.0.1:{urlsplit(url).port}/", reach=egress.LOCAL_MODELS)
    with pytest.raises(Blocked):  # loopback is not the local network
        await egress.send("GET", "http://192.168.1.1/", reach=egress.LOCAL_MODELS)
    await egress.stop()


async def test_what_operator_and_workspace_allow_is_reached_by_network_and_by_name(settings, monkeypatch):
    async with serving(says()) as server:
        monkeypatch.setattr(connect, "lookup", answering(["127.0.0.1"]))
        with config.using(egress_allow=("ollama.lan",)):
            assert (await egress.send("GET", f"http://OLLAMA.lan.:{server.port}/")).status == 200
            with pytest.raises(Blocked):
                await egress.send("GET", f"http://other.lan:{server.port}/")
        for allow in ("127.0.0.0/8", "*.corp.example"):
            reply = await egress.send("GET", f"http://a.corp.example:{server.port}/", reach=Reach(allow=(allow,)))
            assert reply.status == 200
        with pytest.raises(Blocked):  # "*.corp.example" is not "evilcorp.example", and not corp.example itself
            await egress.send("GET", f"http://evilcorp.example:{server.port}/", reach=Reach(allow=("*.corp.example",)))
    await egress.stop()


async def test_a_name_that_is_allowed_still_never_leads_to_a_metadata_service(settings, monkeypatch):
    monkeypatch.setattr(connect, "lookup", answering(["169.254.169.254"]))
    with pytest.raises(Blocked):
        await egress.send("GET", "http://ollama.lan/", reach=Reach(allow=("ollama.lan",)))
    await egress.stop()


@pytest.mark.parametrize("entry", ["10.0.0.0/33", "http://x", "a b", "*"])
def test_an_entry_that_means_nothing_is_refused_with_what_is_expected(entry, settings):
    with pytest.raises(config.SettingError, match="Expected a network"):
        rules(Reach(allow=(entry,)))


def test_a_literal_is_only_what_ipaddress_reads():
    assert literal("example.com") is None
    assert literal("a1.example") is None
    assert str(literal("[::1]")) == "::1"
    assert parsed("https://exämple.com/ä?b=ü#frag").raw_host == "xn--exmple-cua.com"
