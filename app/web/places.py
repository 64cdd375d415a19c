"""Where to go next: only ever inside this dashboard."""

from typing import Any
from urllib.parse import urlsplit


def safe_path(text: str, default: str = "/") -> str:
    """`text` when it is a path of ours, else `default`: no other host (`//evil`, `/\\evil`), no scheme, no control
    characters.
    """
    if not text.startswith("/") or text.startswith(("//", "/\\")) or any(ord(c) < 33 or c == "\\" for c in text):
        return default
    return text[:2000]


def back_of(request: Any) -> str:
    """The page of ours that this request was sent from; "" when it is unknown, another host's, or this very page."""
    try:
        came = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return ""
    if came.netloc.lower() != request.headers.get("host", "").lower() or not came.netloc:
        return ""
    here = request.scope.get("path", "")
    path = safe_path(came.path + (f"?{came.query}" if came.query else ""), "")
    return "" if path.partition("?")[0] == here and request.method == "GET" else path
