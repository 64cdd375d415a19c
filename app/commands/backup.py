"""`agentbase backup FILE`: all there is in one file, which any machine and any later version can read.

The file is a tar: `backup.json` (what wrote it, and when), `database.dump` (of pg_dump, compressed) and `secret.key`,
without which the stored connections can't be opened. Everything else of the data folder is made anew by itself.
"""

import io
import tarfile
from importlib.metadata import version
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
import msgspec

from app import clock, config
from app.embedded.errors import StartProblem
from app.embedded.postgres_programs import PostgresPrograms

FORMAT = 1


class About(msgspec.Struct, frozen=True):
    """backup.json. A format that is greater than ours was written by a newer Agentbase."""

    format: int
    agentbase: str
    written: str


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--without-secret", is_flag=True, help="Leave secret.key out: then the file opens no stored key.")
def command(file: Path, without_secret: bool) -> None:
    """Write everything into FILE while everything keeps running: the state of one moment.

    With DATABASE_URL set, DATABASE_OWNER_URL must name a user who sees every row (a superuser, or BYPASSRLS).
    """
    from app.commands.database import reachable

    if file.exists():
        raise click.UsageError(f"{file} is already there. Choose another name; backups are never written over.")
    dump, part = (file.absolute().with_name(file.name + ending) for ending in (".dump", ".part"))
    try:
        dump.touch(mode=0o600)  # before pg_dump opens it: nobody else reads along
        with reachable() as settings:
            done = PostgresPrograms().run(
                *("pg_dump", "--format=custom", "--compress=6", f"--file={dump}"),
                *address(settings),
                env=password(settings),
            )
        if done.returncode != 0:
            raise StartProblem(
                f"The backup failed. pg_dump said:\n{done.stderr.strip()}\n",
                "The user of DATABASE_OWNER_URL must be a superuser, or own the tables and have BYPASSRLS.",
            )
        secret = settings.data.expanduser() / "secret.key"
        taken = not without_secret and not settings.secret_key and secret.exists()
        part.touch(mode=0o600)
        with tarfile.open(part, "w") as archive:
            _add(archive, "backup.json", msgspec.json.encode(About(FORMAT, version("agentbase"), str(clock.now()))))
            archive.add(dump, "database.dump")
            if taken:
                _add(archive, "secret.key", secret.read_bytes())
        part.replace(file)
    finally:
        dump.unlink(missing_ok=True)
        part.unlink(missing_ok=True)
    click.echo(f"{file} is written ({file.stat().st_size / 1_048_576:.1f} MB).")
    if taken:
        click.echo("It holds the secret key, too: keep it where you would keep a password.")
    else:
        where = "AGENTBASE_SECRET_KEY" if settings.secret_key else secret
        click.echo(f"Keep a copy of {where} at another place: without it the stored connections can't be read.")


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    archive.addfile(member, io.BytesIO(content))


def address(settings: config.Settings) -> list[str]:
    """How PostgreSQL's tools are told where to go, without the password."""
    parts = urlsplit(settings.owner_url)
    return [
        f"--host={parts.hostname}",
        f"--port={parts.port or 5432}",
        f"--username={unquote(parts.username or 'postgres')}",
        f"--dbname={unquote(parts.path.lstrip('/'))}",
        "--no-password",
    ]


def password(settings: config.Settings) -> dict[str, str]:
    return {"PGPASSWORD": unquote(urlsplit(settings.owner_url).password or "")}
