"""Every English sentence of the product that a person can see, and where it stands: for tools/languages.py.

Templates: what app/language/units.py and expressions.py would look up, asked with a finder that takes all. Python:
words_python.py. Steps: titles, summaries, settings and their choices, as the catalogue of steps has them. Scripts:
words_scripts.py.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader

from app.language.catalogue import PYTHON, Translated
from app.language.expressions import Speaking
from app.language.templates import PLAIN
from app.language.units import translate
from tools.words_kept import Collection, Found
from tools.words_python import python
from tools.words_scripts import scripts

ROOT = Path(__file__).resolve().parent.parent
SPOKEN = ("app", "flows", "components")
SILENT = re.compile(
    r"app/(?:commands|embedded)/|app/(?:cli|config|migrate|logs|metrics|main|worker|public|db|health|piccolo_conf)\.py|"
    r"app/background\.py|flows/(?:host|transport|ledger)/|.*/(?:tables|piccolo_app|device|grammar|openapi)\.py|"
    r".*/tables/|.*/(?:\w+_)?api\.py|app/sites/visiting/|app/events/|app/oidc/"
)
"""Modules that talk to operators, databases or machines."""


def everything() -> list[Found]:
    collection = Collection()
    templates(collection)
    for root in SPOKEN:
        for path in sorted((ROOT / root).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not SILENT.match(name):
                python(path.read_text(encoding="utf-8"), name, collection)
    steps(collection)
    starters(collection)
    for path in sorted((ROOT / "static" / "src").rglob("*.js")):
        scripts(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix(), collection)
    return list(collection.found.values())


def templates(collection: Collection) -> None:
    from app.web import render

    at = ""

    def take(message: str, plural: str) -> Translated:
        collection.add(message, plural, at, 1)
        return Translated((message, plural) if plural else (message,))

    env = Speaking(
        loader=FileSystemLoader(render.TEMPLATES),
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    env.find = take
    for name in env.list_templates(["html"]):
        if name not in PLAIN:
            at = f"templates/{name}"
            env.parse(translate((render.TEMPLATES / name).read_text(encoding="utf-8"), take))


def steps(collection: Collection) -> None:
    """What the palette and the panel show of each step."""
    from app.studio import palette, settings_form
    from flows.catalogue import load
    from flows.model import NodeUse

    for kind in palette.types_of(load()):
        path = f"components/{kind.name.replace('.', '/')}.py"
        for text in (kind.title, kind.summary, *(port.title or port.name for port in (*kind.inputs, *kind.outputs))):
            collection.add(text, "", path, 1, PYTHON)
        use = NodeUse(id="x", type=kind.name, version=kind.version)
        for text in _texts_of(settings_form.form_of(use, load()[kind.name], [])):
            collection.add(text, "", path, 1, PYTHON)


def starters(collection: Collection) -> None:
    """What one can begin with."""
    from app.studio.starters import starters as shipped

    for each in shipped():
        for text in (each.title, each.description):
            collection.add(text, "", f"marketplace/packages/flows/{each.name}", 1, PYTHON)


def _texts_of(fields: Sequence[Any]) -> Iterator[str]:
    for field in fields:
        yield from (field.label, field.help, field.unit)
        yield from (option.label for option in field.options)
        yield from _texts_of(field.row)
