"""`agentbase test`: the tests of flows, for people at a terminal and for CI."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from app.checks.junit import Ran
from app.checks.shapes import Result


@click.command("test")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--flow", "flows", multiple=True, help="Name or id of a flow of this installation; its draft is tested.")
@click.option("--suite", "names", multiple=True, help="Only tests of this suite; several: each is reported by itself.")
@click.option("--dataset", "dataset", default="", help="Name of a dataset of that one flow: the draft over its rows.")
@click.option("--junit", "junit_file", type=click.Path(dir_okay=False, path_type=Path), help="Write JUnit XML there.")
@click.option("--email", default="", help="Whose workspace (with --flow); without it, the first owner's.")
def command(
    paths: tuple[Path, ...],
    flows: tuple[str, ...],
    names: tuple[str, ...],
    dataset: str,
    junit_file: Path | None,
    email: str,
) -> None:
    """Run the tests of flow files (of a folder: all below it), or of flows of this installation.

    The tests of FLOW.json lie beside it in FLOW.tests.json, as `agentbase export --tests` writes them. Recorded answers
    take the place of models and addresses, so nothing is needed but the files. Exit status 1 when a test fails.

    With --suite only the tests of these suites run (names; a test says in its file which it is in).

    With --dataset the draft really runs, once a row, in the workers of this installation; what must come out is what
    the last comparison over it asked for, else that the answer contains what the row expects.
    """
    from app.checks.junit import junit

    if bool(paths) == bool(flows):
        raise click.UsageError("Name files or folders, or flows with --flow.")
    if dataset and len(flows) != 1:
        raise click.UsageError("A dataset belongs to one flow: name it with --flow.")
    if dataset:
        from app.commands.dataset import over

        suites = over(flows[0], dataset, email)
    else:
        suites = asyncio.run(_files(paths, names)) if paths else _server(flows, names, email)
    for suite in suites:
        click.echo(f"{suite.flow}")
        for name, result in suite.results:
            passed = result.status == "passed"
            click.echo(f"  {'✓' if passed else '✗'} {name}  {result.ms:.0f} ms{'' if passed else '  ' + result.why}")
    failed, count = sum(suite.failed for suite in suites), sum(len(suite.results) for suite in suites)
    click.echo(f"{count - failed} passed, {failed} failed")
    if junit_file is not None:
        junit_file.write_text(junit(suites), encoding="utf-8")
    if not count:
        raise click.UsageError("There is no test in there.")
    if failed:
        raise SystemExit(1)


async def _files(paths: tuple[Path, ...], names: tuple[str, ...]) -> list[Ran]:
    from app import egress
    from app.checks import files
    from app.commands.importing import flow_files
    from app.errors import Refused
    from flows.document import BadDocument
    from flows.files import FORMS, read_flow

    suites = []
    try:
        for file in flow_files(paths):
            tests = files.beside(file)
            if not tests.exists():
                continue
            try:
                document = read_flow(file.read_bytes(), FORMS.get(file.suffix, "json"))
                cases = files.read(tests.read_bytes())
            except (BadDocument, Refused) as error:
                raise click.UsageError(f"{file}: {error}") from None
            meant = [case for case in cases if not names or set(names) & set(case.suites)]
            results = {case.name: await files.run_here(document, case) for case in meant}
            within = {case.name: case.suites for case in meant}
            suites += _by_suite(document.name or file.stem, results, within, names)
    finally:
        await egress.stop()
    return suites


def _by_suite(
    flow: str, results: Mapping[str, Result], within: Mapping[str, Sequence[str]], names: tuple[str, ...]
) -> list[Ran]:
    """What to report: the flow's tests together, or those of each suite that was named, under both names."""
    if not names:
        return [Ran(flow, list(results.items()))] if results else []
    found = [(name, [(test, result) for test, result in results.items() if name in within[test]]) for name in names]
    return [Ran(f"{flow}, {name}", tests) for name, tests in found if tests]


def _server(wanted: tuple[str, ...], names: tuple[str, ...], email: str) -> list[Ran]:
    from app.accounts import service as accounts
    from app.checks import queries as checks
    from app.checks import service
    from app.commands.database import in_database
    from app.commands.export import chosen
    from app.runs import running
    from app.studio import queries

    async def run() -> list[Ran]:
        actor = await accounts.owner_on_this_machine(email)
        await running.start("cli")
        try:
            suites = []
            for flow in chosen(await queries.flows(actor), wanted):
                there = (await checks.suite(actor, flow.id)).suites
                meant = [suite.id for suite in there if suite.name in names]
                done = await service.run(actor, flow.id, suites=meant) if meant or not names else []
                results = {view.case.name: result for view, result in done}
                within = {view.case.name: view.case.suites for view, _ in done}
                suites += _by_suite(flow.name, results, within, names)
            return suites
        finally:
            await running.stop()

    return in_database(run)
