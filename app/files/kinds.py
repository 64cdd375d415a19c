"""What a file is: by its first bytes where they say it, else by its name. Never by what a browser says."""

SIGNS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
)
RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
TEXTS = {
    "txt": "text/plain", "md": "text/markdown", "csv": "text/csv", "tsv": "text/tab-separated-values",
    "json": "application/json", "yaml": "application/yaml", "yml": "application/yaml", "xml": "application/xml",
    "html": "text/html", "py": "text/x-python",
}  # fmt: skip
OFFICE = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}
SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What a page may show in place: pictures that can hold no script."""
UNKNOWN = "application/octet-stream"


def signed_type_of(content: bytes) -> str:
    """The media type that the first bytes of a file say; UNKNOWN when they say nothing known."""
    if content[:4] == b"RIFF" and content[8:12] in RIFF:
        return RIFF[content[8:12]]
    return next((type for sign, type in SIGNS if content.startswith(sign)), UNKNOWN)


def media_type_of(name: str, content: bytes) -> str:
    ending = name.rpartition(".")[2].lower()
    signed = signed_type_of(content)
    if signed != UNKNOWN:
        return OFFICE.get(ending, signed) if signed == "application/zip" else signed
    if b"\0" in content[:4096]:
        return UNKNOWN
    try:
        content.decode()
    except UnicodeDecodeError:
        return UNKNOWN
    return TEXTS.get(ending, "text/plain")


def fits(media_type: str, accepts: tuple[str, ...]) -> bool:
    """`accepts`: types such as "text/csv" or "image/*"; () = any."""
    return not accepts or any(
        media_type == each or (each.endswith("/*") and media_type.startswith(each[:-1])) for each in accepts
    )
