"""One style sheet for both directions: styles say where things stand by the way one reads (docs/extend/screens.md)."""

import re
from pathlib import Path

SRC = Path(__file__).resolve().parents[2] / "static" / "src"
SCENE = ("canvas/node.css", "canvas/note.css")
"""The drawing runs from left to right in every language."""
ON_PURPOSE = re.compile(
    r"canvas__(?:wires|world|bar--\w+) |palette__ghost |wire-(?:tools|reason) |node__break |^\.tour(?:-ring)? "
    r"|brace > \.port "
)
"""What a script places by its left edge, and what is centred."""
PHYSICAL = re.compile(
    r"(?<![\w-])(?:(?:margin|padding|border)-(?:left|right)[\w-]*|left|right)\s*:|:\s*(?:left|right)\b"
)


def test_no_style_says_left_or_right():
    said = []
    for path in sorted(SRC.rglob("*.css")):
        name = str(path.relative_to(SRC))
        if name in SCENE:
            continue
        for number, line in enumerate(re.sub(r"/\*.*?\*/", "", path.read_text()).splitlines(), 1):
            if PHYSICAL.search(line) and not ON_PURPOSE.search(line):
                said.append(f"{name}:{number}: {line.strip()[:120]}")
    assert not said, "\n".join(said)
