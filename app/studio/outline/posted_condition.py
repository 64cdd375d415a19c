"""A condition that a form without scripts sent: its clauses one by one, or the expression where that was changed.

Names: `<name>` the expression, `<name>.was` as it was sent out, `<name>.match`, `<name>.clauses` ("group.row"), and
of every clause `<name>.<group>.<row>.value`, `.op` and `.other`.
"""

from collections.abc import Mapping, Sequence

from app.studio.sentence_reading import read
from app.studio.sentences import Clause, Sentence, write


def condition(name: str, sent: Mapping[str, Sequence[str]], deed: str, at: str, start: str) -> str:
    """The CEL. `deed`: "clause:<at>" one more, "group:<at>", "unclause:<at>.<group>.<row>" one less.

    An expression that says what the sentence says stays as it was written.
    """

    def one(part: str) -> str:
        return (sent.get(f"{name}.{part}") or [""])[-1].replace("\r\n", "\n")

    was, typed = one("was"), (sent.get(name) or [""])[-1].replace("\r\n", "\n")
    if typed != was or f"{name}.match" not in sent:
        return typed
    groups: dict[str, list[Clause]] = {}
    verb, _, where = deed.partition(":")
    for place in sent.get(f"{name}.clauses", ()):
        group, _, row = place.partition(".")
        if verb == "unclause" and where == f"{at}.{group}.{row}":
            continue
        clause = Clause(one(f"{place}.value").strip(), one(f"{place}.op"), one(f"{place}.other"))
        groups.setdefault(group, []).append(clause)
    listed = [group for group in groups.values() if group]
    new = Clause(start, "is")
    if where == at and verb == "clause" and listed:
        listed[-1].append(new)
    elif where == at and verb in ("clause", "group"):
        listed.append([new])
    said = Sentence("any" if one("match") == "any" else "all", tuple(map(tuple, listed)))
    made = write(said)
    return was if read(made) == read(was) else made
