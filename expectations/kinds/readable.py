"""``readable: true``: a text that is there is a value of the column's type."""

from typing import ClassVar, Literal

from pydantic import RootModel

from expectations.columns import Bilingual, Column
from expectations.kinds import Kind, Told
from expectations.words import how_to_write


class Readable(RootModel[Literal[True]], Kind):
    """Judged by the mark that the typed read leaves; both engines look at the same mark."""

    key: ClassVar[str] = "readable"
    means: ClassVar[Bilingual] = Bilingual(
        id="harus terbaca sebagai jenisnya", en="what is there can be read as its type"
    )

    def condition(self, rule_id: str, column: Column) -> str:
        return f"NOT {column.mark('unreadable')}"

    def told(self, rule_id: str, column: Column) -> Told:
        return Told("ExpectColumnValuesToBeInSet", {"column": f"{column.column}__unreadable", "value_set": [False]})

    def remedy(self, column: Column) -> Bilingual:
        return how_to_write(column)
