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
@click.option("--vars", "named", default="", help="JSON object: what its steps read as vars.name.")
@click.option(
    "--lane",
    type=click.Choice(["auto", "express", "durable"]),
    default="durable",
    show_default=True,
    help="express: at once in memory, as where a caller waits; refused for a flow that can't. auto: as the server.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON, not only its text.")
@click.option("--events", is_flag=True, help="Print every event of the run as it happens, one JSON line each.")
def command(file: Path, given: str, named: str, lane: str, as_json: bool, events: bool) -> None:
    """Run a flow file here and print its answer; on a fresh machine too: the bundled model is started when needed.

    Both lanes obey the same rules and give the same answer; --lane durable goes through the engine that pauses and
    resumes, --lane express through the one that answers at once.

    No workspace takes part, so connections, budgets and files of one are not there: for those, use the API.
    Exit status 1 when the run fails.
    """
    from flows.catalogue import load
    from flows.compile import compile
    from flows.document import BadDocument
    from flows.files import FORMS, read_flow
    from flows.problems import Problems

    logs.setup(config.settings().log_format, logging.WARNING)
    value = _object(given, "--input", '{"message": "Hello"}')
    vars = _object(named, "--vars", '{"shop": "Fernhill"}') if named else None
    try:
        plan = compile(read_flow(file.read_bytes(), FORMS.get(file.suffix, "json")), load())
    except BadDocument as error:
        raise click.UsageError(f"{file}: {error}") from None
    if isinstance(plan, Problems):
        raise click.UsageError(f"{file} can't run:\n{plan}")
    if lane == "express" and not plan.express:
        raise click.UsageError(
            f"{file} needs the durable lane: it waits, or has a step that must not happen twice. Leave --lane out."
        )
    quick = plan.express and lane != "durable"
    if any(step.kind is not None and "llm" in step.needs for step in plan.all_steps()):
        with local_model():
            output = asyncio.run(_run(plan, value, vars, events, quick))
    else:
        output = asyncio.run(_run(plan, value, vars, events, quick))
    text = output.get("text") if isinstance(output, dict) and not as_json else None
    if isinstance(text, str) and text:
        click.echo(text)
    elif not events:
        click.echo(msgspec.json.encode(output).decode())


def _object(text: str, option: str, example: str) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        value = None
    if not isinstance(value, dict):
        example = f"{option} '{example}'"
        raise click.BadParameter(f"It is no JSON object. Expected one such as {example}.", param_hint=option)
    return value


async def _run(plan: Any, value: dict[str, Any], vars: dict[str, Any] | None, events: bool, quick: bool) -> Any:
    """The output of the flow. Raises StartProblem with the reason when there is none."""
    from app import egress

    try:
        return await (_at_once if quick else _advance)(plan, value, vars, events)
    finally:
        await egress.stop()


def _show(event: dict[str, Any]) -> None:
    click.echo(msgspec.json.encode(event).decode())


async def _at_once(plan: Any, value: dict[str, Any], vars: dict[str, Any] | None, events: bool) -> Any:
    from app.runs.running import CAPABILITIES
    from flows.express import run_express
    from flows.sdk.context import RunFacts

    facts = RunFacts("run", capabilities=CAPABILITIES, vars=vars)
    record = await run_express(plan, value, context=facts, listen=_show if events else None)
    if record.status != "succeeded":
        raise _failed(record.status, record.fault)
    return msgspec.to_builtins(record.output)


def _failed(status: str, fault: Any) -> StartProblem:
    where = f"Step '{fault.node}': " if fault is not None and fault.node else ""
    return StartProblem(f"The run {status}. {where}{fault.message if fault else ''}")


async def _advance(plan: Any, value: dict[str, Any], vars: dict[str, Any] | None, events: bool) -> Any:
    from app import clock
    from app.runs.running import CAPABILITIES
    from flows.catalogue import load
    from flows.ledger.memory import MemoryLedger
    from flows.run import Engine

    ledger = MemoryLedger()
    engine = Engine(load(), ledger, capabilities=CAPABILITIES)
    ledger.open("run", value, vars=vars)
    while True:
        outcome = await engine.advance(ledger.claim("run"), plan, listen=_show if events else None)
        if outcome.status == "succeeded":
            return msgspec.json.decode(outcome.output) if outcome.output else None
        if outcome.status != "waiting":
            raise _failed(outcome.status, outcome.fault)
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
