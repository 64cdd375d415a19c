"""Which language somebody is answered in: what the profile says, else what this browser was told (the switch on the
pages before sign-in), else what the browser asks for, else the instance's default.
"""

import re
from contextvars import ContextVar
from functools import lru_cache

from app import config
from app.language.catalogue import ENGLISH, FOLDER, languages

_RIGHT_TO_LEFT = frozenset("ar arc ckb dv fa he ks ps sd ug ur yi".split())
_NAME = re.compile(r'^"X-Own-Name: (.+?)\\n"$', re.MULTILINE)
_WISH = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?")
_LONGEST = 400
"""Characters of Accept-Language that are read."""

_current: ContextVar[str] = ContextVar("language", default=ENGLISH)


def current() -> str:
    """The language of what is being answered; English outside of requests (workers, commands, the API)."""
    return _current.get()


def use(language: str) -> None:
    """From here on this task answers in it. Whoever begins a request says so, also when it is English."""
    _current.set(language)


def choose(told: str, accepted: str) -> str:
    """`told`: what a person chose ("" = as the browser says); `accepted`: the header Accept-Language."""
    if told in languages():
        return told
    return wished(accepted) or default()


def default() -> str:
    """AGENTBASE_LANGUAGE where there is a catalogue of it, else English."""
    said = config.settings().language
    return said if said in languages() else ENGLISH


def wished(accepted: str) -> str:
    """The best of our languages for this header, "" for none: "de-AT,de;q=0.9,en;q=0.5" → "de" (RFC 9110, 12.5.4).

    A region that we do not have falls back to its language (RFC 4647, lookup); `q=0` refuses; `*` asks for nothing.
    """
    return _wished(accepted[:_LONGEST])


@lru_cache(maxsize=256)
def _wished(accepted: str) -> str:
    best, weight = "", 0.0
    for part in accepted.split(","):
        wish = _WISH.fullmatch(part)
        if wish is None:
            continue
        given = float(wish.group(2) or 1)
        tag = wish.group(1).lower()
        found = next((ours for ours in languages() if tag == ours or tag.startswith(f"{ours}-")), "")
        if found and given > weight:
            best, weight = found, given
    return best


def direction(language: str) -> str:
    return "rtl" if language.partition("-")[0] in _RIGHT_TO_LEFT else "ltr"


@lru_cache(maxsize=1)
def names() -> tuple[tuple[str, str], ...]:
    """(code, name in the language itself), English first: ("ar", "العربية"). It stands in the catalogue's head."""
    found = []
    for code in languages()[1:]:
        with (FOLDER / f"{code}.po").open(encoding="utf-8") as file:
            said = _NAME.search(file.read(4_000))
        found.append((code, said.group(1) if said else code))
    return ((ENGLISH, "English"), *found)
