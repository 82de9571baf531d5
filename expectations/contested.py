"""What a printed number that contradicts holds back: the number that it names, and those that rest on it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from transforms.definitions import Indicator
from transforms.scoring.definition import Scoring

VALUE = "value"
# How a number that is held back stands among the facts: a value as a flag, a score as its status.
CONTESTED: Literal["contested"] = "contested"
WITHHELD_CONTESTED: Literal["withheld_contested"] = "withheld_contested"
# The flag of a value that stands beside a printed one that contradicts, since somebody answers for it.
WAIVED = "waived"


@dataclass(frozen=True, order=True)
class Fact:
    """A published number of our office: ``measure`` is ``value`` of an indicator and period, else one of the year's score."""

    measure: str
    item: str
    period: str

    @property
    def year(self) -> int:
        return int(self.period[:4])

    @property
    def name(self) -> str:
        """As the plan of a restatement names it: ``IKU-02``, ``SS1.nss``, ``NPSS``."""
        return self.item if self.measure in (VALUE, "npss") else f"{self.item}.{self.measure}"


def held_back(
    fact: Fact,
    indicators: Iterable[Indicator],
    scoring: Scoring,
    newest_parts: Mapping[tuple[str, int], str],
) -> list[Fact]:
    """The number that is contradicted, then what is made of it.

    A part of a year (``newest_parts``: by indicator and year the last one with a value) holds back the year that is made of it; the
    year's value every score that rests on it; a score those above it.
    """
    known = {indicator.id: indicator for indicator in indicators}
    indicator, year = known.get(fact.item), str(fact.year)
    if fact.measure != VALUE or indicator is None:
        return [fact, *_scores(fact.measure, fact.item, indicator, scoring, year)]
    if fact.period == year:
        return [fact, Fact("capaian", fact.item, year), *_scores("capaian", fact.item, indicator, scoring, year)]
    is_behind_year = indicator.year_from == "mean_of_parts" or newest_parts.get((fact.item, fact.year)) == fact.period
    whole = held_back(Fact(VALUE, fact.item, year), [indicator], scoring, newest_parts) if is_behind_year else []
    return [fact, *whole]


def _scores(measure: str, item: str, indicator: Indicator | None, scoring: Scoring, year: str) -> list[Fact]:
    if measure != "capaian" or indicator is None:
        return [Fact(above, of, year) for above, of in scoring.above(measure, item)]
    resting = [("efficiency", item), ("nss", indicator.objective), *scoring.above("nss", indicator.objective)]
    return [Fact(above, of, year) for above, of in resting]
