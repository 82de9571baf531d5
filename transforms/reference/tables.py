"""The reference tables as frames, for every engine that judges rows: agencies, status codes, offices, months, holidays."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from io import BytesIO

import polars as pl

from transforms.definitions import load_indicators
from transforms.reference import office
from transforms.scoring.definition import load_scoring


def _table(name: str, dates: Iterable[str] = (), integers: Iterable[str] = ()) -> pl.DataFrame:
    frame = pl.read_csv(BytesIO(files(__package__).joinpath(name).read_bytes()), infer_schema=False)
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
    """One row a regional office: office_code, name, is_own."""
    return _table("offices.csv").with_columns((pl.col("office_code") == office().office_code).alias("is_own"))


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
    """One row a code under which a program's budget is delivered: program_code, name, cited_at."""
    return _table("budget_programs.csv")


def perspectives() -> pl.DataFrame:
    """One row a perspective: perspective, its official names, weight_percent, cited_at."""
    weights = pl.DataFrame(
        [(perspective.id, perspective.weight_percent) for perspective in load_scoring().perspectives],
        schema={"perspective": pl.String, "weight_percent": pl.Int64},
        orient="row",
    )
    return _table("perspectives.csv").join(weights, on="perspective", how="left", validate="1:1", maintain_order="left")


def objectives() -> pl.DataFrame:
    """One row a strategic objective: objective, its official names, perspective, cited_at."""
    places = pl.DataFrame(
        [
            (objective, perspective.id)
            for perspective in load_scoring().perspectives
            for objective in perspective.objectives
        ],
        schema=["objective", "perspective"],
        orient="row",
    )
    return _table("objectives.csv").join(places, on="objective", how="left", validate="1:1", maintain_order="left")


def indicator_names() -> pl.DataFrame:
    """One row an indicator: indicator, its official name, its title in English, cited_at."""
    titles = pl.DataFrame(
        [(indicator.id, indicator.title.en) for indicator in load_indicators()],
        schema={"indicator": pl.String, "name_en": pl.String},
        orient="row",
    )
    return _table("indicator_names.csv").join(
        titles, on="indicator", how="inner", validate="1:1", maintain_order="left"
    )


def nspk_grades() -> pl.DataFrame:
    """One row a grade of an NSPK assessment: grade, its names, lowest_score and highest_score (both within it), cited_at."""
    return _table("nspk_grades.csv").with_columns(pl.col("lowest_score", "highest_score").cast(pl.Decimal(9, 2)))


def survey_names() -> pl.DataFrame:
    """One row a survey, and each of its units and elements: survey_code, kind, code, names, cited_at."""
    return _table("survey_names.csv")


def digital_service_names() -> pl.DataFrame:
    """One row a service that is to become digital: service_number, names, scope, cited_at."""
    return _table("digital_service_names.csv", integers=["service_number"])


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
        "perspectives": perspectives(),
        "objectives": objectives(),
        "indicator_names": indicator_names(),
        "nspk_grades": nspk_grades(),
        "survey_names": survey_names(),
        "digital_service_names": digital_service_names(),
    }
