"""What may be said of a repository: its address, a branch, a folder. The rest is refused before git hears of it."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from app import config, egress
from app.egress.address import parsed
from app.errors import Refused

BRANCH = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_./-]{0,98}[A-Za-z0-9_-])?")
PART = re.compile(r"[\w][\w .-]{0,99}")
PATH = re.compile(r"[A-Za-z0-9._~/%+@:-]{2,400}")


def address(text: str) -> str:
    """The repository's address as it is kept: https://…, or file:///… for one on this machine.

    Raises Refused (field "url"). Where a name leads is checked again at every use (egress.pin).
    """
    text = text.strip()
    if text.startswith(("/", "file:")):
        return f"file://{_local(text)}"
    parts = urlsplit(text)
    if parts.scheme != "https":
        raise Refused(
            f"'{text[:80]}' is not an https address.",
            remedy="Like https://git.example.org/team/flows.git. SSH and http are not used.",
            field="url",
        )
    try:
        url = parsed(text)
    except egress.Blocked as problem:
        raise Refused(problem.message, remedy="Put the token into its field.", field="url") from None
    if url.query_string or parts.fragment or not PATH.fullmatch(url.raw_path) or "/../" in f"{unquote(url.raw_path)}/":
        raise Refused("The address of a repository has a host and a path, no more.", field="url")
    return str(url)


def _local(text: str) -> str:
    """A bare repository in a folder that the operator opened."""
    path = Path(unquote(text.removeprefix("file://")))
    allowed = [Path(each).expanduser().resolve() for each in config.settings().git_local]
    real = path.resolve() if path.is_absolute() and "\0" not in text else Path("/")
    if not any(real != folder and folder in real.parents for folder in allowed):
        raise Refused(
            "Repositories on this machine are used only in folders that the operator names.",
            remedy="Use an https address, or ask the operator to add the folder to AGENTBASE_GIT_LOCAL.",
            field="url",
        )
    if not (real / "HEAD").is_file() or not (real / "objects").is_dir():
        raise Refused("There is no bare repository in that folder.", remedy="git init --bare", field="url")
    return str(real)


def branch(text: str) -> str:
    """Raises Refused (field "branch") for what git would not take, or would take for an option."""
    text = text.strip() or "main"
    bad = ("..", "//", "@{", "/.", ".lock/")
    if not BRANCH.fullmatch(text) or any(each in text for each in bad) or text.endswith((".lock", "/")):
        raise Refused(f"'{text[:60]}' can't be a branch.", remedy="Letters, digits, - _ . and /.", field="branch")
    return text


def folder(text: str) -> str:
    """A path inside the repository, without slashes at its ends; "" = its root. Raises Refused (field "folder")."""
    text = text.strip().strip("/")
    parts = text.split("/") if text else []
    if len(text) > 200 or any(not PART.fullmatch(part) or part.lower().startswith(".git") for part in parts):
        raise Refused(f"'{text[:60]}' can't be a folder.", remedy="Like flows or team/flows.", field="folder")
    return text


def is_local(url: str) -> bool:
    return url.startswith("file://")
