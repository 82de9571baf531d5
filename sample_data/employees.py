"""Deliveries of the office's own professionalism index: one row an employee and year."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from sample_data.draws import Draws, decimal_of, place_exactly, spread_exactly
from sample_data.formats import write_delivery
from sample_data.order import Order, figures_of, load_yaml
from sample_data.people import birth_day, contract_number, permanent_number
from sample_data.yearly import REGISTERS, write_year

SOURCE = "ip_asn_employee"
# Points, in hundredths, that competence lies around its mean; the scale ends at 40.
_COMPETENCE_REACH, _COMPETENCE_MOST = 300, 4_000
_MISTYPED_BY = Decimal("1.00")


def write(order: Order) -> list[Path]:
    """Write the employees of every year ordered, and the correction of what was mistyped."""
    plan = load_yaml("deliveries.yml")[SOURCE]
    written: list[Path] = []
    for year in order.years:
        rows = _employees(year, figures_of(SOURCE, year, REGISTERS), order.seed)
        right = rows.head(plan["corrections"])
        wrong = right.with_columns(pl.col("kompetensi") - _MISTYPED_BY)
        written += write_year(order, SOURCE, year, {"": pl.concat([wrong, rows.slice(right.height)])})
        stem = order.inbox / SOURCE / "corrections" / f"{SOURCE}_{year}_correction"
        written += write_delivery(right, stem, "csv")
    return written


def _employees(year: int, figures: Mapping[str, Any], seed: int) -> pl.DataFrame:
    """Grain: one employee. Competence makes up what is left to the mean, to the hundredth of a point."""
    draws = Draws(seed, SOURCE, year)
    parts = ("qualification", "performance", "discipline")
    employees = pl.DataFrame({"index": range(sum(figures["qualification"].values()))})
    for part in parts:
        employees = place_exactly(employees, part, figures[part], draws.integer(part, 2**31))
    given = sum(points * count for part in parts for points, count in figures[part].items())
    total = int((Decimal(figures["mean"]) * employees.height - given) * 100)
    employees = spread_exactly(employees, "competence", total, _COMPETENCE_REACH, draws)
    if employees.filter(pl.col("competence") > _COMPETENCE_MOST).height:
        raise ValueError(
            f"{SOURCE} {year}: the mean of sample_data/{REGISTERS} asks for more than 40 points of competence"
        )
    return employees.select(
        tahun=pl.lit(year),
        nip=_numbers(seed),
        kualifikasi="qualification",
        kompetensi=decimal_of(pl.col("competence"), 2),
        kinerja="performance",
        disiplin="discipline",
    )


def _numbers(seed: int) -> pl.Expr:
    """The employees' numbers, the same in every year."""
    plan = load_yaml("deliveries.yml")[SOURCE]
    permanent, contract, known = plan["permanent"], plan["contract"], plan["known"]
    people = Draws(seed, SOURCE)

    def born_in(years: Mapping[str, int]) -> pl.Expr:
        return years["born_from"] + people.integer("born", years["born_years"])

    appointed = born_in(permanent) + 19 + people.integer("appointed", 6)
    return (
        pl.when(pl.col("index") == known["index"])
        .then(pl.lit(known["number"]))
        .when(pl.col("index") < permanent["count"])
        .then(permanent_number(birth_day(born_in(permanent), people), appointed, people))
        .otherwise(contract_number(birth_day(born_in(contract), people), pl.lit(contract["year"]), people))
    )
