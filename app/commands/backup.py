"""`agentbase backup FILE`: the whole database in one file that any machine and any later version can read."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import click

from app import config
from app.embedded.errors import StartProblem
from app.embedded.postgres_programs import PostgresPrograms


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def command(file: Path) -> None:
    """Write the database into FILE while everything keeps running: the state of one moment.

    With DATABASE_URL set, DATABASE_OWNER_URL must name a user who sees every row (a superuser, or BYPASSRLS).
    """
    from app.commands.database import reachable

    if file.exists():
        raise click.UsageError(f"{file} is already there. Choose another name; backups are never written over.")
    part = file.absolute().with_name(file.name + ".part")
    with reachable() as settings:
        done = PostgresPrograms().run(
            "pg_dump", "--format=custom", "--compress=6", f"--file={part}", *address(settings), env=password(settings)
        )
    if done.returncode != 0:
        part.unlink(missing_ok=True)
        raise StartProblem(
            f"The backup failed. pg_dump said:\n{done.stderr.strip()}\n",
            "The user of DATABASE_OWNER_URL must be a superuser, or own the tables and have BYPASSRLS.",
        )
    part.chmod(0o600)
    part.replace(file)
    click.echo(f"{file} is written ({file.stat().st_size / 1_048_576:.1f} MB).")
    if not settings.secret_key:
        key = settings.data / "secret.key"
        click.echo(f"Keep a copy of {key} at another place: without it the stored connections can't be read.")


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
