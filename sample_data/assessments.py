"""Deliveries of what is assessed and measured at the agencies of the region: NSPK and the professionalism index."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from sample_data.draws import Draws, decimal_of, spread_exactly
from sample_data.formats import write_delivery
from sample_data.order import Order, figures_of, load_reference, load_yaml
from sample_data.yearly import REGISTERS, write_register, write_year

ASSESSMENT, MEASUREMENT = "nspk_assessment", "ip_asn_measurement"
# Thousandths of a point. The limit of grade B holds for two decimals, so the agencies on both sides of it are put half a
# hundredth below it and just under that.
_GRADED_FROM, _GRADED_TO = 70_010, 92_000
_UNGRADED_FROM, _UNGRADED_TO = 41_000, 70_000
_LAST_GRADED, _FIRST_UNGRADED = 70_005, 70_004
# What those that were assessed again had got first.
_FIRST_SCORE, _FIRST_SCORE_REACH = 67_500, 1_000
# Hundredths of a point between a measurement and the mean, and between two of one agency.
_MEASUREMENT_REACH, _FIRST_MEASURED_BELOW = 900, 120


def write_assessments(order: Order) -> list[Path]:
    """Write the assessments that concern a year ordered or were made in one; late ones are not written."""
    wanted = {year for ordered in order.years for year in (ordered - 1, ordered)}
    written: list[Path] = []
    for year, figures in load_yaml(REGISTERS)[ASSESSMENT].items():
        if year in wanted and not figures.get("is_late"):
            written += write_year(order, ASSESSMENT, year, {"": _assessed(year, figures, order.seed)})
    return written


def write_late_assessment(inbox: Path, seed: int = 1) -> Path:
    """Write the assessment of 2024, which was made in 2025, and give the file: what arrives after the books are closed."""
    year = next(year for year, figures in load_yaml(REGISTERS)[ASSESSMENT].items() if figures.get("is_late"))
    rows = _assessed(year, figures_of(ASSESSMENT, year, REGISTERS), seed)
    return write_delivery(rows, inbox / ASSESSMENT / str(year) / f"{ASSESSMENT}_{year}", "csv")[0]


def write_measurements(order: Order) -> list[Path]:
    """Write the measurements of every year ordered."""
    return write_register(order, MEASUREMENT, _measured)


def _agencies(turns: Draws) -> pl.DataFrame:
    """Every agency with its place (`index`): the provinces first, then in a drawn order."""
    is_province = pl.col("kind") == "province"
    return (
        load_reference("agencies.csv")
        .with_row_index("row")
        .sort(~is_province, turns.integer("turn", 2**31, "row"), "row")
        .select(instansi_kode="agency_code")
        .with_row_index()
    )


def _assessed(year: int, figures: Mapping[str, Any], seed: int) -> pl.DataFrame:
    """Grain: one assessment of one agency; a newer one overtakes the first."""
    draws = Draws(seed, ASSESSMENT, year)
    graded = figures["graded"]
    place = pl.col("index").cast(pl.Int64)
    score = (
        pl.when(place == graded - 1)
        .then(_LAST_GRADED)
        .when(place == graded)
        .then(_FIRST_UNGRADED)
        .when(place < graded)
        .then(_GRADED_FROM + draws.integer("graded", (_GRADED_TO - _GRADED_FROM) // 10) * 10)
        .otherwise(_UNGRADED_FROM + draws.integer("ungraded", (_UNGRADED_TO - _UNGRADED_FROM) // 10) * 10)
    )
    # One order for all years, so that no agency falls back.
    agencies = _agencies(Draws(seed, ASSESSMENT))
    reassessed = place.is_between(graded - load_yaml("deliveries.yml")[ASSESSMENT]["earlier"], graded - 1)
    first = agencies.filter(reassessed).with_columns(
        score=_FIRST_SCORE + draws.integer("first score", _FIRST_SCORE_REACH), date=pl.lit(figures["first_date"])
    )
    return pl.concat([first, agencies.with_columns(score=score, date=pl.lit(figures["date"]))]).select(
        "instansi_kode", tahun=pl.lit(year), nilai=decimal_of(pl.col("score"), 3), tgl_penilaian="date"
    )


def _measured(year: int, figures: Mapping[str, Any], draws: Draws) -> pl.DataFrame:
    """Grain: one measurement of one agency; a newer one overtakes the first. Agencies that did not measure have none."""
    measured = figures["measured"]
    total = int(Decimal(figures["mean"]) * 100 * measured)
    agencies = spread_exactly(_agencies(draws).head(measured), "score", total, _MEASUREMENT_REACH, draws).with_columns(
        date=pl.lit(figures["date"])
    )
    first = agencies.head(load_yaml("deliveries.yml")[MEASUREMENT]["earlier"]).with_columns(
        pl.col("score") - _FIRST_MEASURED_BELOW, date=pl.lit(figures["first_date"])
    )
    return pl.concat([first, agencies]).select(
        "instansi_kode", tahun=pl.lit(year), tgl_pengukuran="date", nilai=decimal_of(pl.col("score"), 2)
    )
