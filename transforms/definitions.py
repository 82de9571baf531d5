"""Indicator definitions: one pair of files an indicator, ``iku_06.yml`` (what it is) and ``iku_06.sql`` (its evidence); indicators alike share a query.

The evidence query gives one row a record, period and group; the formula folds it. See docs/how-to/add-an-indicator.md.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from transforms.sql import names_parameter
from transforms.yaml_text import read_yaml

INDICATORS = "transforms.indicators"
NOT_STATED = "not stated in the report"
_CITED = re.compile(r"\[L(\d+)(?:-(\d+))?\]")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Bilingual(Strict):
    id: str
    en: str


class Grounded(Strict):
    """What a definition rests on: what the report, or a law that it names, says, and where (``cited_at``: one place a document, as the lines
    of the report's text without blank lines). Where the report is silent the basis is ``NOT_STATED``; where also the formula is not
    stated there but concluded by us, it is ``inferred`` (ruling 38). Raises ValueError for a document without its place.
    """

    legal_basis: Annotated[str, Field(min_length=1)]
    cited_at: str | None = None
    inferred: bool = False

    @model_validator(mode="after")
    def _is_cited(self) -> Self:
        documents = [] if self.legal_basis == NOT_STATED else self.legal_basis.split("; ")
        if len(documents) != len(self.places):
            raise ValueError(
                f"{self.legal_basis}: cited_at names the lines of each document, as `LKj 2024 [L12] [L30-31]`"
            )
        return self

    @property
    def grounds(self) -> dict[str, Any]:
        """The three, by name."""
        return self.model_dump(include=set(Grounded.model_fields))

    @property
    def places(self) -> list[tuple[int, int]]:
        """First and last line of each document's citation."""
        return [(int(first), int(last or first)) for first, last in _CITED.findall(self.cited_at or "")]


class Level(Strict):
    """A step of nested means, outermost first. ``members``: the groups that belong there (else those that occur).

    ``missing``: what a member without a value does: it leaves the mean, or the mean has no value either.
    """

    name: str
    members: list[str] | None = None
    missing: Literal["skip", "zero_denominator"] = "skip"


class Formula(Strict):
    """value = scale x the mean over the levels of (sum of amounts / number of records).

    ``amount_min`` and ``amount_max`` are the least and the most that one record can add: what a quarantined one is worth
    in the quality band, against the value and for it.
    """

    scale: int
    text: str
    levels: list[Level] = []
    amount_min: int = 0
    amount_max: int = 1


class Evidence(Strict):
    """A query that several indicators share: ``<query>.sql`` in their folder, in which ``parameters`` are bound."""

    query: Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
    parameters: dict[str, str] = {}


class Version(Grounded):
    """How the indicator is computed from ``valid_from`` on. ``parameters`` are bound in the evidence query.

    ``widest_band``: a value whose quality band is wider than this, in the indicator's unit, is withheld; without it none is.
    """

    version: str
    valid_from: date
    changed: Bilingual
    parameters: dict[str, Any] = {}
    widest_band: Annotated[Decimal, Field(ge=0)] | None = None
    formula: Formula

    @model_validator(mode="after")
    def _parameters_are_exact(self) -> "Version":
        if any(isinstance(value, float) for value in _leaves(self.parameters)):
            raise ValueError(f"version {self.version}: write a parameter with decimals as text, it is no binary float")
        return self


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _leaves(part)
    else:
        yield value


class Reason(Strict):
    reason: str
    text: Bilingual


class Example(Strict):
    """A worked example: states by source as CSV text, and what must come out. Run as a test, printed in the docs.

    ``as_of`` is the day that it is computed on; without one, long after the period.
    """

    title: str
    period: str
    as_of: date | None = None
    given: dict[str, str]
    value: str | None
    status: str = "derived"
    numerator: str | None = None
    denominator: str | None = None
    excluded: dict[str, int] | None = None
    flags: list[str] | None = None


class Indicator(Grounded):
    """What an indicator is. ``held_key_prefix``: how the keys begin that concern it, where it takes part of its source's rows.
    ``looks_back_at_earlier_years``: its evidence also asks rows of years before, so that a late one of those concerns it.

    ``compares_incomplete``: a missing record is itself part of the result, so that an incomplete value too is held against a printed one.

    ``evidence``: the query that it shares with others; without it, it has one of its own beside its file.

    ``no_rows_means``: what a year without any row of a source that has rows says: that nothing was measured yet, or, of a
    register of events, that nothing happened, so that there is nothing to divide by.
    """

    id: Annotated[str, Field(pattern=r"^IKU-[0-9]{2,}$")]
    title: Bilingual
    owner: str
    unit: str
    decimals: int = 2
    polarity: Literal["higher_is_better"] = "higher_is_better"
    perspective: Literal["stakeholder", "customer", "internal_process", "learning_growth"]
    objective: Annotated[str, Field(pattern=r"^SS[1-7]$")]
    sources: list[str]
    parts: Literal["quarter", "semester"] | None = None
    year_from: Literal["own", "newest_part", "mean_of_parts"] = "own"
    cut_off: Literal["event", "knowledge"]
    components: Literal["both", "denominator", "none"] = "both"
    held_key_prefix: str = ""
    looks_back_at_earlier_years: bool = False
    compares_incomplete: bool = False
    no_rows_means: Literal["not_yet_measured", "zero_denominator"] = "not_yet_measured"
    evidence: Evidence | None = None
    population: Bilingual
    exclusions: list[Reason] = []
    exceptions: list[Reason] = []
    limits: list[Bilingual] = []
    versions: list[Version]
    examples: list[Example]
    sql: str = ""

    @model_validator(mode="after")
    def _versions_are_ordered(self) -> "Indicator":
        starts = [version.valid_from for version in self.versions]
        if not starts or starts != sorted(set(starts)):
            raise ValueError(f"{self.id}: versions stand in the order of valid_from, each date once")
        if (self.parts is None) != (self.year_from == "own"):
            raise ValueError(f"{self.id}: year_from says how the parts make the year")
        if unbound := [
            name for version in self.versions for name in self.bound(version) if not names_parameter(self.sql, name)
        ]:
            raise ValueError(f"{self.id}: its evidence query has no parameter {', '.join(unbound)}")
        return self

    def bound(self, version: Version) -> dict[str, Any]:
        """What its definition binds in the evidence query."""
        return (self.evidence.parameters if self.evidence else {}) | version.parameters

    def version_at(self, day: date) -> Version | None:
        """The version in force on ``day``; None before the first."""
        return next((version for version in reversed(self.versions) if version.valid_from <= day), None)


@cache
def load_indicators() -> tuple[Indicator, ...]:
    """All indicators of the product, by id."""
    return read_indicators(files(INDICATORS))


def read_indicators(folder: Traversable) -> tuple[Indicator, ...]:
    """The indicators of ``folder``: each a definition, with a query of its own or the name of one that several share.

    Raises ValueError naming the file where the query is missing, or one too many, or a key is unknown.
    """
    found = []
    for file in sorted((f for f in folder.iterdir() if f.name.endswith(".yml")), key=lambda f: f.name):
        content = read_yaml(file.read_text(encoding="utf-8"))
        own = query = folder.joinpath(file.name.removesuffix(".yml") + ".sql")
        if "evidence" in content:
            query = folder.joinpath(f"{Evidence.model_validate(content['evidence']).query}.sql")
        if not query.is_file():
            raise ValueError(f"{file.name}: its evidence query {query.name} is missing")
        if query != own and own.is_file():
            raise ValueError(f"{file.name}: it shares {query.name} and has {own.name} of its own")
        found.append(Indicator.model_validate(content | {"sql": query.read_text(encoding="utf-8")}))
    return tuple(found)
