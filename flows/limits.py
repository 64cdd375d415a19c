"""How much one run may use. The host may lower these per plan of a workspace."""

from msgspec import Struct


class Limits(Struct, frozen=True):
    """`steps` counts every round of every container. `output_bytes`: the JSON of one step's outputs.

    `record_bytes`: all an express run writes down. `depth`: sub-flows in sub-flows. `items`: rounds of one container.
    `hold`: seconds a pause between tries may be before the run is put to sleep instead of keeping a worker.
    `grace`: seconds a step that must not happen twice gets to finish when its run is stopped.
    """

    steps: int = 250_000
    output_bytes: int = 4 * 1024 * 1024
    record_bytes: int = 16 * 1024 * 1024
    depth: int = 8
    items: int = 100_000
    hold: float = 5.0
    grace: float = 15.0
