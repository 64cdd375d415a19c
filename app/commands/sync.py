"""`agentbase sync`: the workspace's flows and its git repository, both ways."""

import click


@click.command("sync")
@click.option("--pull", "only", flag_value="pull", help="Take over what changed in git, write nothing there.")
@click.option("--push", "only", flag_value="push", help="Write what changed here, take nothing over.")
@click.option("--email", default="", help="Whose workspace; without it, the first owner's.")
def command(only: str | None, email: str) -> None:
    """Sync now, and print what was done. Exit status 1 when something is to be decided by a person.

    The repository is connected under Settings, Git, or by `PUT /api/v1/git`.
    """
    from app.accounts import service as accounts
    from app.commands.database import in_database
    from app.gitsync import service
    from app.gitsync.shapes import Done

    async def run() -> Done:
        actor = await accounts.owner_on_this_machine(email)
        return await service.sync(actor, pull=only != "push", push=only != "pull", why="command")

    done = in_database(run)
    for word, paths in (
        ("pulled", done.pulled),
        ("pushed", done.pushed),
        ("conflict", done.conflicts),
        ("left", done.left),
    ):
        for path in paths:
            click.echo(f"{word:9} {path}")
    click.echo(done.said)
    if done.conflicts:
        raise SystemExit(1)
