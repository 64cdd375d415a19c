from app.sites.visiting.faces import FieldView, read


def _field(name="age", kind="text", *, required=True, input="text", options=()):
    return FieldView(name, name.title(), kind, required, "", list(options), 20, input, "", False)


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
