"""``group: {by, same}``: the rows of one delivery that share some columns have one value of another."""

from typing import ClassVar

from pydantic import ConfigDict

from expectations.columns import Bilingual, Column, Identifier
from expectations.kinds import ROWS, Kind, Told, literal
from transforms.sql import identifier


class Group(Kind):
    """A row breaks it where another row of its group says otherwise; the validator finds such groups by a query of its own.

    ``among``: only these values are compared. Any other is a fault of its own row alone: the others of its group are not held for it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    key: ClassVar[str] = "group"
    means: ClassVar[Bilingual] = Bilingual(
        id="baris dengan kunci yang sama memuat satu nilai", en="the rows of a delivery that share some columns agree"
    )

    by: list[Identifier]
    same: Identifier
    among: list[str] | None = None

    def condition(self, rule_id: str, column: Column) -> str:
        window = f"OVER (PARTITION BY batch_id, {', '.join(identifier(by) for by in self.by)})"
        same, compared = identifier(self.same), self._compared()
        return f"min({same}) {compared}{window} = max({same}) {compared}{window}"

    def told(self, rule_id: str, column: Column) -> Told:
        same = identifier(self.same)
        grouped = ", ".join(["batch_id", *(identifier(by) for by in self.by)])
        shared = f"SELECT {grouped} FROM {ROWS} GROUP BY {grouped} HAVING count(DISTINCT {same}) {self._compared()}> 1"
        matches = " AND ".join(f"torn.{name} IS NOT DISTINCT FROM {ROWS}.{name}" for name in grouped.split(", "))
        return Told(broken_where=f"EXISTS (SELECT 1 FROM ({shared}) AS torn WHERE {matches})")

    def _compared(self) -> str:
        if self.among is None:
            return ""
        return f"FILTER (WHERE {identifier(self.same)} IN ({', '.join(map(literal, self.among))})) "
