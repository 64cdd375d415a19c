"""`agentbase`: the command line. Only names and one-line helps stand here; a command's file is read when called."""

import importlib
import sys
from typing import Any

import click

COMMANDS = {
    "up": "Start everything on this machine: database, web, worker, local model.",
    "web": "Serve the dashboard and the sites (production).",
    "worker": "Carry out durable runs and background jobs (production).",
    "migrate": "Bring the database to this version.",
    "doctor": "Check this installation and say what to do.",
    "run": "Run a flow file here and print its answer.",
    "check": "Check flow files without running them.",
    "test": "Run the tests of flows, here or in CI.",
    "schema": "Print the JSON Schema of a document.",
    "docs": "Write the pages about steps from their code.",
    "new": "Start a new node or flow from a working example.",
    "export": "Write flows as files, for git and for other installations.",
    "import": "Make flows of files.",
    "sync": "Sync flows with the workspace's git repository.",
    "key": "Make API keys.",
    "secret": "Rotate the instance's master secret.",
    "backup": "Write everything into one file.",
    "restore": "Put a backup back.",
}
FILES = {"import": "importing"}
"""Commands whose file has another name, because theirs is a word of Python."""


class _Lazy(click.Group):
    """A group that imports `app.commands.<name>` when `<name>` is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"app.commands.{FILES.get(cmd_name, cmd_name)}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="agentbase", prog_name="agentbase")
def cli() -> None:
    """Agentbase: WordPress for AI applications. Draw an AI app as a graph, publish it as a themed site."""


def main() -> None:
    """Run a command; what a person can act on is said in two lines, without a traceback."""
    try:
        cli.main(prog_name="agentbase", standalone_mode=True)
    except Exception as error:
        said = _for_people(error)
        if said is None:
            raise
        message, remedy, code = said
        click.echo(f"agentbase: {message.rstrip()}", err=True)
        if remedy:
            click.echo(f"  → {remedy}", err=True)
        sys.exit(code)


def _for_people(error: Exception) -> tuple[str, str, int] | None:
    """(message, remedy, exit status) of our own errors; None for a bug, which keeps its traceback."""
    kinds: dict[str, Any] = {
        "app.embedded.errors": "StartProblem",
        "app.config": "SettingError",
        "app.migrate": "MigrationError",
        "app.errors": "DomainError",
    }
    for module, name in kinds.items():
        if module in sys.modules and isinstance(error, getattr(sys.modules[module], name)):
            code = getattr(error, "code", 1)  # of a DomainError it is a word for programs
            message, remedy = getattr(error, "message", str(error)), getattr(error, "remedy", "")
            return message, remedy, code if isinstance(code, int) else 1
    return None


if __name__ == "__main__":
    main()
