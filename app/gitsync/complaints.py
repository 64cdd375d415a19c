"""What git complains about, in words for people."""

import signal

from app.errors import DomainError


class GitProblem(DomainError):
    """git could not do it. The message is ours where we know the cause; no token is ever in it."""

    default_status = 502
    default_code = "git"


class Moved(GitProblem):
    """Somebody pushed in between."""


_KNOWN = (
    (
        ("could not read username", "authentication failed", "error: 401", "error: 403", "returned error: 401"),
        "The repository did not take the token.",
        "Enter one that may read and write this repository.",
    ),
    (
        ("not found", "error: 404", "does not appear to be a git repository"),
        "There is no repository at this address.",
        "",
    ),
    (("error: 30",), "The repository answered with a redirect, which is not followed.", "Enter its own address."),
    (
        ("pre-receive", "protected branch", "remote rejected"),
        "The repository refused the push.",
        "Is the branch protected?",
    ),
    (("ssl", "certificate"), "The server's certificate is not valid.", ""),
    (("could not resolve", "failed to connect", "connection refused", "timed out"), "The server does not answer.", ""),
)


def problem_of(deed: str, text: str, status: int, largest: int) -> GitProblem:
    """What git's exit means. `text`: what it said, without the token; `largest`: bytes that it may write."""
    low = text.lower()
    if deed == "push" and any(each in low for each in ("fetch first", "non-fast-forward", "[rejected]", "stale info")):
        return Moved("Somebody pushed at this moment.")
    if (
        any(each in low for each in ("file too large", "died of signal 25", "died of signal 153"))
        or status in (-signal.SIGXFSZ, 128 + signal.SIGXFSZ)
        or "index-pack died" in low
    ):
        return GitProblem(
            f"The repository is larger than {largest // 1_000_000} MB.", remedy="Use one of its own for flows."
        )
    for signs, message, remedy in _KNOWN:
        if any(sign in low for sign in signs):
            return GitProblem(message, remedy=remedy)
    line = next((each for each in text.splitlines() if each.strip()), "no reason given")
    return GitProblem(f"git could not {deed}: {line.removeprefix('fatal: ').strip()[:300]}")
