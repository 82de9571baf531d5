"""What the score is made of: weights, objectives, measures and categories, read from the YAML beside this module."""

from decimal import Decimal
from functools import cache
from itertools import pairwise

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from transforms.definitions import Grounded
from transforms.exact import Exact, round_half_up
from transforms.sql import load_sql
from transforms.yaml_text import read_yaml

PACKAGE = "transforms.scoring"
NOT_CONFIGURED = "not configured"
NPSS = "NPSS"
NPSS_DECIMALS = 2


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Perspective(Strict):
    id: str
    weight_percent: int = Field(gt=0)
    objectives: tuple[str, ...] = Field(min_length=1)


class Measure(Strict):
    """A number of the score: what a report calls it, what it is counted in, and to how many places it is rounded when it becomes a fact."""

    printed: str
    unit: str
    decimals: int = Field(ge=0)
    text: str


class Scoring(Grounded):
    """The rules of one version. Raises ValueError where the weights are not 100 or an objective stands in two perspectives."""

    version: str
    perspectives: tuple[Perspective, ...]
    measures: dict[str, Measure]

    @model_validator(mode="after")
    def _holds_together(self) -> "Scoring":
        if sum(perspective.weight_percent for perspective in self.perspectives) != 100:
            raise ValueError("scoring.yml: the weights of the perspectives are not 100 percent together")
        if len(self.objectives) != len(set(self.objectives)):
            raise ValueError("scoring.yml: an objective stands in two perspectives")
        return self

    @property
    def objectives(self) -> list[str]:
        return [objective for perspective in self.perspectives for objective in perspective.objectives]

    @property
    def printed_measures(self) -> dict[str, str]:
        """What a report calls a measure -> the measure of ours that it stands beside."""
        return {measure.printed: name for name, measure in self.measures.items()}

    def above(self, measure: str, item: str) -> list[tuple[str, str]]:
        """(measure, item) of the scores that rest on this one: of an NSS its perspective's score and NKP, and the NPSS."""
        match measure:
            case "nss":
                perspective = next(p.id for p in self.perspectives if item in p.objectives)
                return [("perspective_score", perspective), *self.above("perspective_score", perspective)]
            case "perspective_score":
                return [("nkp", item), *self.above("nkp", item)]
            case "nkp":
                return [("npss", NPSS)]
        return []


class _ExactText(Strict):
    """Decimals stand in the YAML as quoted text: an unquoted one would arrive as a binary float."""

    @field_validator("from_", "to", "npss", mode="before", check_fields=False)
    @classmethod
    def _is_no_float(cls, number: object) -> object:
        if isinstance(number, float):
            raise ValueError(f"{number}: write the number in quotes, so that it stays exact")
        return number


class Band(_ExactText):
    from_: Decimal = Field(alias="from")
    to: Decimal | None = None
    category: str


class Documented(_ExactText):
    npss: Decimal
    category: str
    source: str


class Categories(Strict):
    bands: tuple[Band, ...] = ()
    documented: tuple[Documented, ...] = ()

    @model_validator(mode="after")
    def _bands_ascend(self) -> "Categories":
        if any(below.from_ >= above.from_ or below.to is not None for below, above in pairwise(self.bands)):
            raise ValueError("categories.yml: bands stand in ascending order of `from`; only the last one has `to`")
        if self.bands and (self.bands[-1].to is None or self.bands[-1].to < self.bands[-1].from_):
            raise ValueError("categories.yml: the last band says up to where it goes (`to`)")
        return self

    def category_of(self, npss: Exact) -> str:
        """The category of the rounded score: from the bands, or where there are none from the documented scores."""
        score = round_half_up(npss, NPSS_DECIMALS)
        if not self.bands:
            return next((known.category for known in self.documented if known.npss == score), NOT_CONFIGURED)
        last = self.bands[-1]
        if last.to is not None and score > last.to:
            return NOT_CONFIGURED
        return next((band.category for band in reversed(self.bands) if band.from_ <= score), NOT_CONFIGURED)


@cache
def load_scoring() -> Scoring:
    return Scoring.model_validate(read_yaml(load_sql(PACKAGE, "scoring.yml")))


@cache
def load_categories() -> Categories:
    return Categories.model_validate(read_yaml(load_sql(PACKAGE, "categories.yml")))
