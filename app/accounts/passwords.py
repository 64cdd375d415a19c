"""Passwords: which ones we take, and how they are kept (argon2id: 64 MiB, 3 passes, 2 lanes)."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.errors import Refused, TooMany

AT_ONCE = 2
"""Hashes computed at the same time: each takes 64 MiB and about 60 ms on two threads."""
WAITING = 64
"""More than this many in line, and the next is turned away: a flood of sign-ins must not fill the memory."""

T = TypeVar("T")
_hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=2)
_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
_COMMON = Path(__file__).with_name("common_passwords.txt")
_RUNS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
)


async def make_hash(password: str) -> str:
    """The text that is stored. Holds salt and parameters."""
    return await _in_line(partial(_hasher.hash, password))


async def matches(password: str, stored: str) -> bool:
    """Whether this is the password. With nothing stored it takes as long and says no: time tells nobody who has an
    account.
    """
    return await _in_line(partial(_verify, password, stored)) and bool(stored)


def is_old(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's: time to make it anew, as the password is at
    hand.
    """
    return _hasher.check_needs_rehash(stored)


def check(password: str, *, known: tuple[str, ...] = ()) -> None:
    """Raises Refused(field="password") for a password that others would try first. `known`: e-mail, names.

    Length is the form's business (10 to 256). No rule about kinds of characters: length beats them.
    """
    low = password.casefold().strip()
    parts = {part for text in known for part in (text.casefold(), text.casefold().partition("@")[0]) if len(part) >= 4}
    if low in _common() or _bare(low) in _common():
        raise Refused(
            "This password is one of the first that others try.", remedy="Take a few words.", field="password"
        )
    if len(set(low)) < 5 or any(low in run or low in run[::-1] for run in _RUNS):
        raise Refused("This password is a simple row of signs.", remedy="Take a few words instead.", field="password")
    if any(low == part or (part in low and len(low) - len(part) < 6) for part in parts):
        raise Refused("This password is little more than a name.", remedy="Add a few words to it.", field="password")


def _verify(password: str, stored: str) -> bool:
    try:
        return _hasher.verify(stored or _dummy(), password)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _dummy() -> str:
    return _hasher.hash("nobody has this password")


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(line.strip() for line in _COMMON.read_text().splitlines() if line and not line.startswith("#"))


def _bare(text: str) -> str:
    """Without the digits and signs people hang on the end."""
    return text.rstrip("0123456789!?.*#$_-")


async def _in_line(work: Callable[[], T]) -> T:
    if _threads._work_queue.qsize() > WAITING:
        raise TooMany("Many people are signing in just now.", retry_after=5, remedy="Try again in a few seconds.")
    return await asyncio.get_running_loop().run_in_executor(_threads, work)
