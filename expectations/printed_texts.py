"""Rules of printed statements: names, labels, ranks, grades and days, against what else the report prints. Pure.

Each gives the text that should stand there; that the item itself is right gives the item's own text.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

from transforms.exact import fraction, mean
from transforms.printed import Check, PrintedItem, decimals_of
from transforms.reference.tables import holiday_dates

WEEKDAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
FIRST_FREE_DAY = WEEKDAYS.index("Sabtu")
MONTHS = (
    "januari", "februari", "maret", "april", "mei", "juni", "juli", "agustus", "september", "oktober", "november", "desember",
)  # fmt: skip
_IN_WORDS = re.compile(r"(\d{1,2}) ([A-Za-z]+) (\d{4})")
_IN_DIGITS = re.compile(r"(\d{2})/(\d{2})/(\d{2}|\d{4})")


def day_of(text: str) -> date:
    """A printed date: ``16 Maret 2024``, ``15/01/24``, ``03/05/2024``. Raises ValueError for anything else."""
    if found := _IN_WORDS.fullmatch(text):
        return date(int(found[3]), MONTHS.index(found[2].casefold()) + 1, int(found[1]))
    if found := _IN_DIGITS.fullmatch(text):
        year = int(found[3])
        return date(year if year > 99 else 2000 + year, int(found[2]), int(found[1]))
    raise ValueError(f"{text}: no date as reports print them")


def _text(item: PrintedItem) -> str:
    if item.value is None:
        raise ValueError(f"{item.item}: nothing is printed")
    return item.value


def _names(check: Check) -> str:
    return "; ".join(_text(part) for part in check.parts)


def _one_of(check: Check) -> str:
    own = _text(check.total)
    return own if own.casefold() in (_text(part).casefold() for part in check.parts) else _names(check)


def _lowest(check: Check) -> str:
    names, values = {}, defaultdict[str, list[Fraction]](list)
    for part in check.parts:
        element = re.split(r"[|/]", part.base)[-1]
        if part.number is None:
            names[element] = _text(part)
        else:
            values[element].append(fraction(part.number))
    means = {element: mean(of_element) for element, of_element in values.items()}
    return "; ".join(names[element] for element in sorted(means) if means[element] == min(means.values()))


def _band(check: Check) -> str:
    (part,) = check.parts
    value = Decimal(_text(part))
    reached = [(Decimal(lowest), name) for lowest, name in check.bands.items() if Decimal(lowest) <= value]
    return max(reached)[1] if reached else f"{value} lies in no band"


def _unlike(check: Check) -> str:
    own = _text(check.total)
    alike = next((part for part in check.parts if part.value == own), None)
    return own if alike is None else f"{own}, as {alike.base}"


def _as_precise(check: Check) -> str:
    own = _text(check.total)
    decimals = max(decimals_of(own), *(decimals_of(_text(part)) for part in check.parts))
    return f"{Decimal(own):.{decimals}f}"


def _adjoins(check: Check) -> str:
    """Of ranges as ``70.01-85.00``: the one above begins where this one ends, or what lies between is in neither."""
    (above,) = check.parts
    return f"{_text(check.total).split('-')[0]}-{_text(above).split('-')[0]}"


def _weekday(check: Check) -> str:
    (part,) = check.parts
    return WEEKDAYS[day_of(_text(part)).weekday()]


def _working_day(check: Check) -> str:
    text = _text(check.total)
    day = day_of(text)
    is_free = day.weekday() >= FIRST_FREE_DAY or day in holiday_dates(day.year, day.year)
    return (
        f"{text}, {WEEKDAYS[day.weekday()]}{'' if day.weekday() >= FIRST_FREE_DAY else ', a holiday'}"
        if is_free
        else text
    )


TEXT_RULES: Mapping[str, Callable[[Check], str]] = {
    "names": _names,
    "one_of": _one_of,
    "lowest": _lowest,
    "band": _band,
    "unlike": _unlike,
    "as_precise": _as_precise,
    "adjoins": _adjoins,
    "weekday": _weekday,
    "working_day": _working_day,
}
