"""A copy of a clerk's file, as a workbook, in which every failing cell is coloured and says which rule it breaks and what to do.

It keeps the sheets of a workbook, each cell where it stands; a CSV becomes one sheet, with the line of the file beside each row. The
titles stay in sight, and a last column has the reasons, to filter by. It stands beside the file, and for a file of an inbox in the
private folder of the installation. The copy holds what the file holds, so only its owner may read it. Every cell is written as
text: nothing in it can compute.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import duckdb
import polars as pl
import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from expectations.columns import Bilingual
from expectations.contract import Contract, source_names
from expectations.layout import delivered_place, landed_names
from expectations.rules import condition, row_rules
from transforms.sql import identifier
from warehouse.landing.delivery import Landed
from warehouse.landing.line_numbers import lines_query
from warehouse.landing.reader import write_sheets
from warehouse.landing.workbook_facts import Sheet
from warehouse.store.home import Home

SUFFIX = ".diperiksa.xlsx"
MARKED_FORMATS = frozenset({"xlsx", "csv", "csv.gz"})
COLOUR = "#F8C9C4"
# What Excel takes of one cell, and of a sheet.
MOST_TEXT, MOST_ROWS = 32_000, 1_048_575
# Of a longer CSV the copy has the failing rows alone: a workbook of all takes minutes, and nobody scrolls through it.
WHOLE_UP_TO_ROWS = 50_000
LINE_TITLE = Bilingual(id="baris dalam berkas", en="line of the file")
REASONS_TITLE = Bilingual(id="yang perlu diperbaiki", en="what to mend")
_REASONS_WIDTH = 80
# More rows of titles than that would leave no room to scroll.
_MOST_FROZEN_ROWS = 10

# A longer remedy, such as the list of all agencies, stands once in the sheet of rules and not in every row.
_SHORT_REMEDY = 200


@dataclass(frozen=True)
class Said:
    """What a rule says to a clerk: what is wrong, and what to do about it."""

    message: str
    remedy: str | None

    @property
    def in_short(self) -> str:
        return f"{self.message} {self.remedy}" if self.remedy and len(self.remedy) <= _SHORT_REMEDY else self.message


_Cells = Sequence[str | None]
# Row (of the sheet; of a CSV the data row) -> column -> what its broken rules say.
_Marks = Mapping[int, Mapping[int, Sequence[str]]]


@dataclass(frozen=True)
class _Table:
    """The judged sheet: ``titles`` above the data, then ``rows``, each with its number in the marks; ``width`` columns."""

    titles: Sequence[_Cells]
    rows: Iterable[tuple[int, _Cells]]
    width: int


def write_marked_copy(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    landed: Path,
    file: Path,
    language: str,
    traits: Landed,
    said: Mapping[str, Said],
) -> Path | None:
    """Writes the copy of what was judged on ``connection`` (``batch_typed``, ``batch_broken``, ``batch_shifts``); None where no row fails.

    ``said``: by rule id. Beside ``landed`` there is room for work. Raises OSError where the folder of ``file`` cannot be written,
    DeliveryRefused where a further sheet cannot be read.
    """
    _collect(connection, contract)
    if not connection.execute("SELECT 1 FROM batch_marks LIMIT 1").fetchall():
        return None
    # Read before anything is written: of a workbook that cannot be read whole there is no half copy.
    sheets = write_sheets(file, file.name, landed.parent) if traits.format == "xlsx" else []
    target = _place_of(file)
    os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
    options = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": True}
    with xlsxwriter.Workbook(str(target), options) as workbook:
        if traits.format != "xlsx":
            names = landed_names(contract, traits.layout)
            marks = _marks(connection, contract, traits, said, {name: at for at, name in enumerate(names)})
            table = _of_text(connection, landed, names, traits, language)
            _write_judged(workbook, workbook.add_worksheet(), table, marks, language)
        else:
            first, *others = sheets
            columns = {name: _column(letters) for name, letters in traits.places.letters.items()}
            marks = _marks(connection, contract, traits, said, columns)
            table = _of_workbook(first, traits.places.first_line or 1, columns)
            _write_judged(workbook, _added(workbook, first.name), table, marks, language)
            for sheet in others:
                _write_plain(workbook, sheet)
        _write_rules(workbook, connection, said, language)
    return target


def _place_of(file: Path) -> Path:
    """Beside the file; of one that lies in an inbox, where no run takes it for a delivery: in the installation's private folder."""
    name = (file.stem if file.suffix.lower() == ".xlsx" else file.name) + SUFFIX
    folders = file.resolve().parents
    inbox = next(
        (above for below, above in pairwise(folders) if above.name == "inbox" and below.name in source_names()), None
    )
    if inbox is None:
        return file.with_name(name)
    home = Home(inbox.parent)
    for folder in (home.quarantine, home.marked):
        folder.mkdir(mode=0o700, exist_ok=True)
    return home.marked / name


def _collect(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """``batch_marks``: one row a data row and rule that it breaks, notes too."""
    parts = ["SELECT row_number, unnest(reasons) AS rule FROM batch_broken"]
    parts += [
        f"SELECT row_number, '{rule.id}' FROM batch_typed WHERE ({condition(contract, rule)}) IS FALSE"
        for rule in row_rules(contract)
        if rule.severity != "quarantine"
    ]
    connection.execute(f"CREATE OR REPLACE TEMP TABLE batch_marks AS {' UNION ALL '.join(parts)}")


def _marks(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    traits: Landed,
    said: Mapping[str, Said],
    columns: Mapping[str, int],
) -> _Marks:
    """``columns``: landed name -> column of the sheet."""
    # What this layout has no cell for is said at the first one.
    column_of = {
        rule.id: columns.get(delivered_place(contract, contract.column_named(rule.column), traits.layout), 0)
        for rule in contract.all_rules
    }
    lines = lines_query(traits.places, "batch_shifts", "batch_marks")
    number = "line" if traits.format == "xlsx" else "row_number"
    found: dict[int, dict[int, list[str]]] = {}
    query = f"SELECT DISTINCT {number}, rule FROM ({lines}) JOIN batch_marks USING (row_number) ORDER BY ALL"
    for row, rule in connection.execute(query).fetchall():
        found.setdefault(row, {}).setdefault(column_of[rule], []).append(f"{rule}: {said[rule].in_short}")
    return found


def _of_workbook(sheet: Sheet, first_line: int, columns: Mapping[str, int]) -> _Table:
    """Each cell where it stands."""
    offset = [None] * sheet.left
    cells = pl.read_parquet(sheet.file)
    titles = [[*offset, *row] for row in cells.head(first_line - 1).iter_rows()]
    body = cells.slice(first_line - 1).iter_rows()
    rows = ((line, [*offset, *row]) for line, row in enumerate(body, start=first_line))
    return _Table(titles, rows, max(sheet.left + cells.width, *(at + 1 for at in columns.values())))


def _of_text(
    connection: duckdb.DuckDBPyConnection, landed: Path, names: list[str], traits: Landed, language: str
) -> _Table:
    """The rows under the agreed names, and the line of each."""
    rows = "batch_typed" if traits.rows <= WHOLE_UP_TO_ROWS else "(SELECT DISTINCT row_number FROM batch_marks)"
    query = (
        f"SELECT row_number, {', '.join(map(identifier, names))}, CAST(line AS VARCHAR) "
        f"FROM ({lines_query(traits.places, 'batch_shifts', rows)}) "
        "JOIN (SELECT *, file_row_number + 1 AS row_number FROM read_parquet($1, file_row_number = true)) USING (row_number) "
        f"ORDER BY row_number LIMIT {MOST_ROWS}"
    )
    found = connection.execute(query, [str(landed)])

    def texts() -> Iterator[tuple[int, _Cells]]:
        while chunk := found.fetchmany(10_000):
            for row, *cells in chunk:
                yield row, cells

    return _Table([[*names, str(getattr(LINE_TITLE, language))]], texts(), len(names) + 1)


def _write_judged(workbook: xlsxwriter.Workbook, sheet: Worksheet, table: _Table, marks: _Marks, language: str) -> None:
    coloured, bold = workbook.add_format({"bg_color": COLOUR}), workbook.add_format({"bold": True})
    wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
    top = last = len(table.titles)
    sheet.set_column(table.width, table.width, _REASONS_WIDTH)
    sheet.freeze_panes(top if top <= _MOST_FROZEN_ROWS else 0, 0)
    for line, titles in enumerate(table.titles):
        _write_row(sheet, line, titles, bold)
        if line == top - 1:
            sheet.write_string(line, table.width, str(getattr(REASONS_TITLE, language)), bold)
    for last, (row, cells) in enumerate(table.rows, start=top):
        marked = marks.get(row, {})
        _write_row(sheet, last, cells, None, dict.fromkeys(marked, coloured))
        for column, reasons in marked.items():
            sheet.write_comment(last, column, "\n".join(reasons)[:MOST_TEXT], {"x_scale": 3, "y_scale": 2})
        if marked:
            everything = "\n".join(reason for _, reasons in sorted(marked.items()) for reason in reasons)
            sheet.write_string(last, table.width, everything[:MOST_TEXT], wrapped)
    sheet.autofilter(top - 1, 0, last, table.width)


def _write_row(
    sheet: Worksheet, line: int, cells: _Cells, plain: Format | None, formats: Mapping[int, Format] | None = None
) -> None:
    formats = formats or {}
    # A failing cell may lie right of the last one that holds anything.
    for column in range(max([len(cells), *(at + 1 for at in formats)])):
        text = cells[column] if column < len(cells) else None
        if text is not None or column in formats:
            sheet.write_string(line, column, (text or "")[:MOST_TEXT], formats.get(column, plain))


def _write_plain(workbook: xlsxwriter.Workbook, sheet: Sheet) -> None:
    """A sheet that no contract speaks of, as it is but for its looks."""
    copy = _added(workbook, sheet.name)
    for line, cells in enumerate(pl.read_parquet(sheet.file).iter_rows()):
        _write_row(copy, line, [*[None] * sheet.left, *cells], None)
    if sheet.is_hidden:
        copy.hide()


def _write_rules(
    workbook: xlsxwriter.Workbook, connection: duckdb.DuckDBPyConnection, said: Mapping[str, Said], language: str
) -> None:
    """The last sheet: each rule that a row breaks, how many do, and what to do in full."""
    sheet, wrapped = workbook.add_worksheet(), workbook.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(2, 3, _REASONS_WIDTH, wrapped)
    titles = ["aturan", "baris", "yang salah", "perbaikan"] if language == "id" else ["rule", "rows", "fault", "remedy"]
    _write_row(sheet, 0, titles, workbook.add_format({"bold": True}))
    counts = connection.execute("SELECT rule, count(*) FROM batch_marks GROUP BY rule ORDER BY rule").fetchall()
    for line, (rule, count) in enumerate(counts, start=1):
        _write_row(sheet, line, [rule, str(count), said[rule].message, said[rule].remedy], None)


def _added(workbook: xlsxwriter.Workbook, name: str) -> Worksheet:
    try:
        return workbook.add_worksheet(name)
    except XlsxWriterException:
        # Another program may give a name that Excel does not take.
        return workbook.add_worksheet()


def _column(letters: str) -> int:
    """Excel's letters as a column from 0."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
