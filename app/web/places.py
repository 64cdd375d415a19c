"""Where to go next: only ever inside this dashboard."""


def safe_path(text: str, default: str = "/") -> str:
    """`text` when it is a path of ours, else `default`: no other host (`//evil`, `/\\evil`), no scheme, no control
    characters.
    """
    if not text.startswith("/") or text.startswith(("//", "/\\")) or any(ord(c) < 33 or c == "\\" for c in text):
        return default
    return text[:2000]
