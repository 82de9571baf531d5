"""What the office has printed in its reports, and what is known to be wrong with it: data under ``reference/``, read here.

An item has the name of an ``ItemKey``; what is derived of it has the same.
"""

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from transforms.item_key import ItemKey
from transforms.yaml_text import read_yaml

REFERENCE = "transforms.reference"
# What an index of a survey (IKM) is of the mean of its elements.
IKM_SCALE = 25
Text = Annotated[str, Field(min_length=1)]
NumberRule = Literal[
    "sum", "difference", "mean", "percent", "percentage_of", "percent_of_mean", "ikm", "ikm_of_units", "efficiency",
    "nearest_share", "rest_of_share", "same", "no_fall",
]  # fmt: skip
TextRule = Literal["names", "one_of", "lowest", "band", "unlike", "as_precise", "adjoins", "weekday", "working_day"]
Rule = NumberRule | TextRule
# An item of another office begins with its code.
_OF_AN_OFFICE = re.compile(r"[0-9]{2}\|")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reason(Strict):
    """Why a printed number can have nothing derived beside it. ``discrepancy`` documents it, where one does."""

    text: Text
    discrepancy: str | None = None


class PrintedItem(Strict):
    """One printing of one number. ``value`` keeps the decimals that it was printed with; None where none was printed."""

    item: Text
    value: Text | None
    printed: str | None = None
    unit: Text
    source: Text
    none: str | None = None

    @property
    def key(self) -> ItemKey:
        return ItemKey.parse(self.item)

    @property
    def base(self) -> str:
        """The number that is printed, wherever it is printed."""
        return base_of(self.item)

    @property
    def number(self) -> Decimal | None:
        """The value; None for a text (unit ``text``) or where nothing is printed."""
        return None if self.value is None or self.unit == "text" else Decimal(self.value)

    @property
    def decimals(self) -> int:
        return decimals_of(self.value or "")

    @property
    def year(self) -> int:
        return self.key.year


class Table(Strict):
    title: Text
    items: tuple[PrintedItem, ...]


class Report(Strict):
    """A report of the office. Raises ValueError for an item that stands there twice or a reason that nobody explains."""

    document: Text
    report_year: int
    office: Text
    reasons: dict[str, Reason]
    tables: tuple[Table, ...]

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        names = [item.item for item in self.items]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"report {self.report_year}: stated twice: {', '.join(twice)}")
        if unknown := sorted({item.none for item in self.items if item.none} - self.reasons.keys()):
            raise ValueError(f"report {self.report_year}: no such reason: {', '.join(unknown)}")
        return self

    @property
    def items(self) -> list[PrintedItem]:
        return [item for table in self.tables for item in table.items]


class Statement(Strict):
    """What a report states besides its numbers: a name, a label, a rank, a date."""

    item: Text
    value: Text
    source: Text


class Statements(Strict):
    statements: tuple[Statement, ...]


class StatedCheck(Strict):
    """A check, or with ``each`` a family of them: {0} and {1} stand for the words of an entry. ``parts`` are patterns.

    ``decimals``: those at which the number is judged, where they are not the printed ones. ``bands``: the name of each by its lowest value.
    """

    id: Text
    rule: Rule
    total: Text
    parts: tuple[Text, ...] = Field(min_length=1)
    each: tuple[Text, ...] = ("",)
    decimals: int | None = None
    bands: dict[Text, Text] = {}


class StatedChecks(Strict):
    checks: tuple[StatedCheck, ...]


@dataclass(frozen=True)
class Check:
    """A printed number or statement that follows from others of the same report."""

    id: str
    rule: Rule
    total: PrintedItem
    parts: tuple[PrintedItem, ...]
    decimals: int
    bands: Mapping[str, str]


class Explanation(Strict):
    """Which lines a discrepancy documents, and its guard: exactly one of the four, see known_discrepancies.yml."""

    items: tuple[Text, ...] = Field(min_length=1)
    derived: tuple[Text, ...] | None = None
    within: Text | None = None
    beyond: tuple[Text, ...] | None = None
    printed_as_none: bool = False

    @model_validator(mode="after")
    def _has_one_guard(self) -> Self:
        if sum(map(bool, (self.derived, self.within, self.beyond, self.printed_as_none))) != 1:
            raise ValueError(f"{self.items[0]}: state exactly one of derived, within, beyond, printed_as_none")
        return self

    def names(self, item: str) -> bool:
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.items for name in (item, base_of(item)))


class Discrepancy(Strict):
    id: Annotated[str, Field(pattern=r"^D[0-9]{2,}$")]
    type: Text
    severity: Literal["high", "medium", "low", "info"]
    location: Text
    stated: Text | None = None
    computed: Text | None = None
    likely_cause: Text | None = None
    handling: Text | None = None
    explains: tuple[Explanation, ...] = ()


class Discrepancies(Strict):
    document: Text
    report_year: int
    discrepancies: tuple[Discrepancy, ...]


def base_of(item: str) -> str:
    """Of a line's name, which is an item's or a check's: without the place."""
    return item.partition("@")[0]


def decimals_of(text: str) -> int:
    """Digits after the decimal point, as printed."""
    return len(text.partition(".")[2])


@cache
def load_reports() -> tuple[Report, ...]:
    """The printed reports, oldest first."""
    names = sorted(file.name for file in files(REFERENCE).iterdir())
    found = (name for name in names if fnmatch.fnmatchcase(name, "published_[0-9][0-9][0-9][0-9].yml"))
    return tuple(Report.model_validate(_content(name)) for name in found)


@cache
def load_checks(report_year: int) -> tuple[Check, ...]:
    """The checks of a report's numbers among themselves. Raises ValueError for a pattern that names nothing."""
    report = next(report for report in load_reports() if report.report_year == report_year)
    stated = StatedChecks.model_validate(_content(f"published_{report_year}_checks.yml"))
    printed = [*(item for item in report.items if item.value is not None), *load_statements(report_year)]
    by_name = {item.item: item for item in printed}
    return tuple(
        _check(by_name, report.office, family, entry.split("|")) for family in stated.checks for entry in family.each
    )


@cache
def load_statements(report_year: int) -> tuple[PrintedItem, ...]:
    """What the report states besides its numbers."""
    stated = Statements.model_validate(_content(f"published_{report_year}_statements.yml")).statements
    return tuple(PrintedItem(item=s.item, value=s.value, unit="text", source=s.source) for s in stated)


def _check(printed: dict[str, PrintedItem], office: str, family: StatedCheck, words: list[str]) -> Check:
    identifier = family.id.format(*words)
    total, *parts = (
        _matching(printed, pattern if _OF_AN_OFFICE.match(pattern) else f"{office}|{pattern}", identifier)
        for pattern in (pattern.format(*words) for pattern in (family.total, *family.parts))
    )
    if len(total) != 1:
        raise ValueError(f"check {identifier}: its total names {len(total)} items")
    decimals = total[0].decimals if family.decimals is None else family.decimals
    members = tuple(item for found in parts for item in found)
    return Check(identifier, family.rule, total[0], members, decimals, family.bands)


def _matching(printed: dict[str, PrintedItem], pattern: str, identifier: str) -> list[PrintedItem]:
    """Items with a value that the pattern names; further printings only where it says so (@)."""
    # Most patterns are plain names.
    names = fnmatch.filter(printed, pattern) if set("*?[") & set(pattern) else [pattern] if pattern in printed else []
    found = [printed[name] for name in names if ("@" in pattern) == ("@" in name)]
    if not found:
        raise ValueError(f"check {identifier}: {pattern} names nothing that is printed")
    return found


def load_discrepancies() -> tuple[Discrepancy, ...]:
    return documented().discrepancies


@cache
def documented() -> Discrepancies:
    """What is known to be wrong with what was printed, with the report that prints it."""
    return Discrepancies.model_validate(_content("known_discrepancies.yml"))


def _content(name: str) -> object:
    return read_yaml(files(REFERENCE).joinpath(name).read_text(encoding="utf-8"))
