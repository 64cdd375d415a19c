"""The compiled form of a flow: what the engine walks. Immutable; one Plan serves any number of runs at once."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from flows.coerce import Coerce, Misfit
from flows.model import OnError, Retry
from flows.sdk.context import RunFacts
from flows.sdk.node import Effect, NodeType
from flows.sdk.ports import AFTER, ERROR, VALUES
from flows.sdk.values import Ended

Outs = Sequence[Any]
"""What each step of a frame gave: its Outputs, a Failed, an Edge, or None (not finished, or skipped)."""

EXPRESS: frozenset[Effect] = frozenset({"pure", "repeatable_costed", "idempotent"})


class Edge(Struct, frozen=True):
    """The inner edge of a container, first "step" of its body: what its inner ports and wires from outside carry."""

    values: dict[str, Any]


class Failed(Struct, frozen=True):
    """What a failed step gives when its `on_error` is "wire" or "continue". Only the former has a port for it."""

    error: dict[str, Any]


def read_field(port: str) -> Callable[[Any], Any]:
    """The value of a port, UNSET when the step was skipped, failed or keeps this port silent."""

    def read(out: Any) -> Any:
        return getattr(out, port, UNSET)

    return read


def read_value(port: str) -> Callable[[Any], Any]:
    def read(out: Any) -> Any:
        values = getattr(out, VALUES, None)
        return UNSET if values is None else values.get(port, UNSET)

    return read


class Link(Struct, frozen=True):
    """Where a value comes from. `certain`: never silent once the source has run. `step`: its id."""

    source: int
    read: Callable[[Any], Any]
    port: str
    spoken: str
    coerce: Coerce | None = None
    certain: bool = False
    step: str = ""


class InPort(Struct, frozen=True):
    name: str
    required: bool
    many: bool
    links: tuple[Link, ...]

    def silent(self, outs: Outs) -> bool:
        return all(link.read(outs[link.source]) is UNSET for link in self.links)

    def values(self, outs: Outs, step: str) -> list[Any]:
        """What arrived, in wire order, without skipped wires. Raises Misfit."""
        found = []
        for link in self.links:
            value = link.read(outs[link.source])
            if value is UNSET:
                continue
            if link.coerce is not None:
                try:
                    value = link.coerce(value)
                except Misfit as error:
                    raise Misfit(
                        f"'{self.name}' of step '{step}' {error.message}. It comes from {link.spoken}.", field=self.name
                    ) from None
            found.append(value)
        return found


class Wire(Struct, frozen=True):
    """The same wire seen from its source."""

    target: int
    read: Callable[[Any], Any]


class Step:
    """One node of a plan. `succ` is set when every wire out of it is certain: then no value need be looked at.

    `replayed`: a container or sub-flow. Its function only conducts other steps and is called again after a crash.
    `settled`: a join that goes on however its wires ended. `keep`: seconds its results are kept, 0 = not at all.
    """

    __slots__ = (
        "answer", "body", "captures", "default_out", "disabled", "effect", "fill", "fn", "id", "index", "inline",
        "inputs", "keep", "kind", "label", "make", "need", "needs", "on_error", "outputs", "ports", "race", "replayed",
        "result", "retry", "settings", "settled", "succ", "timeout", "wires",
    )  # fmt: skip

    index: int
    id: str
    label: str
    kind: NodeType[Any, Any, Any] | None
    fn: Callable[[Any, Any, Any], Any]
    settings: Any
    fill: Callable[[Mapping[str, Any]], Any] | None
    make: Callable[[Outs], Any]
    inputs: type[Struct]
    outputs: type[Struct]
    ports: tuple[InPort, ...]
    inline: bool
    effect: Effect
    needs: tuple[Any, ...]
    retry: Retry
    on_error: OnError
    default_out: Any
    timeout: float | None
    keep: float
    wires: tuple[Wire, ...]
    succ: tuple[int, ...] | None
    need: int
    settled: bool
    race: frozenset[int]
    body: "Plan | None"
    captures: tuple[tuple[str, Link], ...]
    replayed: bool
    result: bool
    answer: bool
    disabled: bool

    def prepare(self, outs: Outs, facts: RunFacts) -> tuple[Any, Any]:
        """Settings with their expressions filled in, and the inputs. Raises Misfit, ExpressionError."""
        inputs = self.make(outs)
        if self.fill is None:
            return self.settings, inputs
        variables: dict[str, Any] = {"input": facts.input}
        if facts.vars is not None:
            variables["vars"] = facts.vars
        for name in self.inputs.__struct_fields__:
            if name != VALUES:
                variables[name] = getattr(inputs, name)
        for port in self.ports:
            if port.name not in variables and port.name != AFTER:
                for value in port.values(outs, self.label):
                    variables[port.name] = value
        return self.fill(variables), inputs

    def must_skip(self, outs: Outs) -> bool:
        """After all wires are resolved: a required port got nothing, or nothing arrived anywhere."""
        wired = [port for port in self.ports if port.links]
        silent = [port for port in wired if port.silent(outs)]
        if self.settled:
            return any(port.name == AFTER for port in silent)
        return len(silent) == len(wired) > 0 or any(port.required for port in silent)

    def __repr__(self) -> str:
        return f"Step({self.id!r})"


class Plan:
    """Steps of one level, in topological order. A container's body and a sub-flow are plans of their own.

    `express`: may run at once in memory. `quick`: the same when all flows it calls are, too; `calls`: their versions.
    `straight`: all steps in order, when they can only go one way (flows/straight.py); else ().
    `cost_micros`: what a run may cost, in millionths of a US dollar. `vars`: variables of the workspace that it reads;
    "" = no particular one, () = none.
    """

    __slots__ = (
        "calls",
        "cost_micros",
        "express",
        "hash",
        "indegree",
        "name",
        "quick",
        "result_links",
        "roots",
        "steps",
        "straight",
        "triggers",
        "vars",
        "waits",
    )

    def __init__(
        self, steps: tuple[Step, ...], indegree: tuple[int, ...], result_links: tuple[Link, ...] = (), name: str = ""
    ) -> None:
        self.steps = steps
        self.indegree = indegree
        self.result_links = result_links
        self.name = name
        self.hash = ""
        self.cost_micros: int | None = None
        self.roots = tuple(step.index for step in steps if indegree[step.index] == 0)
        self.triggers = frozenset(s.kind.trigger for s in steps if s.kind is not None and s.kind.trigger)
        self.waits = any(s.kind.waits for s in self.all_steps() if s.kind is not None)
        called = [s for s in self.all_steps() if s.kind is not None and s.kind.subflow]
        self.calls = tuple(dict.fromkeys(str(getattr(step.settings, "flow", "")) for step in called))
        self.quick = not self.waits and all(
            s.kind is None or (not (s.kind.undo or s.kind.early) and (s.kind.subflow or s.effect in EXPRESS))
            for s in self.all_steps()
        )
        self.express = self.quick and not called
        self.straight: tuple[Step, ...] = ()
        self.vars: tuple[str, ...] = ()

    def all_steps(self) -> list[Step]:
        """Of this level and of all containers, inner edges included (their `kind` is None)."""
        inner = [step for outer in self.steps if outer.body is not None for step in outer.body.all_steps()]
        return [*self.steps, *inner]

    def step(self, id: str) -> Step:
        """By id, at this level or in any container. Raises KeyError."""
        for step in self.all_steps():
            if step.id == id and step.kind is not None:
                return step
        raise KeyError(id)

    def __repr__(self) -> str:
        return f"Plan({[step.id for step in self.steps]})"


def maker(inputs: type[Struct], ports: tuple[InPort, ...], label: str) -> Callable[[Outs], Any]:
    """A function that builds Inputs from what the steps before gave, as direct as these wires allow."""
    names = inputs.__struct_fields__
    linked = [port for port in ports if port.links and port.name in names]
    loose = [port for port in ports if port.links and port.name not in names and port.name != AFTER]
    if VALUES not in names:
        loose = []
    if not linked and not loose:
        return _constant(inputs)
    if len(linked) == 1 and not loose:
        port = linked[0]
        # Another port, such as `after`, may start the step although this one is silent: only a required one never is.
        sure = port.required or sum(1 for other in ports if other.links) == 1
        if sure and (direct := _direct(inputs, port, label)) is not None:
            return direct

    def make(outs: Outs) -> Any:
        given: dict[str, Any] = {}
        for port in linked:
            values = port.values(outs, label)
            if port.many:
                given[port.name] = values
            elif values:
                given[port.name] = values[0]
        if loose:
            arrived = {port.name: (port, port.values(outs, label)) for port in loose}
            given[VALUES] = {name: v if port.many else v[0] for name, (port, v) in arrived.items() if v or port.many}
        return inputs(**given)

    return make


def settled_maker(inputs: type[Struct], ports: tuple[InPort, ...], label: str) -> Callable[[Outs], Any]:
    """For a join that is told how each wire ended: beside the values, in wire order, a list of Ended."""
    plain = maker(inputs, ports, label)
    links = [link for port in ports if port.many and port.name != AFTER for link in port.links]

    def make(outs: Outs) -> Any:
        made = plain(outs)
        made.ended.extend(_ended(link, outs[link.source]) for link in links)
        return made

    return make


def _ended(link: Link, out: Any) -> Ended:
    value = link.read(out)
    if value is not UNSET:
        return Ended(link.step, "done", msgspec.to_builtins(value))
    if isinstance(out, Failed):
        return Ended(link.step, "failed", error=str(out.error.get("message", "")))
    return Ended(link.step, "skipped")


def _direct(inputs: type[Struct], port: InPort, label: str) -> Callable[[Outs], Any] | None:
    """For inputs that get one value over one wire that is never silent; None for all others."""
    name, link = port.name, port.links[0]
    if port.many or len(port.links) > 1 or not link.certain or not _named(link):
        return None
    source, read, coerce = link.source, attrgetter(link.port), link.coerce
    if coerce is None:
        if inputs.__struct_fields__[0] == name and _positional(inputs, name):
            return lambda outs: inputs(read(outs[source]))
        return lambda outs: inputs(**{name: read(outs[source])})

    def coerced(outs: Outs) -> Any:
        try:
            return inputs(**{name: coerce(read(outs[source]))})
        except Misfit:
            return inputs(**{name: port.values(outs, label)[0]})  # raises it with the place where it happened

    return coerced


def _named(link: Link) -> bool:
    """The port is a field of the outputs, not an entry of their `values`."""
    return link.read.__qualname__.startswith("read_field")


@lru_cache(maxsize=4096)
def _positional(inputs: type[Struct], name: str) -> bool:
    return inspect.signature(inputs).parameters[name].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD


def _constant(inputs: type[Struct]) -> Callable[[Outs], Any]:
    if inputs.__struct_config__.frozen:
        try:
            same = inputs()
        except TypeError:
            return lambda outs: inputs()
        return lambda outs: same
    return lambda outs: inputs()


__all__ = ["AFTER", "ERROR", "EXPRESS", "Edge", "Failed", "InPort", "Link", "Outs", "Plan", "Step", "Wire", "maker"]
