"""Templates in another language: an environment of its own for each, made when it is first asked for.

English pages are compiled from the files as they are. For another language each template is rewritten once, before it
is compiled (units.py, then expressions.py): showing it costs what English costs.
"""

from collections.abc import Callable
from typing import Any

from jinja2 import BaseLoader, Environment

from app.language.catalogue import catalogue
from app.language.expressions import Speaking, sounds
from app.language.sentences import said
from app.language.units import translate

PLAIN = ("patterns.html", "parts/_patterns_column.html")
"""Pages for those who work on the product: English."""


def told(value: Any, finished: bool = True) -> Any:
    """What a macro is given, when it reads like words: "changed" may be the key of a table."""
    return said(value, finished) if type(value) is str and sounds(value) else value


class _Translated(BaseLoader):
    def __init__(self, inner: BaseLoader, find: Any) -> None:
        self.inner, self.find = inner, find

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Callable[[], bool] | None]:
        source, path, fresh = self.inner.get_source(environment, template)
        return (source if template in PLAIN else translate(source, self.find)), path, fresh


def environment_in(language: str, english: Environment) -> Speaking:
    """Like `english` (loader, filters, globals, extensions), in another language. Globals offered later are in both."""
    ours = catalogue(language)
    env = Speaking(
        loader=_Translated(english.loader, ours.find) if english.loader else None,
        autoescape=english.autoescape,
        undefined=english.undefined,
        trim_blocks=english.trim_blocks,
        lstrip_blocks=english.lstrip_blocks,
        extensions=list(english.extensions),
    )
    env.find = ours.find
    env.globals = english.globals
    from app.language import figures

    env.filters = {
        **english.filters,
        "said": said,
        "told": told,
        "written": lambda moment, pattern: figures.written(moment, pattern, language),
        "form_of": lambda n: ours.form(int(n)),
    }
    return env
