"""static/dist is what its manifest says, and the sprite holds every icon that somebody names."""

import json
import shutil

import pytest

from tools import assets


def test_what_is_committed_is_whole():
    assets.check()


@pytest.fixture
def copy(tmp_path, monkeypatch):
    shutil.copytree(assets.DIST, tmp_path / "dist")
    monkeypatch.setattr(assets, "DIST", tmp_path / "dist")
    return tmp_path / "dist"


def test_a_file_changed_by_hand_is_named(copy):
    name = json.loads((copy / "manifest.json").read_text())["files"]["app.css"]["file"]
    (copy / name).write_text("body { color: red }")
    with pytest.raises(SystemExit, match=r"app\.css: .* was changed by hand"):
        assets.check()


def test_an_icon_that_nobody_bundled_is_named(copy, monkeypatch):
    monkeypatch.setattr(assets, "icons_used", lambda: {"unicorn": "templates/x.html"})
    with pytest.raises(SystemExit, match=r"the sprite lacks: unicorn"):
        assets.check()


def test_icons_are_found_however_they_are_named():
    texts = ('{{ icon("play") }}', "icon='zap'", '"icon": "globe"', "icon: 'house'", "{# icons: sun moon\n   star #}")
    found = {name for text in texts for name in assets.ICON.findall(text)}
    assert found == {"play", "zap", "globe", "house"}
    assert assets.ICON_LIST.findall(texts[-1])[0].split() == ["sun", "moon", "star"]


def test_no_address_of_a_registry_is_in_the_lock():
    assert '"resolved"' not in (assets.ROOT / "package-lock.json").read_text()
