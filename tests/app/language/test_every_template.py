"""Every partial, in a language that says exactly what English says: nothing but white space may differ."""

import html as html_module
import re
from typing import Any

import pytest

from app.language.catalogue import Catalogue, Translated
from app.language.templates import environment_in
from app.web import render
from tests.app.web.test_templates import PARTIALS, SAMPLES, a_request


class Echo(Catalogue, frozen=True):
    def find(self, message: str, plural: str = "") -> Translated:
        return Translated((message, plural) if plural else (message,))


@pytest.fixture(scope="module")
def echo():
    env = environment_in("en", render.environment())
    ours = Echo("en", form=lambda n: int(n != 1))
    env.find = env.loader.find = ours.find
    env.filters |= {
        "said": lambda value, finished=True: value,
        "told": lambda value, finished=True: value,
        "written": lambda moment, pattern: moment.strftime(pattern),
        "form_of": lambda n: ours.form(int(n)),
    }
    return env


@pytest.fixture
def still(monkeypatch):
    """Tokens and nonces are new each time: not here."""
    monkeypatch.setattr("app.web.csrf.token", lambda connection: "token")
    monkeypatch.setattr("app.web.csp.nonce", lambda scope: "nonce")


def plain(html: str) -> str:
    """White space and the two ways to write a quote are no difference."""
    return re.sub(r"> | <", lambda m: m.group().strip(), re.sub(r"\s+", " ", html_module.unescape(html)))


@pytest.mark.parametrize("name", PARTIALS)
def test_put_together_again_from_its_sentences_it_is_the_same(name, echo, still, settings, monkeypatch):
    samples = SAMPLES[name]
    for sample in samples if isinstance(samples, list) else [samples]:
        context: dict[str, Any] = {"nav": "", "flash": []} | sample
        english = render.text(a_request(), name, **context)
        with monkeypatch.context() as changed:
            changed.setattr(render, "environment", lambda spoken: echo)
            again = render.text(a_request(), name, **context)
        assert plain(again) == plain(english)
