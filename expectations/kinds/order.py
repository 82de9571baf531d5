"""``order: {at_least: other}``: the value and that of another column of the row stand in this order."""

from typing import ClassVar, Literal

from pydantic import ConfigDict

from expectations.columns import Bilingual, Column, Identifier
from expectations.kinds import Kind, Told
from transforms.sql import identifier

_SIGNS = {"at_least": ">=", "above": ">", "at_most": "<="}


class Order(Kind):
    """``by_day``: a moment in the other column counts by its day. Where either value is missing the rule does not apply."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    key: ClassVar[str] = "order"
    means: ClassVar[Bilingual] = Bilingual(id="urutan dua kolom", en="two values of the row stand in this order")

    relation: Literal["at_least", "above", "at_most"]
    other: Identifier
    by_day: bool = False

    def condition(self, rule_id: str, column: Column) -> str:
        return f"{identifier(column.column)} {_SIGNS[self.relation]} {self._other_value()}"

    def told(self, rule_id: str, column: Column) -> Told:
        other = f"{rule_id}__day" if self.by_day else self.other
        greater, lesser = (other, column.column) if self.relation == "at_most" else (column.column, other)
        arguments = {
            "column_A": greater,
            "column_B": lesser,
            "or_equal": self.relation != "above",
            "ignore_row_if": "either_value_is_missing",
        }
        own = {other: self._other_value()} if self.by_day else {}
        return Told("ExpectColumnPairValuesAToBeGreaterThanB", arguments, values=own)

    def _other_value(self) -> str:
        other = identifier(self.other)
        return f"CAST({other} AS DATE)" if self.by_day else other
