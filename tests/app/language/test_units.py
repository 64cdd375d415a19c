"""Sentences cut out of templates, and put together again in another order."""

import pytest
from jinja2 import DictLoader, Environment

from app.language.catalogue import Catalogue, Translated
from app.language.templates import environment_in
from app.language.units import translate


def cut(source: str) -> list[tuple[str, str]]:
    """What is looked up, in templates and in the expressions they hold."""
    found: list[tuple[str, str]] = []

    def take(message: str, plural: str) -> Translated | None:
        found.append((message, plural))
        return None

    env = environment_in("en", Environment(loader=DictLoader({}), autoescape=True))
    env.find = take
    env.parse(translate(source, take))
    return found


def shown(source: str, said: dict[str, str | tuple[str, ...]], **context: object) -> str:
    ours = Catalogue(
        "de",
        texts={k: v for k, v in said.items() if isinstance(v, str)},
        counted={k: v for k, v in said.items() if isinstance(v, tuple)},
        form=lambda n: int(n != 1),
    )
    env = environment_in("en", Environment(loader=DictLoader({"page": source}), autoescape=True))
    env.find = env.loader.find = ours.find
    env.filters |= {"form_of": lambda n: ours.form(int(n)), "said": lambda v, finished=True: said.get(v, v)}
    return env.get_template("page").render(**context)


@pytest.mark.parametrize(
    ("source", "messages"),
    [
        ("<p>Ended runs are kept for {{ days }} days. <a href='/x'>Change</a></p>",
         ["Ended runs are kept for {1} days. <1>Change</1>"]),
        ("<button>{{ icon('play') }}Run it</button>", ["Run it"]),
        ("<button>{{ icon('play') }}<span class='x'>Run it</span></button>", ["Run it"]),
        ("<li><span>One thing</span><span>Another</span></li>", ["One thing", "Another"]),
        ("<p>Press <kbd>Esc</kbd> to leave, <code>x.y</code> to stay</p>", ["Press <1/> to leave, <2/> to stay"]),
        ("<p>{% if a %}First of all{% else %}Last of all{% endif %}</p>", ["First of all", "Last of all"]),
        ("<p>A line\n      that goes on</p>", ["A line that goes on"]),
        ('<input placeholder="Find a step" aria-label="Find {{ name }}" name="Not words" value="Nor this">',
         ["Find a step", "Find {1}"]),
        ("{{ button('Take it up', type='submit', kind='Primary') }}", ["Take it up"]),
        ("{% set x = 'A title' %}{% set y = 'machine' %}", ["A title"]),
        ("<p>{{ 'draft' if a == 'Not this' else 'live' }}</p>", ["draft", "live"]),
        ("<p>{{ 'Given up after ' ~ n ~ ' crashes.' }}</p>", ["Given up after {1} crashes."]),
        ("<i {{ {'title': 'Heard', 'data-x': 'Not this', 'href': '/A b'} | xmlattr }}></i>", []),
        ("{{ link('x', attrs={'aria-label': 'heard', 'data-x': 'Not this'}) }}", ["heard"]),
        ("{{ tabs([('all', 'All of them'), ('x', 'y')]) }}", ["All of them"]),
        ("<script>say('No words here')</script><style>a b{}</style><pre>Nor here</pre><!-- nor here -->", []),
        ("{% raw %}<p>Nor in here</p>{% endraw %}{# nor here #}", []),
        ("{% macro f(o) %}{% if o %} required{% endif %}{% endmacro %}", []),
        ("{% block main_class %}main--narrow{% endblock %}", []),
        ("<{{ tag }} class='a b'>{{ text }}</{{ tag }}>", []),
        ("<a{% if on %} aria-current='page'{% endif %} href='{{ '/a?b=C d' }}'>To the list</a>", ["To the list"]),
    ],
)  # fmt: skip
def test_a_sentence_is_cut_whole(source, messages):
    assert [message for message, _ in cut(source)] == messages


def test_a_count_is_one_sentence_with_a_plural():
    source = "<p>{{ n }} run{{ '' if n == 1 else 's' }} failed</p>"
    assert cut(source)[0] == ("{1} run failed", "{1} runs failed")
    said = {"{1} run failed": ("{1} Lauf scheiterte", "{1} Läufe scheiterten")}
    assert shown(source, said, n=1) == "<p>1 Lauf scheiterte</p>"
    assert shown(source, said, n=3) == "<p>3 Läufe scheiterten</p>"


def test_a_translation_moves_values_and_elements_with_their_code():
    source = '<p>Kept for {{ days }} days by <a href="/u/{{ id }}">{{ name }}</a>.</p>'
    said = {"Kept for {1} days by <1>{2}</1>.": "<1>{2}</1> behält es {1} Tage."}
    page = shown(source, said, days=7, id="k&q", name="<Mara>")
    assert page == '<p><a href="/u/k&amp;q">&lt;Mara&gt;</a> behält es 7 Tage.</p>'


def test_what_stands_in_a_translation_is_text():
    """Markup, quotes and Jinja in it reach the page as what they are; catalogue.wrong refuses the braces before."""
    said = {"Find {1}": '"><script>alert(1)</script> {1} & more', "Plain words": "{{ 7 * 7 }}<b>x</b>{% raise %}"}
    page = shown('<input aria-label="Find {{ x }}"><p>Plain words</p>', said, x="y")
    assert "<script" not in page and "<b>" not in page and "49" not in page
    assert 'aria-label="&#34;&gt;&lt;script' in page or 'aria-label="&quot;&gt;&lt;script' in page
    assert "&#123;&#123; 7 * 7 &#125;&#125;" in page


def test_a_literal_of_a_translation_can_not_leave_its_string():
    said = {"Take it up": '") }}{{ 7 * 7 }}{{ ("', "A title": "\\' ~ secret ~ \\'"}
    page = shown("{% set t = 'A title' %}<p>{{ 'Take it up' }}{{ t }}</p>", said, secret="gone")
    assert "49" not in page and "gone" not in page


def test_values_of_people_stay_as_they_are():
    said = {"Runs": "Läufe", "New flow": "Neuer Ablauf"}
    source = '<p>{{ flow.name }}</p><input value="{{ flow.title }}"><p>{{ way.label }}</p>'
    page = shown(source, said, flow={"name": "Runs", "title": "Runs"}, way={"label": "New flow"})
    assert page == '<p>Runs</p><input value="Runs"><p>Neuer Ablauf</p>'


def test_a_word_of_machines_that_a_macro_is_given_stays():
    source = "{% macro sign(kind) %}{{ {'changed': 'Was changed'}[kind] }}{% endmacro %}{{ sign(step.kind) }}"
    said = {"changed": "geändert", "Was changed": "Wurde geändert"}
    assert shown(source, said, step={"kind": "changed"}) == "Wurde geändert"
