"""`agentbase restore FILE`: put a backup in the place of what the database holds now."""

import asyncio
from pathlib import Path

import click

from app import config
from app.commands.backup import address, password
from app.embedded.errors import IN_USE, StartProblem
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.postgres_programs import PostgresPrograms


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Don't ask before what is there now is replaced.")
def command(file: Path, yes: bool) -> None:
    """Replace the whole database by FILE, then bring it to this version. All of it happens, or nothing.

    Stop Agentbase first. The secret key of the machine the backup comes from is needed to read its connections.
    """
    from app.commands.database import reachable
    from app.migrate import migrate

    settings = config.settings()
    folder = settings.data.expanduser() / "postgres"
    if not settings.database_url and EmbeddedPostgres(folder).running_elsewhere():
        raise StartProblem(f"Agentbase in {settings.data} is running.", "Stop it first (Ctrl-C).", code=IN_USE)
    if not yes:
        click.confirm("Everything in the database is replaced. Go on?", abort=True)
    with reachable() as settings:
        asyncio.run(migrate())  # makes the roles, which a backup of one database does not hold
        done = PostgresPrograms().run(
            "pg_restore",
            *("--clean", "--if-exists", "--single-transaction", "--exit-on-error"),
            *address(settings),
            str(file.absolute()),
            env=password(settings),
        )
        if done.returncode != 0:
            raise StartProblem(
                f"The backup could not be put back; nothing was changed. pg_restore said:\n{done.stderr.strip()}\n",
                "Is it a file that `agentbase backup` wrote, by this version or an older one?",
            )
        ran = asyncio.run(migrate()).ran
    (folder / "migrated").unlink(missing_ok=True)
    click.echo(f"{file} is put back; {len(ran)} migrations run since then.")
