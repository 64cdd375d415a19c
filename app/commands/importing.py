"""`agentbase import FILE`: flow files become flows of this installation."""

from pathlib import Path

import click


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--update", is_flag=True, help="Replace the draft of the flow with the same name, as one undoable edit.")
@click.option("--email", default="", help="Whose workspace; without it, the first owner's.")
def command(files: tuple[Path, ...], update: bool, email: str) -> None:
    """Make a flow of each file (.json, .yaml, .zip; of a folder: all of them) and print its id and name.

    Its tests and datasets come along from FLOW.tests.json and FLOW.data.json beside it, the files of its settings from
    files/. All is read first: when one of them is no flow, nothing is made. What a flow may do is judged when it runs
    or is published, as for one that was drawn.
    """
    from app.accounts import service as accounts
    from app.commands.database import in_database
    from app.errors import DomainError
    from app.gitsync import bundling
    from flows.files import FORMS

    found = flow_files(files)
    if not found:
        raise click.UsageError("There is no .json or .yaml file in there.")
    sets = []
    for file in found:
        if file.suffix not in (*FORMS, ".zip"):
            raise click.UsageError(f"{file}: expected a file that ends in {', '.join(FORMS)} or .zip.")
        try:
            entries = entries_of(file)
            bundling.checked(entries)
        except DomainError as problem:
            raise click.UsageError(f"{file}: {problem}") from None
        sets.append((file, entries))

    async def write() -> list[str]:
        actor, lines = await accounts.owner_on_this_machine(email), []
        for file, entries in sets:
            try:
                taken = await bundling.unpacked(actor, entries, update=update)
            except DomainError as problem:
                raise click.UsageError(f"{file}: {problem} {problem.remedy}".rstrip()) from None
            lines += [f"{each.id}  {each.name}{'  (updated)' if each.updated else ''}" for each in taken.flows]
            lines += [f"  not here: the file '{name}' that its settings refer to" for name in taken.missing]
        return lines

    click.echo("\n".join(in_database(write)))


def entries_of(file: Path) -> dict[str, bytes]:
    """A flow file with what lies beside it, or what a zip file holds. A link is never followed. Raises Refused."""
    from app.checks import service as checks
    from app.files.service import MOST_BYTES
    from app.gitsync import bundling
    from app.gitsync.archive import FILES, unpack

    if file.suffix == ".zip":
        return unpack(file.read_bytes())
    entries = {file.name: file.read_bytes()}
    for ending in checks.ENDINGS:
        beside = file.with_name(file.stem + ending)
        if beside.is_file() and not beside.is_symlink():
            entries[beside.name] = beside.read_bytes()
    [read] = bundling.checked(entries)
    for hash in bundling.referred_to(read.flow):
        kept = file.parent / "files" / hash
        if kept.is_file() and not kept.is_symlink() and kept.stat().st_size <= MOST_BYTES:
            entries[FILES + hash] = kept.read_bytes()
    return entries


def flow_files(paths: tuple[Path, ...]) -> list[Path]:
    """The files themselves, and of a folder all flow files below it, in a steady order."""
    from flows.files import FORMS

    found = []
    for path in paths:
        below = [path] if path.is_file() else sorted(path.rglob("*"))
        found += [file for file in below if file is path or (file.suffix in FORMS and file.is_file())]
    return [file for file in found if not _beside(file)]


def _beside(file: Path) -> bool:
    """A file of tests or of datasets beside a flow's (app/checks/service/travelling.py) is no flow."""
    return file.name.endswith((".tests.json", ".data.json"))
