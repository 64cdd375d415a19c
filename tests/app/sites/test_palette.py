import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sites.palette import LIGHT, TEXT_PAIRS, Tint, contrast, derive, stylesheet, unreadable

tints = st.builds(Tint, hue=st.floats(0, 359.9), strength=st.floats(0, 1.2))


@given(tints)
def test_no_colour_an_owner_can_choose_makes_a_page_unreadable(tint):
    assert unreadable(tint) == []


def test_the_colours_as_drawn_have_the_contrast_the_design_measured():
    light, dark = derive(Tint())
    assert round(contrast(light["text"], light["surface-1"]), 1) == 14.4
    assert round(contrast(dark["accent-contrast"], dark["accent-fill"]), 1) == 11.2


def test_white_on_black_is_twenty_one_to_one_and_a_colour_on_itself_is_one():
    assert contrast((1, 0, 0), (0, 0, 0)) == pytest.approx(21, abs=0.01)
    assert contrast((0.5, 0.1, 20), (0.5, 0.1, 20)) == 1


def test_a_pair_below_the_least_contrast_is_named(monkeypatch):
    monkeypatch.setitem(LIGHT, "muted", (0.8, 0.0, 0))
    assert any("light mode" in sentence and "muted" in sentence for sentence in unreadable(Tint()))


@given(tints)
def test_a_stylesheet_sets_every_role_that_text_uses_in_both_modes_and_nothing_else(tint):
    css = stylesheet(tint)
    assert all(
        css.count(f"--{role}:") == 3 for pair in TEXT_PAIRS for role in pair
    )  # light, dark by system, dark by choice
    assert "url(" not in css
    assert "<" not in css
