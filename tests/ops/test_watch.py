"""What `agentbase up --reload` notices."""

import os

import pytest

from app.commands import watch
from app.commands.watch import Watch, is_source_of_assets


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(watch, "monotonic", iter(range(10_000)).__next__)
    for name in ("app/main.py", "static/src/app.css", "templates/home.html", "app/notes.txt"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("one")
        os.utime(file, (1, 1))
    return tmp_path


def test_a_file_that_is_changed_made_or_removed_is_named_once(root):
    looking = Watch(root)
    assert looking.changed() == []
    (root / "app/main.py").write_text("two")
    (root / "app/new.py").write_text("three")
    assert looking.changed() == ["app/main.py", "app/new.py"]
    assert looking.changed() == []
    (root / "app/new.py").unlink()
    assert looking.changed() == ["app/new.py"]


def test_templates_are_left_to_the_web_process_and_what_we_made_ourselves_is_no_news(root):
    looking = Watch(root)
    (root / "templates/home.html").write_text("two")
    (root / "app/notes.txt").write_text("two")
    assert looking.changed() == []
    (root / "static/src/app.css").write_text("two")
    looking.settled()
    assert looking.changed() == []


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("static/src/app.js", True),
        ("marketplace/packages/themes/plot/theme.css", True),
        ("static/dist/app.X.js", False),
        ("marketplace/packages/themes/plot/page.html", False),
        ("app/main.py", False),
    ],
)
def test_style_sheets_and_scripts_are_bundled_anew(name, made):
    assert is_source_of_assets(name) is made
