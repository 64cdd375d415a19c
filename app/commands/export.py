"""`agentbase export`: flows as files, written so that the same flow always gives the same bytes."""

from pathlib import Path
from typing import Literal

import click

from app.studio.queries import Listed


@click.command("export")
@click.argument("flows", nargs=-1, metavar="[FLOW]…")
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="Folder for the files (flows).")
@click.option("--form", type=click.Choice(["json", "yaml"]), default="json", help="json unless you say otherwise.")
@click.option("--tests", is_flag=True, help="Write tests and datasets of each flow beside it, for `agentbase test`.")
@click.option("--files", is_flag=True, help="Write the files that settings refer to, by their hash, into files/.")
@click.option("--zip", "archive", type=click.Path(dir_okay=False, path_type=Path), help="All of it as one zip file.")
@click.option("--email", default="", help="Whose workspace; without it, the first owner's.")
def command(
    flows: tuple[str, ...],
    folder: Path | None,
    form: Literal["json", "yaml"],
    tests: bool,
    files: bool,
    archive: Path | None,
    email: str,
) -> None:
    """Write the drafts of these flows (names or ids; unsaid: all but those put away) as files.

    One flow without --to is printed. Secrets, connections and keys in headers are left out. A file that is already
    there is written over, so that git shows what changed.
    """
    from app.accounts import service as accounts
    from app.commands.database import in_database
    from app.gitsync import bundling, companions
    from app.gitsync.archive import pack
    from app.studio import queries

    async def read() -> dict[str, bytes]:
        actor = await accounts.owner_on_this_machine(email)
        meant = [flow.id for flow in chosen(await queries.flows(actor), flows)]
        return await bundling.packed(actor, meant, form, with_files=files or archive is not None)

    written = in_database(read)
    if archive is not None:
        archive.write_bytes(pack(written))
        click.echo(f"{archive}  {len(written)} files")
        return
    if not tests:
        written = {path: content for path, content in written.items() if not companions.of(path)}
    if folder is None and len(flows) == 1 and not tests and not files:
        click.echo(next(iter(written.values())).decode(), nl=False)
        return
    folder = folder or Path("flows")
    for path, content in written.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        click.echo(place)


def chosen(flows: list[Listed], wanted: tuple[str, ...]) -> list[Listed]:
    """Those that are meant, in a steady order. Raises UsageError for a name that no flow has, or several."""
    if not wanted:
        return sorted((flow for flow in flows if not flow.archived), key=lambda flow: flow.id)
    found = []
    for word in wanted:
        fitting = [flow for flow in flows if word in (flow.name, str(flow.id))]
        if len(fitting) != 1:
            raise click.UsageError(
                f"No flow is called '{word}'."
                if not fitting
                else f"{len(fitting)} flows are called '{word}'. Say which by its id: "
                + ", ".join(str(flow.id) for flow in fitting)
            )
        found += fitting
    return found
