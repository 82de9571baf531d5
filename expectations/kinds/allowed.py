"""``allowed: [...]``: the value is one of a list."""

from typing import ClassVar

from pydantic import RootModel

from expectations.columns import Bilingual, Column
from expectations.kinds import Kind, Told, literal
from expectations.words import allowed_values
from transforms.sql import identifier


class Allowed(RootModel[list[str | int]], Kind):
    key: ClassVar[str] = "allowed"
    means: ClassVar[Bilingual] = Bilingual(id="salah satu dari daftar", en="the value is one of a list")

    def condition(self, rule_id: str, column: Column) -> str:
        return f"{identifier(column.column)} IN ({', '.join(literal(value) for value in self.root)})"

    def told(self, rule_id: str, column: Column) -> Told:
        return Told("ExpectColumnValuesToBeInSet", {"column": column.column, "value_set": list(self.root)})

    def remedy(self, column: Column) -> Bilingual:
        return allowed_values([str(value) for value in self.root])
