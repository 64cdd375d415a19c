"""Finished sentences, whole or with what was put into them."""

import time

import pytest

from app.language import choice, sentences
from app.language.catalogue import Catalogue


@pytest.fixture
def german(monkeypatch):
    texts = {
        "Profile saved.": "Profil gespeichert.",
        "Check both and try again.": "Prüfe beides.",
        "There is no step '{1}' in {2}.": "In {2} gibt es keinen Schritt „{1}“.",
        "Step '{1}' failed: {2}": "Schritt „{1}“ scheiterte: {2}",
        "{1} is no web address.": "{1} ist keine Webadresse.",
        "Runs": "Läufe",
    }
    counted = {"{1} run": ("{1} Lauf", "{1} Läufe")}
    ours = Catalogue(
        "de", texts, counted, {"{1} run": "{1} runs"}, lambda n: int(n != 1), in_python=frozenset(texts) | {"{1} run"}
    )
    monkeypatch.setattr(sentences, "catalogue", lambda language: ours)
    for kept in (sentences._said, sentences._index):
        kept.cache_clear()
    choice.use("de")
    yield
    choice.use("en")
    for kept in (sentences._said, sentences._index):
        kept.cache_clear()


@pytest.mark.parametrize(
    ("english", "german_text"),
    [
        ("Profile saved.", "Profil gespeichert."),
        ("There is no step 'a' in the draft.", "In the draft gibt es keinen Schritt „a“."),
        ("ftp://x is no web address.", "ftp://x ist keine Webadresse."),
        ("Step 'a' failed: There is no step 'b' in v3.", "Schritt „a“ scheiterte: In v3 gibt es keinen Schritt „b“."),
        ("1 run", "1 Lauf"),
        ("1,200 runs", "1,200 Läufe"),
        ("Profile saved. Check both and try again.", "Profil gespeichert. Prüfe beides."),
        ("Profile saved. Something else.", "Profil gespeichert. Something else."),
        ("Nobody translated this.", "Nobody translated this."),
        ("", ""),
    ],
)
def test_a_sentence_is_found_by_its_words(german, english, german_text):
    assert sentences.say(english) == german_text


def test_a_value_that_is_one_word_of_ours_is_somebodys_name(german):
    assert sentences.say("There is no step 'Runs' in Runs.") == "In Runs gibt es keinen Schritt „Runs“."


def test_a_hostile_text_costs_no_time(german):
    began = time.perf_counter()
    for text in ("There is no step '" * 5_000, "Step '" + "' failed: " * 20_000, "a " * 50_000 + "is no web address."):
        assert sentences.say(text) == text or len(text) <= sentences.LONGEST
    assert time.perf_counter() - began < 1


def test_english_is_not_even_looked_up(monkeypatch):
    monkeypatch.setattr(sentences, "catalogue", lambda language: pytest.fail("English has no catalogue"))
    assert sentences.say("Profile saved.") == "Profile saved."
