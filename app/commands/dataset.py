"""`agentbase test --flow NAME --dataset NAME`: the draft over all rows of a dataset, carried out by the workers."""

import asyncio

import click

from app.checks.junit import Ran

LOOK = 1.0
"""Seconds between two looks at how far it is."""


def over(flow: str, dataset: str, email: str) -> list[Ran]:
    """One suite a variant, one test a row. Waits for the workers; Ctrl-C leaves it to them."""
    from app.accounts import service as accounts
    from app.checks import dataset_queries as queries
    from app.checks import experiments
    from app.checks.dataset_forms import MatrixForm
    from app.checks.dataset_shapes import ExperimentView, TrialView
    from app.checks.experimenting import HOLE
    from app.checks.shapes import Expectation, Result, Status
    from app.commands.database import in_database
    from app.commands.export import chosen
    from app.runs import running
    from app.studio import queries as studio
    from app.web import Actor

    def result(view: ExperimentView, cell: TrialView | None) -> Result:
        if cell is None or cell.status != "done":
            return Result("failed", view.created_at, view.said or "It did not run.")
        status: Status = "passed" if cell.passed else "failed"
        return Result(status, view.created_at, cell.error, cell.verdicts, cell.ms, cell.cost_micros, cell.run_id)

    async def ended(actor: Actor, view: ExperimentView) -> ExperimentView:
        while view.status == "running":
            await asyncio.sleep(LOOK)
            before, view = view.done, await queries.experiment(actor, view.flow_id, view.id)
            if view.done != before:
                click.echo(f"  {view.done} of {view.all}", err=True)
        return view

    async def run() -> list[Ran]:
        actor = await accounts.owner_on_this_machine(email)
        [found] = chosen(await studio.flows(actor), (flow,))
        fitting = [each for each in await queries.datasets(actor, found.id) if dataset in (each.name, str(each.id))]
        if not fitting:
            raise click.UsageError(f"'{found.name}' has no dataset '{dataset}'.")
        last = [each for each in await queries.experiments(actor, found.id) if each.dataset_id == fitting[0].id]
        expect = last[0].expect if last else [Expectation("contains", HOLE)]
        await running.start("cli")
        try:
            made = await experiments.begin(actor, found.id, fitting[0].id, MatrixForm(expect=expect))
            view = await ended(actor, await queries.experiment(actor, found.id, made))
            lines, after = [], -1
            while more := await queries.lines(actor, view, after):
                lines += more
                after = more[-1].row.place
        finally:
            await running.stop()
        return [
            Ran(
                f"{found.name}, {fitting[0].name}, {variant.name}",
                [(f"Row {line.row.place + 1}", result(view, line.cells[i])) for line in lines],
            )
            for i, variant in enumerate(view.variants)
        ]

    return in_database(run)
