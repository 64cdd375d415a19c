"""A site's colours: every role of the theme Plot, in light and in dark, derived from one hue and one strength.

The numbers are OKLCH (lightness 0-1, chroma, hue in degrees), turned from the theme's own green. No hue and
strength within their limits gives a pair that is hard to read (`unreadable`, tested over all of them), so an owner
can't make a page that visitors can't read.
Source of the conversion: Björn Ottosson, "A perceptual color space for image processing" (2020); of the ratio:
WCAG 2.2, 1.4.3.
"""

import math
from typing import Annotated

from msgspec import Meta, Struct

HOME_HUE = 150.0
"""The hue the theme was drawn in. Other hues turn every role by the same angle, pictures' accents excepted."""

Lch = tuple[float, float, float]

LIGHT: dict[str, Lch] = {
    "surface-1": (0.972, 0.012, 115),
    "surface-2": (0.995, 0.004, 110),
    "hero": (0.905, 0.105, 122),
    "hero-text": (0.25, 0.06, 152),
    "bubble": (0.935, 0.05, 122),
    "text": (0.255, 0.045, 155),
    "muted": (0.44, 0.04, 150),
    "line": (0.87, 0.025, 125),
    "accent-fill": (0.4, 0.095, 150),
    "accent-contrast": (0.98, 0.02, 115),
    "footer": (0.27, 0.05, 155),
    "footer-text": (0.955, 0.02, 115),
    "leaf": (0.4, 0.095, 150),
    "moss": (0.6, 0.13, 140),
    "lime": (0.875, 0.165, 122),
    "pale": (0.935, 0.05, 122),
}
DARK: dict[str, Lch] = {
    "surface-1": (0.195, 0.025, 158),
    "surface-2": (0.238, 0.028, 158),
    "hero": (0.285, 0.055, 154),
    "hero-text": (0.965, 0.03, 115),
    "bubble": (0.315, 0.05, 150),
    "text": (0.955, 0.018, 115),
    "muted": (0.78, 0.03, 130),
    "line": (0.34, 0.03, 155),
    "accent-fill": (0.85, 0.16, 124),
    "accent-contrast": (0.22, 0.05, 152),
    "footer": (0.16, 0.025, 158),
    "footer-text": (0.955, 0.018, 115),
    "leaf": (0.36, 0.085, 150),
    "moss": (0.52, 0.11, 142),
    "lime": (0.78, 0.155, 124),
    "pale": (0.315, 0.05, 150),
}
FIXED_LIGHT: dict[str, Lch] = {
    "sun": (0.87, 0.155, 92),
    "petal": (0.72, 0.155, 20),
    "sky": (0.86, 0.06, 215),
    "danger": (0.525, 0.195, 25),
}
FIXED_DARK: dict[str, Lch] = {
    "sun": (0.84, 0.145, 92),
    "petal": (0.7, 0.145, 22),
    "sky": (0.66, 0.07, 215),
    "danger": (0.75, 0.145, 24),
}

TEXT_PAIRS = (
    ("text", "surface-1"),
    ("text", "surface-2"),
    ("text", "bubble"),
    ("muted", "surface-1"),
    ("muted", "surface-2"),
    ("hero-text", "hero"),
    ("accent-contrast", "accent-fill"),
    ("footer-text", "footer"),
)
"""What is written on what; each needs 4.5 : 1. Field edges use `muted`, which therefore pass their 3 : 1."""


class Tint(Struct, frozen=True, forbid_unknown_fields=True):
    """What an owner chooses. `strength` 0 = grey, 1 = as drawn."""

    hue: Annotated[float, Meta(ge=0, lt=360, title="Colour")] = HOME_HUE
    strength: Annotated[float, Meta(ge=0, le=1.2, title="Strength")] = 1.0


def derive(tint: Tint) -> tuple[dict[str, Lch], dict[str, Lch]]:
    """Every role for light and for dark; chroma is lowered until the colour exists in sRGB."""
    turn = tint.hue - HOME_HUE

    def mode(turned: dict[str, Lch], fixed: dict[str, Lch]) -> dict[str, Lch]:
        roles = {n: (light, c * tint.strength, (h + turn) % 360) for n, (light, c, h) in turned.items()} | fixed
        return {name: _into_srgb(colour) for name, colour in roles.items()}

    return mode(LIGHT, FIXED_LIGHT), mode(DARK, FIXED_DARK)


def unreadable(tint: Tint) -> list[str]:
    """The text/ground pairs of a tint that fall below 4.5 : 1, as sentences; empty when all is readable."""
    found = []
    for mode, roles in zip(("light", "dark"), derive(tint), strict=True):
        for text, ground in TEXT_PAIRS:
            ratio = contrast(roles[text], roles[ground])
            if ratio < 4.5:
                found.append(f"In {mode} mode “{text}” on “{ground}” has a contrast of {ratio:.1f}; 4.5 is the least.")
    return found


def stylesheet(tint: Tint) -> str:
    """The site's own small stylesheet: custom properties only, in the layer that overrides the theme's defaults."""
    light, dark = derive(tint)
    dark_css = _declarations(dark)
    return (
        "@layer overrides{"
        f":root{{{_declarations(light)}}}"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark_css}}}}}"
        f":root[data-theme=dark]{{{dark_css}}}"
        "}"
    )


def _declarations(roles: dict[str, Lch]) -> str:
    return "".join(f"--{name}:oklch({light:.3f} {c:.3f} {h:.1f});" for name, (light, c, h) in roles.items())


def contrast(first: Lch, second: Lch) -> float:
    """The WCAG 2 contrast ratio of two colours, 1 to 21."""
    one, other = sorted((_luminance(first), _luminance(second)))
    return (other + 0.05) / (one + 0.05)


def _linear_rgb(colour: Lch) -> tuple[float, float, float]:
    lightness, chroma, hue = colour
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _into_srgb(colour: Lch) -> Lch:
    lightness, chroma, hue = colour
    while chroma > 0 and not all(-1e-4 <= channel <= 1.0001 for channel in _linear_rgb((lightness, chroma, hue))):
        chroma = max(0.0, chroma - 0.005)
    return lightness, chroma, hue


def _luminance(colour: Lch) -> float:
    red, green, blue = (min(1.0, max(0.0, channel)) for channel in _linear_rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
