"""The sample's surveys: every index comes out at what the office printed, and every unit has its minimum sample."""

from fractions import Fraction
from importlib.resources import files

import polars as pl
import pytest
import yaml

from sample_data.survey_scores import minimum_sample
from tests import sample_registers
from tests.sample_figures import (
    ELEMENTS,
    PRINTED,
    TATA_USAHA,
    element_means,
    guidance_index,
    half_up,
    indices,
    services_index,
    services_year,
)
from tests.sample_registers import newest, states

UNITS = ("INKA", *TATA_USAHA, "MUTASI", "PENSIUN")
inbox = sample_registers.inbox


def test_every_index_of_2024_is_that_printed(inbox):
    ikm = indices(states(inbox, "survey"))

    assert {(semester, unit): half_up(value) for (year, semester, unit), value in ikm.items() if year == 2024} == {
        place: printed for place, (printed, _) in PRINTED.items()
    }
    assert [half_up(services_index(ikm, 2024, semester)) for semester in (1, 2)] == ["92.88", "93.85"]
    assert half_up(services_year(ikm, 2024)) == "93.37"
    assert half_up(guidance_index(ikm, 2024)) == "99.01"


def test_published_indices_give_the_same_year_as_exact_ones(inbox):
    rounded = {key: Fraction(half_up(value)) for key, value in indices(states(inbox, "survey")).items()}

    assert half_up(services_year(rounded, 2024)) == "93.37"
    assert [half_up(services_index(rounded, 2024, semester)) for semester in (1, 2)] == ["92.88", "93.85"]
    assert half_up(guidance_index(rounded, 2024)) == "99.01"


def test_elements_of_2024_are_those_printed_but_for_one(inbox):
    means = element_means(states(inbox, "survey"))
    differing = {
        (semester, unit, element): (printed, half_up(exact))
        for (semester, unit), (_, texts) in PRINTED.items()
        for element, printed, exact in zip(ELEMENTS, texts.split(), means[2024, semester, unit][1], strict=True)
        if half_up(exact) != printed
    }

    # D10: the elements of INKA give 93.86, the index is 93.17; the index is what must be met.
    assert differing == {(1, "INKA", "u4"): ("3.90", "3.68")}


@pytest.mark.parametrize(
    ("year", "guidance", "services"),
    [(2020, "81.60", "84.31"), (2021, "91.67", "83.28"), (2022, "88.86", "88.81"), (2023, "96.89", "89.77")],
)
def test_indices_until_2023_are_those_of_the_charts(inbox, year, guidance, services):
    ikm = indices(states(inbox, "survey"))

    assert half_up(guidance_index(ikm, year)) == guidance
    assert half_up(services_year(ikm, year)) == services


def test_every_unit_has_its_minimum_sample(inbox):
    sample = {"chi_square": "3.841", "proportion": "0.5", "margin": "0.05"}
    assert [minimum_sample(population, sample) for population in (100, 500, 1000)] == [80, 218, 278]
    figures = yaml.safe_load(files("sample_data").joinpath("surveys.yml").read_text())
    assert figures["sample"] == sample

    respondents = {key: count for key, (count, _) in element_means(states(inbox, "survey")).items()}
    assert len(respondents) == 5 * 2 * 7
    for (year, semester, unit), count in respondents.items():
        population = figures["survey"][year][unit][semester]["population"]
        # n >= 3.841 N / 4 / (0.0025 (N - 1) + 3.841 / 4)
        least = Fraction("3.841") * population / 4 / (Fraction("0.0025") * (population - 1) + Fraction("3.841") / 4)
        assert least <= count <= population


def test_surveys_hold_what_the_product_must_cope_with(inbox):
    rows = states(inbox, "survey")
    answers = newest(rows, "survey")
    is_blank = pl.all_horizontal(pl.col(ELEMENTS).is_null())
    has_gap = pl.any_horizontal(pl.col(ELEMENTS).is_null())

    assert answers.filter(is_blank).height == 5 * 2 * 7
    assert answers.filter(has_gap, ~is_blank).height > 300
    assert rows.height - answers.height == 5 * 2 * 7 * 2
    assert set(answers.unpivot(ELEMENTS)["value"].drop_nulls()) == {"1", "2", "3", "4"} - {"1"}
    assert answers.filter(pl.col("survei") == "pembinaan")["unit"].null_count() == answers["unit"].null_count()
    assert set(answers["unit"].drop_nulls()) == set(UNITS)
    months = answers.group_by("semester").agg(pl.col("tanggal").str.slice(5, 2).unique().sort())
    assert {semester: set(found) for semester, found in months.iter_rows()} == {
        "1": {"05", "06"},
        "2": {"10", "11", "12"},
    }
