"""Figures that the office's report prints beside its indicators: means of survey elements, integration by channel. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from transforms.exact import mean, round_half_up

ELEMENTS = 9
IKM_SCALE = 25
DECIMALS = 2
TOTAL = "total"

# By item without its office: the figure and its decimals.
Figures = dict[str, tuple[Decimal, int]]


def survey_figures(sums: Iterable[tuple[str, int, int, str, int, int, int]]) -> Figures:
    """Means of elements and units' IKM from (survey, year, semester, unit, element, sum of scores, answers).

    The total of an element is the mean of the units that have it. An IKM needs all nine elements (ruling 26).
    """
    means: dict[tuple[str, str], dict[str, dict[int, Fraction]]] = defaultdict(lambda: defaultdict(dict))
    for survey, year, semester, unit, element, total, answers in sums:
        means[survey, f"{year}-S{semester}"][unit][element] = Fraction(total, answers)
    figures: Figures = {}
    for (survey, period), units in means.items():
        for unit, elements in units.items():
            for element, value in elements.items():
                figures[f"{survey}|{period}|element_mean|{_element(unit, element)}"] = _rounded(value)
            if unit and len(elements) == ELEMENTS:
                figures[f"{survey}|{period}|ikm|{unit}"] = _rounded(IKM_SCALE * mean(list(elements.values())))
        if "" not in units:
            for element in range(1, ELEMENTS + 1):
                of_units = [elements[element] for elements in units.values() if element in elements]
                if of_units:
                    figures[f"{survey}|{period}|element_mean|{_element(TOTAL, element)}"] = _rounded(mean(of_units))
    return figures


def integration_figures(counts: Iterable[tuple[int, str, str, int, int]]) -> Figures:
    """Agencies, integrated ones and their share from (year, period, channel, agencies, integrated), and all agencies."""
    figures: Figures = {}
    agencies: dict[str, int] = defaultdict(int)
    for _year, period, channel, members, integrated in counts:
        agencies[period] += members
        figures[f"integration|{period}|agencies|{channel}"] = (Decimal(members), 0)
        figures[f"integration|{period}|integrated|{channel}"] = (Decimal(integrated), 0)
        figures[f"integration|{period}|share|{channel}"] = _rounded(Fraction(100 * integrated, members))
    return figures | {f"integration|{period}|agencies": (Decimal(members), 0) for period, members in agencies.items()}


def _element(unit: str, element: int) -> str:
    return f"{unit}/U{element}" if unit else f"U{element}"


def _rounded(value: Fraction) -> tuple[Decimal, int]:
    return round_half_up(value, DECIMALS), DECIMALS
