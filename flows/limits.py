"""How much one run may use. The host may lower these per plan of a workspace."""

from msgspec import Struct, structs

from flows.plan import Plan


class Limits(Struct, frozen=True):
    """`steps` counts every round of every container. `output_bytes`: the JSON that the record keeps of one step; large
    values are in storage and count as their references. `value_bytes`: one such value, `stored_bytes`: all of a run.

    `record_bytes`: all an express run writes down, without those. `depth`: sub-flows in sub-flows. `items`: rounds of
    one container. `retries`: tries repeated in a run, over all its steps. `cost_micros`: millionths of a US dollar that
    all its steps may report together; None = no limit. A step that is at work when it is passed has had its effect.
    `hold`: seconds a pause between tries may be before the run is put to sleep instead of keeping a worker.
    `grace`: seconds a step that must not happen twice gets to finish when its run is stopped.
    """

    steps: int = 1_000_000
    output_bytes: int = 4 * 1024 * 1024
    value_bytes: int = 64 * 1024 * 1024
    stored_bytes: int = 1024 * 1024 * 1024
    record_bytes: int = 16 * 1024 * 1024
    depth: int = 8
    items: int = 100_000
    retries: int = 1_000
    cost_micros: int | None = None
    hold: float = 5.0
    grace: float = 15.0


def within(limits: Limits, plan: Plan) -> Limits:
    """The host's limits, and what the author allows a run of this flow to cost, whichever is less."""
    if plan.cost_micros is None:
        return limits
    most = plan.cost_micros if limits.cost_micros is None else min(limits.cost_micros, plan.cost_micros)
    return structs.replace(limits, cost_micros=most)
