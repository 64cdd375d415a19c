"""A matrix: every prompt with every model with every version, over all rows of a dataset. Begin and cancel.

What it is is stored at once, cell by cell; workers carry it out (experimenting.py) and go on after a crash.
"""

from itertools import product
from typing import Any
from uuid import UUID

import msgspec

from app import events
from app.checks import dataset_queries as queries
from app.checks.dataset_forms import MOST_TRIALS, MOST_VARIANTS, MatrixForm, Prompt
from app.checks.dataset_shapes import Variant
from app.db import tenant_tx
from app.errors import Conflict, NotFound, Refused, TooMany
from app.gateway import queries as gateway
from app.runs import queries as runs
from app.runs import service as running
from app.studio import queries as studio
from app.web import Actor
from flows import catalogue
from flows.compile import compile
from flows.model import Flow
from flows.problems import Problems

AT_ONCE = 3
"""Matrices of one workspace that run at the same time."""
DRAFT = "draft"
SAFE = frozenset({"pure", "repeatable_costed", "idempotent", "probe"})
"""Effects that may happen once more for every row without anybody asking."""


async def begin(actor: Actor, flow_id: UUID, dataset_id: UUID, form: MatrixForm) -> UUID:
    """Start it; workers do the rest. Raises NotFound, TooMany, and Refused for a flow that can't be run like this."""
    running.may_run(actor)
    data = await queries.dataset(actor, flow_id, dataset_id)
    await _known(actor, form.models)
    planned = await _planned(actor, flow_id, form)
    cells = len(planned) * data.rows
    if len(planned) > MOST_VARIANTS or cells > MOST_TRIALS:
        raise Refused(
            f"These are {len(planned)} variants with {cells:,} runs; at most {MOST_VARIANTS} with {MOST_TRIALS:,} are.",
            remedy="Choose fewer of them, or a smaller dataset.",
        )
    trigger = ""
    for _, document in planned:
        trigger = _may_be_tried(document, for_real=form.for_real)
    async with tenant_tx(actor.workspace_id) as tx:
        await tx.execute("select 1 from workspace where id = $1 for update", actor.workspace_id)
        if await tx.fetchval("select count(*) from experiment where status = 'running'") >= AT_ONCE:
            raise TooMany(f"{AT_ONCE} comparisons run already.", remedy="Wait for one to end.", retry_after=60)
        variants = []
        for named, document in planned:
            version_id = await running.save_version(
                tx, actor.workspace_id, flow_id, document, "", actor.user_id, kind="draft"
            )
            variants.append(msgspec.structs.replace(named, version_id=version_id))
        made: UUID = await tx.fetchval(
            """insert into experiment (workspace_id, dataset_id, flow_id, trigger, expect, variants, most_micros,
                      created_by) values ($1, $2, $3, $4, $5, $6, $7, $8) returning id""",
            actor.workspace_id,
            dataset_id,
            flow_id,
            trigger,
            _json(form.expect),
            _json(variants),
            round(form.most * 1_000_000),
            actor.user_id,
        )
        await tx.execute(
            """insert into experiment_trial (workspace_id, experiment_id, row_id, variant, place)
               select $1, $2, r.id, v, r.place from dataset_row r, generate_series(0, $4 - 1) v
                where r.dataset_id = $3""",
            actor.workspace_id,
            made,
            dataset_id,
            len(variants),
        )
        await events.publish(tx, actor.workspace_id, f"flow:{flow_id}", "experiment.changed", {"experiment": str(made)})
    return made


async def cancel(actor: Actor, flow_id: UUID, experiment_id: UUID) -> None:
    """Stop: what has not begun is not begun, what runs is cancelled. Raises NotFound, and Conflict when it is over."""
    running.may_run(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        status = await tx.fetchval(
            "select status from experiment where id = $1 and flow_id = $2 for update", experiment_id, flow_id
        )
        if status is None:
            raise NotFound(queries.NO_EXPERIMENT)
        if status != "running":
            raise Conflict("This comparison is over already.")
        await tx.execute(
            "update experiment set status = 'cancelled', said = 'Stopped by hand.', finished_at = now() where id = $1",
            experiment_id,
        )
        rows = await tx.fetch(
            "update experiment_trial set status = 'cancelled' where experiment_id = $1"
            " and status in ('queued', 'running') returning run_id",
            experiment_id,
        )
        told = {"experiment": str(experiment_id)}
        await events.publish(tx, actor.workspace_id, f"flow:{flow_id}", "experiment.changed", told)
    await running.cancel_all(actor, [row["run_id"] for row in rows if row["run_id"] is not None])


async def _known(actor: Actor, models: list[str]) -> None:
    there = {model.id for model in await gateway.models(actor) if not model.embeds}
    if unknown := [model for model in models if model and model not in there]:
        raise Refused(f"There is no model '{unknown[0][:100]}'.", remedy="Choose one of the list.", field="models")


async def _planned(actor: Actor, flow_id: UUID, form: MatrixForm) -> list[tuple[Variant, Flow]]:
    """Each variant with the document it runs; two that come to the same document are one."""
    versions = [await _version(actor, flow_id, each) for each in dict.fromkeys(form.versions)]
    prompts: list[Prompt | None] = [None, *form.prompts]
    found: dict[bytes, tuple[Variant, Flow]] = {}
    for (version, document), model, prompt in product(versions, dict.fromkeys(form.models), prompts):
        changed = _changed(document, model, prompt)
        parts = [version, model.partition("/")[2] or model, prompt.name if prompt is not None else ""]
        name = ", ".join(part for part in parts if part)
        variant = Variant(name, UUID(int=0), version, model, prompt.name if prompt is not None else "")
        found.setdefault(msgspec.json.encode(changed), (variant, changed))
    return list(found.values())


async def _version(actor: Actor, flow_id: UUID, wanted: str) -> tuple[str, Flow]:
    if wanted == DRAFT:
        return "Draft", (await studio.draft(actor, flow_id))[0]
    try:
        version = await runs.version(actor, UUID(wanted))
    except ValueError:
        raise Refused("There is no such version.", field="versions") from None
    if version.flow_id != flow_id:
        raise NotFound("This version does not exist.")
    return f"Version {version.number}", version.document


def _changed(document: Flow, model: str, prompt: Prompt | None) -> Flow:
    """The document with another model in all steps that ask one, and another text in one setting."""
    kinds, nodes, met = catalogue.load(), [], False
    for node in document.nodes:
        kind, settings = kinds.get(node.type), dict(node.settings)
        if model and kind is not None and "model" in kind.settings.__struct_fields__ and "llm" in kind.needs:
            settings["model"] = model
        if prompt is not None and node.id == prompt.step:
            if kind is None or prompt.field not in kind.settings.__struct_fields__:
                raise Refused(f"Step '{node.label or node.id}' has no setting '{prompt.field}'.", field="prompts")
            settings[prompt.field], met = prompt.text, True
        nodes.append(msgspec.structs.replace(node, settings=settings))
    if prompt is not None and not met:
        raise Refused(f"There is no step '{prompt.step}' in every one of these versions.", field="prompts")
    return msgspec.structs.replace(document, nodes=nodes)


def _may_be_tried(document: Flow, *, for_real: bool) -> str:
    """What starts it. Raises Refused for a flow that can't run, waits for somebody, or acts outside without leave."""
    plan = compile(document, catalogue.load())
    if isinstance(plan, Problems):
        raise Refused(f"The flow can't run: {plan}", remedy="Repair it, then compare again.", code="not_ready")
    trigger = ""
    for step in plan.all_steps():
        kind = step.kind
        if kind is None:
            continue
        trigger = trigger or kind.trigger or ""
        if kind.waits:
            raise Refused(
                f"Step '{step.label or step.id}' waits for somebody or for time, so nobody would end these runs.",
                remedy="Compare the part before or after it as a flow of its own.",
            )
        if not for_real and not kind.container and step.effect not in SAFE:
            raise Refused(
                f"Step '{step.label or step.id}' acts outside, once for every row and variant.",
                remedy="Say that it may, or switch the step off in the draft.",
                code="acts_outside",
                field="for_real",
            )
    return trigger


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
