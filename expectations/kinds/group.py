"""``group: {by, same}``: the rows of one delivery that share some columns have one value of another."""

from typing import ClassVar

from pydantic import ConfigDict

from expectations.columns import Bilingual, Column, Identifier
from expectations.kinds import ROWS, Kind, Told
from transforms.sql import identifier


class Group(Kind):
    """A row breaks it where another row of its group says otherwise; the validator finds such groups by a query of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    key: ClassVar[str] = "group"
    means: ClassVar[Bilingual] = Bilingual(
        id="baris dengan kunci yang sama memuat satu nilai", en="the rows of a delivery that share some columns agree"
    )

    by: list[Identifier]
    same: Identifier

    def condition(self, rule_id: str, column: Column) -> str:
        window = f"OVER (PARTITION BY batch_id, {', '.join(identifier(by) for by in self.by)})"
        same = identifier(self.same)
        return f"min({same}) {window} = max({same}) {window}"

    def told(self, rule_id: str, column: Column) -> Told:
        grouped = ", ".join(["batch_id", *(identifier(by) for by in self.by)])
        shared = f"SELECT {grouped} FROM {ROWS} GROUP BY {grouped} HAVING count(DISTINCT {identifier(self.same)}) > 1"
        matches = " AND ".join(f"torn.{name} IS NOT DISTINCT FROM {ROWS}.{name}" for name in grouped.split(", "))
        return Told(broken_where=f"EXISTS (SELECT 1 FROM ({shared}) AS torn WHERE {matches})")
