"""Which language somebody is answered in."""

import pytest

from app import config
from app.language import choice


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7", "en"),
        ("en;q=0.2, ar;q=0.9", "ar"),
        ("de;q=0, en;q=0.1", "en"),
        ("*", ""),
        ("fr", ""),
        ("", ""),
        ("de;q=nan, ../../x, \x00, ;;;,", ""),
        ("x" * 100_000, ""),
    ],
)
def test_the_browser_says_what_it_would_like(accepted, language):
    assert choice.wished(accepted) == language


def test_a_profile_counts_more_than_a_browser_and_a_browser_more_than_the_instance(settings):
    with config.using(language="ar"):
        assert choice.choose("de", "en") == "de"
        assert choice.choose("", "en") == "en"
        assert choice.choose("", "fr") == "ar"
    with config.using(language="klingon"):
        assert choice.choose("xx", "fr") == "en"


def test_every_language_says_its_own_name_and_direction():
    assert {("en", "English"), ("de", "Deutsch"), ("ar", "العربية")} <= set(choice.names())
    assert (choice.direction("ar"), choice.direction("de"), choice.direction("en")) == ("rtl", "ltr", "ltr")
