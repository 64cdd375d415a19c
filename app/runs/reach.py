"""Which outcomes of a run still count when it goes on from one of its steps. Pure.

What counts is everything that does not come after that step: its own outcome and all that hangs on it are forgotten.
In a container only the chosen round is begun anew from there; the container itself is carried out again, and takes the
other rounds from the record.
"""

from collections.abc import Iterator

from msgspec import Struct

from flows.plan import Plan, Step

Place = tuple[str, str]
"""(step, rounds of the containers around it, such as "3.0")."""


class Reach(Struct, frozen=True):
    """`before`: steps whose outcome the chosen one needs. `forgotten(place)`: whether an outcome is begun anew."""

    level: list[tuple[set[str], str]]
    before: set[str]

    def forgotten(self, place: Place) -> bool:
        node, iter = place[0].partition("/")[0], place[1]
        return any(node in steps and _within(iter, rounds) for steps, rounds in self.level)


def reach(plan: Plan, node: str, iter: str) -> Reach | None:
    """None when the plan has no such step. `iter` "" for a step in a container: all its rounds."""
    way = _way(plan, node)
    if way is None:
        return None
    level: list[tuple[set[str], str]] = []
    before: set[str] = set()
    rounds = iter.split(".") if iter else []
    for depth, (around, step) in enumerate(way):
        own = ".".join(rounds[:depth])
        after = _after(around, step)
        last = depth == len(way) - 1
        for each in after:
            if each is not step or last:
                level.append(({each.id, *_inside(each)}, own))
            else:
                level.append(({each.id}, own))  # carried out again, its other rounds are kept
        before |= {each.id for each in _before(around, step)}
    return Reach(level, before)


def _way(plan: Plan, node: str) -> list[tuple[Plan, Step]] | None:
    """From the flow's own level down to the step: (plan, the step on the way in it)."""
    for step in plan.steps:
        if step.kind is None:
            continue
        if step.id == node:
            return [(plan, step)]
        if step.body is not None and (deeper := _way(step.body, node)) is not None:
            return [(plan, step), *deeper]
    return None


def _after(plan: Plan, step: Step) -> list[Step]:
    """The step and all that its wires lead to, on this level."""
    found, todo = {step.index: step}, [step]
    while todo:
        for wire in todo.pop().wires:
            target = plan.steps[wire.target]
            if target.index not in found:
                found[target.index] = target
                todo.append(target)
    return list(found.values())


def _before(plan: Plan, step: Step) -> list[Step]:
    into: dict[int, list[Step]] = {}
    for each in plan.steps:
        for wire in each.wires:
            into.setdefault(wire.target, []).append(each)
    found: dict[int, Step] = {}
    todo = [step.index]
    while todo:
        for each in into.get(todo.pop(), ()):
            if each.index not in found:
                found[each.index] = each
                todo.append(each.index)
    return [each for each in found.values() if each.kind is not None]


def _inside(step: Step) -> Iterator[str]:
    if step.body is not None:
        for each in step.body.all_steps():
            yield each.id


def _within(iter: str, rounds: str) -> bool:
    return not rounds or iter == rounds or iter.startswith(rounds + ".")
