import pytest

from app.sites.visiting.faces import FieldView, read


def _field(name="age", kind="text", *, required=True, input="text", options=(), of="text"):
    return FieldView(name, name.title(), kind, required, "", list(options), 20, input, "", False, of)


def test_what_a_visitor_sent_is_read_by_the_form_s_fields_and_nothing_else():
    given, typed, problems = read(
        [_field("name"), _field("note", "long", required=False)], {"name": " Elif ", "x": "1"}
    )
    assert (given, typed, problems) == ({"name": "Elif"}, {"name": "Elif", "note": ""}, {})


def test_each_field_that_does_not_fit_gets_its_own_remedy_and_keeps_what_was_typed():
    fields = [
        _field("age", "number", input="number"),
        _field("email", input="email"),
        _field("plant", "choice", options=["Rose"]),
        _field("name"),
    ]
    _, typed, problems = read(fields, {"age": "old", "email": "x", "plant": "Oak", "name": ""})
    assert set(problems) == {"age", "email", "plant", "name"}
    assert typed["age"] == "old"


def test_a_text_longer_than_the_field_takes_is_refused_with_both_numbers():
    _, _, problems = read([_field("name")], {"name": "x" * 21})
    assert problems == {"name": "21 characters are too many. At most 20."}


def test_lists_are_written_one_a_line_and_objects_as_names_and_values():
    fields = [_field("tags", "long", of="list"), _field("more", "long", of="object", required=False)]
    given, _, problems = read(fields, {"tags": " rose\r\n\r\n tulip ", "more": '{"n": 1}'})
    assert (given, problems) == ({"tags": ["rose", "tulip"], "more": {"n": 1}}, {})
    assert read(fields, {"tags": "rose", "more": ""})[0] == {"tags": ["rose"]}


@pytest.mark.parametrize("text", ["[1]", "name: Elif", "[" * 18, "7"])
def test_what_is_no_object_is_told_at_its_field_with_what_was_typed(text):
    given, typed, problems = read([_field("more", "long", of="object")], {"more": text})
    assert given == {} and typed == {"more": text} and "names and values" in problems["more"]


def test_a_field_for_a_file_says_that_a_site_takes_none():
    assert "can't be sent from here" in read([_field("photo", of="image")], {"photo": "leaf.png"})[2]["photo"]
