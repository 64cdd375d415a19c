"""`agentbase export`: flows as files, written so that the same flow always gives the same bytes."""

from pathlib import Path
from uuid import UUID

import click

from app.studio.queries import Listed


@click.command("export")
@click.argument("flows", nargs=-1, metavar="[FLOW]…")
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="Folder for the files (flows).")
@click.option("--form", type=click.Choice(["json", "yaml"]), default="json", help="json unless you say otherwise.")
@click.option("--tests", is_flag=True, help="Write the tests of each flow beside it, for `agentbase test`.")
@click.option("--email", default="", help="Whose workspace; without it, the first owner's.")
def command(flows: tuple[str, ...], folder: Path | None, form: str, tests: bool, email: str) -> None:
    """Write the drafts of these flows (names or ids; unsaid: all but those put away) as files.

    One flow without --to is printed. Secrets, connections and keys in headers are left out. A file that is already
    there is written over, so that git shows what changed.
    """
    from app.accounts import service as accounts
    from app.checks import files
    from app.checks import queries as checks
    from app.commands.database import in_database
    from app.studio import queries, service
    from flows.files import write_flow

    async def read() -> dict[str, str]:
        actor = await accounts.owner_on_this_machine(email)
        names = file_names(chosen(await queries.flows(actor), flows))
        made = {
            f"{name}.{form}": write_flow(
                await service.export_flow(actor, flow_id), "yaml" if form == "yaml" else "json"
            )
            for name, flow_id in names.items()
        }
        for name, flow_id in names.items() if tests else ():
            if cases := (await checks.suite(actor, flow_id)).cases:
                made[name + files.ENDING] = files.write(cases)
        return made

    written = in_database(read)
    if folder is None and len(flows) == 1 and not tests:
        click.echo(next(iter(written.values())), nl=False)
        return
    folder = folder or Path("flows")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")
        click.echo(folder / name)


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


def file_names(flows: list[Listed]) -> dict[str, UUID]:
    """A file name for each, without ending: the flow's name in small letters; the second of the same gets "-2"."""
    from app.gitsync.naming import names_for

    return dict(zip(names_for(flow.name for flow in flows), (flow.id for flow in flows), strict=True))
