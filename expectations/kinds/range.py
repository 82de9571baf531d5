"""``range: {min, max}``: the value lies between two bounds, both included."""

from typing import ClassVar

from pydantic import ConfigDict

from expectations.columns import Bilingual, Column
from expectations.kinds import Kind, Told
from expectations.words import allowed_span
from transforms.sql import identifier


class Range(Kind):
    model_config = ConfigDict(extra="forbid", frozen=True)
    key: ClassVar[str] = "range"
    means: ClassVar[Bilingual] = Bilingual(
        id="di antara dua batas", en="the value lies between two bounds, both included"
    )

    min: int | None = None
    max: int | None = None

    def condition(self, rule_id: str, column: Column) -> str:
        name = identifier(column.column)
        bounds = ((">=", self.min), ("<=", self.max))
        return " AND ".join(f"{name} {sign} {bound}" for sign, bound in bounds if bound is not None)

    def told(self, rule_id: str, column: Column) -> Told:
        bounds = {"min_value": self.min, "max_value": self.max}
        return Told("ExpectColumnValuesToBeBetween", {"column": column.column, **bounds})

    def remedy(self, column: Column) -> Bilingual:
        return allowed_span(self.min, self.max)
