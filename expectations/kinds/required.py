"""``required: true``: a value must be there."""

from typing import ClassVar, Literal

from pydantic import RootModel

from expectations.columns import Bilingual, Column
from expectations.kinds import Kind, Told
from transforms.sql import identifier


class Required(RootModel[Literal[True]], Kind):
    """A value that is there and cannot be read breaks ``readable``, not this."""

    key: ClassVar[str] = "required"
    means: ClassVar[Bilingual] = Bilingual(id="harus diisi", en="a value must be there")

    is_about_writing: ClassVar[bool] = False

    def condition(self, rule_id: str, column: Column) -> str:
        is_there = f"{identifier(column.column)} IS NOT NULL"
        return f"({is_there} OR {column.mark('unreadable')})" if column.can_be_unreadable else is_there

    def told(self, rule_id: str, column: Column) -> Told:
        # A text that cannot be read is no value either: the validator counts those by themselves, and they go from here.
        less = "readable" if column.can_be_unreadable else None
        return Told("ExpectColumnValuesToNotBeNull", {"column": column.column}, less=less)

    def remedy(self, column: Column) -> Bilingual:
        return Bilingual(id="Isi kolom ini pada setiap baris.", en="Give this column a value in every row.")
