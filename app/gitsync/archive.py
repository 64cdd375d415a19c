"""Flows with all that belongs to them as one zip file. Pure, and in memory: nothing of a stranger's archive is ever
written to a disk, so no name in it leads anywhere. Equal contents give equal bytes.

    support.json          a flow, as `agentbase export` writes it (or .yaml)
    support.tests.json    its tests
    support.data.json     its datasets
    files/3f5a…           the files that its settings refer to, by the hash of their content
"""

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping

from app.errors import Refused
from flows.files import FORMS
from flows.stored import HASH

MOST_ARCHIVE = 64 * 1024 * 1024
MOST_ENTRIES, MOST_BYTES = 500, 192 * 1024 * 1024
"""Entries of an archive, and bytes of all of them together once unpacked."""
FILES = "files/"
_PLAIN = re.compile(r"[^/\\\x00-\x1f]{1,200}")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The earliest moment that a zip file can say; when it was made is no part of what it holds."""


def pack(entries: Mapping[str, bytes]) -> bytes:
    """An archive of these, by path."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(entries):
            about = zipfile.ZipInfo(path, _LONG_AGO)
            about.compress_type, about.create_system, about.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(about, entries[path])
    return made.getvalue()


def unpack(content: bytes) -> dict[str, bytes]:
    """What an archive holds, by path. What its headers say of sizes is not believed: it is counted while it is read.

    Raises Refused for what is no such archive: other paths than those above, links, two of one name, encrypted ones,
    too many or too large.
    """
    if len(content) > MOST_ARCHIVE:
        raise Refused(f"The archive is larger than {MOST_ARCHIVE // 1_048_576} MB.", field="file", status=413)
    found: dict[str, bytes] = {}
    left = MOST_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [each for each in archive.infolist() if not each.is_dir()]
            if len(entries) > MOST_ENTRIES:
                raise Refused(f"The archive has more than {MOST_ENTRIES} files.", field="file")
            for about in entries:
                _check(about, found)
                with archive.open(about) as entry:
                    body = entry.read(left + 1)
                left -= len(body)
                if left < 0:
                    raise Refused(
                        f"Unpacked it is larger than {MOST_BYTES // 1_048_576} MB.", field="file", code="too_large"
                    )
                found[about.filename] = body
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        OSError,
    ) as problem:
        raise Refused(f"This archive can't be read: {problem}.", remedy="Export it again.", field="file") from None
    return found


def belongs(path: str) -> bool:
    """Whether a path may be in such an archive."""
    if path.startswith(FILES):
        return HASH.fullmatch(path.removeprefix(FILES)) is not None
    return _PLAIN.fullmatch(path) is not None and path.endswith(tuple(FORMS)) and not path.startswith(".")


def _check(about: zipfile.ZipInfo, found: Mapping[str, bytes]) -> None:
    path, mode = about.filename, about.external_attr >> 16
    if about.orig_filename != path or not belongs(path):
        raise Refused(f"The archive holds '{path[:80]}', which is no file of a flow.", field="file", code="bad_path")
    if path in found:
        raise Refused(f"The archive holds '{path[:80]}' twice.", field="file")
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise Refused(f"'{path[:80]}' is a link or a device, no file.", field="file", code="bad_path")
    if about.flag_bits & 1:
        raise Refused("The archive is encrypted.", remedy="Pack it without a password.", field="file")
