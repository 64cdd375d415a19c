"""The bundled files of static/dist, by the names that tools/assets.py gave them. Names hold a hash, so browsers
keep them for a year.
"""

import gzip
import mimetypes
import os
from pathlib import Path
from typing import Any

import msgspec
from litestar import Response, get
from litestar.connection import Request
from litestar.params import FromPath
from msgspec import Struct

from app import clock
from app.errors import NotFound

DIST = Path(__file__).resolve().parents[2] / "static" / "dist"
PREFIX = "/static/"
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml",
          ".woff2": "font/woff2", ".json": "application/json", ".map": "application/json"}  # fmt: skip
_TEXT = (".js", ".mjs", ".css", ".svg", ".json", ".txt")
_files: dict[str, tuple[int, bytes, bytes | None]] = {}
_MANIFEST = str(DIST / "manifest.json")
LOOKED_EVERY = 0.5
"""Seconds between two looks whether static/dist was built anew: a page names a hundred files."""


class _Built(Struct):
    """Names of what was built last. `looked`: when, on the clock that never goes back."""

    names: dict[str, str] = {}
    changed: int = -1
    looked: float = float("-inf")


_built = _Built()


def asset(name: str) -> str:
    """The address of a bundled file by its logical name: asset("app.css") → "/static/app-3F2A.css".

    Raises LookupError for a name that is not in static/dist/manifest.json: a typing mistake in a template, or `make
    assets` is due.
    """
    now = clock.monotonic()
    if now - _built.looked > LOOKED_EVERY:
        _look(now)
    try:
        return PREFIX + (_built.names[name] if _built.names else name)  # nothing built yet: pages answer, without style
    except KeyError:
        raise LookupError(f"Asset {name!r} is not in {_MANIFEST}. Run: make assets") from None


def _look(now: float) -> None:
    """Logical name → name in dist. An entry is the name itself, or an object with `file` (and checksum, licence, …)."""
    _built.looked = now
    try:
        changed = os.stat(_MANIFEST).st_mtime_ns
    except FileNotFoundError:
        _built.names, _built.changed = {}, -1
        return
    if changed == _built.changed:
        return
    raw: dict[str, Any] = msgspec.json.decode(Path(_MANIFEST).read_bytes())
    entries = raw.get("files", raw)
    _built.names = {name: entry if isinstance(entry, str) else entry["file"] for name, entry in entries.items()}
    _built.changed = changed


@get(PREFIX + "{path:path}", name="static", opt={"public": True}, include_in_schema=False, sync_to_thread=False)
def static_file(request: Request[Any, Any, Any], path: FromPath[Path]) -> Response[bytes]:
    name = str(path).lstrip("/")
    found = _read(name)
    if found is None:
        raise NotFound("This file does not exist.", remedy="Reload the page: a newer version may be installed.")
    _, plain, packed = found
    suffix = Path(name).suffix
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    if packed is not None:
        headers["vary"] = "accept-encoding"
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
            plain = packed
    kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response(plain, headers=headers, media_type=kind)


def _read(name: str) -> tuple[int, bytes, bytes | None] | None:
    """(time of change, bytes, gzipped bytes) of a file inside DIST, kept in memory until it changes. All of dist is
    about 1 MB.
    """
    path = DIST / name
    if ".." in name or "\\" in name or "\0" in name or not path.is_file() or not path.resolve().is_relative_to(DIST):
        return None
    changed = path.stat().st_mtime_ns
    kept = _files.get(name)
    if kept is None or kept[0] != changed:
        plain = path.read_bytes()
        packed = gzip.compress(plain, 6, mtime=0) if name.endswith(_TEXT) and len(plain) > 600 else None
        kept = _files[name] = (changed, plain, packed)
    return kept
