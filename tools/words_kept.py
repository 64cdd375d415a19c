"""A sentence that was found, and all of them."""

from msgspec import Struct

from app.language.catalogue import PLACE
from app.language.message import LETTERS


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
        one = self.found.setdefault(message, Found(message))
        one.plural = one.plural or " ".join(plural.split())
        if kind:
            one.kinds.add(kind)
        if len(one.places) < 6 and (path, line) not in one.places:
            one.places.append((path, line))
