"""Every partial renders with a sample context; nothing in any template breaks the CSP."""

import re
from typing import Any
from uuid import uuid4

import pytest

from app.main import create_app
from app.web import render
from app.web.actor import Actor
from app.web.htmx import Request
from tests.samples import gather

SAMPLES = gather("SAMPLES")
ALL = sorted(str(p.relative_to(render.TEMPLATES)) for p in render.TEMPLATES.rglob("*.html"))
create_app()  # the domains put their globals into the environment when their pages are listed
SITES = [name for name in ALL if name.startswith("sites/")]
"""Pages of published sites have an environment of their own (app/sites/visiting/theme.py)."""
LAYOUT = [name for name in ALL if name.startswith(("layout/", "parts/"))]
PARTIALS = [
    n for n in ALL if n not in LAYOUT + SITES and (n.rpartition("/")[2].startswith("_") or n.endswith(".oob.html"))
]


def a_request(**headers: str) -> Request:
    actor = Actor(
        user_id=uuid4(),
        workspace_id=uuid4(),
        role="owner",
        name="Mara Fern",
        email="mara@fernhill.example",
        session_id=uuid4(),
        workspace_name="Fernhill",
    )
    scope: Any = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": "/here",
        "query_string": b"",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 1),
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
        "state": {"actor": actor},
    }
    return Request(scope)


@pytest.mark.parametrize("name", PARTIALS)
def test_a_partial_renders_with_its_sample(name, settings):
    assert name in SAMPLES, f"Add a context for {name} to SAMPLES in tests/samples/<domain>.py."
    samples = SAMPLES[name]
    for sample in samples if isinstance(samples, list) else [samples]:
        render.text(a_request(), name, **{"nav": "", "flash": []} | sample)


@pytest.mark.parametrize("name", ALL)
def test_a_template_compiles_and_keeps_to_the_csp(name):
    source = (render.TEMPLATES / name).read_text()
    render.environment().parse(source)
    bare = re.sub(r"\{#.*?#\}", "", source, flags=re.S)
    assert not re.search(r"\sstyle\s*=", bare), "style attributes are ignored under our CSP: use a class"
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", bare), "inline handlers are blocked: use a custom element"
    assert "hx-on" not in bare, "hx-on needs eval"
    for tag in re.findall(r"<(?:script|style)\b[^>]*>", bare):
        assert "nonce" in tag or "application/json" in tag, f"{tag} has no nonce"
    bare = re.sub(r"\('[^'{]*' if [\w.]+ else '[^'{]*'\) *\| *safe", "", bare)  # one of two texts of our own
    assert "|safe" not in bare.replace(" ", ""), "only nh3's output is safe, and the markdown filter marks it itself"


def test_a_name_that_is_not_there_is_an_error():
    from jinja2 import UndefinedError

    with pytest.raises(UndefinedError):
        render.environment().from_string("{{ nobody }}").render()
