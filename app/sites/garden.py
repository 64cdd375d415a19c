"""The picture of a Plot site: tiles of quarter circles, leaves, tulips and suns, grown from the site's name.

The same name always grows the same garden, so a picture needs no file and no upload. Colours are class names
(`leaf`, `moss`, `lime`, `sun`, `petal`, `sky`, `pale`), so the theme recolours it for light and dark.
"""

import hashlib
from collections.abc import Callable, Iterator

TILE = 64
"""Side of a tile in units of the viewBox."""

GROUNDS = ("lime", "pale", "moss", "sun", "sky", "petal", "leaf")


class _Dice:
    """A stream of small numbers out of a name: stable across Python versions, unlike `random.seed(str)`."""

    def __init__(self, seed: str) -> None:
        self._bytes = self._stream(seed)

    @staticmethod
    def _stream(seed: str) -> Iterator[int]:
        block = hashlib.sha256(seed.encode()).digest()
        while True:
            yield from block
            block = hashlib.sha256(block).digest()

    def roll(self, sides: int) -> int:
        return next(self._bytes) % sides

    def pick(self, *options: str) -> str:
        return options[self.roll(len(options))]


def _leaf(dice: _Dice) -> str:
    """A leaf: two opposite corners round."""
    paint = dice.pick("moss", "leaf", "lime")
    if dice.roll(2):
        return f'<path class="{paint}" d="M0 0H32A32 32 0 0 1 64 32V64H32A32 32 0 0 1 0 32Z"/>'
    return f'<path class="{paint}" d="M64 0V32A32 32 0 0 1 32 64H0V32A32 32 0 0 1 32 0Z"/>'


_CORNERS = (
    "M0 0H64A64 64 0 0 1 0 64Z",
    "M64 0V64A64 64 0 0 1 0 0Z",
    "M64 64H0A64 64 0 0 1 64 0Z",
    "M0 64V0A64 64 0 0 1 64 64Z",
)
_CUP = "M8 10a8 8 0 0 1 16 0a8 8 0 0 1 16 0a8 8 0 0 1 16 0V36A24 24 0 0 1 8 36Z"
_LEAF_RIGHT = "M36 40V32A20 20 0 0 1 56 14V22A20 20 0 0 1 36 40Z"
_LEAF_LEFT = "M28 40V32A20 20 0 0 0 8 14V22A20 20 0 0 0 28 40Z"


def _quarter(dice: _Dice) -> str:
    """A quarter circle out of one of the four corners."""
    paint = dice.pick("moss", "leaf", "sun", "lime", "petal")
    return f'<path class="{paint}" d="{_CORNERS[dice.roll(4)]}"/>'


def _tulip(dice: _Dice) -> str:
    return f'<path class="{dice.pick("petal", "sun")}" d="{_CUP}"/><path class="leaf" d="M29 58h6v6h-6z"/>'


def _stem(dice: _Dice) -> str:
    paint = dice.pick("moss", "leaf")
    side = _LEAF_RIGHT if dice.roll(2) else _LEAF_LEFT
    return f'<path class="leaf" d="M29 0h6v64h-6z"/><path class="{paint}" d="{side}"/>'


def _sun(dice: _Dice) -> str:
    plain = '<circle class="sun" cx="32" cy="32" r="24"/>'
    rings = '<circle class="petal" cx="32" cy="32" r="14"/><circle class="sun" cx="32" cy="32" r="7"/>'
    return plain if dice.roll(2) else plain + rings


def _hill(dice: _Dice) -> str:
    hill = f'<path class="{dice.pick("petal", "moss", "sun")}" d="M0 64V56A32 32 0 0 1 64 56V64Z"/>'
    return f'{hill}<circle class="{dice.pick("sun", "lime")}" cx="32" cy="58" r="9"/>'


_PLANTS: tuple[Callable[[_Dice], str], ...] = (_leaf, _leaf, _quarter, _quarter, _quarter, _tulip, _stem, _sun, _hill)


def _tile(dice: _Dice, column: int, row: int) -> str:
    ground = dice.pick(*GROUNDS)
    plant = _PLANTS[dice.roll(len(_PLANTS))](dice)
    for paint in (f'class="{ground}"',):  # a plant in the colour of its own ground would be invisible
        plant = plant.replace(paint, 'class="leaf"' if ground != "leaf" else 'class="lime"')
    return (
        f'<g transform="translate({column * TILE} {row * TILE})"><path class="{ground}" d="M0 0h64v64H0z"/>{plant}</g>'
    )


def garden(name: str, columns: int = 8, rows: int = 5) -> str:
    """An SVG of `columns` x `rows` tiles: decorative, hidden from screen readers, attributes and class names only."""
    dice = _Dice(name)
    tiles = "".join(_tile(dice, column, row) for row in range(rows) for column in range(columns))
    return (
        f'<svg class="garden" viewBox="0 0 {columns * TILE} {rows * TILE}" preserveAspectRatio="xMinYMin slice" '
        f'aria-hidden="true" focusable="false">{tiles}</svg>'
    )


def sprout(name: str) -> str:
    """The site's small mark: three quarter leaves on a stem, in an order that the name decides."""
    dice = _Dice(name + "/mark")
    first, second, third = ("leaf", "moss", "lime") if dice.roll(2) else ("moss", "leaf", "lime")
    return (
        '<svg class="sprout" viewBox="0 0 32 32" aria-hidden="true" focusable="false">'
        f'<path class="{first}" d="M1 2h8a6 6 0 0 1 6 6v8H7a6 6 0 0 1-6-6Z"/>'
        f'<path class="{second}" d="M31 2h-8a6 6 0 0 0-6 6v8h8a6 6 0 0 0 6-6Z"/>'
        f'<path class="{third}" d="M29 18h-6a5 5 0 0 0-5 5v5h6a5 5 0 0 0 5-5Z"/>'
        '<path class="leaf" d="M14.500 16h3v14h-3z"/></svg>'
    )
