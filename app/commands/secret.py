"""`agentbase secret`: the instance's master secret."""

import click


@click.group("secret")
def command() -> None:
    """The instance's master secret, from which every other key is derived."""


@command.command("rotate")
@click.option("--forget-old", is_flag=True, help="The last step: drop the old secret from <data>/secret.key.")
def rotate(forget_old: bool) -> None:
    """Close the workspaces' keys with a new secret; stored secrets stay readable all the time.

    With a secret file: run this, restart all processes, then run it with --forget-old. With AGENTBASE_SECRET_KEY: put
    the new secret before the old one, separated by a comma, restart, run this, and then take the old one away.
    Everybody is signed out when the processes restart.
    """
    from app import config
    from app.commands.database import in_database
    from app.vault import service

    if not forget_old and not config.settings().secret_key:
        config.renew_secret_file()
    wrapped = in_database(service.rewrap)
    click.echo(f"{wrapped} workspace keys are now closed with the current secret")
    if forget_old:
        config.drop_old_secrets()
        click.echo("old secrets are gone from this machine" if not config.settings().secret_key else "")
    elif config.settings().secret_key:
        click.echo("next: take the old secret out of AGENTBASE_SECRET_KEY and restart")
    else:
        click.echo("next: restart all processes, then run: agentbase secret rotate --forget-old")
