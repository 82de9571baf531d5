"""Scoring: the numbers of 2024 to the last digit, missing values with their reason, and no binary float anywhere."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError
from year_2024 import BUDGET_2024, OBJECTIVES, VALUES_2024

from transforms.definitions import load_indicators
from transforms.evaluate import fold
from transforms.exact import round_half_up
from transforms.scoring.definition import Categories, Scoring, load_categories, load_scoring
from transforms.scoring.score import Budget, Result, score_year


def exact(text):
    return None if text is None else Decimal(text)


def results(**changed):
    values = VALUES_2024 | {indicator.replace("_", "-"): value for indicator, value in changed.items()}
    return [
        Result(
            indicator,
            OBJECTIVES[indicator],
            "derived" if value is not None else "not_yet_measured",
            exact(value),
            exact(target),
        )
        for indicator, (value, target) in values.items()
    ]


def budgets():
    return [Budget(code, Decimal(pagu), Decimal(spent)) for code, (pagu, spent) in BUDGET_2024.items()]


def scored(given_results, given_budgets=()):
    """{(measure, item): published text, or the status where there is no number}."""
    scoring = load_scoring()
    return {
        (score.measure, score.item): score.status if score.exact is None else f"{score.value(scoring.measures):f}"
        for score in score_year(given_results, given_budgets, scoring, load_categories())
    }


def of_measure(found, measure):
    return {item: value for (kind, item), value in found.items() if kind == measure}


# The year 2024


def test_the_score_of_2024():
    found = scored(results(), budgets())

    assert of_measure(found, "capaian") == {
        "IKU-01": "not_yet_measured", "IKU-02": "100.00", "IKU-03": "104.22", "IKU-04": "98.28", "IKU-05": "100.00",
        "IKU-06": "100.00", "IKU-07": "96.49", "IKU-08": "100.00", "IKU-09": "101.20", "IKU-10": "96.24", "IKU-11": "95.47",
        "IKU-12": "85.94", "IKU-13": "101.44", "IKU-14": "100.00",
    }  # fmt: skip
    assert of_measure(found, "nss") == {
        "SS1": "100.00", "SS2": "101.25", "SS3": "100.00", "SS4": "100.00", "SS5": "96.49", "SS6": "100.00", "SS7": "96.72",
    }  # fmt: skip
    assert of_measure(found, "perspective_score") == {
        "stakeholder": "100.00", "customer": "101.25", "internal_process": "99.12", "learning_growth": "96.72",
    }  # fmt: skip
    assert of_measure(found, "nkp") == {
        "stakeholder": "25.00", "customer": "25.31", "internal_process": "24.78", "learning_growth": "24.18",
    }  # fmt: skip
    assert found["npss", "NPSS"] == "99.27"


def test_the_budget_of_2024():
    found = scored(results(), [*budgets(), Budget("088.01.WA", Decimal("14086808000"), Decimal("14000000000"))])

    assert of_measure(found, "efficiency") == {
        "IKU-01": "no_capaian", "IKU-02": "zero_allocation", "IKU-03": "zero_allocation", "IKU-04": "-0.27",
        "IKU-05": "zero_allocation", "IKU-06": "0.17", "IKU-07": "4.60",
        "IKU-08": "no_budget", "IKU-09": "no_budget", "IKU-10": "no_budget", "IKU-11": "no_budget", "IKU-12": "no_budget",
        "IKU-13": "no_budget", "IKU-14": "no_budget",
    }  # fmt: skip
    assert of_measure(found, "absorption") == {
        "088.01.WA": "99.38", "IKU-01": "99.99", "IKU-02": "zero_allocation", "IKU-03": "zero_allocation", "IKU-04": "98.55",
        "IKU-05": "zero_allocation", "IKU-06": "99.83", "IKU-07": "92.05",
    }  # fmt: skip
    assert (found["allocation", "088.01.WA"], found["spending", "IKU-04"]) == ("14086808000", "29960485")


def test_the_printed_realization_of_iku_04_gives_the_printed_efficiency():
    found = scored(results(IKU_04=("93.36", "95")), budgets())

    assert (found["capaian", "IKU-04"], found["efficiency", "IKU-04"]) == ("98.27", "-0.29")
    assert (found["nss", "SS2"], found["nkp", "customer"], found["npss", "NPSS"]) == ("101.25", "25.31", "99.27")


def test_a_missing_value_is_no_zero():
    """Counted as zero, IKU-01 would make it 86.77."""
    assert scored(results())["npss", "NPSS"] == "99.27"
    assert scored(results(IKU_01=("0", "100")))["npss", "NPSS"] == "86.77"


def test_the_late_value_of_iku_01_counts():
    found = scored(results(IKU_01=("69.39", "100")))

    assert (found["nss", "SS1"], found["nkp", "stakeholder"], found["npss", "NPSS"]) == ("84.70", "21.17", "95.45")


# What is missing, and why


def by_item(given_results, given_budgets=()):
    scores = score_year(given_results, given_budgets, load_scoring(), load_categories())
    return {(score.measure, score.item): score for score in scores}


def test_what_leaves_a_mean_is_named_with_its_reason():
    found = by_item(results())

    assert found["nss", "SS1"].missing == {"IKU-01": "not_yet_measured"}
    assert found["nss", "SS1"].status == "derived"
    assert found["npss", "NPSS"].missing == {}
    assert found["nss", "SS1"].inputs == {"IKU-01", "IKU-02"}
    assert len(found["npss", "NPSS"].inputs) == 14


def test_a_perspective_without_a_score_leaves_no_npss():
    found = by_item(results(IKU_03=(None, "95"), IKU_04=("93.37", None)))

    assert found["capaian", "IKU-04"].status == "no_target"
    assert found["nss", "SS2"].status == "no_capaian"
    assert found["nss", "SS2"].missing == {"IKU-03": "not_yet_measured", "IKU-04": "no_target"}
    assert found["perspective_score", "customer"].missing == {"SS2": "no_capaian"}
    assert (found["nkp", "customer"].exact, found["nkp", "customer"].status) == (None, "no_perspective_score")
    assert (found["npss", "NPSS"].exact, found["npss", "NPSS"].status) == (None, "no_perspective_score")
    assert found["npss", "NPSS"].missing == {"customer": "no_perspective_score"}
    assert found["npss", "NPSS"].category is None


def test_a_perspective_keeps_the_objectives_that_have_an_nss():
    found = by_item(results(IKU_07=(None, "95")))

    assert found["perspective_score", "internal_process"].exact == 100
    assert found["perspective_score", "internal_process"].missing == {"SS5": "no_capaian"}
    assert round_half_up(found["npss", "NPSS"].exact, 2) == Decimal("99.49")


def test_reported_values_are_scored_like_derived_ones():
    reported = Result("IKU-07", "SS5", "reported", Decimal("91.67"), Decimal("95"))
    found = by_item([reported])

    assert found["capaian", "IKU-07"].status == "reported"
    assert round_half_up(found["nss", "SS5"].exact, 2) == Decimal("96.49")


def test_a_target_of_zero_gives_no_capaian():
    found = by_item([Result("IKU-07", "SS5", "derived", Decimal("91.67"), Decimal(0))])

    assert (found["capaian", "IKU-07"].exact, found["capaian", "IKU-07"].status) == (None, "zero_target")


def test_a_capaian_of_zero_gives_no_efficiency():
    found = by_item(
        [Result("IKU-07", "SS5", "derived", Decimal(0), Decimal(95))], [Budget("IKU-07", Decimal(5), Decimal(5))]
    )

    assert (found["efficiency", "IKU-07"].exact, found["efficiency", "IKU-07"].status) == (None, "zero_capaian")


def test_an_objective_of_no_perspective_is_an_error():
    with pytest.raises(ValueError, match=r"IKU-77.*SS9.*no perspective"):
        score_year([Result("IKU-77", "SS9", "derived")], [], load_scoring(), load_categories())


# Categories


def categories(**content):
    return Categories.model_validate(content)


BANDS = [
    {"from": "75.00", "category": "Cukup"},
    {"from": "90.00", "category": "Baik"},
    {"from": "100.00", "to": "110.00", "category": "Istimewa"},
]


@pytest.mark.parametrize(
    ("npss", "category"),
    [
        ("99.27", "Baik"),
        ("99.272", "Baik"),
        ("99.265", "Baik"),
        ("99.26", "not configured"),
        ("99.28", "not configured"),
    ],
)
def test_only_the_printed_category_is_known(npss, category):
    assert load_categories().category_of(Decimal(npss)) == category


@pytest.mark.parametrize(
    ("npss", "category"),
    [
        ("74.99", "not configured"), ("74.995", "Cukup"), ("89.99", "Cukup"), ("90", "Baik"), ("99.27", "Baik"),
        ("110.00", "Istimewa"), ("110.01", "not configured"),
    ],
)  # fmt: skip
def test_configured_bands(npss, category):
    assert categories(bands=BANDS).category_of(Decimal(npss)) == category


def test_where_bands_are_configured_the_exception_does_not_hold():
    bands = [{"from": "90.00", "to": "95.00", "category": "Cukup"}]
    documented = [{"npss": "99.27", "category": "Baik", "source": "LKj"}]

    assert categories(bands=bands, documented=documented).category_of(Decimal("99.27")) == "not configured"


@pytest.mark.parametrize(
    ("bands", "named"),
    [
        ([{"from": 75.5, "to": "90", "category": "Cukup"}], "quotes"),
        ([{"from": "75", "to": 90.1, "category": "Cukup"}], "quotes"),
        ([{"from": "90", "category": "Baik"}, {"from": "75", "to": "80", "category": "Cukup"}], "ascending"),
        ([{"from": "75", "category": "Cukup"}], "last band"),
        ([{"from": "75", "to": "70", "category": "Cukup"}], "last band"),
        ([{"from": "75", "to": "80", "category": "Cukup", "colour": "red"}], "colour"),
    ],
)
def test_bands_that_make_no_sense_are_refused(bands, named):
    with pytest.raises(ValidationError, match=named):
        categories(bands=bands)


def test_the_rules_of_the_score_hold_together():
    scoring = load_scoring()
    twice = scoring.model_dump() | {"perspectives": [{"id": "a", "weight_percent": 50, "objectives": ["SS1"]}] * 2}
    light = scoring.model_dump() | {"perspectives": [{"id": "a", "weight_percent": 99, "objectives": ["SS1"]}]}

    with pytest.raises(ValidationError, match="two perspectives"):
        Scoring.model_validate(twice)
    with pytest.raises(ValidationError, match="not 100 percent"):
        Scoring.model_validate(light)
    places = {objective: p.id for p in scoring.perspectives for objective in p.objectives}
    assert {i.id: places[i.objective] for i in load_indicators()} == {i.id: i.perspective for i in load_indicators()}


# Exactness

NUMBERS = st.decimals(min_value="0.01", max_value="200", places=2, allow_nan=False)
RUPIAH = st.integers(min_value=1, max_value=10**12).map(Decimal)
MAYBE = st.none() | NUMBERS


@st.composite
def years(draw):
    """Any year: some values missing, any target, any budget."""
    given_results = [
        Result(
            indicator,
            objective,
            "derived" if value is not None else "withheld_quality",
            value,
            draw(NUMBERS),
        )
        for indicator, objective in OBJECTIVES.items()
        for value in [draw(MAYBE)]
    ]
    codes = draw(st.sets(st.sampled_from(sorted(OBJECTIVES))))
    return given_results, [Budget(code, draw(RUPIAH), draw(RUPIAH)) for code in sorted(codes)]


@given(years())
def test_no_float_takes_part(year):
    for score in score_year(*year, load_scoring(), load_categories()):
        assert score.exact is None or type(score.exact) is Fraction
        assert (score.exact is None) == (score.status not in ("derived", "reported"))
        value = score.value(load_scoring().measures)
        assert value is None or type(value) is Decimal


@given(
    st.floats(allow_nan=True, allow_infinity=True), st.sampled_from(["realization", "target", "allocation", "spending"])
)
def test_a_float_is_refused_at_the_boundary(number, name):
    with pytest.raises(TypeError, match="float"):
        if name in ("realization", "target"):
            Result("IKU-04", "SS2", "derived", **({"realization": Decimal(1), "target": Decimal(1)} | {name: number}))
        else:
            Budget("IKU-04", **({"allocation": Decimal(1), "spending": Decimal(1)} | {name: number}))


@given(st.floats())
def test_no_float_is_rounded(number):
    with pytest.raises(TypeError, match="float"):
        round_half_up(number, 2)


@given(years())
def test_the_order_of_the_facts_does_not_matter(year):
    given_results, given_budgets = year
    assert scored(given_results, given_budgets) == scored(given_results[::-1], given_budgets[::-1])


@given(years())
def test_npss_is_one_fraction_of_the_realizations(year):
    """Recomputed by another way: one formula over the published realizations and targets, rounded once."""
    given_results, _ = year
    found = scored(given_results)
    ratios = {
        r.indicator: Fraction(r.realization) / Fraction(r.target) for r in given_results if r.realization is not None
    }
    total = Fraction(0)
    for perspective in load_scoring().perspectives:
        means = []
        for objective in perspective.objectives:
            known = [ratios[i] for i, place in OBJECTIVES.items() if place == objective and i in ratios]
            means += [sum(known) / len(known)] if known else []
        assume(means)
        total += Fraction(25) * sum(means) / len(means)
    assert found["npss", "NPSS"] == f"{round_half_up(total, 2):f}"


@given(years())
def test_recomputing_from_the_published_components_gives_the_published_values(year):
    """Published are texts: what they say is enough to compute every number again."""
    given_results, given_budgets = year
    published = [
        (r.indicator, r.status, None if r.realization is None else f"{r.realization:f}", f"{r.target:f}")
        for r in given_results
    ]
    money = [(b.code, f"{b.allocation:f}", f"{b.spending:f}") for b in given_budgets]
    again = [Result(i, OBJECTIVES[i], status, exact(value), exact(target)) for i, status, value, target in published]

    assert scored(again, [Budget(code, Decimal(a), Decimal(s)) for code, a, s in money]) == scored(
        given_results, given_budgets
    )


@given(st.integers(min_value=0, max_value=10**6), st.integers(min_value=1, max_value=10**6))
def test_a_published_share_follows_from_its_numerator_and_denominator(numerator, denominator):
    formula = next(i for i in load_indicators() if i.id == "IKU-06").versions[0].formula
    published = round_half_up(fold(formula, {(): (Decimal(numerator), denominator)}), 2)
    hundredths, rest = divmod(numerator * 10_000, denominator)

    assert int(published * 100) == hundredths + (2 * rest >= denominator)


@pytest.mark.parametrize(
    ("number", "rounded"),
    [
        ("93.365", "93.37"), ("101.245", "101.25"), ("3.745", "3.75"), ("96.715", "96.72"), ("0.005", "0.01"),
        ("-0.005", "-0.01"), ("-0.285", "-0.29"), ("2.675", "2.68"), ("93.3649999999999999999999999999999", "93.36"),
    ],
)  # fmt: skip
def test_ties_go_up(number, rounded):
    assert f"{round_half_up(Decimal(number), 2):f}" == rounded


@given(st.integers(min_value=-(10**9), max_value=10**9))
def test_every_tie_goes_away_from_zero(thousandths):
    tie = Fraction(thousandths * 10 + (5 if thousandths >= 0 else -5), 1000)

    assert round_half_up(tie, 2) == Decimal(thousandths + (1 if thousandths >= 0 else -1)) / 100
