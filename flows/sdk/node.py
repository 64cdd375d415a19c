"""@node: turns one async function with typed settings, inputs and outputs into a node type."""

import dis
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from flows.sdk.capabilities import CapabilityName
from flows.sdk.context import Context, Wait
from flows.sdk.holes import holds, names_in_settings
from flows.sdk.ports import Port, Ports, ports_of

Effect = Literal["pure", "db", "idempotent", "repeatable_costed", "probe", "at_most_once"]
"""What may be done again when nobody knows whether a step took effect; table in docs/flow-semantics.md."""

Family = Literal["start", "ai", "knowledge", "logic", "people", "data", "connect", "show", "note"]
FAMILY_ICONS: dict[Family, str] = {
    "start": "zap",
    "ai": "sparkles",
    "knowledge": "book-open",
    "logic": "split",
    "people": "user-check",
    "data": "braces",
    "connect": "plug",
    "show": "reply",
    "note": "sticky-note",
}
PREFIX_FAMILY: dict[str, Family] = {"text": "data", "http": "connect"}

Settings_contra = TypeVar("Settings_contra", contravariant=True)
Inputs_contra = TypeVar("Inputs_contra", contravariant=True)
Outputs_co = TypeVar("Outputs_co", covariant=True)

Join = tuple[Literal["all", "any", "first", "n", "settled"], int]
Ends = Literal["", "round", "rounds", "flow"]
"""What a step ends early besides itself: its round, its container, or the flow it is in."""


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No settings, no inputs or no outputs."""


class Source(Struct, frozen=True):
    """A piece of code in the settings. The engine reads it, without running it, whenever the flow is checked."""

    field: str
    text: str
    engine: Literal["safe", "full"] = "safe"


class NodeType(Generic[Settings_contra, Inputs_contra, Outputs_co]):
    """A palette entry. Everything the editor, the docs page and the engine show or need is derived from here."""

    __slots__ = (
        "_effect_of", "_ports_of", "_summary_of", "container", "description", "early", "effect", "ends", "family", "fn",
        "has_holes", "icon", "inputs", "join_of", "name", "needs", "never_suspends", "outputs", "probe", "reads",
        "result", "settings", "sources", "static", "subflow", "timeout", "title", "trigger", "undo", "upgrades",
        "version", "waits",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913
        self,
        fn: Callable[[Any, Any, Context], Awaitable[Any]],
        *,
        name: str,
        version: int,
        title: str,
        effect: Effect,
        icon: str,
        family: Family,
        needs: tuple[CapabilityName, ...],
        trigger: str | None,
        result: bool,
        container: bool,
        subflow: bool,
        waits: bool,
        ends: Ends,
        undo: bool,
        early: bool,
        timeout: float | None,
        ports: Callable[[Any], Ports] | None,
        summary: Callable[[Any], str] | None,
        effect_of: Callable[[Any], Effect] | None,
        probe: Callable[[Any, Any, Context], Awaitable[Any]] | None,
        join: Callable[[Any], Join] | None,
        upgrades: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]],
        sources: Callable[[Any], Sequence[Source]] | None,
        reads: Callable[[Any], Sequence[str]] | None,
    ) -> None:
        self.fn = fn
        self.name = name
        self.version = version
        self.title = title
        self.description = inspect.getdoc(fn) or ""
        self.effect = effect
        self.icon = icon
        self.family = family
        self.needs = needs
        self.trigger = trigger
        self.result = result
        self.container = container
        self.subflow = subflow
        self.waits = waits
        self.ends = ends
        self.undo = undo
        self.early = early
        self.timeout = timeout
        self.upgrades = upgrades
        self.join_of = join
        self.sources = sources
        self.reads = reads
        self.settings, self.inputs, self.outputs = _signature(name, fn)
        self.static = ports_of(self.inputs, self.outputs)
        self.never_suspends = _never_suspends(fn)
        self.has_holes = holds(self.settings) != ""
        self._ports_of = ports
        self._summary_of = summary
        self._effect_of = effect_of
        self.probe = probe

    def run(self, settings: Settings_contra, inputs: Inputs_contra, ctx: Context) -> Awaitable[Outputs_co]:
        """Call the function itself, as a test does."""
        return self.fn(settings, inputs, ctx)

    def ports(self, settings: Any = None) -> Ports:
        """All ports with these settings (None = the default settings, else the fixed ports).

        A variable that a template or expression in the settings reads is an input port, too.
        """
        if self._ports_of is None and not self.has_holes:
            return self.static
        if settings is None:
            settings = self.default_settings()
        if settings is None:
            return self.static
        ports = self.static if self._ports_of is None else self._ports_of(settings)
        if not self.has_holes:
            return ports
        known = {port.name for port in ports.inputs}
        names = [name for name in names_in_settings(settings) if name not in known]
        return Ports(ports.inputs + tuple(Port(name, title=name) for name in names), ports.outputs) if names else ports

    def summary(self, settings: Any) -> str:
        """One line for the card on the canvas: what this step does with these settings. "" = nothing to say."""
        return "" if self._summary_of is None or settings is None else self._summary_of(settings)

    def effect_with(self, settings: Any) -> Effect:
        return self.effect if self._effect_of is None else self._effect_of(settings)

    def settings_schema(self) -> dict[str, Any]:
        """JSON Schema of the settings; `x-widget`, `x-shown-when`, `x-advanced` tell the editor how to show a field."""
        return msgspec.json.schema(self.settings)

    def default_settings(self) -> Any:
        """Settings() when every field has a default, else None."""
        try:
            return self.settings()
        except TypeError:
            return None

    def __repr__(self) -> str:
        return f"NodeType({self.name!r}, version={self.version})"


def node(  # noqa: PLR0913
    name: str,
    *,
    version: int,
    title: str,
    effect: Effect = "at_most_once",
    icon: str = "",
    family: Family | None = None,
    needs: tuple[CapabilityName, ...] = (),
    trigger: str | None = None,
    result: bool = False,
    container: bool = False,
    subflow: bool = False,
    waits: bool = False,
    ends: Ends = "",
    undo: bool = False,
    early: bool = False,
    timeout: float | None = None,
    ports: Callable[[Any], Ports] | None = None,
    summary: Callable[[Any], str] | None = None,
    effect_of: Callable[[Any], Effect] | None = None,
    probe: Callable[[Any, Any, Context], Awaitable[Any]] | None = None,
    join: Callable[[Any], Join] | None = None,
    upgrades: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] | None = None,
    sources: Callable[[Any], Sequence[Source]] | None = None,
    reads: Callable[[Any], Sequence[str]] | None = None,
) -> Callable[
    [Callable[[Settings_contra, Inputs_contra, Context], Awaitable[Outputs_co]]],
    NodeType[Settings_contra, Inputs_contra, Outputs_co],
]:
    """Declare a node type. `name` is "family.word", "package.word"; never change it, raise `version` instead.

    `timeout`: seconds a step may take unless the flow says otherwise.
    `ports`, `summary`, `effect_of`, `join`, `sources` (code in them), `reads` take the settings.
    `reads`: variables of the workspace (`ctx.run.vars`) that the function looks up itself, beside those in templates
    and expressions; "" = no particular one. A run has variables only when its steps say that they read some.
    `ends`: the step ends more than itself. Its Outputs then say with what: `value` (UNSET = nothing) for a round or a
    container, `failed` (a sentence, "" = success) for a flow.
    `probe` is asked after an interrupted try of a step whose effect is "probe": it gives the outputs when that try took
    effect, None when it did not, and raises when it can't tell; then a person is asked.
    `undo`: the steps behind it run only when the run fails or is cancelled. Inputs and Outputs have one field, `value`.
    `early`, with `result`: the caller gets the result when this step has finished, and the run goes on.
    `effect_of` may only be milder than `effect` with these settings. `upgrades`: {n: settings of version n -> of n+1}.
    Raises TypeError when the function's annotations are not Struct types: the ports could not be derived.
    """

    def declare(
        fn: Callable[[Settings_contra, Inputs_contra, Context], Awaitable[Outputs_co]],
    ) -> NodeType[Settings_contra, Inputs_contra, Outputs_co]:
        prefix = name.partition(".")[0]
        group: Family = family or PREFIX_FAMILY.get(prefix) or (prefix if prefix in FAMILY_ICONS else "data")
        return NodeType(
            fn,
            name=name,
            version=version,
            title=title,
            effect=effect,
            icon=icon or FAMILY_ICONS[group],
            family=group,
            needs=needs,
            trigger=trigger,
            result=result,
            container=container,
            subflow=subflow,
            waits=waits,
            ends=ends,
            undo=undo,
            early=early,
            timeout=timeout,
            ports=ports,
            summary=summary,
            effect_of=effect_of,
            probe=probe,
            join=join,
            upgrades=upgrades or {},
            sources=sources,
            reads=reads,
        )

    return declare


def _signature(name: str, fn: Callable[..., Any]) -> tuple[type[Struct], type[Struct], type[Struct]]:
    if not inspect.iscoroutinefunction(fn):
        raise TypeError(f"The function of node '{name}' must be `async def`.")
    hints = get_type_hints(fn)
    names = list(inspect.signature(fn).parameters)
    if len(names) != 3:
        raise TypeError(f"The function of node '{name}' must take (settings, inputs, ctx), not ({', '.join(names)}).")
    settings, inputs = (_struct(name, arg, hints.get(arg)) for arg in names[:2])
    return settings, inputs, _struct(name, "return", hints.get("return"))


def _struct(name: str, where: str, annotation: Any) -> type[Struct]:
    members = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    structs = [m for m in members if m not in (Wait, NoneType, None)]
    if not structs:
        return Nothing
    if len(structs) == 1 and isinstance(structs[0], type) and issubclass(structs[0], Struct):
        return structs[0]
    raise TypeError(f"`{where}` of node '{name}' must be annotated with one msgspec.Struct, not {annotation!r}.")


def _never_suspends(fn: Callable[..., Any]) -> bool:
    """Whether the compiled function holds no await. Then it always finishes in one go and needs no task of its own."""
    code = getattr(fn, "__code__", None)
    return code is not None and not any(step.opname in ("YIELD_VALUE", "SEND") for step in dis.get_instructions(code))
