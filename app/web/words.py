"""How numbers, times and texts read on a page: Jinja filters, pure but for the language of the request.

English is written here; any other language by CLDR, in app/language/figures.py, which is loaded when one is asked for.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from app import clock
from app.language.catalogue import ENGLISH
from app.language.choice import current
from app.language.sentences import say


def money(micros: int | None) -> str:
    """An amount in millionths of a US dollar, as DESIGN 6 writes it: "free", "0.24 ct", "$0.12", "$4.12".

    Under 10 ct it counts in ct with two digits; what is more than nothing never reads as nothing ("< 0.01 ct").
    None (price unknown) gives "price unknown".
    """
    if micros is None:
        return say("price unknown")
    if micros == 0:
        return say("free")
    if current() != ENGLISH:
        from app.language import figures

        return figures.money(micros, current())
    sign, size = ("-" if micros < 0 else ""), abs(micros)
    if size < 100:
        return f"{sign}< 0.01 ct"
    if size < 100_000:
        return f"{sign}{size / 10_000:.2f} ct"
    return f"{sign}${size / 1_000_000:,.2f}"


def duration(ms: float | None) -> str:
    """Milliseconds: "< 1 ms", "40 ms", "0.6 s", "12 s", "2 min 5 s", "3 h 10 min". None gives ""."""
    if ms is None:
        return ""
    if current() != ENGLISH:
        from app.language import figures

        return figures.duration(ms, current())
    if ms < 1:
        return "< 1 ms"
    if ms < 100:
        return f"{ms:.0f} ms"
    if ms < 9_950:
        return f"{ms / 1000:.1f} s"
    seconds = round(ms / 1000)
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, left = divmod(minutes, 60)
    return f"{hours} h {left} min" if left else f"{hours} h"


def ago(moment: datetime | None) -> Markup:
    """A moment as a `<time>`: "just now", "5 minutes ago", "3 hours ago", "yesterday", "18 Nov", "18 Nov 2025".
    None: "never".
    """
    if moment is None:
        return escape(say("never"))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    full = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M UTC}"
    return Markup(f'<time datetime="{moment.isoformat()}" title="{full}">{escape(_since(moment))}</time>')  # noqa: S704  figures


def _since(moment: datetime) -> str:
    now = clock.now()
    if current() != ENGLISH:
        from app.language import figures

        return figures.since(moment, now, current())
    seconds = (now - moment).total_seconds()
    if seconds < 0:
        return _until(-seconds) if seconds > -86_400 else _day(moment, now)
    if seconds < 45:
        return "just now"
    if seconds < 3600:
        return _count(max(1, round(seconds / 60)), "minute") + " ago"
    if seconds < 86_400:
        return _count(round(seconds / 3600), "hour") + " ago"
    if seconds < 2 * 86_400:
        return "yesterday"
    return _day(moment, now)


def _until(seconds: float) -> str:
    if seconds < 45:
        return "now"
    return "in " + (
        _count(max(1, round(seconds / 60)), "minute") if seconds < 3600 else _count(round(seconds / 3600), "hour")
    )


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _day(moment: datetime, now: datetime) -> str:
    text = f"{moment.day} {moment:%b}"
    return text if moment.year == now.year else f"{text} {moment.year}"


_TAGS = {
    "a", "p", "br", "strong", "em", "s", "del", "code", "pre", "blockquote", "ul", "ol", "li", "hr",
    "h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


@lru_cache(maxsize=1)
def _renderer() -> MarkdownIt:
    return (
        MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"]).disable("image")
    )


def markdown(text: str) -> Markup:
    """Markdown of people and of models, safe to show: raw HTML stays text, no pictures (they could carry secrets
    out), https links.

    Two walls: the parser makes no HTML from HTML, then nh3 keeps only a short list of tags. Links open without
    referrer and rank.
    """
    html = _renderer().render(text)
    return Markup(  # noqa: S704 -- nh3's output with a short allow-list
        nh3.clean(
            html,
            tags=_TAGS,
            attributes={"a": {"href", "title"}, "ol": {"start"}},
            url_schemes={"http", "https", "mailto"},
            link_rel="noopener noreferrer nofollow",
        )
    )


def figure(number: float, digits: int | None = None) -> str:
    """With its thousands apart, and so many digits behind the point: "1,234"; "1.234" in German."""
    if current() != ENGLISH:
        from app.language import figures

        return figures.number(number, current(), digits or 0)
    return f"{number:,}" if digits is None else f"{number:,.{digits}f}"


def dom_id(kind: str, ident: Any) -> str:
    """The id of an element that shows one thing: dom_id("flow", id) → "flow-<id>". Whatever is no id character
    becomes "-".
    """
    return f"{kind}-{_NO_ID.sub('-', str(ident))}"


_NO_ID = re.compile(r"[^\w-]")


def escape_lines(text: str) -> Markup:
    """Plain text with its line breaks kept."""
    return Markup("<br>").join(escape(line) for line in text.splitlines())
