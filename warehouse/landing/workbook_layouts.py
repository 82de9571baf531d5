"""Which layout a workbook is in: what each layout wants of the first sheet, against what the sheet says.

The agreed layout is known by its header of column names, the others by their marks (``expectations.layout.Marks``). Exactly one must fit.
A layout without marks takes what none of the others comes near. What a layout lacks is said in its own words, never in those of a cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import polars as pl
from xlsxwriter.utility import xl_cell_to_rowcol, xl_col_to_name

from warehouse.landing.refusal import refusal
from warehouse.landing.workbook_facts import Positions

_AGREED = ("the agreed column names", "nama kolom yang disepakati")
_Said = tuple[str, str]


class FirstSheet(NamedTuple):
    """All cells as text from row 1 on; ``left`` is the column (from 0) of the first, ``first_row`` (from 0) the first that holds anything."""

    name: str
    cells: pl.DataFrame
    left: int
    first_row: int

    @property
    def header(self) -> list[str]:
        return ["" if text is None else text for text in self.cells.row(self.first_row)]

    def holds_text(self, at: int) -> bool:
        """Whether a column holds anything; if not, it is leftover formatting and no column."""
        return holds_text(self.cells, at)

    def says(self, cell: str) -> str:
        """The text of a cell by its name (``M2``), as titles are compared; empty where it stands outside."""
        row, column = xl_cell_to_rowcol(cell)
        at = column - self.left
        is_inside = row < self.cells.height and 0 <= at < self.cells.width
        return _plain(self.cells.item(row, at) or "") if is_inside else ""


def choose_layout(
    sheet: FirstSheet, columns: Sequence[str], layouts: Sequence[Positions], file: str
) -> tuple[Positions | None, _Said | None]:
    """(the layout, None for the agreed one; what the other layouts lack, to be said where the agreed one does not fit either).

    Raises DeliveryRefused (`layout`) where several fit.
    """
    agreed_names = {text.strip() for text in sheet.header} & set(columns)
    lacking = {layout.name: list(_lacks(sheet, layout)) for layout in layouts}
    near = [layout for layout in layouts if _has_a_mark(sheet, layout)]
    fitting: list[Positions | None] = [layout for layout in near if not lacking[layout.name]]
    if len(agreed_names) == len(columns):
        fitting.append(None)
    if not (near or agreed_names):
        fitting += [layout for layout in layouts if not layout.is_marked and not lacking[layout.name]]
    if len(fitting) > 1:
        titles = [layout.title if layout else _AGREED for layout in fitting]
        raise refusal(
            "layout.several", file, layouts=(_quoted(en for en, _ in titles), _quoted(said for _, said in titles))
        )
    if fitting:
        return fitting[0], None
    told = near if agreed_names else layouts
    return None, _told(told, lacking) if told else None


def _has_a_mark(sheet: FirstSheet, layout: Positions) -> bool:
    """Whether the sheet says anything that the layout is known by: then it may be meant."""
    is_named = layout.sheet is not None and _is_named(sheet, layout.sheet)
    return is_named or any(sheet.says(cell) == _plain(text) for cell, text in layout.titles.items())


def _lacks(sheet: FirstSheet, layout: Positions) -> Iterator[_Said]:
    """What the layout wants and the sheet does not have, in English and in Indonesian."""
    if layout.sheet is not None and not _is_named(sheet, layout.sheet):
        yield f"the first sheet's name is not {layout.sheet!r}", f"nama lembar pertama bukan {layout.sheet!r}"
    if sheet.first_row >= layout.header_rows:
        yield f"rows 1 to {layout.header_rows} are empty", f"baris 1 sampai {layout.header_rows} kosong"
    else:
        by_row: dict[int, list[str]] = {}
        for cell, text in layout.titles.items():
            if sheet.says(cell) != _plain(text):
                by_row.setdefault(xl_cell_to_rowcol(cell)[0] + 1, []).append(f"{text!r} ({cell})")
        for row, texts in sorted(by_row.items()):
            yield (
                f"the header of row {row} lacks {', '.join(texts)}",
                f"judul baris {row} tidak memuat {', '.join(texts)}",
            )
    last = sheet.left + max(at for at in range(sheet.cells.width) if sheet.holds_text(at))
    if not layout.last_used <= last < layout.width:
        found, first, end = (xl_col_to_name(at) for at in (last, layout.last_used, layout.width - 1))
        yield (
            f"the last column is {found}, not {first if first == end else f'one of {first} to {end}'}",
            f"kolom terakhir {found}, bukan {first if first == end else f'{first} sampai {end}'}",
        )


def _told(layouts: Sequence[Positions], lacking: dict[str, list[_Said]]) -> _Said:
    english, indonesian = [], []
    for layout in layouts:
        # A layout by width alone may lack nothing but that names of columns stand there, or that another comes nearer.
        if lacks := lacking[layout.name]:
            english.append(f"As {layout.title[0]!r} it is not known: {'; '.join(en for en, _ in lacks)}.")
            indonesian.append(f"Sebagai {layout.title[1]!r} tidak dikenali: {'; '.join(said for _, said in lacks)}.")
    return " ".join(english), " ".join(indonesian)


def _is_named(sheet: FirstSheet, pattern: str) -> bool:
    return re.fullmatch(pattern, sheet.name.strip(), re.IGNORECASE) is not None


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _quoted(texts: Iterator[str]) -> str:
    return ", ".join(repr(text) for text in texts)


def holds_text(table: pl.DataFrame, at: int) -> bool:
    """Whether a column holds anything."""
    return bool((table.to_series(at).str.strip_chars().fill_null("") != "").any())
