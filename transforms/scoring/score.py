"""The score of one year, exactly: fractions inside, no rounding between the steps, and no binary float anywhere.

A missing value leaves the mean it would stand in, with its reason; it is never a zero. Pure: facts in, scores out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from transforms.exact import Exact, fraction, mean, round_half_up
from transforms.scoring.definition import NPSS, Categories, Measure, Scoring

HAS_A_NUMBER = ("derived", "reported")


@dataclass(frozen=True)
class Result:
    """An indicator's year as published: ``realization`` is the published value, rounded already (ruling 23).

    Raises TypeError for a float in any of its numbers.
    """

    indicator: str
    objective: str
    status: str
    realization: Decimal | None = None
    target: Decimal | None = None

    def __post_init__(self) -> None:
        _require_exact(self.realization, self.target)


@dataclass(frozen=True)
class Budget:
    """Pagu and realized budget of an indicator or a program, in rupiah. Raises TypeError for a float."""

    code: str
    allocation: Decimal
    spending: Decimal

    def __post_init__(self) -> None:
        _require_exact(self.allocation, self.spending)


@dataclass(frozen=True)
class Score:
    """One number of the score. ``status`` says why there is none; ``missing`` names the inputs without a number, with the reason.

    ``inputs`` are the indicators that the number rests on, with or without a value.
    """

    measure: str
    item: str
    exact: Fraction | None
    status: str
    missing: Mapping[str, str] = field(default_factory=dict)
    inputs: frozenset[str] = frozenset()
    category: str | None = None

    def value(self, measures: Mapping[str, Measure]) -> Decimal | None:
        """Rounded half up to the decimals of its measure: the one rounding of the score."""
        return None if self.exact is None else round_half_up(self.exact, measures[self.measure].decimals)


def score_year(
    results: Iterable[Result], budgets: Iterable[Budget], scoring: Scoring, categories: Categories
) -> list[Score]:
    """All numbers of a year: capaian and budget of each indicator, NSS, score and NKP of each perspective, NPSS.

    Raises ValueError for an indicator whose objective belongs to no perspective.
    """
    ordered = sorted(results, key=lambda result: result.indicator)
    capaian = {result.indicator: _capaian(result) for result in ordered}
    members: dict[str, list[Score]] = {objective: [] for objective in scoring.objectives}
    for result in ordered:
        if result.objective not in members:
            raise ValueError(
                f"{result.indicator}: its objective {result.objective} stands in no perspective of scoring.yml"
            )
        members[result.objective].append(capaian[result.indicator])
    nss = {objective: _mean("nss", objective, parts, "no_capaian") for objective, parts in members.items()}
    means, nkp = [], []
    for perspective in scoring.perspectives:
        objectives = [nss[objective] for objective in perspective.objectives]
        score = _mean("perspective_score", perspective.id, objectives, "no_nss")
        means.append(score)
        nkp.append(_nkp(score, Fraction(perspective.weight_percent, 100)))
    money = [number for budget in sorted(budgets, key=lambda b: b.code) for number in _budget(budget, capaian)]
    with_money = {number.item for number in money if number.measure == "efficiency"}
    without = [_without_budget(score) for item, score in capaian.items() if item not in with_money]
    return [*capaian.values(), *nss.values(), *means, *nkp, _npss(nkp, categories), *money, *without]


def _capaian(result: Result) -> Score:
    """Realization / target x 100, uncapped: all indicators are higher-is-better."""
    status, exact = result.status, None
    if result.realization is not None and result.status in HAS_A_NUMBER:
        if result.target is None:
            status = "no_target"
        elif result.target == 0:
            status = "zero_target"
        else:
            exact = 100 * fraction(result.realization) / fraction(result.target)
    return Score("capaian", result.indicator, exact, status, inputs=frozenset({result.indicator}))


def _mean(measure: str, item: str, parts: list[Score], reason: str) -> Score:
    numbers = [part.exact for part in parts if part.exact is not None]
    missing = {part.item: part.status for part in parts if part.exact is None}
    inputs = frozenset[str]().union(*(part.inputs for part in parts))
    if not numbers:
        return Score(measure, item, None, reason, missing, inputs)
    return Score(measure, item, mean(numbers), "derived", missing, inputs)


def _nkp(score: Score, weight: Fraction) -> Score:
    exact = None if score.exact is None else score.exact * weight
    status = "derived" if exact is not None else "no_perspective_score"
    return Score("nkp", score.item, exact, status, score.missing, score.inputs)


def _npss(nkp: list[Score], categories: Categories) -> Score:
    """The sum of the NKP; none at all where a perspective has none: a sum of fewer weights would be another number."""
    numbers = [part.exact for part in nkp if part.exact is not None]
    missing = {part.item: part.status for part in nkp if part.exact is None}
    inputs = frozenset[str]().union(*(part.inputs for part in nkp))
    if missing:
        return Score("npss", NPSS, None, "no_perspective_score", missing, inputs)
    exact = sum(numbers, Fraction(0))
    return Score("npss", NPSS, exact, "derived", {}, inputs, categories.category_of(exact))


def _budget(budget: Budget, capaian: Mapping[str, Score]) -> list[Score]:
    """Pagu, realized budget and absorption of a code; of an indicator its efficiency too."""
    code, allocation, spending = budget.code, fraction(budget.allocation), fraction(budget.spending)
    achieved = capaian.get(code)
    inputs = achieved.inputs if achieved else frozenset[str]()
    absorption = Score("absorption", code, None, "zero_allocation")
    if allocation:
        absorption = Score("absorption", code, 100 * spending / allocation, "derived")
    numbers = [
        Score("allocation", code, allocation, "derived"),
        Score("spending", code, spending, "derived"),
        absorption,
    ]
    if achieved is not None:
        exact, status = efficiency(allocation, spending, achieved.exact)
        missing = {code: achieved.status} if status == "no_capaian" else {}
        numbers.append(Score("efficiency", code, exact, status, missing, inputs))
    return numbers


def efficiency(allocation: Fraction, spending: Fraction, capaian: Fraction | None) -> tuple[Fraction | None, str]:
    """(pagu x capaian - realized) / (pagu x capaian) x 100, with its status: undefined without pagu or capaian, never zero.

    ``capaian`` is in percent (ruling 28).
    """
    if allocation == 0:
        return None, "zero_allocation"
    if capaian is None:
        return None, "no_capaian"
    if capaian == 0:
        return None, "zero_capaian"
    earned = allocation * capaian / 100
    return 100 * (earned - spending) / earned, "derived"


def _without_budget(capaian: Score) -> Score:
    return Score("efficiency", capaian.item, None, "no_budget", {}, capaian.inputs)


def _require_exact(*numbers: Exact | None) -> None:
    for number in numbers:
        if number is not None:
            fraction(number)
