"""`agentbase restore FILE`: put a backup in the place of what is there now."""

import asyncio
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import click
import msgspec

from app import config
from app.commands.backup import FORMAT, About, address, password
from app.embedded.errors import IN_USE, StartProblem
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.postgres_programs import PostgresPrograms

EMPTY = (
    "set client_min_messages = warning",
    "drop owned by agentbase_owner",
    "grant usage, create on schema public to agentbase_owner",
)
"""What is there goes first, also what a backup of an older version does not know (pg_restore --clean would stop there).
Everything of ours belongs to that one role; what else lies in the database stays.
"""


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Don't ask before what is there now is replaced.")
def command(file: Path, yes: bool) -> None:
    """Replace the whole database by FILE, then bring it to this version. All of it happens, or nothing.

    Stop Agentbase first. The secret key comes along when it is in FILE and AGENTBASE_SECRET_KEY is not set.
    """
    settings = config.settings()
    folder = settings.data.expanduser() / "postgres"
    if not settings.database_url and EmbeddedPostgres(folder).running_elsewhere():
        raise StartProblem(f"Agentbase in {settings.data} is running.", "Stop it first (Ctrl-C).", code=IN_USE)
    with _opened(file) as archive:
        about = _about(archive, file)
        if not yes:
            click.confirm("Everything in the database is replaced. Go on?", abort=True)
        ran = _database(archive, file)
        (folder / "migrated").unlink(missing_ok=True)
        click.echo(f"{file} of {about.written} is put back; {ran} migrations run since then.")
        if "secret.key" not in archive.getnames():
            click.echo(
                "It holds no secret key: connections open with the key of the machine it comes from, and no other."
            )
        elif settings.secret_key:
            click.echo("Its secret key was left where it is: AGENTBASE_SECRET_KEY is set, and must hold the same one.")
        elif config.replace_secret_file(_read(archive, "secret.key")):
            click.echo(f"Its secret key is now {settings.data / 'secret.key'}.")


def _database(archive: tarfile.TarFile, file: Path) -> int:
    """Put the dump in; returns how many migrations were due afterwards. StartProblem when nothing was changed."""
    from app.commands.database import reachable
    from app.migrate import make_roles, migrate

    dump, script = (file.absolute().with_name(file.name + ending) for ending in (".restoring", ".restoring.sql"))
    try:
        for part in (dump, script):
            part.touch(mode=0o600)  # before anything is in it: nobody else reads along
        with dump.open("wb") as out:
            shutil.copyfileobj(_member(archive, "database.dump"), out)
        with reachable() as settings:
            asyncio.run(make_roles())
            _run("pg_restore", f"--file={script}", str(dump))  # to its end before anything is changed
            _run(
                "psql",
                *("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction"),
                *(f"--command={statement}" for statement in EMPTY),
                f"--file={script}",
                *address(settings),
                env=password(settings),
            )
            return len(asyncio.run(migrate()).ran)
    finally:
        dump.unlink(missing_ok=True)
        script.unlink(missing_ok=True)


def _run(program: str, *arguments: str, env: Mapping[str, str] | None = None) -> None:
    done = PostgresPrograms().run(program, *arguments, env=env)
    if done.returncode != 0:
        raise StartProblem(
            f"The backup could not be put back; nothing was changed. {program} said:\n{done.stderr.strip()}\n",
            "Is it a file that `agentbase backup` wrote, by this version or an older one?",
        )


def _opened(file: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(file)
    except tarfile.TarError:
        raise _no_backup(file) from None


def _about(archive: tarfile.TarFile, file: Path) -> About:
    try:
        about = msgspec.json.decode(_read(archive, "backup.json"), type=About)
        _member(archive, "database.dump")
    except (KeyError, tarfile.TarError, msgspec.MsgspecError):
        raise _no_backup(file) from None
    if about.format > FORMAT:
        raise StartProblem(
            f"{file} was written by a newer Agentbase ({about.agentbase}). Nothing was changed.",
            "Restore it with that version, or a later one.",
        )
    return about


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    """A file of the archive, by its name and nothing else: nothing is unpacked to where the archive says."""
    found = archive.extractfile(name)
    if found is None:
        raise KeyError(name)
    return found


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    return bytes(_member(archive, name).read())


def _no_backup(file: Path) -> StartProblem:
    return StartProblem(
        f"{file} is no backup of Agentbase; nothing was changed.", "Expected a file that `agentbase backup` wrote."
    )
