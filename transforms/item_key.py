"""The name of a number that is printed or derived: ``07|IKU-06|2024-Q1|realisasi``, with a group where a table has one.

A further printing of the same number ends in ``@place``. Nobody else splits or joins such a name.
"""

from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True)
class ItemKey:
    """``period`` begins with its year; ``group`` is ``Jambi`` or ``total/U3``; ``place``: where it is printed once more."""

    office: str
    subject: str
    period: str
    measure: str
    group: str | None = None
    place: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for what is no such name."""
        name, at, place = text.partition("@")
        parts = name.split("|", 4)
        if len(parts) < 4 or not all(parts) or not parts[2][:4].isdecimal():
            raise ValueError(f"{text!r} is no office|subject|period|measure, with a group where there is one")
        office, subject, period, measure, *group = parts
        return cls(office, subject, period, measure, group[0] if group else None, place if at else None)

    @classmethod
    def find(cls, text: str) -> Self | None:
        """None for what has another name, as a check has."""
        try:
            return cls.parse(text)
        except ValueError:
            return None

    @property
    def text(self) -> str:
        parts = (self.office, self.subject, self.period, self.measure, self.group)
        return "|".join(part for part in parts if part is not None) + (
            f"@{self.place}" if self.place is not None else ""
        )

    @property
    def base(self) -> "ItemKey":
        """The number, wherever it is printed."""
        return replace(self, place=None)

    @property
    def year(self) -> int:
        return int(self.period[:4])

    @property
    def is_of_year(self) -> bool:
        """Whether it is of a whole year, and not of a part of one."""
        return self.period.isdecimal()
