"""What scripts say in a language, as one file with a hash in its name (the contract stands in __init__.py).

It is a script that stands ahead of the page's modules, so that no module waits for its words.
"""

import hashlib
from functools import lru_cache

import msgspec

from app.language.catalogue import ENGLISH, Catalogue, catalogue, languages


@lru_cache(maxsize=16)
def file_of(language: str) -> tuple[str, bytes]:
    """(name, script) of a language that is not English. Raises LookupError for one we do not have."""
    ours = catalogue(language)
    said = {
        "language": language,
        "messages": {id: text for id, text in sorted(ours.texts.items()) if id in ours.in_scripts},
        "plurals": {
            id: _by_category(ours, forms) for id, forms in sorted(ours.counted.items()) if id in ours.in_scripts
        },
    }
    content = b"agentbaseWords=" + msgspec.json.encode(said)  # JSON is JavaScript: nothing in it is run
    return f"{language}.{hashlib.sha256(content).hexdigest()[:12]}.js", content


def name_of(language: str) -> str:
    """Empty for English: its pages load nothing."""
    return "" if language == ENGLISH else file_of(language)[0]


def content_of(name: str) -> bytes | None:
    """The file with exactly this name: one of another hash is not there."""
    language = name.partition(".")[0]
    if language == ENGLISH or language not in languages():
        return None
    ours, content = file_of(language)
    return content if ours == name else None


def _by_category(ours: Catalogue, forms: tuple[str, ...]) -> dict[str, str]:
    """gettext counts forms, Intl.PluralRules names them: the first number of each category says which is which."""
    from babel import Locale

    category = Locale.parse(ours.language.replace("-", "_")).plural_form
    found: dict[str, str] = {}
    for number in range(201):
        found.setdefault(category(number), forms[ours.form(number)])
    return found | {"other": found.get("other", forms[-1])}
