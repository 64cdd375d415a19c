"""What htmx 4 tells us about a request. litestar-htmx models htmx 2, so this subclass reads the new headers.

`HX-Trigger` and `HX-Trigger-Name` requests are gone, `HX-Source` and `HX-Target` are `tag#id`, and `HX-Request-Type`
says `partial` or `full`, which is the right switch between a fragment and a page.
"""

from functools import cached_property

from litestar.connection.base import empty_receive, empty_send
from litestar.plugins.htmx import HTMXDetails, HTMXRequest
from litestar.types import Receive, Scope, Send


class Details(HTMXDetails):
    """Falsy when the request was not made by htmx."""

    @cached_property
    def partial(self) -> bool:
        """The answer is put into a part of the page: send a fragment. False for a boosted link, which wants a whole
        page.
        """
        kind = self.request.headers.get("hx-request-type", "")
        return bool(self) and kind != "full" and not self.history_restore_request and not (not kind and self.boosted)

    @cached_property
    def source_tag(self) -> str | None:
        return _split(self.request.headers.get("hx-source"))[0]

    @cached_property
    def source_id(self) -> str | None:
        return _split(self.request.headers.get("hx-source"))[1]

    @cached_property
    def target(self) -> str | None:
        """Id of the element that gets the answer, without its tag."""
        return _split(self.request.headers.get("hx-target"))[1]

    @cached_property
    def trigger(self) -> str | None:
        return self.source_id

    @cached_property
    def trigger_name(self) -> str | None:
        """htmx 4 sends no name: always None. Give the element an id and read `source_id`."""
        return None


class Request(HTMXRequest):
    """The request class of the dashboard: `request.htmx` is a `Details`."""

    __slots__ = ()
    htmx: Details

    def __init__(self, scope: Scope, receive: Receive = empty_receive, send: Send = empty_send) -> None:
        super().__init__(scope=scope, receive=receive, send=send)
        self.htmx = Details(self)


def _split(value: str | None) -> tuple[str | None, str | None]:
    """`button#save` → ("button", "save"); `form` → ("form", None)."""
    tag, _, ident = (value or "").partition("#")
    return tag or None, ident or None
