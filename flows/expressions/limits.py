"""What an expression may contain. CEL always ends, but not always soon: lists in lists and doubled texts multiply."""

import re

from flows.sdk.holes import STRINGS

MOST_CHARACTERS = 4_000
MOST_ROUNDS = 6
MOST_NESTED = 2
MOST_PLUS = 6
"""Inside map, filter and the like. Six doublings make a value 64 times as long at most."""

ROUND = re.compile(r"\.\s*(map|filter|all|exists|exists_one)\s*\(|[()+]")


def too_much(source: str) -> str:
    """Why this CEL text is refused, as the end of a sentence; "" when it is fine."""
    if len(source) > MOST_CHARACTERS:
        return f"is {len(source)} characters long; at most {MOST_CHARACTERS} are allowed"
    rounds = plus = 0
    opened: list[bool] = []
    for match in ROUND.finditer(STRINGS.sub("''", source)):
        text = match.group()
        if text == "+":
            plus += any(opened)
        elif text == ")":
            if opened:
                opened.pop()
        else:
            opened.append(text != "(")
            rounds += text != "("
            if sum(opened) > MOST_NESTED:
                return f"nests map, filter or exists more than {MOST_NESTED} deep; do it in a 'For each' step"
    if rounds > MOST_ROUNDS:
        return f"uses map, filter or exists {rounds} times; at most {MOST_ROUNDS} are allowed"
    if plus > MOST_PLUS:
        return f"adds {plus} times inside map or filter; at most {MOST_PLUS} are allowed"
    return ""
