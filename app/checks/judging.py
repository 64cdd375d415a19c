"""Whether a result is what was expected, with the difference in words. Pure."""

from collections.abc import Sequence
from typing import Any

import msgspec

from app.checks.shapes import Expectation, Verdict
from app.web.worddiff import pieces
from flows.expressions import ExpressionError, expression, written

MOST_SHOWN = 4_000
"""Characters of a value that are kept with a verdict."""
MOST_FAULTS = 5


def judge(expected: Sequence[Expectation], output: Any, input: Any = None) -> list[Verdict]:
    """A verdict for each expectation, in their order. `output`: the run's result as plain JSON."""
    return [_verdict(each, output, input) for each in expected]


def _verdict(each: Expectation, output: Any, input: Any) -> Verdict:
    try:
        if each.kind == "cel":
            return _true(each, output, input)
        value = part(output, each.path, input)
    except ExpressionError as problem:
        return Verdict(each.kind, each.path, False, problem.message, short(each.value), short(shown(output)))
    match each.kind:
        case "exact":
            return _exact(each, value)
        case "contains":
            return _contains(each, value)
        case "json":
            return _holds(each, value)
        case "schema":
            return _fits(each, value)
        case _:
            return Verdict(each.kind, each.path, False, "This asks for an opinion, and nobody was asked.")


def part(output: Any, path: str, input: Any = None) -> Any:
    """The part of a result that is judged. Raises ExpressionError when there is no such part."""
    if path.strip():
        return expression(path)(_names(output, input))
    if isinstance(output, dict) and isinstance(output.get("text"), str) and not _more_than_text(output):
        return output["text"]
    return output


def _more_than_text(output: dict[str, Any]) -> bool:
    return any(value not in (None, "", [], {}) for name, value in output.items() if name != "text")


def _names(output: Any, input: Any) -> dict[str, Any]:
    fields = {str(name): value for name, value in output.items()} if isinstance(output, dict) else {}
    return {**fields, "output": output, "input": input}


def shown(value: Any) -> str:
    """A value as people compare it: text as it is, everything else as JSON over several lines."""
    if isinstance(value, str):
        return value
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2).decode()


def _exact(each: Expectation, value: Any) -> Verdict:
    if isinstance(value, str):
        wanted, passed = each.value, each.value == value
    else:
        try:
            decoded = msgspec.json.decode(each.value)
        except msgspec.DecodeError:
            decoded = each.value
        wanted, passed = shown(decoded), decoded == value
    return _compared(each, passed, wanted, shown(value), "It is something else.")


def _contains(each: Expectation, value: Any) -> Verdict:
    if isinstance(value, list):
        passed = any(written(item) == each.value for item in value)
    else:
        passed = each.value in (value if isinstance(value, str) else shown(value))
    said = "Found." if passed else f"'{short(each.value, 80)}' is not in it."
    return Verdict(each.kind, each.path, passed, said, short(each.value), short(shown(value)))


def _holds(each: Expectation, value: Any) -> Verdict:
    try:
        wanted = msgspec.json.decode(each.value)
    except msgspec.DecodeError as error:
        return Verdict(each.kind, each.path, False, f"What is expected is no JSON: {error}.", short(each.value))
    where = _misses(wanted, value, "")
    said = f"{where[0] or 'The result'} {where[1]}" if where else ""
    return _compared(each, where is None, shown(wanted), shown(value), said)


def _misses(wanted: Any, value: Any, path: str) -> tuple[str, str] | None:
    """(where, what is wrong) of the first thing of `wanted` that `value` lacks. An object may hold more than wanted."""
    if isinstance(wanted, dict):
        if not isinstance(value, dict):
            return path, "is not an object."
        for name, inner in wanted.items():
            here = f"{path}.{name}" if path else name
            if name not in value:
                return here, "is missing."
            if found := _misses(inner, value[name], here):
                return found
        return None
    if isinstance(wanted, list):
        if not isinstance(value, list) or len(value) != len(wanted):
            return path, f"is not a list of {len(wanted)}."
        for i, (inner, there) in enumerate(zip(wanted, value, strict=True)):
            if found := _misses(inner, there, f"{path}[{i}]"):
                return found
        return None
    same = wanted == value and isinstance(wanted, bool) == isinstance(value, bool)
    return None if same else (path, f"is {short(shown(value), 60)}, not {short(shown(wanted), 60)}.")


def _fits(each: Expectation, value: Any) -> Verdict:
    # by the first schema: the library takes a tenth of a second of every start
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    expected, actual = short(each.value), short(shown(value))
    try:
        schema = msgspec.json.decode(each.value)
        Draft202012Validator.check_schema(schema)
        # An empty registry: a schema may refer to itself, never make this server fetch an address.
        found = Draft202012Validator(schema, registry=Registry()).iter_errors(value)
        faults = [f"{error.json_path}: {error.message}" for error, _ in zip(found, range(MOST_FAULTS), strict=False)]
    except (msgspec.DecodeError, SchemaError, Unresolvable) as error:
        reason = str(getattr(error, "message", error)).partition("\n")[0]
        return Verdict(each.kind, each.path, False, f"This is no usable JSON Schema: {reason}.", expected, actual)
    return Verdict(each.kind, each.path, not faults, " · ".join(faults) or "It fits.", expected, actual)


def _true(each: Expectation, output: Any, input: Any) -> Verdict:
    value = expression(each.value)(_names(output, input))
    said = "True." if value is True else f"It gives {short(shown(value), 80)}, not true."
    return Verdict(each.kind, each.path, value is True, said, short(each.value), short(shown(output)))


def _compared(each: Expectation, passed: bool, wanted: str, actual: str, said: str) -> Verdict:
    if passed:
        return Verdict(each.kind, each.path, True, "The same.", short(wanted), short(actual))
    diff = pieces(wanted[:MOST_SHOWN], actual[:MOST_SHOWN]) if each.kind == "exact" else []
    return Verdict(each.kind, each.path, False, said, short(wanted), short(actual), diff)


def short(text: str, most: int = MOST_SHOWN) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
