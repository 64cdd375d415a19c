"""Numbers, amounts, times and lengths of time as a language writes them, by CLDR. English is written in
app/web/words.py, as DESIGN 6 wants it; Babel is not even loaded for it.

Digits are 0 to 9 in every language: they stand beside code, versions and addresses.
"""

import re
from datetime import datetime, timedelta
from functools import lru_cache

from babel import Locale, dates, numbers, units

from app.language.sentences import say


@lru_cache(maxsize=16)
def locale_of(language: str) -> Locale:
    return Locale.parse(language.replace("-", "_"))


def number(value: float, language: str, digits: int = 0) -> str:
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return numbers.format_decimal(value, pattern, locale_of(language))


def dollars(micros: int, language: str) -> str:
    return numbers.format_currency(micros / 1_000_000, "USD", locale=locale_of(language))


def cents(micros: int, language: str) -> str:
    return f"{number(micros / 10_000, language, 2)} ct"


def span(amount: float, unit: str, language: str, digits: int = 0) -> str:
    """`unit`: millisecond, second, minute, hour. Short: "40 ms", "0,6 Sek."."""
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return units.format_unit(amount, f"duration-{unit}", "short", pattern, locale_of(language))


def ago(seconds: float, language: str) -> str:
    """Seconds from now, below zero what is to come: "vor 5 Minuten", "in 2 Stunden". Under a day."""
    in_minutes = abs(seconds) < 3600
    size = max(1, round(abs(seconds) / (60 if in_minutes else 3600)))
    delta = timedelta(minutes=size) if in_minutes else timedelta(hours=size)
    return dates.format_timedelta(
        -delta if seconds > 0 else delta,
        granularity="minute" if in_minutes else "hour",
        threshold=100,  # 90 minutes are not said as hours here: the caller chose the unit
        add_direction=True,
        locale=locale_of(language),
    )


def day(moment: datetime, language: str, *, with_year: bool) -> str:
    if with_year:
        return dates.format_date(moment, "medium", locale_of(language))
    return dates.format_skeleton("MMMd", moment, locale=locale_of(language))


def duration(ms: float, language: str) -> str:
    """As words.duration, with the units of the language."""
    if ms < 1:
        return f"< {span(1, 'millisecond', language)}"
    if ms < 100:
        return span(round(ms), "millisecond", language)
    if ms < 9_950:
        return span(ms / 1000, "second", language, 1)
    seconds = round(ms / 1000)
    if seconds < 60:
        return span(seconds, "second", language)
    minutes, rest = divmod(seconds, 60)
    hours, left = divmod(minutes, 60)
    parts = [(hours, "hour"), (left, "minute")] if hours else [(minutes, "minute"), (rest, "second")]
    return " ".join(span(amount, unit, language) for amount, unit in parts if amount)


def money(micros: int, language: str) -> str:
    """As words.money. `micros` is not 0."""
    sign, size = ("-" if micros < 0 else ""), abs(micros)
    if size < 100:
        return f"{sign}< {cents(100, language)}"
    return sign + (cents(size, language) if size < 100_000 else dollars(size, language))


def since(moment: datetime, now: datetime, language: str) -> str:
    """As words.ago, without the element."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < 45:
        return say("just now") if seconds >= 0 else say("now")
    if -86_400 < seconds < 86_400:
        return ago(seconds, language)
    if 0 < seconds < 2 * 86_400:
        return say("yesterday")
    return day(moment, language, with_year=moment.year != now.year)


_SIGNS = {"%d": "d", "%-d": "d", "%b": "MMM", "%a": "EEE", "%Y": "y", "%H": "HH", "%M": "mm", "%S": "ss"}


def written(moment: datetime, pattern: str, language: str) -> str:
    """strftime with the names of the language: "%d %b %Y, %H:%M" → "20 Nov. 2026, 09:30"; other signs as they are."""
    cldr = re.sub(r"%-?[a-zA-Z]|[a-zA-Z]+", lambda m: _SIGNS.get(m.group(), f"'{m.group()}'"), pattern)
    return dates.format_datetime(moment, cldr, locale=locale_of(language))
