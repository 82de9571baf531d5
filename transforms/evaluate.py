"""From evidence to values: folds the groups of one period by the version's formula, exactly. Pure.

Statuses say why there is no number: never a guess, never a zero.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

from transforms.definitions import Formula, Indicator, Level, Version
from transforms.exact import decimal_text, fraction, mean, round_half_up


@dataclass(frozen=True)
class Node:
    """One group of evidence: its path, the exact sum of amounts, the number of records, and the bounds of the quality band:
    the sums if every quarantined record counted against the value, or for it, over the records with the held ones."""

    path: tuple[str, ...]
    amount: Decimal
    records: int
    amount_low: Decimal
    amount_high: Decimal
    records_with_held: int


@dataclass(frozen=True)
class PeriodEvidence:
    """What the evidence of one indicator and period comes to."""

    nodes: list[Node]
    records: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    evidence_hash: str | None = None
    has_accepted: bool = False
    has_quarantined: bool = False


@dataclass(frozen=True)
class SourceState:
    """What is known of an indicator's sources: whether any was ever delivered, whether any row was ever accepted."""

    is_delivered: bool
    has_accepted: bool


@dataclass(frozen=True)
class Outcome:
    """A value before it is a fact. ``exact`` is unrounded; band bounds are unrounded too.

    ``decimals`` is given where the value was printed with others than the definition's.
    """

    status: str
    exact: Fraction | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    low: Fraction | None = None
    high: Fraction | None = None
    decimals: int | None = None

    def value(self, decimals: int) -> Decimal | None:
        return None if self.exact is None else round_half_up(self.exact, decimals)


BAND_TOO_WIDE = "band_too_wide"


class _NothingToDivideBy(Exception):
    """A group that the formula needs has no record."""


def missing_status(indicator: Indicator, evidence: PeriodEvidence, source: SourceState) -> str:
    """Why a period without an accepted row has no number."""
    if not source.is_delivered:
        return "source_missing"
    if evidence.has_quarantined:
        return "withheld_quality"
    return indicator.no_rows_means if source.has_accepted else "not_yet_measured"


def evaluate(indicator: Indicator, formula: Formula, evidence: PeriodEvidence, source: SourceState) -> Outcome:
    """The value of one period from its own evidence."""
    if not evidence.has_accepted:
        return Outcome(missing_status(indicator, evidence, source))
    numerator, denominator = _components(indicator, evidence)
    try:
        exact = fold(formula, {node.path: (node.amount, node.records) for node in evidence.nodes})
        low = fold(formula, {node.path: (node.amount_low, node.records_with_held) for node in evidence.nodes})
        high = fold(formula, {node.path: (node.amount_high, node.records_with_held) for node in evidence.nodes})
    except _NothingToDivideBy:
        return Outcome("zero_denominator", numerator=numerator, denominator=denominator)
    # With the held records a group can have a value that has none without them; the band holds the value all the same.
    return Outcome("derived", exact, numerator, denominator, min(low, exact), max(high, exact))


def withhold_uncertain(version: Version, outcome: Outcome) -> Outcome:
    """A value that the quarantined rows could move further than the definition allows is withheld; its band stays, and says why."""
    if version.widest_band is None or outcome.low is None or outcome.high is None:
        return outcome
    if outcome.high - outcome.low <= fraction(version.widest_band):
        return outcome
    return replace(outcome, status="withheld_quality", exact=None)


def fold(formula: Formula, groups: dict[tuple[str, ...], tuple[Decimal, int]]) -> Fraction:
    """scale x nested means over the formula's levels of (sum / count)."""
    return formula.scale * _fold(formula.levels, groups)


def _fold(levels: list[Level], groups: dict[tuple[str, ...], tuple[Decimal, int]]) -> Fraction:
    if not levels:
        amount = sum((fraction(amount) for amount, _ in groups.values()), Fraction(0))
        records = sum(records for _, records in groups.values())
        if records == 0:
            raise _NothingToDivideBy
        return amount / records
    level, below = levels[0], levels[1:]
    branches, values = _branches(groups), []
    for member in level.members or sorted(branches):
        try:
            values.append(_fold(below, branches.get(member, {})))
        except _NothingToDivideBy:
            if level.missing != "skip":
                raise
    if not values:
        raise _NothingToDivideBy
    return mean(values)


def describe_fold(formula: Formula, groups: dict[tuple[str, ...], tuple[Decimal, int]], decimals: int) -> str:
    """The formula with its numbers: what is added up and divided by what, and what the groups of the first level come to."""
    try:
        result = decimal_text(round_half_up(fold(formula, groups), decimals), decimals)
    except _NothingToDivideBy:
        result = "nothing to divide by"
    if not formula.levels:
        amount, records = _sums(groups.values())
        return f"{formula.scale} x {_plain(amount)} / {records:,} = {result}"
    level, branches = formula.levels[0], _branches(groups)
    shown = []
    for member in level.members or sorted(branches):
        below = branches.get(member, {})
        amount, records = _sums(below.values())
        if len(formula.levels) == 1:
            shown.append(f"{member} {_plain(amount)} / {records:,}")
        else:
            inner = Formula(scale=formula.scale, text="", levels=formula.levels[1:])
            try:
                number = decimal_text(round_half_up(fold(inner, below), decimals + 2), decimals + 2)
            except _NothingToDivideBy:
                number = "-"
            shown.append(f"{member} {number} ({records:,} answers)")
    return (
        f"{formula.scale} x the mean over {level.name} of {', '.join(shown)} = {result}"
        if len(formula.levels) == 1
        else (f"the mean over {level.name} of {', '.join(shown)} = {result}")
    )


def _sums(groups: Iterable[tuple[Decimal, int]]) -> tuple[Decimal, int]:
    found = list(groups)
    return sum((amount for amount, _ in found), Decimal(0)), sum(records for _, records in found)


def _plain(amount: Decimal) -> str:
    return f"{int(amount):,}" if amount == amount.to_integral_value() else str(decimal_text(amount))


def _branches(
    groups: dict[tuple[str, ...], tuple[Decimal, int]],
) -> dict[str, dict[tuple[str, ...], tuple[Decimal, int]]]:
    branches: dict[str, dict[tuple[str, ...], tuple[Decimal, int]]] = {}
    for path, group in groups.items():
        branches.setdefault(path[0], {})[path[1:]] = group
    return branches


def year_from_parts(
    indicator: Indicator, outcomes: list[Outcome], evidence: list[PeriodEvidence], is_running: bool
) -> Outcome:
    """The year's value from its parts, in order: the newest part with accepted rows, or the mean of the parts.

    A mean needs every part once the year is over; before that it is the mean of those there.
    """
    if indicator.year_from == "newest_part":
        with_rows = [outcome for outcome, part in zip(outcomes, evidence, strict=True) if part.has_accepted]
        return with_rows[-1] if with_rows else _first_reason(outcomes)
    derived = [outcome for outcome in outcomes if outcome.exact is not None]
    missing = [outcome for outcome in outcomes if outcome.exact is None]
    if not derived or (missing and not is_running):
        return replace(_first_reason(missing), numerator=None, denominator=_total(derived))
    return Outcome(
        "derived",
        mean([o.exact for o in derived if o.exact is not None]),
        None,
        _total(derived),
        mean([o.low for o in derived if o.low is not None]),
        mean([o.high for o in derived if o.high is not None]),
    )


def _first_reason(outcomes: list[Outcome]) -> Outcome:
    withheld = [outcome for outcome in outcomes if outcome.status == "withheld_quality"]
    return Outcome((withheld or outcomes)[0].status)


def _total(outcomes: list[Outcome]) -> Decimal | None:
    return sum((o.denominator for o in outcomes if o.denominator is not None), Decimal(0)) if outcomes else None


def _components(indicator: Indicator, evidence: PeriodEvidence) -> tuple[Decimal | None, Decimal | None]:
    if indicator.components == "none":
        return None, None
    amount = sum((node.amount for node in evidence.nodes), Decimal(0))
    return (amount if indicator.components == "both" else None), Decimal(evidence.records)
