"""The comparisons a condition can be built of, with the CEL each is written as.

The browser gets the same table with the choices of a form (static/src/elements/condition-words.js writes CEL from it).

`{v}` stands for the value, `{o}` for what it is compared with.
"""

from typing import Literal

from msgspec import Struct

Kind = Literal["", "any", "text", "number", "moment", "list", "same", "part"]
"""How the other side is written. "": there is none. "any": a number where it looks like one, else text. "moment": a
date, with or without time. "list": several, with commas between. "same", "part": text whose case does not count."""


class Comparison(Struct, frozen=True):
    """`types`: port types of values it is offered for; () = for all."""

    code: str
    words: str
    cel: str
    other: Kind = ""
    types: tuple[str, ...] = ()


TEXT, NUMBER, SIZED, YES = ("text",), ("number",), ("list", "text", "object"), ("yesno",)

COMPARISONS: tuple[Comparison, ...] = (
    Comparison("is", "is", "{v} == {o}", "any"),
    Comparison("is-not", "is not", "{v} != {o}", "any"),
    Comparison("more", "is greater than", "{v} > {o}", "number", NUMBER),
    Comparison("least", "is at least", "{v} >= {o}", "number", NUMBER),
    Comparison("less", "is less than", "{v} < {o}", "number", NUMBER),
    Comparison("most", "is at most", "{v} <= {o}", "number", NUMBER),
    Comparison("yes", "is yes", "{v} == true", types=YES),
    Comparison("no", "is no", "{v} == false", types=YES),
    Comparison("contains", "contains", "{v}.contains({o})", "text", TEXT),
    Comparison("contains-not", "does not contain", "!{v}.contains({o})", "text", TEXT),
    Comparison("contains-any", "contains, in any case", "{v}.matches({o})", "part", TEXT),
    Comparison("same", "is, in any case", "{v}.matches({o})", "same", TEXT),
    Comparison("starts", "begins with", "{v}.startsWith({o})", "text", TEXT),
    Comparison("ends", "ends with", "{v}.endsWith({o})", "text", TEXT),
    Comparison("pattern", "fits the pattern", "{v}.matches({o})", "text", TEXT),
    Comparison("number-more", "as a number is more than", "double({v}) > {o}", "number", TEXT),
    Comparison("number-less", "as a number is less than", "double({v}) < {o}", "number", TEXT),
    Comparison("after", "is later than", "timestamp({v}) > {o}", "moment", TEXT),
    Comparison("before", "is earlier than", "timestamp({v}) < {o}", "moment", TEXT),
    Comparison("one-of", "is one of", "{v} in {o}", "list", (*TEXT, *NUMBER)),
    Comparison("none-of", "is none of", "!({v} in {o})", "list", (*TEXT, *NUMBER)),
    Comparison("empty", "is empty", "size({v}) == 0", types=SIZED),
    Comparison("filled", "is not empty", "size({v}) > 0", types=SIZED),
    Comparison("longer", "has more than", "size({v}) > {o}", "number", SIZED),
    Comparison("shorter", "has fewer than", "size({v}) < {o}", "number", SIZED),
    Comparison("holds", "holds", "{o} in {v}", "any", ("list", "object")),
    Comparison("holds-not", "does not hold", "!({o} in {v})", "any", ("list", "object")),
    Comparison("nothing", "is nothing", "{v} == null"),
    Comparison("something", "is something", "{v} != null"),
    Comparison("there", "is there", "has({v})", types=("object",)),
    Comparison("missing", "is missing", "!has({v})", types=("object",)),
)
BY_CODE = {each.code: each for each in COMPARISONS}
