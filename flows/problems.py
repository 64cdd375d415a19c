"""What is wrong with a flow, in sentences a person can act on."""

from typing import Literal

from msgspec import Struct


class Problem(Struct, frozen=True, omit_defaults=True):
    """`node` is the step's id; `field` a setting (a path such as "rows[0].value"), `port` a port, `edge` a wire's id.

    `error`: the flow can't run. `warning`: it runs, but probably not as meant.
    """

    node: str
    message: str
    severity: Literal["error", "warning"] = "error"
    field: str = ""
    port: str = ""
    edge: str = ""


class Problems(list[Problem]):
    """Why a flow can't be compiled: at least one error among them."""

    def __str__(self) -> str:
        return "\n".join(problem.message for problem in self)
