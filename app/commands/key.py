"""`agentbase key create`: a key for the API, for whoever may use this machine anyway."""

import click

RIGHTS = ("read", "run", "write", "admin")


@click.group("key")
def command() -> None:
    """Make API keys."""


@command.command("create")
@click.option("--name", default="Command line", help="How it is called in the list of keys.")
@click.option("--rights", type=click.Choice(RIGHTS), default="write", help="Each includes those before it.")
@click.option("--email", default="", help="Whose key it is; without it, the first owner's.")
def create(name: str, rights: str, email: str) -> None:
    """Print a new key. It is shown this once and kept only as a hash."""
    from app.commands.database import in_database

    async def make() -> str:
        from app.accounts import service

        return (await service.create_key_on_this_machine(name, rights, email)).secret

    click.echo(in_database(make))
