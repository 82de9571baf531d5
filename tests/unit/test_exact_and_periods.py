"""Exact arithmetic and periods."""

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.definitions import Formula, Level
from transforms.evaluate import fold
from transforms.exact import decimal_text, fraction, mean, round_half_up
from transforms.periods import parse_period, parts, year_period


@pytest.mark.parametrize(
    ("number", "decimals", "expected"),
    [("93.365", 2, "93.37"), ("101.245", 2, "101.25"), ("3.745", 2, "3.75"), ("-0.005", 2, "-0.01"), ("-0.285", 2, "-0.29"),
     ("0.004", 2, "0.00"), ("99.995", 2, "100.00"), ("12.5", 0, "13"), ("14.70588", 2, "14.71")],
)  # fmt: skip
def test_ties_go_up(number: str, decimals: int, expected: str) -> None:
    assert f"{round_half_up(Decimal(number), decimals):f}" == expected


@given(st.fractions(), st.integers(min_value=0, max_value=6))
def test_rounding_moves_by_half_a_unit_at_most(number: Fraction, decimals: int) -> None:
    unit = Fraction(1, 10**decimals)
    assert abs(Fraction(round_half_up(number, decimals)) - number) <= unit / 2


@given(st.floats())
def test_no_float_takes_part(number: float) -> None:
    for function in (fraction, lambda n: round_half_up(n, 2)):
        with pytest.raises(TypeError, match="not an exact number: float"):
            function(number)


def test_a_mean_is_exact() -> None:
    assert mean([Fraction(1, 3), Fraction(1, 6)]) == Fraction(1, 4)


@pytest.mark.parametrize(
    ("number", "decimals", "expected"),
    [
        ("5.000000", None, "5"),
        ("8246.100000", None, "8246.1"),
        ("100", 2, "100.00"),
        ("100", None, "100"),
        (None, 2, None),
    ],
)
def test_decimal_text(number, decimals, expected) -> None:
    assert decimal_text(None if number is None else Decimal(number), decimals) == expected


def test_iku_06_of_2024_folds_two_groups() -> None:
    formula = Formula(
        scale=100,
        text="",
        levels=[Level(name="channel", members=["webservice", "simpegnas"], missing="zero_denominator")],
    )
    quarters = {"14.71": (5, 0), "22.33": (6, 3), "71.88": (17, 14), "100.00": (17, 32)}
    for expected, (web, simpegnas) in quarters.items():
        value = fold(formula, {("webservice",): (Decimal(web), 17), ("simpegnas",): (Decimal(simpegnas), 32)})
        assert f"{round_half_up(value, 2):f}" == expected


def test_cut_offs_are_the_last_instants() -> None:
    assert year_period(2024).end == datetime(2024, 12, 31, 23, 59, 59, 999999)
    assert [part.end.date() for part in parts(2024, "quarter")] == [
        date(2024, 3, 31), date(2024, 6, 30), date(2024, 9, 30), date(2024, 12, 31),
    ]  # fmt: skip
    assert [part.id for part in parts(2024, "semester")] == ["2024-S1", "2024-S2"]
    assert parse_period("2024-04-01").end.date() == date(2024, 12, 31)


@pytest.mark.parametrize("text", ["2024", "2024-Q3", "2024-S2", "2024-04-01"])
def test_a_period_is_read_as_it_is_written(text: str) -> None:
    assert parse_period(text).id == text


@pytest.mark.parametrize("text", ["24", "2024-Q5", "2024-S3", "2024-13-01", "Q1-2024", ""])
def test_what_is_no_period_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="use 2024, 2024-Q3, 2024-S1 or a date"):
        parse_period(text)


def test_a_running_period_is_cut_at_the_clock() -> None:
    clock = datetime(2024, 5, 2, 12)
    assert year_period(2024).is_running(clock)
    assert year_period(2024).cut_off(clock) == clock
    assert not year_period(2025).has_begun(clock)
