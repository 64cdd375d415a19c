"""`agentbase import FILE`: flow files become flows of this installation."""

from pathlib import Path

import click

from app.studio.queries import Listed


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--update", is_flag=True, help="Replace the draft of the flow with the same name, as one undoable edit.")
@click.option("--email", default="", help="Whose workspace; without it, the first owner's.")
def command(files: tuple[Path, ...], update: bool, email: str) -> None:
    """Make a flow of each file (.json, .yaml; of a folder: all of them) and print its id and name.

    All files are read first: when one of them is no flow, nothing is made. What a flow may do is judged when it runs or
    is published, as for one that was drawn.
    """
    from app.accounts import service as accounts
    from app.commands.database import in_database
    from app.studio import queries, service
    from flows.document import BadDocument
    from flows.files import FORMS, read_flow

    documents, found = [], flow_files(files)
    if not found:
        raise click.UsageError("There is no .json or .yaml file in there.")
    for file in found:
        if file.suffix not in FORMS:
            raise click.UsageError(f"{file}: expected a file that ends in {', '.join(FORMS)}.")
        try:
            documents.append((file, read_flow(file.read_bytes(), FORMS[file.suffix])))
        except BadDocument as error:
            raise click.UsageError(f"{file}: {error}") from None

    async def write() -> list[str]:
        actor, lines = await accounts.owner_on_this_machine(email), []
        there = await queries.flows(actor) if update else []
        for file, flow in documents:
            same = same_name(there, flow.name, file)
            if same is None:
                flow_id = await service.create_flow(actor, flow.name or file.stem, flow)
            else:
                flow_id = same.id
                await service.replace_document(actor, flow_id, flow)
            lines.append(f"{flow_id}  {flow.name or file.stem}{'' if same is None else '  (updated)'}")
        return lines

    click.echo("\n".join(in_database(write)))


def same_name(flows: list[Listed], name: str, file: Path) -> Listed | None:
    """The flow of this name; None when there is none. Raises UsageError when it is not clear which is meant."""
    fitting = [flow for flow in flows if flow.name == name and not flow.archived]
    if len(fitting) > 1:
        raise click.UsageError(f"{file}: {len(fitting)} flows are called '{name}'. Rename all but one, then again.")
    return fitting[0] if fitting else None


def flow_files(paths: tuple[Path, ...]) -> list[Path]:
    """The files themselves, and of a folder all flow files below it, in a steady order."""
    from flows.files import FORMS

    found = []
    for path in paths:
        below = [path] if path.is_file() else sorted(path.rglob("*"))
        found += [file for file in below if file is path or (file.suffix in FORMS and file.is_file())]
    return [file for file in found if not _tests(file)]


def _tests(file: Path) -> bool:
    """A file of tests beside a flow's (app/checks/files.py) is no flow."""
    return file.name.endswith(".tests.json")
