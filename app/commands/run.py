"""`agentbase run FLOW.json --input '{"message": "Hello"}'`: one run, in this process, nothing stored."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from app import config, logs
from app.embedded.errors import IN_USE, StartProblem
from app.embedded.local_model import LocalModel, missing


@click.command("run")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--input", "given", default="{}", help="JSON object: what the flow's start step hands on.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON, not only its text.")
@click.option("--events", is_flag=True, help="Print every event of the run as it happens, one JSON line each.")
def command(file: Path, given: str, as_json: bool, events: bool) -> None:
    """Run a flow file here and print its answer; on a fresh machine too: the bundled model is started when needed.

    No workspace takes part, so connections, budgets and files of one are not there: for those, use the API.
    Exit status 1 when the run fails.
    """
    from flows.catalogue import load
    from flows.compile import compile
    from flows.document import BadDocument
    from flows.files import FORMS, read_flow
    from flows.problems import Problems

    logs.setup(config.settings().log_format, logging.WARNING)
    try:
        value = msgspec.json.decode(given)
    except msgspec.DecodeError:
        value = None
    if not isinstance(value, dict):
        example = '--input \'{"message": "Hello"}\''
        raise click.BadParameter(f"It is no JSON object. Expected one such as {example}.", param_hint="--input")
    try:
        plan = compile(read_flow(file.read_bytes(), FORMS.get(file.suffix, "json")), load())
    except BadDocument as error:
        raise click.UsageError(f"{file}: {error}") from None
    if isinstance(plan, Problems):
        raise click.UsageError(f"{file} can't run:\n{plan}")
    if any(step.kind is not None and "llm" in step.needs for step in plan.all_steps()):
        with local_model():
            output = asyncio.run(_run(plan, value, events))
    else:
        output = asyncio.run(_run(plan, value, events))
    text = output.get("text") if isinstance(output, dict) and not as_json else None
    if isinstance(text, str) and text:
        click.echo(text)
    elif not events:
        click.echo(msgspec.json.encode(output).decode())


async def _run(plan: Any, value: dict[str, Any], events: bool) -> Any:
    """The output of the flow. Raises StartProblem with the reason when there is none."""
    from app import egress

    try:
        return await _advance(plan, value, events)
    finally:
        await egress.stop()


async def _advance(plan: Any, value: dict[str, Any], events: bool) -> Any:
    from app import clock
    from app.runs.running import CAPABILITIES
    from flows.catalogue import load
    from flows.ledger.memory import MemoryLedger
    from flows.run import Engine

    def show(event: dict[str, Any]) -> None:
        click.echo(msgspec.json.encode(event).decode())

    ledger = MemoryLedger()
    engine = Engine(load(), ledger, capabilities=CAPABILITIES)
    ledger.open("run", value)
    while True:
        outcome = await engine.advance(ledger.claim("run"), plan, listen=show if events else None)
        if outcome.status == "succeeded":
            return msgspec.json.decode(outcome.output) if outcome.output else None
        if outcome.status != "waiting":
            fault = outcome.fault
            where = f"Step '{fault.node}': " if fault is not None and fault.node else ""
            raise StartProblem(f"The run {outcome.status}. {where}{fault.message if fault else ''}")
        if outcome.wake_at is None:
            raise StartProblem(
                "The run waits for somebody's answer, which nobody can give here.",
                "Run it in the dashboard or by the API.",
            )
        await asyncio.sleep(max(0.0, outcome.wake_at - clock.epoch()))


@contextmanager
def local_model() -> Iterator[None]:
    """Settings with a model server that answers: the given one, the one `agentbase up` runs, or one of our own."""
    settings = config.settings()
    if settings.local_model_url or not settings.local_model or missing():
        yield
        return
    server = LocalModel(settings.data.expanduser() / "model")
    try:
        try:
            url = server.start()
        except StartProblem as problem:
            if problem.code != IN_USE:
                raise
            url = server.url_on_disk()
        else:
            server.wait_until_loaded()
        with config.using(local_model_url=url):
            yield
    finally:
        server.stop()
