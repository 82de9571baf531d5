"""Reference data: agencies, status codes, offices, promotion months, holidays. Dated tables, not code."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Annotated, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, model_validator

from transforms.definitions import load_indicators
from transforms.yaml_text import read_yaml


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
    """A decision about a printed item. A number is text here: a binary float would not be what was printed."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    item: str
    chosen: Annotated[str, Field(pattern=r"^-?[0-9]+([.][0-9]+)?$")] | None = None
    verdict: Literal["different"] | None = None
    reason: Annotated[str, Field(min_length=1)]
    owner: Annotated[str, Field(min_length=1)]
    discrepancy: str | None = None

    @model_validator(mode="after")
    def _decides_one_thing(self) -> "Waiver":
        if (self.chosen is None) == (self.verdict is None):
            raise ValueError(f"waivers.yml: {self.item}: either a printed value is chosen, or a difference accepted")
        return self


@cache
def waivers() -> tuple[Waiver, ...]:
    return tuple(Waiver.model_validate(waiver) for waiver in read_yaml(_read("waivers.yml"))["waivers"])


def waived_values() -> dict[str, Decimal]:
    """By item: the printed value that a waiver chooses."""
    return {waiver.item: Decimal(waiver.chosen) for waiver in waivers() if waiver.chosen is not None}


def _read(name: str) -> bytes:
    return files(__name__).joinpath(name).read_bytes()


def _table(name: str, dates: Iterable[str] = (), integers: Iterable[str] = ()) -> pl.DataFrame:
    frame = pl.read_csv(BytesIO(_read(name)), infer_schema=False)
    return frame.with_columns(
        *[pl.col(column).str.to_date("%Y-%m-%d") for column in dates],
        *[pl.col(column).cast(pl.Int64) for column in integers],
    )


def agencies() -> pl.DataFrame:
    """One row an agency of the region: agency_code, name, kind, province, bps_code, kemendagri_code."""
    return _table("agencies.csv")


def proposal_status() -> pl.DataFrame:
    """One row a status code: status_code, outcome (MS, BTS, TMS, IN_PROCESS, NOT_RECEIVED, CANCELLED)."""
    return _table("proposal_status.csv", integers=["status_usulan"]).rename({"status_usulan": "status_code"})


def offices() -> pl.DataFrame:
    """One row a regional office: office_code, name."""
    return _table("offices.csv")


def promotion_periods() -> pl.DataFrame:
    """One row a date on which an ordinary promotion may take effect: period_date, the first of a month in force then."""
    months = _table("promotion_months.csv", dates=["valid_from", "valid_to"], integers=["month"])
    first, last = months["valid_from"].to_list(), months["valid_to"].to_list()
    days = pl.DataFrame({"period_date": pl.date_range(min(first), max(last), interval="1mo", eager=True)})
    return (
        days.join_where(
            months, pl.col("period_date") >= pl.col("valid_from"), pl.col("period_date") <= pl.col("valid_to")
        )
        .filter(pl.col("period_date").dt.month().cast(pl.Int64) == pl.col("month"))
        .select("period_date")
        .sort("period_date")
    )


def indicators() -> pl.DataFrame:
    """One row an indicator of the definitions: indicator_id, perspective_code, objective_code."""
    rows = [(indicator.id, indicator.perspective, indicator.objective) for indicator in load_indicators()]
    return pl.DataFrame(
        rows, schema=dict.fromkeys(["indicator_id", "perspective_code", "objective_code"], pl.String), orient="row"
    )


def budget_programs() -> pl.DataFrame:
    """One row a code under which a program's budget is delivered: program_code, name."""
    return _table("budget_programs.csv")


def spellings() -> pl.DataFrame:
    """One row a spelling of real files: kind (agency, grade, office, promotion_type, proposal_status, yes_no), code, spelling."""
    return _table("spellings.csv")


def holiday_dates(first_year: int, last_year: int) -> set[date]:
    """Public holidays and joint leave of these years: the dated table, and the pinned package for years beyond it."""
    table_first, table_last = office().holidays.table_years
    dates = set(_table("holidays.csv", dates=["holiday_date"])["holiday_date"].to_list())
    beyond = [year for year in range(first_year, last_year + 1) if not table_first <= year <= table_last]
    if beyond:
        from holidays import country_holidays  # noqa: PLC0415  half a second, and seldom needed

        dates |= set(country_holidays("ID", categories=("public", "government"), years=beyond))
    return dates


@cache
def working_days(first_year: int, last_year: int) -> pl.DataFrame:
    """One row a calendar date: calendar_date, working_day_number (working days from the first date up to and including it).

    The number of working days d with a < d <= b is number(b) - number(a). No working day: Saturday, Sunday, holiday, joint leave.
    """
    days = pl.date_range(date(first_year, 1, 1), date(last_year, 12, 31), timedelta(days=1), eager=True)
    off = pl.Series(sorted(holiday_dates(first_year, last_year)), dtype=pl.Date)
    frame = pl.DataFrame({"calendar_date": days})
    is_working = (pl.col("calendar_date").dt.weekday() <= 5) & ~pl.col("calendar_date").is_in(off.implode())
    return frame.with_columns(is_working.cast(pl.Int32).cum_sum().alias("working_day_number"))


def static_tables() -> dict[str, pl.DataFrame]:
    """The reference tables by name, as every engine that judges rows needs them (schema ``reference``)."""
    return {
        "agencies": agencies(),
        "proposal_status": proposal_status(),
        "offices": offices(),
        "promotion_periods": promotion_periods(),
        "indicators": indicators(),
        "budget_programs": budget_programs(),
        "spellings": spellings(),
    }
