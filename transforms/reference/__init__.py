"""Reference data: the office, waivers, the names of agencies. The tables for the engines are in ``tables``."""

import csv
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from transforms.yaml_text import read_yaml

# The group of every agency that is none of the region's.
VERTICAL = "vertical"


class HolidayTable(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    table_years: tuple[int, int]
    provenance: str


class Office(BaseModel):
    """The office whose KPIs these are."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    office_code: str
    name: str
    timezone: str
    first_year: int
    two_day_limit_days: int
    holidays: HolidayTable


@cache
def office() -> Office:
    return Office.model_validate(read_yaml(_read("office.yml")))


class Waiver(BaseModel):
    """A choice among several printings of one item. A number is text here: a binary float would not be what was printed."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    item: str
    chosen: Annotated[str, Field(pattern=r"^-?[0-9]+([.][0-9]+)?$")]
    reason: Annotated[str, Field(min_length=1)]
    owner: Annotated[str, Field(min_length=1)]
    discrepancy: str | None = None


@cache
def waivers() -> tuple[Waiver, ...]:
    return tuple(Waiver.model_validate(waiver) for waiver in read_yaml(_read("waivers.yml"))["waivers"])


def waived_values() -> dict[str, Decimal]:
    """By item: the printed value that a waiver chooses."""
    return {waiver.item: Decimal(waiver.chosen) for waiver in waivers()}


@cache
def agency_names() -> dict[str, str]:
    """Name by code of every agency of the region. For readers: it needs none of the libraries that the tables need."""
    return {row["agency_code"]: row["name"] for row in _agency_rows()}


@cache
def regions() -> tuple[str, ...]:
    """What a service is broken down by: the provinces, and the agencies of the centre together."""
    return (*dict.fromkeys(row["province"] for row in _agency_rows()), VERTICAL)


def _agency_rows() -> list[dict[str, str]]:
    return list(csv.DictReader(_read("agencies.csv").decode().splitlines()))


def _read(name: str) -> bytes:
    return files(__name__).joinpath(name).read_bytes()
