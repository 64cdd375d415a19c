"""Secrets stay out of what people see of a run: pages, API, downloads, shared links. Pure.

The ledger keeps values as they are (a step that is taken up again needs them); this is for showing. It goes by the
names of fields that hold secrets everywhere, and by the shapes of well-known keys inside any text.
"""

import re
from typing import Any

MARK = "•••••• hidden"
"""What stands in the place of a secret. An edited input that still says so keeps the value it hides."""

NAMES = frozenset(
    "password passwd passphrase secret clientsecret apikey xapikey apisecret accesskey secretkey privatekey "
    "accesstoken "
    "refreshtoken idtoken authtoken bearertoken sessiontoken authorization proxyauthorization cookie setcookie "
    "connectionstring webhooksecret signingsecret".split()
)
"""Names of fields, without case and punctuation."""

SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}"  # a JSON web token
    r"|\b(?:sk|pk|rk|ab)[-_](?:live|test|proj|ant|or)?[-_]?[A-Za-z0-9_-]{20,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_\w{30,}|\bglpat-[\w-]{20,}|\bxox[abposr]-[\w-]{10,}"
    r"|\bAKIA[0-9A-Z]{16}\b|\bAIza[\w-]{30,}"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)",  # user:password in an address
    re.DOTALL,
)
BEARER = re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{12,}", re.IGNORECASE)
_PUNCTUATION = re.compile(r"[\W_]+")
_SUSPECT = re.compile(r"[-_:.]|AKIA|AIza|earer|asic")


def redacted(value: Any) -> Any:
    """The same value with secrets replaced by MARK. What holds none is given back as it is, not copied."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return _object(value)
    if isinstance(value, list):
        made = [redacted(each) for each in value]
        return value if all(a is b for a, b in zip(made, value, strict=True)) else made
    return value


def restored(shown: Any, value: Any) -> Any:
    """An edited value in which every MARK that still stands where a secret was is that secret again.

    `shown` was made from redacted(value). A MARK where there was no secret stays as it is: it hides nothing.
    """
    if isinstance(shown, str) and MARK in shown:
        return value if isinstance(value, str) and redacted_as(value) == shown else shown
    if isinstance(shown, dict) and isinstance(value, dict):
        return {
            key: value[key] if each == MARK and _secret_name(key) and key in value else restored(each, value.get(key))
            for key, each in shown.items()
        }
    if isinstance(shown, list) and isinstance(value, list):
        return [restored(each, value[i] if i < len(value) else None) for i, each in enumerate(shown)]
    return shown


def redacted_as(text: str) -> str:
    return _text(text)


def _text(text: str) -> str:
    if len(text) < 12 or not _SUSPECT.search(text):
        return text
    return BEARER.sub(lambda match: f"{match[1]} {MARK}", SHAPES.sub(MARK, text))


def _object(value: dict[Any, Any]) -> dict[Any, Any]:
    made = {
        key: MARK if isinstance(each, str) and each and _secret_name(key) else redacted(each)
        for key, each in value.items()
    }
    return value if all(made[key] is value[key] for key in value) else made


def _secret_name(key: Any) -> bool:
    return isinstance(key, str) and len(key) < 40 and _PUNCTUATION.sub("", key).lower() in NAMES
