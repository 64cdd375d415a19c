"""`agentbase migrate`: bring the database to this version."""

import asyncio

import click


@click.command("migrate")
@click.option("--dry-run", is_flag=True, help="Only say what would run.")
def command(dry_run: bool) -> None:
    """Roles, then every migration that has not run, under one lock; safe to repeat, and with several at the same time.

    Uses DATABASE_OWNER_URL (a user who may create roles and tables), else DATABASE_URL.
    """
    from app import migrate

    if dry_run:
        waiting = asyncio.run(migrate.pending())
        click.echo("\n".join(waiting) if waiting else "up to date")
        return
    ran = asyncio.run(migrate.migrate()).ran
    click.echo(f"{len(ran)} run" if ran else "up to date")
