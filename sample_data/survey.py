"""Deliveries of the satisfaction surveys, one row a respondent. Semester: that of the row, whenever it arrives."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl

from sample_data.draws import Draws, place_exactly
from sample_data.formats import write_delivery
from sample_data.order import Order, figures_of, load_yaml
from sample_data.survey_scores import ELEMENTS, HIGHEST, Wanted, find_scores, minimum_sample, score_counts
from sample_data.yearly import write_year

SOURCE = "survey"
GUIDANCE, SERVICES = "pembinaan", "layanan"
_FIGURES = "surveys.yml"
_INDEX_OF_ONE = 25


def write(order: Order) -> list[Path]:
    """Write the answers of every year ordered, by semester and survey, and one correction a year."""
    plan = load_yaml("deliveries.yml")[SOURCE]
    written: list[Path] = []
    for year in order.years:
        figures = figures_of(SOURCE, year, _FIGURES)
        parts: dict[str, pl.DataFrame] = {}
        corrections: list[pl.DataFrame] = []
        for semester, window in load_yaml(_FIGURES)["semesters"].items():
            for survey, units in ((GUIDANCE, [GUIDANCE]), (SERVICES, [unit for unit in figures if unit != GUIDANCE])):
                draws = Draws(order.seed, SOURCE, year, semester)
                answers = _answers(year, semester, window, {unit: figures[unit][semester] for unit in units}, draws)
                delivered, corrected = _with_mistakes(answers, plan["corrections"], draws)
                parts[f"S{semester}_{survey}"] = delivered
                corrections.append(corrected)
        written += write_year(order, SOURCE, year, parts)
        corrected_stem = order.inbox / SOURCE / "corrections" / f"{SOURCE}_{year}_correction"
        written += write_delivery(pl.concat(corrections), corrected_stem, "csv")
    return written


def _answers(
    year: int, semester: int, window: Mapping[str, Any], figures: Mapping[str, Mapping[str, Any]], draws: Draws
) -> pl.DataFrame:
    """Every state of every respondent of one survey and semester, by day. Grain: one state of one respondent."""
    first = date(year, *window["first"])
    units = [
        _rendered(respondents, unit, year, semester, first).with_columns(is_newest=pl.lit(is_newest))
        for unit, unit_figures in figures.items()
        for is_newest, respondents in _states(unit, unit_figures, window["days"], draws)
    ]
    return pl.concat(units).sort("tanggal", "responden_id")


def _states(unit: str, figures: Mapping[str, Any], days: int, draws: Draws) -> Iterator[tuple[bool, pl.DataFrame]]:
    """Give the answers that count, then what a few respondents had answered some days before."""
    plan = load_yaml("deliveries.yml")[SOURCE]
    respondents = _respondents(unit, figures, draws).with_columns(
        day=draws.integer(f"day of {unit}", days) + plan["answered_again_after_days"]
    )
    yield True, respondents
    earlier = respondents.sort(draws.integer(f"again of {unit}", 2**31), "index").head(plan["answered_again"])
    yield (
        False,
        earlier.with_columns(
            pl.col("day") - plan["answered_again_after_days"],
            *(
                pl.when(pl.col(element) == HIGHEST).then(HIGHEST - 1).otherwise(HIGHEST).alias(element)
                for element in ELEMENTS
            ),
        ),
    )


def _respondents(unit: str, figures: Mapping[str, Any], draws: Draws) -> pl.DataFrame:
    """The scores of one unit and semester, and one who answered nothing. Grain: one respondent."""
    plan = load_yaml("deliveries.yml")[SOURCE]
    places = pl.DataFrame({"index": range(len(ELEMENTS))})
    gaps = places.select(draws.integer(f"missing of {unit}", plan["missing_below"])).to_series().to_list()
    population = figures["population"]
    at_least = minimum_sample(population, load_yaml(_FIGURES)["sample"])
    size, missing, sums = find_scores(_wanted(figures), at_least, population, gaps)
    respondents = pl.DataFrame({"index": range(size)})
    for element, total, left_out in zip(ELEMENTS, sums, missing, strict=True):
        counts = score_counts(total, size - left_out, left_out, size // plan["outlier_one_in"])
        respondents = place_exactly(respondents, element, counts, draws.integer(f"{element} of {unit}", 2**31))
    nothing = pl.DataFrame({"index": [size]}, schema={"index": respondents.schema["index"]})
    return pl.concat([respondents, nothing], how="diagonal")


def _wanted(figures: Mapping[str, Any]) -> Wanted:
    ikm = Fraction(figures["ikm"])
    gives_way = ELEMENTS.index(figures["gives_way"]) if "gives_way" in figures else None
    if "elements" in figures:
        return Wanted(ikm, _fractions(figures["elements"]), True, gives_way)
    profile = _fractions(load_yaml(_FIGURES)["profile"])
    return Wanted(ikm, [ikm / _INDEX_OF_ONE + offset for offset in profile], False)


def _fractions(texts: Sequence[str]) -> list[Fraction]:
    return [Fraction(text) for text in texts]


def _rendered(respondents: pl.DataFrame, unit: str, year: int, semester: int, first: date) -> pl.DataFrame:
    """As delivered. The guidance survey has no units."""
    is_guidance = unit == GUIDANCE
    number = pl.col("index").cast(pl.String).str.zfill(4)
    return respondents.select(
        survei=pl.lit(GUIDANCE if is_guidance else SERVICES),
        tahun=pl.lit(year),
        semester=pl.lit(semester),
        unit=pl.lit(None if is_guidance else unit, pl.String),
        responden_id=pl.concat_str([pl.lit(f"R{year}{semester}-{unit[:3].upper()}-"), number]),
        tanggal=pl.lit(first) + pl.duration(days="day"),
        **{element: pl.col(element).cast(pl.Int64) for element in ELEMENTS},
    )


def _with_mistakes(answers: pl.DataFrame, count: int, draws: Draws) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is delivered, with a mistyped score in `count` rows, and those rows as they are then corrected."""
    rows = answers.with_row_index()
    right = (
        rows.filter("is_newest", pl.col(ELEMENTS[0]).is_not_null())
        .sort(draws.integer("mistyped", 2**31), "index")
        .head(count)
    )
    is_wrong = pl.col("index").is_in(right["index"].to_list())
    score = pl.col(ELEMENTS[0])
    other = pl.when(score == HIGHEST).then(HIGHEST - 1).otherwise(HIGHEST)
    wrong = rows.with_columns(pl.when(is_wrong).then(other).otherwise(score).alias(ELEMENTS[0]))
    return wrong.drop("index", "is_newest"), right.drop("index", "is_newest")
