import pytest

from app import config
from app.web import address


def asked(peer: str, *forwarded: str) -> dict:
    headers = [(b"host", b"x"), *((b"x-forwarded-for", line.encode()) for line in forwarded)]
    return {"client": (peer, 4711) if peer else None, "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.9", (), "203.0.113.9"),
        ("203.0.113.9", ("198.51.100.1",), "203.0.113.9"),  # a stranger's claim
        ("172.18.0.2", ("198.51.100.1",), "198.51.100.1"),
        ("172.18.0.2", ("6.6.6.6, 198.51.100.1",), "198.51.100.1"),  # what a visitor wrote stands on the left
        ("172.18.0.2", ("6.6.6.6", "198.51.100.1, 10.0.0.7"), "198.51.100.1"),  # two proxies of ours
        ("::ffff:172.18.0.2", ("2001:db8::1",), "2001:db8::1"),
        ("172.18.0.2", (), "172.18.0.2"),
        ("172.18.0.2", ("not an address",), "172.18.0.2"),
        ("172.18.0.2", ("10.0.0.7",), "10.0.0.7"),
        ("", ("198.51.100.1",), ""),
    ],
)
def test_only_our_own_proxies_are_believed(peer, forwarded, found):
    with config.using(trusted_proxies=("172.18.0.0/16", "10.0.0.7")):
        assert address.of(asked(peer, *forwarded)) == found


def test_without_the_setting_nobody_is_believed():
    with config.using(trusted_proxies=()):
        assert address.of(asked("127.0.0.1", "198.51.100.1")) == "127.0.0.1"


def test_through_a_trusted_proxy_nobody_is_this_machine():
    with config.using(trusted_proxies=("127.0.0.1",)):
        assert address.is_this_machine(asked("127.0.0.1"))
        assert not address.is_this_machine(asked("127.0.0.1", "127.0.0.1"))
