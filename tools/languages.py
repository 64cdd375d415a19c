"""The languages of the product: what there is to translate, and how much of it is.

    python tools/languages.py extract         app/language/catalogues/messages.pot, and every .po brought up to date
    python tools/languages.py new pt Português    begins a language
    python tools/languages.py check           places of every translation, and coverage; status 1 when one is faulty

Updating keeps what is translated. A sentence that was changed in English is a new sentence: nothing is guessed (no
fuzzy entries), the old one is dropped.
"""

import argparse
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app.language.catalogue import FOLDER, languages, read  # noqa: E402  (a program: the repository is its path)
from tools.words_found import everything  # noqa: E402
from tools.words_kept import Found  # noqa: E402

POT = FOLDER / "messages.pot"
HEADER = "# Words of Agentbase. How to translate: docs/languages.md\n#"
DATED = ('"POT-Creation', '"PO-Revision', '"Last-Tr', '"Language-Team', '"Generated', '"Report', '"Project')
"""Lines of a head that would differ each time."""
FIRST = (
    "templates/layout",
    "templates/parts",
    "static/src",
    "templates/",
    "components/",
    "app/",
    "flows/",
    "marketplace/",
)
"""What is seen most stands first: a language that is half done is done where it counts."""


def order(found: Found) -> tuple[int, str, int]:
    path, line = found.places[0]
    return next(i for i, start in enumerate(FIRST) if path.startswith(start)), path, line


def template() -> Catalog:
    pot = Catalog(header_comment=HEADER, charset="utf-8")
    for each in sorted(everything(), key=order):
        pot.add(
            (each.message, each.plural) if each.plural else each.message,
            locations=[(path, None) for path in dict.fromkeys(path for path, _ in each.places[:3])],
            auto_comments=sorted(each.kinds),
            flags=[],
        )
    return pot


def extract() -> None:
    pot = template()
    write(POT, pot)
    print(f"{len(pot)} sentences in {POT.relative_to(ROOT)}")
    for language in languages()[1:]:
        update(language, pot)


def update(language: str, pot: Catalog) -> None:
    path = FOLDER / f"{language}.po"
    old = path.read_text(encoding="utf-8")
    with path.open("rb") as file:
        known = read_po(file, locale=language)
    fresh = Catalog(locale=language, header_comment=known.header_comment, charset="utf-8")
    for message in pot:
        if not message.id:
            continue
        kept = known.get(message.id)
        string = kept.string if kept is not None and not kept.fuzzy and same_shape(kept.id, message.id) else ""
        fresh.add(message.id, string or "", locations=message.locations, auto_comments=message.auto_comments, flags=[])
    write(path, fresh, own_name(old))


def same_shape(one: object, other: object) -> bool:
    return one == other or (isinstance(one, tuple) and isinstance(other, tuple) and list(one) == list(other))


def own_name(text: str) -> str:
    mark = '"X-Own-Name: '
    return text.partition(mark)[2].partition("\\n")[0] if mark in text else ""


def write(path: Path, catalogue: Catalog, name: str = "") -> None:
    import io

    out = io.BytesIO()
    write_po(out, catalogue, width=0, sort_output=False, omit_header=False)
    lines = [line for line in out.getvalue().decode().split("\n") if not line.startswith(DATED)]
    text = "\n".join(lines).rstrip() + "\n"
    if name:
        text = text.replace('"MIME-Version', f'"X-Own-Name: {name}\\n"\n"MIME-Version', 1)
    path.write_text(text.replace('#, fuzzy\nmsgid ""', 'msgid ""', 1), encoding="utf-8")


def new(language: str, name: str) -> None:
    path = FOLDER / f"{language}.po"
    if path.exists():
        raise SystemExit(f"{path.relative_to(ROOT)} is there already.")
    catalogue = Catalog(locale=language, header_comment=HEADER, charset="utf-8")
    write(path, catalogue, name)
    languages.cache_clear()
    update(language, template())


def check() -> int:
    bad = 0
    for language in languages()[1:]:
        content = (FOLDER / f"{language}.po").read_bytes()
        with (FOLDER / f"{language}.po").open("rb") as file:
            total = sum(1 for message in read_po(file, locale=language) if message.id)
        ours, faulty = read(language, content)
        done = len(ours.texts) + len(ours.counted)
        print(f"{language}: {done} of {total} sentences, {done * 100 // max(1, total)} %")
        for fault in faulty:
            bad += 1
            print(f"  {fault.message!r}\n  {fault.text!r}: {fault.why}")
    return 1 if bad else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    deeds = parser.add_subparsers(dest="deed", required=True)
    deeds.add_parser("extract")
    deeds.add_parser("check")
    adding = deeds.add_parser("new")
    adding.add_argument("language")
    adding.add_argument("name")
    given = parser.parse_args()
    if given.deed == "extract":
        extract()
    elif given.deed == "new":
        new(given.language, given.name)
    else:
        return check()
    return 0


if __name__ == "__main__":
    sys.exit(main())
