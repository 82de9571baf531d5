"""Deliveries of the letters on the integration with SIASN. A letter states all agencies and history types."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from sample_data.draws import Draws
from sample_data.formats import write_delivery
from sample_data.order import Order, figures_of, load_reference, load_yaml

SOURCE = "integration"
_KEPT_BACK = "hukdis"
_FIRST_DONE = "data_pribadi"


def write(order: Order) -> list[Path]:
    """Write the letters of every year ordered, and one correction a year."""
    plan = load_yaml("deliveries.yml")[SOURCE]
    agencies = _agencies_in_turn(Draws(order.seed, SOURCE))
    folder = order.inbox / SOURCE
    written: list[Path] = []
    for year in order.years:
        figures = figures_of(SOURCE, year)
        letters = [_letter(year, agencies, figures["webservice"], letter) for letter in figures["letters"]]
        for number, rows in enumerate(_with_repeats(letters, plan["repeated_agencies"])):
            stem = folder / str(year) / f"{SOURCE}_{year}_letter_{number + 1}"
            delivered = rows.drop("position")
            written += write_delivery(delivered, stem, plan["formats"][number % len(plan["formats"])])
        corrected = _corrected(letters[0], plan["corrections"])
        written += write_delivery(corrected, folder / "corrections" / f"{SOURCE}_{year}_correction", "csv")
    return written


def _agencies_in_turn(draws: Draws) -> pl.DataFrame:
    """The agencies in the drawn order in which they integrate; the same for every year, so that few move."""
    return (
        load_reference("agencies.csv")
        .select(instansi_kode="agency_code")
        .with_row_index()
        .sort(draws.integer("turn", 2**31), "index")
        .select("instansi_kode")
        .with_row_index("turn")
    )


def _letter(year: int, agencies: pl.DataFrame, webservice: int, letter: Mapping[str, Any]) -> pl.DataFrame:
    """Grain: one history type of one agency. `position`: the agency's place within its kanal."""
    counts = pl.DataFrame(
        [{"riwayat": kind, "webservice": pair[0], "simpegnas": pair[1]} for kind, pair in letter["integrated"].items()]
    )
    is_webservice = pl.col("turn") < webservice
    position = pl.col("turn") - pl.when(is_webservice).then(0).otherwise(webservice)
    integrated = pl.when(is_webservice).then("webservice").otherwise("simpegnas")
    return agencies.join(counts, how="cross", maintain_order="left_right").select(
        nomor_surat=pl.lit(letter["letter"]),
        tgl_surat=pl.lit(letter["date"]),
        tw=pl.lit(letter["tw"]),
        tahun=pl.lit(year),
        instansi_kode="instansi_kode",
        kanal=pl.when(is_webservice).then(pl.lit("webservice")).otherwise(pl.lit("simpegnas")),
        riwayat="riwayat",
        terintegrasi=position < integrated,
        position=position,
    )


def _with_repeats(letters: list[pl.DataFrame], agencies: int) -> Iterator[pl.DataFrame]:
    """Each letter, headed by the first agencies of the one before, delivered once more and unchanged."""
    before = letters[0].clear()
    for letter in letters:
        again = before.filter(pl.col("position") < agencies, pl.col("kanal") == "webservice")
        yield pl.concat([again, letter])
        before = letter


def _corrected(letter: pl.DataFrame, count: int) -> pl.DataFrame:
    """Rows of a history type that was integrated after all, for agencies that count by another one already.

    So no value changes, neither by `jabatan` nor by any history type.
    """
    is_counted = (pl.col("riwayat") == _FIRST_DONE) & pl.col("terintegrasi")
    counted = letter.filter(is_counted).select("instansi_kode")
    mistaken = (pl.col("riwayat") == _KEPT_BACK) & ~pl.col("terintegrasi")
    rows = letter.join(counted, on="instansi_kode", how="semi", maintain_order="left").filter(mistaken)
    return rows.head(count).with_columns(terintegrasi=pl.lit(True)).drop("position")
