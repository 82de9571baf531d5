"""Deliveries of letters with scores, the budget, the performance agreement, and what was printed about them all."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from sample_data.draws import Draws
from sample_data.order import Order, figures_of, load_yaml
from sample_data.yearly import REGISTERS, write_register, write_year

SCORE, BUDGET, AGREEMENT, PUBLISHED = "external_score", "budget", "performance_agreement", "published_value"
_PUBLISHED_FIGURES = "published.yml"


def write_scores(order: Order) -> list[Path]:
    """Write the letters with scores that others gave for every year ordered."""
    return write_register(order, SCORE, _scores)


def write_budgets(order: Order) -> list[Path]:
    """Write the budget of every year ordered: what was known by its first day of figures, then the rest."""
    written: list[Path] = []
    for year in order.years:
        rows = _budget(year, figures_of(BUDGET, year, REGISTERS))
        is_first = pl.col("tgl_data") == pl.col("tgl_data").min()
        written += write_year(order, BUDGET, year, {"first": rows.filter(is_first), "later": rows.filter(~is_first)})
    return written


def write_agreements(order: Order) -> list[Path]:
    """Write the targets of every year ordered."""
    return write_register(order, AGREEMENT, _agreement)


def write_published(order: Order) -> list[Path]:
    """Write what was printed about every year ordered."""
    written: list[Path] = []
    for year in order.years:
        rows = _published(year, figures_of(PUBLISHED, year, _PUBLISHED_FIGURES))
        written += write_year(order, PUBLISHED, year, {"": rows})
    return written


def _scores(year: int, figures: Mapping[str, Any], _draws: Draws) -> pl.DataFrame:
    """Grain: one letter on one indicator."""
    return pl.DataFrame(
        [
            {
                "indikator": indicator,
                "tahun": year,
                "nilai": Decimal(score),
                "nomor_surat": f"SAMPLE-{number}/{indicator}/{year}",
                "tgl_surat": day,
            }
            for indicator, letters in figures.items()
            for number, (score, day) in enumerate(letters, start=1)
        ],
        schema_overrides={"nilai": pl.Decimal(5, 2)},
    )


def _budget(year: int, figures: Mapping[str, Any]) -> pl.DataFrame:
    """Grain: the figures of one day on one revision of one indicator or program."""
    amounts = {code: amount for code, amount in figures.items() if code != "states"}
    return pl.DataFrame(
        [
            {
                "indikator": code,
                "tahun": year,
                "revisi_ke": revision,
                "tgl_revisi": decided,
                "tgl_data": known,
                "pagu": amount["pagu"][revision],
                "realisasi": spent,
            }
            for code, amount in amounts.items()
            for (revision, decided, known), spent in zip(figures["states"], amount["spent"], strict=True)
        ]
    )


def _agreement(year: int, figures: Mapping[str, str], _draws: Draws) -> pl.DataFrame:
    """Grain: one indicator."""
    places = {
        indicator: (objective, about["perspective"])
        for objective, about in load_yaml(REGISTERS)["objectives"].items()
        for indicator in about["indicators"]
    }
    return pl.DataFrame(
        [
            {
                "indikator": indicator,
                "tahun": year,
                "target": target,
                "sasaran": places[indicator][0],
                "perspektif": places[indicator][1],
            }
            for indicator, target in figures.items()
        ]
    )


def _published(year: int, figures: Mapping[str, Any]) -> pl.DataFrame:
    """Grain: one printed reading of one value. Its text keeps the decimals that it was printed with."""
    report = load_yaml(_PUBLISHED_FIGURES)["report"]
    return pl.DataFrame(
        [
            {
                "kantor": office,
                "indikator": code,
                "tahun": year,
                "ukuran": measure,
                "nilai": value,
                "desimal": max(-int(Decimal(value).as_tuple().exponent), 0),
                "sumber": f"{report}: {place}",
            }
            for office, codes in figures.items()
            for code, measures in codes.items()
            for measure, readings in measures.items()
            for value, place in readings
        ]
    )
