"""`agentbase schema flow`: what a document may hold, for editors and other programs."""

import click
import msgspec


@click.command("schema")
@click.argument("document", type=click.Choice(["flow"]))
def command(document: str) -> None:
    """Print the JSON Schema of a document."""
    from flows.document import flow_schema

    click.echo(msgspec.json.format(msgspec.json.encode(flow_schema()), indent=2).decode())
