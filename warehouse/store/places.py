"""Where a person finds a data row in the delivered file: the line of a text, the row and the cell of a sheet."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """``row``: the data row; ``line``: that of the file or sheet, where there is one; ``cell`` as Excel names it (several: by comma)."""

    row: int
    line: int | None
    cell: str | None

    def text(self, language: str) -> str:
        """`baris 3 (sel B3)`, `baris 3`, or `baris data 3` where a file has no lines; the same in English."""
        if self.line is None:
            return f"baris data {self.row}" if language == "id" else f"data row {self.row}"
        if self.cell is None:
            return f"baris {self.line}" if language == "id" else f"line {self.line}"
        return f"baris {self.line} (sel {self.cell})" if language == "id" else f"row {self.line} (cell {self.cell})"


def place(row: int, line: int | None, letters: Sequence[str] | None) -> Place:
    """The place of a row, of which the cells in the columns ``letters`` are meant; each is named once."""
    cells = [f"{letter}{line}" for letter in dict.fromkeys(letters or ())] if line is not None else []
    return Place(row, line, ", ".join(cells) or None)
