"""Values of a step for people: text as text, lists of objects as tables, the rest part by part with its path."""

import re
from typing import Any

from app.web.render import environment


def shown(value: Any) -> str:
    macros = environment().get_template("studio/_data.html").module
    return str(macros.one(value))  # type: ignore[attr-defined]


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_a_list_of_objects_is_a_table_of_all_their_names_and_stops_after_200_rows() -> None:
    html = shown([{"name": "Tulip", "price": 3.5}, {"name": "<b>Rose", "tags": ["red"]}])
    assert re.findall(r"<th [^>]*>([^<]*)", html) == ["name", "price", "tags"]
    assert "&lt;b&gt;Rose" in html
    assert "Table of 2 rows" in html
    long = shown([{"n": i} for i in range(300)])
    assert long.count("<tr>") == 201
    assert "The first 200 of 300 rows" in long


def test_objects_open_part_by_part_and_every_part_says_its_path() -> None:
    html = shown({"order": {"items": [1, 2], "paid": True, "note": None}, "no": 0})
    assert {"order", "order.items", "order.items[1]", "order.paid", "no"} <= set(re.findall(r'title="([^"]*)"', html))
    assert words(html) == "order 3 items 2 0 1 1 2 paid yes note nothing no 0"


def test_texts_and_messages_are_read_as_they_are() -> None:
    assert shown("<i>") == "&lt;i&gt;"
    assert shown({"text": "Hello", "role": "user"}) == "Hello"
    assert [shown(value) for value in (True, False, None, 2)] == ["yes", "no", "nothing", "2"]
    assert shown([]) == "<code>[]</code>"
