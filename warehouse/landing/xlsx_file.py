"""The first sheet of one Excel workbook to the Parquet of its text.

calamine (by fastexcel) reads it as text, which is exact but for two kinds of cell that look like text afterwards: a
number of 16 digits or more, whose last digits Excel has lost, and a date, which comes with a midnight. So where such
texts stand, the columns are read a second time for the kind of their cells: read as `boolean` only numbers give a
value, as `duration` only dates do.

It runs in a process of its own (``reader.py``), which a file can bring down.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal

import fastexcel
import polars as pl
from xlsxwriter.utility import xl_col_to_name

from transforms.odd_text import UNCOMPUTED
from warehouse.landing.columns import match_columns
from warehouse.landing.refusal import DeliveryRefused, refusal
from warehouse.landing.session import COMPRESSION_LEVEL, ROW_GROUP_ROWS
from warehouse.landing.workbook_facts import Positions, Sheet, WorkbookLanded
from warehouse.landing.workbook_layouts import FirstSheet, choose_layout, holds_text
from warehouse.landing.workbook_package import Package, cell_name, examine_package

_EXACT_BELOW: Final = 2**53
_LONG_NUMBER: Final = r"^-?[0-9]{16,}$"
_MIDNIGHT: Final = " 00:00:00"
_MIDNIGHT_TEXT: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} 00:00:00$"
_DATE_VALUE: Final = re.compile(r"DateTime\(.*?value: ([-+0-9.eE]+)")
_ERROR_KIND: Final = re.compile(r"Error\((\w+)\)")
# calamine's names of Excel's error values, and what Excel shows.
_ERROR_TEXTS: Final = {
    "Div0": "#DIV/0!",
    "NA": "#N/A",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Ref": "#REF!",
    "Value": "#VALUE!",
}

_Kind = Literal["string", "boolean", "duration"]


def land_xlsx(
    path: Path, name: str, columns: Sequence[str], part: Path, layouts: Sequence[Positions] = ()
) -> WorkbookLanded:
    """Writes `part`; returns the number of rows that hold anything, the layout in which they came, and what is odd of the sheet.

    Numbers are written shortest (`5`, `93.36`), those of 2^53 and more with an exponent; dates `yyyy-mm-dd`, with the
    time where there is one; booleans `true` or `false`; an Excel error as Excel shows it; a formula that was never computed
    as ``UNCOMPUTED``, which is a value of no type.
    Raises DeliveryRefused: `unreadable`, `too_large`, `empty_file`, `double`, `layout`, and those of the columns.
    """
    package = examine_package(path, name)
    title, sheet, left = _first_sheet(path, name, package)
    first_row = next((i for i, row in enumerate(sheet.iter_rows()) if any(text and text.strip() for text in row)), None)
    if first_row is None:
        raise refusal("empty_file", name)
    found = FirstSheet(title, sheet, left, first_row)
    positions, lacked = choose_layout(found, columns, layouts, name)
    if positions:
        if package.counts_from_1904:
            raise refusal("date_1904", name)
        table, blank_lines = _without_blank_rows(_placed(sheet.slice(positions.header_rows), left, positions))
        first_line, letters = positions.header_rows + 1, {letter: letter for letter in positions.landed_names}
    else:
        body, blank_lines = _without_blank_rows(sheet.slice(first_row + 1))
        used = [at for at, text in enumerate(found.header) if text.strip() or holds_text(body, at)]
        order = _agreed_order([found.header[at] for at in used], columns, name, lacked)
        table = body.select(pl.nth(used[at]).alias(column) for column, at in zip(columns, order, strict=True))
        letters = {column: xl_col_to_name(left + used[at]) for column, at in zip(columns, order, strict=True)}
        first_line = first_row + 2
    _write(table, part)
    return WorkbookLanded(
        rows=table.height,
        layout=positions.name if positions else None,
        hidden_rows=package.hidden_rows,
        merged_ranges=package.merged_ranges,
        uncomputed=[cell_name(*cell) for cell in package.uncomputed],
        first_line=first_line,
        blank_lines=blank_lines.to_dict(as_series=False),
        letters=letters,
    )


def write_sheets(path: Path, name: str, folder: Path) -> list[Sheet]:
    """The sheets of a workbook that was landed, in order, each written into ``folder``: the first as it was read, the others as they show.

    A chart is an empty sheet. Raises as ``land_xlsx``.
    """
    package = examine_package(path, name)
    reader = fastexcel.read_excel(path)
    found = []
    for number, title in enumerate(reader.sheet_names):
        file = folder / f"sheet-{number}.parquet"
        is_hidden = False
        if number == 0:
            _, table, left = _first_sheet(path, name, package)
        else:
            loaded = reader.load_sheet(number, header_row=None, skip_rows=0, dtypes="string")
            left = loaded.selected_columns[0].absolute_index if loaded.selected_columns else 0
            table, is_hidden = pl.DataFrame(loaded.to_arrow_with_errors()[0]), loaded.visible != "visible"
        _write(table, file)
        found.append(Sheet(title, str(file), left, is_hidden))
    return found


def _agreed_order(
    header: Sequence[str], columns: Sequence[str], name: str, lacked: tuple[str, str] | None
) -> list[int]:
    """As ``match_columns``; the refusal says also what the layouts lack that the file may be meant in."""
    try:
        return match_columns(header, columns, name)
    except DeliveryRefused as refused:
        if lacked is None:
            raise
        raise refused.with_more(*lacked) from None


def _placed(sheet: pl.DataFrame, left: int, positions: Positions) -> pl.DataFrame:
    """The sheet under the layout's names; columns before the first used one and after the last are empty."""
    cells = {left + at: pl.nth(at) for at in range(sheet.width)}
    empty = pl.lit(None, pl.String)
    return sheet.select(cells.get(at, empty).alias(column) for at, column in enumerate(positions.landed_names))


def _write(table: pl.DataFrame, part: Path) -> None:
    table.write_parquet(part, compression="zstd", compression_level=COMPRESSION_LEVEL, row_group_size=ROW_GROUP_ROWS)


def _first_sheet(path: Path, name: str, package: Package) -> tuple[str, pl.DataFrame, int]:
    """Its name, all cells as text from the first row on, blank rows included, and the column (from 0) in which the used rectangle begins."""
    try:
        reader = fastexcel.read_excel(path)
        return reader.sheet_names[0], *_texts(reader, package)
    except fastexcel.FastExcelError:
        pass
    except BaseException as error:
        # A panic in calamine arrives as an exception that is no Exception.
        if type(error).__name__ != "PanicException":
            raise
    raise refusal("unreadable.damaged", name, format=".xlsx")


def _texts(reader: fastexcel.ExcelReader, package: Package) -> tuple[pl.DataFrame, int]:
    # Rows that are skipped, even none, count from the top of the sheet; else blank ones above the table are left out.
    loaded = reader.load_sheet(0, header_row=None, skip_rows=0, dtypes="string")
    batch, errors = loaded.to_arrow_with_errors()
    left = loaded.selected_columns[0].absolute_index if loaded.selected_columns else 0
    table = pl.DataFrame(batch)
    changed = _exponents(reader, table) | _dates(reader, table)
    for error in errors.errors if errors else ():
        row, at = error.offset_position
        changed.setdefault((row, at), _error_text(error.detail))
    if package.uncomputed:
        table, added = _reaching(table, left, package.uncomputed)
        left, changed = left - added, {(row, at + added): text for (row, at), text in changed.items()}
        changed |= {(row - 1, column - 1 - left): UNCOMPUTED for row, column in package.uncomputed}
    return _replaced(table, changed), left


def _reaching(table: pl.DataFrame, left: int, cells: Sequence[tuple[int, int]]) -> tuple[pl.DataFrame, int]:
    """The table with room for all of `cells` (row and column from 1), and how many columns were put before it.

    For calamine a cell without a value is none, so a row of nothing else would be lost.
    """
    last_row, columns = max(row for row, _ in cells), [column - 1 for _, column in cells]
    before = max(0, left - min(columns)) if table.width else 0
    after = max(0, max(columns) + 1 - left - table.width)
    empty = pl.lit(None, pl.String)
    wider = table.select(
        *(empty.alias(f"before {at}") for at in range(before)),
        pl.all(),
        *(empty.alias(f"after {at}") for at in range(after)),
    )
    missing = max(0, last_row - table.height)
    return pl.concat([wider, wider.clear(missing)]), before


def _exponents(reader: fastexcel.ExcelReader, table: pl.DataFrame) -> dict[tuple[int, int], str]:
    """Cells that hold a number too large to be exact, by row and column, with the text that says so."""
    return {
        cell: _with_exponent(float(text))
        for cell, text in _cells(reader, table, _LONG_NUMBER, "boolean")
        if abs(float(text)) >= _EXACT_BELOW
    }


def _dates(reader: fastexcel.ExcelReader, table: pl.DataFrame) -> dict[tuple[int, int], str]:
    """Cells that hold a date without a time of day."""
    return {cell: text.removesuffix(_MIDNIGHT) for cell, text in _cells(reader, table, _MIDNIGHT_TEXT, "duration")}


def _cells(
    reader: fastexcel.ExcelReader, table: pl.DataFrame, pattern: str, kind: _Kind
) -> Iterator[tuple[tuple[int, int], str]]:
    """The cells whose text matches `pattern` and that are of `kind`."""
    matches = table.select(pl.all().str.contains(pattern).fill_null(False))
    candidates = [column.name for column in matches if column.any()]
    if not candidates:
        return
    kinds = pl.DataFrame(
        reader.load_sheet(0, header_row=None, skip_rows=0, dtypes=kind, use_columns=candidates).to_arrow()
    )
    for name in candidates:
        at = table.get_column_index(name)
        hits = matches[name] & kinds[name].is_not_null()
        yield from (((row, at), table[name][row]) for row in hits.arg_true())


def _with_exponent(number: float) -> str:
    """`1.98003E+17`: the shortest digits that give this number again, never written as a whole number."""
    return f"{Decimal(repr(number)).normalize():E}"


def _error_text(detail: str) -> str:
    """What Excel shows for a cell that calamine cannot give as text: an error, or a number that is no date."""
    if date := _DATE_VALUE.search(detail):
        return _with_exponent(float(date[1]))
    kind = _ERROR_KIND.search(detail)
    return _ERROR_TEXTS.get(kind[1] if kind else "", "#ERROR!")


def _replaced(table: pl.DataFrame, changed: dict[tuple[int, int], str]) -> pl.DataFrame:
    by_column: dict[int, dict[int, str]] = {}
    for (row, at), text in changed.items():
        by_column.setdefault(at, {})[row] = text
    for at, rows in by_column.items():
        column = table.to_series(at)
        texts = pl.Series(column.name, [rows.get(i, text) for i, text in enumerate(column)], pl.String)
        table = table.with_columns(texts)
    return table


def _without_blank_rows(table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that hold anything, and the blank ones as ``Places`` has them."""
    holds = pl.any_horizontal(pl.all().str.strip_chars().fill_null("") != "")
    filled = table.select(holds.alias("filled")).to_series()
    before = pl.DataFrame({"row_number": filled.cast(pl.Int64).cum_sum() + 1}).filter(~filled)
    return table.filter(filled), before.group_by("row_number").len("lines").cast(pl.Int64).sort("row_number")
