"""What a page says and where it goes after somebody switched something on or off; the toast's Undo switches it back."""

from typing import Any

from litestar import Response

from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import go


def switched(request: Request, here: str, words: str, *, on: bool, to: str = "") -> Response[Any]:
    """`here`: the thing's own page, with the routes switching-on and switching-off. `to`: where to go, "" = there."""
    flash(request, words, undo=f"{here}/switching-{'off' if on else 'on'}")
    return go(request, to or here)
