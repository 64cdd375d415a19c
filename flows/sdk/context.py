"""What a node's function is given about its step, and how it pauses."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from msgspec import Struct, field

from flows.sdk.capabilities import Calls, CapabilityName, Files, Http, Llm, Sandbox, Usage
from flows.sdk.errors import NodeError
from flows.sdk.logs import LEVELS, MOST_LINE, Level, RunLog, plain
from flows.sdk.values import Json

if TYPE_CHECKING:
    from flows.keeping import Keeping

TIME = "time"
"""The name of the signal that means: the time of the Wait is up."""


class Signal(Struct, frozen=True, omit_defaults=True):
    """What ended a Wait. `by` names who sent it: a person's id, "webhook", or "" for the clock.

    `step`: "node" or "node:round", when it is meant for one step only; "" = the first step that waits for this name.
    """

    name: str
    data: Json = None
    by: str = ""
    step: str = ""


class Asked(Struct, frozen=True, omit_defaults=True):
    """Who is asked by e-mail what a Wait asks. Each address of `to` gets a link of its own, at once.

    Reminded every `every` seconds (0 = never), at most `most` times. `then`: those who are asked as well when nobody
    has answered after `after` seconds.
    """

    to: tuple[str, ...] = ()
    every: float = 0
    most: int = 0
    then: tuple[str, ...] = ()
    after: float = 0


class Wait(Struct, frozen=True, omit_defaults=True):
    """Returned by a node instead of its outputs: call me again later, with the reason in `ctx.signal`.

    `seconds` (from now) or `until` (with a time zone): the latest moment; then the signal is named "time".
    `signal`: the name of the signal that ends the wait earlier. With neither time nor signal the flow is refused.
    `title`, `description`, `choices`, `form` (JSON Schema) are for the person asked. No worker is held meanwhile.
    `asks` False: it waits for a machine, so no person is told. `people`: those who are told by e-mail.
    """

    seconds: float | None = None
    until: datetime | None = None
    signal: str = ""
    title: str = ""
    description: str = ""
    choices: tuple[str, ...] = ()
    form: dict[str, Any] = field(default_factory=dict)
    data: Json = None
    asks: bool = True
    people: Asked | None = None


class Round(Struct, frozen=True, omit_defaults=True):
    """How one round of a container's body ended. `value`: what arrived at its inner port.

    `last`: a step inside left the container, so no more rounds are wanted. `index`: which round it was.
    """

    status: Literal["done", "empty", "failed"]
    value: Json = None
    error: str = ""
    node: str = ""
    last: bool = False
    index: int = 0


class Body(Protocol):
    """The steps inside a container.

    The container's function is called again after a pause or crash and then gets the recorded rounds at once: it must
    ask for the same rounds again, so its path may depend only on settings, inputs and rounds.
    """

    async def round(self, index: int, values: Mapping[str, Json]) -> Round:
        """Run the body once. `values` are what its inner output ports carry."""
        ...

    async def rounds(self, values: Iterable[Mapping[str, Json]], at_once: int, stop_on_error: bool) -> list[Round]:
        """Run the body for each, at most `at_once` at a time. Order of the answer = order of `values`.

        Ends early with the first round that is the `last` one, or, with `stop_on_error`, at a failed one.
        """
        ...


Act = Callable[[Any], Awaitable[None]]
"""A change of the host's own database, given the connection of the transaction it belongs to."""


class RunFacts:
    """What all steps of one run share. `capabilities`: name -> factory that is called with a step's Context.

    `keeping`: where results of steps are kept; `afresh`: this run takes none of them. `vars`: the workspace's variables
    as they were when the run began; None = nothing in it reads them.
    `log`: what its steps say; made by the first that says something.
    """

    __slots__ = (
        "afresh", "capabilities", "deadline", "depth", "emit", "flow_id", "input", "keeping", "log", "run_id",
        "trigger", "vars", "version_id", "workspace_id",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913
        self,
        run_id: str,
        input: Mapping[str, Json] | None = None,
        *,
        workspace_id: str = "",
        flow_id: str = "",
        version_id: str = "",
        trigger: str = "",
        deadline: float | None = None,
        capabilities: Mapping[CapabilityName, Callable[["Context"], Any]] | None = None,
        emit: Callable[[dict[str, Any]], None] | None = None,
        depth: int = 0,
        keeping: "Keeping | None" = None,
        afresh: bool = False,
        log: RunLog | None = None,
        vars: Mapping[str, Json] | None = None,
    ) -> None:
        self.run_id = run_id
        self.input: Mapping[str, Json] = {} if input is None else input
        self.workspace_id = workspace_id
        self.flow_id = flow_id
        self.version_id = version_id
        self.trigger = trigger
        self.deadline = deadline
        self.capabilities = capabilities or {}
        self.emit = emit
        self.depth = depth
        self.keeping = keeping
        self.afresh = afresh
        self.vars = vars
        self.log = log


class Context:
    """Handed to a node's function. Only what the node named in `needs` can be used."""

    __slots__ = (
        "_acts",
        "_body",
        "_caps",
        "_flow",
        "answer",
        "attempt",
        "iter",
        "needs",
        "node_id",
        "run",
        "signal",
        "usage",
    )

    def __init__(
        self,
        run: RunFacts,
        node_id: str,
        iter: str = "",
        attempt: int = 1,
        needs: tuple[CapabilityName, ...] = (),
        signal: Signal | None = None,
        answer: bool = False,
    ) -> None:
        self.run = run
        self.node_id = node_id
        self.iter = iter
        self.attempt = attempt
        self.needs = needs
        self.signal = signal
        self.answer = answer
        self.usage: Usage | None = None
        self._caps: dict[str, Any] | None = None
        self._body: Body | None = None
        self._acts: list[Act] | None = None
        self._flow: Callable[[str, Mapping[str, Json]], Awaitable[Json]] | None = None

    @property
    def run_id(self) -> str:
        return self.run.run_id

    @property
    def workspace_id(self) -> str:
        return self.run.workspace_id

    @property
    def flow_id(self) -> str:
        return self.run.flow_id

    @property
    def version_id(self) -> str:
        return self.run.version_id

    @property
    def trigger(self) -> str:
        """The kind of what started the run: "chat", "webhook", "schedule", …"""
        return self.run.trigger.partition(":")[0]

    @property
    def input(self) -> Mapping[str, Json]:
        """The run's input as the trigger delivered it."""
        return self.run.input

    @property
    def deadline(self) -> float | None:
        """Unix time after which the run is stopped; None = no limit."""
        return self.run.deadline

    @property
    def step_key(self) -> str:
        """`run:node`, inside containers `run:node:round[.round…]`. The same for every attempt."""
        return f"{self.run.run_id}:{self.node_id}:{self.iter}" if self.iter else f"{self.run.run_id}:{self.node_id}"

    @property
    def idempotency_key(self) -> str:
        """40 hex characters, the same for every attempt of this step, different for every other step."""
        return blake2b(self.step_key.encode(), digest_size=20, person=b"agentbase.step").hexdigest()

    def say(self, text: str) -> None:
        """Stream a piece of text to whoever watches the run. Nothing is stored: also return the whole as an output."""
        if self.run.emit is not None:
            self.run.emit(self._event("step.token", text=text, answer=self.answer))

    def log(self, message: str, /, level: Level = "info", **data: Json) -> None:
        """A line for the person who reads this run later, with what belongs to it.

        Kept with the run: 200 lines of a step, 2,000 of a run, 4,000 characters of a line (flows/sdk/logs.py).
        """
        run = self.run
        if run.log is None:
            run.log = RunLog()
        event = self._event(
            "step.log",
            attempt=self.attempt,
            level=level if level in LEVELS else "info",
            at=time.time(),
            text=str(message)[:MOST_LINE],
            output=plain(data),
        )
        if run.emit is not None:
            run.emit(event)
        run.log.add(event)

    def record(self, usage: Usage) -> None:
        """Add what a call used; the sum is shown on the step. Calls through `ctx.llm` are added already."""
        if (old := self.usage) is None:
            self.usage = usage
            return
        self.usage = Usage(
            old.prompt_tokens + usage.prompt_tokens,
            old.completion_tokens + usage.completion_tokens,
            old.cost_micros + usage.cost_micros,
        )

    @property
    def llm(self) -> Llm:
        return cast(Llm, self._capability("llm"))

    @property
    def http(self) -> Http:
        return cast(Http, self._capability("http"))

    @property
    def files(self) -> Files:
        return cast(Files, self._capability("files"))

    @property
    def sandbox(self) -> Sandbox:
        return cast(Sandbox, self._capability("sandbox"))

    @property
    def calls(self) -> Calls:
        return cast(Calls, self._capability("calls"))

    @property
    def body(self) -> Body:
        """The steps inside this container."""
        if self._body is None:
            raise NodeError(f"Step '{self.node_id}' is not a container: its node type lacks container=True.")
        return self._body

    def with_outcome(self, act: "Act") -> None:
        """Change the host's own database in the transaction that records this step as done: both happen, or neither.

        For capabilities of the host; nodes call those. `act` gets the ledger's connection inside that transaction,
        under the ledger's role: it narrows that to the workspace first. It is called once the function has returned
        its outputs; not when it fails or waits. What it raises ends the run, with nothing recorded of the step.

        Raises NodeError in a step whose effect is not "db", and where no ledger records it.
        """
        if self._acts is None:
            raise NodeError('This changes the database together with the record: its node needs effect="db".')
        self._acts.append(act)

    async def flow(self, version_id: str, input: Mapping[str, Json]) -> Json:
        """Run a published flow version as part of this run and give back its result."""
        if self._flow is None:
            raise NodeError("Other flows can't be started from here. Run this flow on the server.", field="flow")
        return await self._flow(version_id, input)

    def _event(self, type: str, **more: Any) -> dict[str, Any]:
        return {"type": type, "run": self.run.run_id, "node": self.node_id, "iter": self.iter, **more}

    def _capability(self, name: CapabilityName) -> Any:
        if name not in self.needs:
            raise NodeError(f"This node type uses '{name}' unasked. Add needs=(\"{name}\",) to its @node line.")
        if self._caps is None:
            self._caps = {}
        elif name in self._caps:
            return self._caps[name]
        factory = self.run.capabilities.get(name)
        if factory is None:
            raise NodeError(f"'{name}' is not available where this flow runs.")
        made = self._caps[name] = factory(self)
        return made
