import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from app.sites.garden import garden, sprout


@given(st.text(max_size=80))
def test_any_name_grows_a_well_formed_picture_without_styles_or_the_name_in_it(name):
    for picture in (garden(name), sprout(name)):
        root = ET.fromstring(picture)
        assert root.get("aria-hidden") == "true"
        assert "style" not in picture


def test_the_same_name_grows_the_same_garden_and_another_name_another_one():
    assert garden("Fernhill Garden") == garden("Fernhill Garden") != garden("Acme")


def test_a_garden_has_a_tile_for_every_place():
    assert garden("Acme", columns=3, rows=2).count("<g ") == 6


@given(st.text(max_size=20))
def test_no_plant_has_the_colour_of_its_own_ground(name):
    for tile in ET.fromstring(garden(name)):
        ground, *plant = [shape.get("class") for shape in tile]
        assert ground not in plant
