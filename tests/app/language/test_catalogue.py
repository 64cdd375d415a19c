"""Catalogues are material from people we may not know: what does not fit its source is left out."""

import pytest

from app.language import catalogue
from app.language.catalogue import FOLDER, languages, read, wrong

HEAD = 'msgid ""\nmsgstr ""\n"Language: de\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'


def po(*pairs: tuple[str, str]) -> bytes:
    entries = [f'msgid "{source}"\nmsgstr "{text}"\n' for source, text in pairs]
    return (HEAD + "\n".join(entries)).encode()


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Kept {1} days", "Behalten"),
        ("Kept {1} days", "{1} {1} Tage"),
        ("Kept {1} days", "{2} Tage"),
        ("Kept {1} days", "{{1}} Tage"),
        ("Kept {1} days", "{1} Tage {"),
        ("Kept {1} days", "{1} Tage {% include 'x' %}"),
        ("Kept", "{{ config }}"),
        ("<1>Change</1> it", "Ändern"),
        ("<1>Change</1> it", "<1/> ändern"),
        ("<1>Change</1> it", "</1>Ändern<1>"),
        ("<1>a</1> <2>b</2>", "<1>a<2>b</1></2>"),
        ("Plain", "<1>Plain</1>"),
    ],
)
def test_places_that_differ_from_the_source_are_refused(source, text):
    assert wrong((source,), text)
    ours, faults = read("de", po((source, text)))
    assert ours.find(source) is None and faults[0].message == source


def test_what_is_empty_or_guessed_is_not_there():
    content = po(("Runs", ""), ("Flows", "Abläufe")) + b'\n#, fuzzy\nmsgid "Steps"\nmsgstr "Stufen"\n'
    ours, faults = read("de", content)
    assert ours.texts == {"Flows": "Abläufe"} and not faults


def test_one_form_of_a_plural_may_leave_its_figure_out():
    one, many = "{1} run", "{1} runs"
    assert not wrong((one, many), "ein Lauf")
    assert wrong((one, many), "{1} {1} Läufe") and wrong((one, many), "{2} Läufe")


@pytest.mark.parametrize("language", languages()[1:])
def test_a_language_that_we_ship_reads_without_a_fault(language):
    ours, faults = read(language, (FOLDER / f"{language}.po").read_bytes())
    assert not faults
    assert ours.texts


def test_a_language_without_a_catalogue_is_none():
    with pytest.raises(LookupError):
        catalogue.catalogue("../../etc/passwd")
