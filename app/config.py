"""Settings: read once from the environment, and nowhere else (ruff bans os.environ outside this file).

Every field of `Settings` names its variable; `names()` lists them in the order of .env.example.
"""

import hashlib
import hmac
import ipaddress
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

# Piccolo looks for its engine in the module of this name; set here because this file is imported before any table.
os.environ.setdefault("PICCOLO_CONF", "app.piccolo_conf")


class Secret(str):
    """A str that does not show itself in a repr, a traceback with locals, or a log of Settings."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('…')" if self else "Secret('')"


class SettingError(Exception):
    """A variable has a value we can't use. The message names it, the value's problem, and what is expected."""


def _variable(name: str) -> Meta:
    return Meta(extra={"variable": name})


class Settings(Struct, frozen=True, kw_only=True):
    """What the operator decided. Docs of each: docs/operate/settings.md."""

    data: Annotated[Path, _variable("AGENTBASE_DATA")] = Path(".agentbase")
    host: Annotated[str, _variable("AGENTBASE_HOST")] = "127.0.0.1"
    port: Annotated[int, _variable("AGENTBASE_PORT")] = 8000
    metrics_port: Annotated[int, _variable("AGENTBASE_METRICS_PORT")] = 0
    metrics_host: Annotated[str, _variable("AGENTBASE_METRICS_HOST")] = "127.0.0.1"
    sites_domain: Annotated[str, _variable("AGENTBASE_SITES_DOMAIN")] = "localhost"
    public_url: Annotated[str, _variable("AGENTBASE_PUBLIC_URL")] = ""
    trusted_proxies: Annotated[tuple[str, ...], _variable("AGENTBASE_TRUSTED_PROXIES")] = ()
    site_name: Annotated[str, _variable("AGENTBASE_SITE_NAME")] = ""
    admin_email: Annotated[str, _variable("AGENTBASE_ADMIN_EMAIL")] = ""
    admin_password: Annotated[Secret, _variable("AGENTBASE_ADMIN_PASSWORD")] = Secret("")
    secret_key: Annotated[Secret, _variable("AGENTBASE_SECRET_KEY")] = Secret("")
    database_url: Annotated[Secret, _variable("DATABASE_URL")] = Secret("")
    database_owner_url: Annotated[Secret, _variable("DATABASE_OWNER_URL")] = Secret("")
    redis_url: Annotated[Secret, _variable("REDIS_URL")] = Secret("")
    workers: Annotated[int, _variable("AGENTBASE_WORKERS")] = 1
    egress_allow: Annotated[tuple[str, ...], _variable("AGENTBASE_EGRESS_ALLOW")] = ()
    git_local: Annotated[tuple[str, ...], _variable("AGENTBASE_GIT_LOCAL")] = ()
    full_python: Annotated[bool, _variable("AGENTBASE_FULL_PYTHON")] = False
    local_model: Annotated[bool, _variable("AGENTBASE_LOCAL_MODEL")] = True
    local_model_url: Annotated[str, _variable("AGENTBASE_LOCAL_MODEL_URL")] = ""
    log_format: Annotated[Literal["console", "json"], _variable("AGENTBASE_LOG_FORMAT")] = "console"
    language: Annotated[str, _variable("AGENTBASE_LANGUAGE")] = "en"
    smtp_url: Annotated[Secret, _variable("AGENTBASE_SMTP_URL")] = Secret("")
    mail_in: Annotated[str, _variable("AGENTBASE_MAIL_IN")] = ""
    signin_google_id: Annotated[str, _variable("AGENTBASE_SIGNIN_GOOGLE_ID")] = ""
    signin_google_secret: Annotated[Secret, _variable("AGENTBASE_SIGNIN_GOOGLE_SECRET")] = Secret("")
    signin_github_id: Annotated[str, _variable("AGENTBASE_SIGNIN_GITHUB_ID")] = ""
    signin_github_secret: Annotated[Secret, _variable("AGENTBASE_SIGNIN_GITHUB_SECRET")] = Secret("")
    oidc_issuer: Annotated[str, _variable("AGENTBASE_OIDC_ISSUER")] = ""
    oidc_id: Annotated[str, _variable("AGENTBASE_OIDC_ID")] = ""
    oidc_secret: Annotated[Secret, _variable("AGENTBASE_OIDC_SECRET")] = Secret("")
    oidc_name: Annotated[str, _variable("AGENTBASE_OIDC_NAME")] = ""

    otlp_endpoint: Annotated[str, _variable("OTEL_EXPORTER_OTLP_ENDPOINT")] = ""
    otlp_headers: Annotated[Secret, _variable("OTEL_EXPORTER_OTLP_HEADERS")] = Secret("")
    otlp_service: Annotated[str, _variable("OTEL_SERVICE_NAME")] = "agentbase"

    @property
    def owner_url(self) -> str:
        """Where migrations run; the same as the app's database unless set apart."""
        return self.database_owner_url or self.database_url

    @property
    def instance(self) -> str:
        """A name that differs between two instances on one Redis: where the database is. No secret in it."""
        place = urlsplit(self.database_url)
        return f"agentbase:{place.hostname or ''}:{place.port or 5432}{place.path}"

    @property
    def own_host(self) -> str:
        """Where this machine itself reaches the web process: 0.0.0.0 and :: are for listening, nobody can go there."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104  read, not listened on

    @property
    def base_url(self) -> str:
        """The dashboard's address as people type it, without a slash at the end."""
        host = f"[{self.own_host}]" if ":" in self.own_host else self.own_host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")


def _fields() -> Iterator[tuple[str, str, Any]]:
    """Field name, variable name, bare type: in the order they are declared."""
    for field, annotation in get_type_hints(Settings, include_extras=True).items():
        extra: dict[str, str] = annotation.__metadata__[0].extra
        yield field, extra["variable"], annotation.__origin__


def names() -> tuple[str, ...]:
    """Every variable the product reads. A test compares .env.example with this list."""
    return tuple(variable for _, variable, _ in _fields())


def _number(variable: str, text: str) -> int:
    lowest = 1 if variable in {"AGENTBASE_PORT", "AGENTBASE_WORKERS"} else 0
    if not (text.isascii() and text.isdigit()) or not lowest <= int(text) <= 65_535:
        raise SettingError(
            f"Setting {variable} is {text!r}. Expected a whole number from {lowest} to 65535; "
            "see docs/operate/settings.md."
        )
    return int(text)


def _switch(variable: str, text: str) -> bool:
    if text.lower() not in {"on", "off"}:
        raise SettingError(f"Setting {variable} is {text!r}. Expected on or off; see docs/operate/settings.md.")
    return text.lower() == "on"


def _log_format(variable: str, text: str) -> str:
    if text not in {"console", "json"}:
        raise SettingError(f"Setting {variable} is {text!r}. Expected console or json; see docs/operate/settings.md.")
    return text


def _list(variable: str, text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _networks(variable: str, text: str) -> tuple[str, ...]:
    for part in (listed := _list(variable, text)):
        try:
            ipaddress.ip_network(part, strict=False)
        except ValueError:
            raise SettingError(
                f"Setting {variable} holds {part!r}. Expected addresses or networks such as 10.0.0.7,172.18.0.0/16; "
                "see docs/operate/settings.md."
            ) from None
    return listed


def _url(variable: str, text: str) -> Secret:
    schemes, example = {
        "DATABASE_URL": (("postgresql://", "postgres://"), "postgresql://user:password@db/agentbase"),
        "DATABASE_OWNER_URL": (("postgresql://", "postgres://"), "postgresql://owner:password@db/agentbase"),
        "REDIS_URL": (("redis://", "rediss://", "unix://"), "redis://:password@redis:6379/0"),
        "AGENTBASE_SMTP_URL": (("smtp://", "smtps://"), "smtps://user:password@mail.example.org:465"),
    }[variable]
    if not text.startswith(schemes):  # the value itself stays out of the message: it holds a password
        raise SettingError(
            f"Setting {variable} has an unknown form. Expected e.g. {example}; see docs/operate/settings.md."
        )
    return Secret(text)


def _place(variable: str, text: str) -> str:
    host, _, port = text.rpartition(":")
    if not (host and port.isascii() and port.isdigit() and 0 < int(port) <= 65_535):
        raise SettingError(
            f"Setting {variable} is {text!r}. Expected an address and a port such as 127.0.0.1:2525; "
            "see docs/operate/settings.md."
        )
    return text


_READERS: dict[str, Callable[[str, str], Any]] = {
    "AGENTBASE_FULL_PYTHON": _switch,
    "AGENTBASE_LOCAL_MODEL": _switch,
    "AGENTBASE_LOG_FORMAT": _log_format,
    "AGENTBASE_TRUSTED_PROXIES": _networks,
    "DATABASE_URL": _url,
    "DATABASE_OWNER_URL": _url,
    "REDIS_URL": _url,
    "AGENTBASE_SMTP_URL": _url,
    "AGENTBASE_MAIL_IN": _place,
}
_READERS_BY_TYPE: dict[Any, Callable[[str, str], Any]] = {
    int: _number,
    Path: lambda _, text: Path(text).expanduser(),
    Secret: lambda _, text: Secret(text),
    str: lambda _, text: text,
    tuple[str, ...]: _list,
}


def load(environ: Mapping[str, str]) -> Settings:
    """Settings from a mapping of variables. Missing and empty mean the default.

    Raises SettingError, which names the variable and what is expected.
    """
    values: dict[str, Any] = {}
    for field, variable, kind in _fields():
        text = environ.get(variable, "").strip()
        if text:
            read = _READERS.get(variable) or _READERS_BY_TYPE[kind]
            values[field] = read(variable, text)
    return Settings(**values)


_current: list[Settings] = []


def settings() -> Settings:
    """The settings of this process, read from the environment at the first call."""
    if not _current:
        _current.append(load(os.environ))
    return _current[-1]


def use(changed: Settings) -> None:
    """Replace the settings of this process: `agentbase up` does it once its own database is running."""
    _current[:] = [changed]


@contextmanager
def using(**changes: Any) -> Iterator[Settings]:
    """Settings with some fields changed, for the length of a block (tests)."""
    before = settings()
    _current.append(msgspec.structs.replace(before, **changes))
    try:
        yield _current[-1]
    finally:
        _current.pop()


def environment(changed: Settings) -> dict[str, str]:
    """The variables that give a child process exactly these settings, on top of our own environment."""
    variables = {key: value for key, value in os.environ.items() if key not in names()}
    for field, variable, _ in _fields():
        value = getattr(changed, field)
        if isinstance(value, bool):
            variables[variable] = "on" if value else "off"
        elif isinstance(value, tuple):
            variables[variable] = ",".join(value)
        else:
            variables[variable] = str(value)
    return variables


def secret_keys(*, again: bool = False) -> tuple[bytes, ...]:
    """The instance's master secrets, the current one first; older ones only still open what they once closed.

    AGENTBASE_SECRET_KEY (several: separated by commas), else the lines of <data>/secret.key, which is made with mode
    0600 at the first call. The file is read once; `again` reads it once more, after somebody rotated it.
    Raises SettingError when one is shorter than 32 characters, or others can read the file.
    """
    given = settings().secret_key
    if given:
        keys = [part.strip().encode() for part in given.split(",") if part.strip()]
        source = "Setting AGENTBASE_SECRET_KEY"
    else:
        path = settings().data.absolute() / "secret.key"
        if again or path not in _from_file:
            _from_file[path] = _read_secret_file(path)
        keys, source = _from_file[path], f"The file {path}"
    if not keys or min(map(len, keys)) < 32:
        raise SettingError(
            f"{source} has {min(map(len, keys), default=0)} characters. Expected at least 32 random ones, "
            "e.g. from: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'."
        )
    return tuple(keys)


_from_file: dict[Path, list[bytes]] = {}


def _read_secret_file(path: Path) -> list[bytes]:
    if not path.exists():
        # Two processes that start at once agree: each writes aside and links into place, and the first wins.
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = _written_aside(path, [secrets.token_urlsafe(48).encode()])
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise SettingError(f"The file {path} can be read by other users of this machine. Run: chmod 600 {path}")
    return path.read_bytes().split()


def _written_aside(path: Path, keys: list[bytes]) -> Path:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(b"\n".join(keys) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return draft


def renew_secret_file() -> None:
    """Put a new secret first in <data>/secret.key; the old ones stay behind it until `drop_old_secrets()`.

    Raises SettingError when the secret is a variable: then the operator puts the new one first, and a comma.
    """
    if settings().secret_key:
        raise SettingError(
            "The secret is set by AGENTBASE_SECRET_KEY. Put a new one before it, separated by a comma, and restart."
        )
    path = settings().data.absolute() / "secret.key"
    keys = [secrets.token_urlsafe(48).encode(), *secret_keys(again=True)]
    _written_aside(path, keys).replace(path)
    secret_keys(again=True)


def replace_secret_file(content: bytes) -> bool:
    """Put the secret of a backup in the place of <data>/secret.key. False when it is the one that is there.

    Another one that was there is kept as secret.key.before-restore: it may open what another backup holds.
    """
    path = settings().data.absolute() / "secret.key"
    if path.exists():
        if path.read_bytes().split() == content.split():
            return False
        path.replace(path.with_name("secret.key.before-restore"))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _written_aside(path, content.split()).replace(path)
    secret_keys(again=True)
    return True


def drop_old_secrets() -> None:
    """Keep only the current secret in <data>/secret.key: after the vault was re-wrapped and all processes restarted."""
    if not settings().secret_key:
        path = settings().data.absolute() / "secret.key"
        _written_aside(path, list(secret_keys(again=True)[:1])).replace(path)
        secret_keys(again=True)


def secret_key() -> bytes:
    """The current master secret. Use `derive(purpose)`: nothing should work with this one itself."""
    return secret_keys()[0]


def derive(purpose: str, secret: bytes = b"") -> bytes:
    """A key of 32 bytes for one purpose ("csrf", "session", …); no two purposes share one.

    From the current master secret, or from the one given (an older one, to open what it closed).
    """
    return hmac.digest(secret or secret_key(), b"agentbase/" + purpose.encode(), hashlib.sha256)
