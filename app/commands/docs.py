"""`agentbase docs`: the pages about steps as files (docs/steps), from the code of the installed steps."""

from pathlib import Path

import click

from app.embedded.errors import StartProblem


@click.command("docs")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path("docs/steps"))
@click.option("--check", is_flag=True, help="Write nothing; fail when a page is not as the code says.")
def command(folder: Path, check: bool) -> None:
    """Write a page for every step that is installed here."""
    from app.studio.step_docs import all_docs
    from app.studio.step_markdown import pages

    wanted = pages(all_docs())
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")} if folder.is_dir() else {}
    differing = sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
    if check:
        if differing:
            raise StartProblem(
                f"{len(differing)} pages in {folder} are not as the code says: {', '.join(differing[:5])}.",
                "agentbase docs writes them anew.",
            )
        click.echo(f"{len(wanted)} pages in {folder} are as the code says.")
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name in differing:
        if name in wanted:
            (folder / name).write_text(wanted[name], encoding="utf-8")
        else:
            (folder / name).unlink()
    click.echo(f"{len(wanted)} pages in {folder}; {len(differing)} changed.")
