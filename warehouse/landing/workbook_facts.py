"""What goes between the process that reads workbooks and the one that asks it: plain facts, and nothing heavy to import."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Positions:
    """A layout by position, as far as reading needs it; see ``expectations.layout.WorkbookLayout``. ``title`` in English and in Indonesian."""

    name: str
    title: tuple[str, str]
    sheet: str | None
    titles: dict[str, str]
    header_rows: int
    width: int
    last_used: int
    landed_names: list[str]

    @property
    def is_marked(self) -> bool:
        return self.sheet is not None or bool(self.titles)


class WorkbookLanded(NamedTuple):
    """``rows`` that hold anything; ``layout`` by position in which the sheet came, None for the agreed one.

    ``hidden_rows`` and ``merged_ranges`` of the sheet; ``uncomputed`` the names of the cells whose formula was never computed.
    ``first_line``, ``blank_lines`` (row_number, lines) and ``letters`` say where the rows stand; see ``line_numbers.Places``.
    """

    rows: int
    layout: str | None
    hidden_rows: int
    merged_ranges: int
    uncomputed: list[str]
    first_line: int
    blank_lines: dict[str, list[int]]
    letters: dict[str, str]


class Sheet(NamedTuple):
    """A sheet of a workbook: all cells as text from the first row on, in the Parquet ``file``; ``left`` is the column (from 0) of the first."""

    name: str
    file: str
    left: int
    is_hidden: bool


_SHOWN_CELLS = 10


def oddities_of(found: WorkbookLanded) -> Iterator[tuple[str, str, str]]:
    """What a person sees otherwise than it was read: (what, English, Indonesian)."""
    if found.uncomputed:
        cells = ", ".join(found.uncomputed[:_SHOWN_CELLS]) + (", ..." if len(found.uncomputed) > _SHOWN_CELLS else "")
        count = len(found.uncomputed)
        yield (
            "formulas",
            f"{count} cells hold a formula without a stored result ({cells}): open the workbook in Excel, save it and deliver it again",
            f"{count} sel berisi rumus tanpa hasil tersimpan ({cells}): buka buku kerja di Excel, simpan, lalu kirim ulang",
        )
    if found.hidden_rows:
        yield (
            "hidden rows",
            f"{found.hidden_rows} rows are hidden or filtered away; they were taken in like the others: look whether they belong there",
            f"{found.hidden_rows} baris tersembunyi atau tersaring; tetap ikut diproses seperti yang lain: periksa apakah memang termasuk",
        )
    if found.merged_ranges:
        yield (
            "merged cells",
            f"{found.merged_ranges} ranges of cells are merged; only the first cell of each has a value: look whether rows lack one",
            f"{found.merged_ranges} kelompok sel digabung; hanya sel pertamanya yang berisi nilai: periksa apakah ada baris yang kurang isinya",
        )
