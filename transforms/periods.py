"""Periods and their cut-offs, on the clock of the office (Asia/Jakarta, UTC+7, no daylight saving)."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Literal

Kind = Literal["year", "semester", "quarter", "date"]
WIB = timezone(timedelta(hours=7), "WIB")
LAST_INSTANT = time(23, 59, 59, 999999)
# Outside of these no office has numbers: a slip of the finger, not a year without facts.
FIRST_YEAR, LAST_YEAR = 1945, 2100
MONTHS = {"year": 12, "semester": 6, "quarter": 3}


@dataclass(frozen=True, order=True)
class Period:
    """``2024``, ``2024-S1``, ``2024-Q3``, or a date (a promotion period)."""

    year: int
    kind: Kind
    number: int = 1
    day: date | None = None

    @property
    def id(self) -> str:
        match self.kind:
            case "year":
                return f"{self.year:04d}"
            case "date":
                return str(self.day)
            case _:
                return f"{self.year:04d}-{self.kind[0].upper()}{self.number}"

    @property
    def start(self) -> date:
        if self.kind == "date":
            return date(self.year, 1, 1)
        return date(self.year, (self.number - 1) * MONTHS[self.kind] + 1, 1)

    @property
    def end(self) -> datetime:
        """Last instant. A promotion period has the year's cut-off, so that the parts of a year add up."""
        if self.kind == "date":
            return end_of_day(date(self.year, 12, 31))
        month = self.number * MONTHS[self.kind]
        following = date(self.year + month // 12, month % 12 + 1, 1)
        return end_of_day(following - timedelta(days=1))

    def cut_off(self, clock: datetime) -> datetime:
        """The last instant of the period; of a running period, the clock."""
        return min(self.end, clock)

    def is_running(self, clock: datetime) -> bool:
        return clock < self.end

    def has_begun(self, clock: datetime) -> bool:
        return datetime.combine(self.start, time.min) <= clock


def year_period(year: int) -> Period:
    return Period(year, "year")


def parts(year: int, kind: Literal["semester", "quarter"]) -> list[Period]:
    return [Period(year, kind, number) for number in range(1, 12 // MONTHS[kind] + 1)]


def parse_period(text: str) -> Period:
    """``2024``, ``2024-Q3``, ``2024-S1`` or ``2024-04-01``. Raises ValueError that says these forms, also for a year that cannot be."""
    period = _read_period(text)
    if period is None or not FIRST_YEAR <= period.year <= LAST_YEAR:
        raise ValueError(f"not a period: {text!r}; use 2024, 2024-Q3, 2024-S1 or a date such as 2024-04-01")
    return period


def _read_period(text: str) -> Period | None:
    if found := re.fullmatch(r"(\d{4})(?:-([QS])([1-4]))?", text):
        year, letter, number = found.groups()
        if letter is None:
            return year_period(int(year))
        if letter == "Q" or int(number) <= 2:
            return Period(int(year), "quarter" if letter == "Q" else "semester", int(number))
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return Period(day.year, "date", day=day)


def end_of_day(day: date) -> datetime:
    """The last instant of a day on the office's clock (naive, WIB)."""
    return datetime.combine(day, LAST_INSTANT)


def clock_now() -> datetime:
    """Now on the office's clock (naive, WIB)."""
    return datetime.now(UTC).astimezone(WIB).replace(tzinfo=None)
