"""Settings with templates and expressions -> a function that gives the settings with their values filled in."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_args, get_origin

from msgspec import Struct, structs

from flows.expressions.programs import ExpressionError, expression, template
from flows.sdk.holes import hints_of, holds, own_names, pieces

Fill = Callable[[Mapping[str, Any]], Any]


class Same(Struct, frozen=True):
    """The fill of what is the same in every run, such as an expression left empty: known when the flow is compiled."""

    value: Any

    def __call__(self, variables: Mapping[str, Any]) -> Any:
        return self.value


def binder(settings: Struct) -> Fill | None:
    """None when nothing depends on the step's inputs: then the settings are used as they are.

    Compiles every expression now. Raises ExpressionError with `field` = the path of the setting at fault.
    """
    return _fill(type(settings), settings, "")


def fixed(settings: Any, fill: Fill | None) -> tuple[Any, Fill | None]:
    """Settings and fill of a step, with what never changes put in for good."""
    return (fill.value, None) if isinstance(fill, Same) else (settings, fill)


def _fill(annotation: Any, value: Any, where: str) -> Fill | None:
    kind = holds(annotation)
    if kind == "":
        return None
    if kind == "inside":
        return _inside(annotation, value, where)
    try:
        if not isinstance(value, str):
            return None
        program = template(value) if kind == "template" else expression(value)
    except ExpressionError as error:
        raise ExpressionError(error.message, field=where) from None
    if program is None:
        return None
    if kind == "expression" and not value.strip():
        return Same(None)
    return _late(program, value, where) if own_names(annotation) else _placed(program, where)


def _late(program: Fill, text: str, where: str) -> Fill:
    """For an expression of each round: the step's variables are filled in now, those of a round when it is called."""
    placed = _placed(program, where)
    return lambda outer: lambda inner: placed({**outer, **inner})


def _inside(annotation: Any, value: Any, where: str) -> Fill | None:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if isinstance(value, Struct):
        return _struct(value, where)
    parts = list(pieces(annotation, value))
    if isinstance(value, list | tuple):
        fills = [_fill(part, piece, f"{where}[{i}]") for i, (part, piece) in enumerate(parts)]
        if not any(fills):
            return None
        if all(fill is None or isinstance(fill, Same) for fill in fills):
            return Same([fill({}) if fill else piece for fill, (_, piece) in zip(fills, parts, strict=True)])
        return lambda v: [fill(v) if fill else piece for fill, (_, piece) in zip(fills, parts, strict=True)]
    if isinstance(value, dict):
        by_key = {key: _fill(part, piece, f"{where}.{key}") for key, (part, piece) in zip(value, parts, strict=True)}
        if not any(by_key.values()):
            return None
        if all(fill is None or isinstance(fill, Same) for fill in by_key.values()):
            return Same({key: fill({}) if fill else value[key] for key, fill in by_key.items()})
        return lambda v: {key: fill(v) if fill else value[key] for key, fill in by_key.items()}
    return _fill(*parts[0], where) if parts else None


def _struct(value: Struct, where: str) -> Fill | None:
    hints = hints_of(type(value))
    fills: dict[str, Fill] = {}
    for name in value.__struct_fields__:  # not structs.fields(): that works out every annotation anew
        if (fill := _fill(hints[name], getattr(value, name), f"{where}.{name}" if where else name)) is not None:
            fills[name] = fill
    if not fills:
        return None
    same = {name: fill.value for name, fill in fills.items() if isinstance(fill, Same)}
    base = structs.replace(value, **same)
    late = {name: fill for name, fill in fills.items() if name not in same}
    if not late:
        return Same(base)
    return lambda v: structs.replace(base, **{name: fill(v) for name, fill in late.items()})


def _placed(fill: Fill, where: str) -> Fill:
    def run(variables: Mapping[str, Any]) -> Any:
        try:
            return fill(variables)
        except ExpressionError as error:
            raise ExpressionError(error.message, field=where) from None

    return run
