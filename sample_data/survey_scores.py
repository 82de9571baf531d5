"""Whole scores that come out at an index: how many respondents, and what each element's scores add up to.

Exact fractions throughout. IKM = 25 x the sum over the nine elements of (mean of the answered scores x 1/9).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

ELEMENTS = tuple(f"u{number}" for number in range(1, 10))
LOWEST, HIGHEST = 1, 4
# An index is 25 times a mean score: from 25 to 100.
_INDEX_OF_ONE = 25
# An index comes out at most this far below its figure and never above it, so that a mean of several, and a mean of
# those, rounds as the mean of the figures does.
_BELOW = Fraction(4, 1000)
# What rounds half up to a mean of two decimals.
_HALF_UNIT = Fraction(5, 1000)


@dataclass(frozen=True)
class Wanted:
    """What the scores of one unit and semester must come out at.

    `means` of the elements bind to two decimals where `is_binding`, save that of the element at `gives_way`.
    """

    ikm: Fraction
    means: Sequence[Fraction]
    is_binding: bool
    gives_way: int | None = None


def minimum_sample(population: int, sample: Mapping[str, str]) -> int:
    """Respondents that a survey of so many people needs at least (Krejcie and Morgan 1970)."""
    chi_square, proportion, margin = (Fraction(sample[name]) for name in ("chi_square", "proportion", "margin"))
    spread = chi_square * proportion * (1 - proportion)
    return ceil(population * spread / (margin**2 * (population - 1) + spread))


def find_scores(
    wanted: Wanted, at_least: int, at_most: int, gaps: Sequence[int]
) -> tuple[int, Sequence[int], list[int]]:
    """Give the smallest number of respondents that will do, each element's missing answers, and its sum of scores.

    `gaps` are the answers to leave out of each element; nobody leaves one out where the index lies so far from the
    printed means that only their very ends give it (D12). Raises ValueError when no size will do.
    """
    for missing in (gaps, [0] * len(gaps)):
        for size in range(at_least, at_most + 1):
            sums = _sums(wanted, [size - count for count in missing])
            if sums is not None:
                return size, missing, sums
    raise ValueError(f"no scores of {at_least} to {at_most} respondents give {wanted}")


def score_counts(total: int, answered: int, missing: int, outliers: int) -> dict[int | None, int]:
    """How often each score, and no score, occurs, so that the answered ones add up to `total`.

    They lie around their mean; of up to `outliers` pairs one lies a score below and one a score above the rest.
    """
    score, higher = divmod(total, answered)
    pairs = min(outliers, (answered - higher) // 3) if LOWEST < score < HIGHEST else 0
    counts = {
        score - 1: pairs,
        score: answered - higher - 2 * pairs,
        score + 1: higher + pairs,
        None: missing,
    }
    return {value: count for value, count in counts.items() if count}


def _sums(wanted: Wanted, answered: Sequence[int]) -> list[int] | None:
    """Sums nearest to the wanted means that give the wanted index; None when there are none of this size."""
    bounds = [_bounds(wanted, place, count) for place, count in enumerate(answered)]
    per_mean = Fraction(_INDEX_OF_ONE, len(ELEMENTS))
    lowest, highest = (wanted.ikm - _BELOW) / per_mean, wanted.ikm / per_mean
    if (
        _total([high for _, high in bounds], answered) < lowest
        or _total([low for low, _ in bounds], answered) > highest
    ):
        return None
    sums = [
        min(max(round(mean * count), low), high)
        for mean, count, (low, high) in zip(wanted.means, answered, bounds, strict=True)
    ]
    total = _total(sums, answered)
    step = 1 if total < lowest else -1
    while not lowest <= total <= highest:
        movable = [place for place, (low, high) in enumerate(bounds) if low <= sums[place] + step <= high]
        if not movable or (total < lowest) != (step > 0):
            return None
        # The one that then lies nearest to its mean; the one that gives way only when no other can move.
        place = min(
            movable,
            key=lambda place: (
                place == wanted.gives_way,
                abs(Fraction(sums[place] + step, answered[place]) - wanted.means[place]),
            ),
        )
        sums[place] += step
        total += Fraction(step, answered[place])
    return sums


def _total(sums: Sequence[int], answered: Sequence[int]) -> Fraction:
    """The sum of the elements' means."""
    return sum((Fraction(part, count) for part, count in zip(sums, answered, strict=True)), start=Fraction(0))


def _bounds(wanted: Wanted, place: int, answered: int) -> tuple[int, int]:
    """The least and the greatest sum of one element's scores."""
    if not wanted.is_binding or place == wanted.gives_way:
        return LOWEST * answered, HIGHEST * answered
    mean = wanted.means[place]
    above = ceil((mean + _HALF_UNIT) * answered) - 1
    return ceil((mean - _HALF_UNIT) * answered), min(above, HIGHEST * answered)
