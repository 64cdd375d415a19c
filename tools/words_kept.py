"""A sentence that was found, and all of them."""

import re

from msgspec import Struct

from app.language.catalogue import PLACE
from app.language.message import LETTERS

NO_WORDS = (
    (r"app/(?:web/csp|language/catalogue|runs/tracing|egress/inflate)\.py|flows/catalogue\.py", r".*"),
    (r"flows/sdk/(?:node|context|testing)\.py|app/oidc/", r".*"),
    (r"app/gitsync/complaints\.py|app/triggers/(?:due|following)\.py", r"[a-z].*|\{1\} to \{2\} \{3\}"),
    (r"app/web/hosts\.py", r"the web process .*"),
    (r"app/web/words\.py", r"noopener .*"),
    (r"app/(?:runs/values|files/controllers)\.py", r"default-src .*|.*filename=.*"),
    (r"app/accounts/queries\.py", r"Firefox|Chrome|Safari|Edge|Opera|Android|Windows|Mac OS X|Linux"),
    (r"app/accounts/oidc/", r"read:user .*|openid .*"),
    (r"app/language/sentences\.py", r"in doubt"),
    (r"app/triggers/samples\.py", r".* <.*>"),
    (
        r"app/gateway/|app/drafting/prompting\.py",
        r"content_filter .*|\{1\} Answer again.*|Result of .*|Make a flow: .*|Models that a step may name.*",
    ),
    (r"app/gateway/", r"Say hello .*|The weather of .*|Which colour .*|What is the weather .*|my-gpt, .*"),
    (r"app/studio/home_queries\.py", r".* (?:desc|asc)"),
    (r"app/triggers/service\.py", r"hand \{1\}"),
    (r"templates/", r"button button--.*|null|gave|CSV|\{\"name\": \"value\"\}"),
    (r"components/", r"GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS"),
)
"""(place, what of it) that only looks like words for people: policies, log lines, what models are told, names.
Reviewed by hand; what it takes for words by mistake is added here rather than translated."""


class Found(Struct):
    """`kinds`: what extracts it (python, script), `places`: path:line."""

    message: str
    plural: str = ""
    kinds: set[str] = set()
    places: list[tuple[str, int]] = []


class Collection:
    def __init__(self) -> None:
        self.found: dict[str, Found] = {}

    def add(self, message: str, plural: str, path: str, line: int, kind: str = "") -> None:
        message = " ".join(message.split())
        if not LETTERS.search(PLACE.sub(" ", message)):
            return
        if any(re.match(place, path) and re.fullmatch(what, message) for place, what in NO_WORDS):
            return
        one = self.found.setdefault(message, Found(message))
        one.plural = one.plural or " ".join(plural.split())
        if kind:
            one.kinds.add(kind)
        if len(one.places) < 6 and (path, line) not in one.places:
            one.places.append((path, line))
