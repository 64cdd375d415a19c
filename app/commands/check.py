"""`agentbase check PATH`: read and compile flow documents, run nothing."""

from pathlib import Path

import click


@click.command("check")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def command(paths: tuple[Path, ...]) -> None:
    """Check flow files, or every .json and .yaml below a folder. Exit status 1 when one has an error."""
    from app.commands.importing import flow_files
    from flows.catalogue import load
    from flows.compile import check
    from flows.document import BadDocument
    from flows.files import FORMS, read_flow

    catalogue, bad, files = load(), False, flow_files(paths)
    if not files:
        raise click.UsageError("There is no .json or .yaml file in there.")
    for file in files:
        try:
            problems = check(read_flow(file.read_bytes(), FORMS.get(file.suffix, "json")), catalogue)
        except BadDocument as error:
            click.echo(f"{file}: {error}")
            bad = True
            continue
        for problem in problems:
            where = f" at step '{problem.node}'" if problem.node else ""
            click.echo(f"{file}: {problem.severity}{where}: {problem.message}")
        failed = any(problem.severity == "error" for problem in problems)
        bad = bad or failed
        if not failed:
            click.echo(f"{file}: fine")
    if bad:
        raise SystemExit(1)
