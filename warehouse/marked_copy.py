"""A copy of a clerk's workbook in which every failing cell is coloured and says which rule it breaks. It stands beside the file,
and for a file of an inbox in the private folder of the installation.

The copy holds what the file holds, so only its owner may read it. Every cell is written as text: nothing in it can compute.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import duckdb
import xlsxwriter

from expectations.contract import Contract, Rule, source_names
from expectations.layout import WorkbookLayout, delivered_place, landed_names, load_layout, lookup_hint
from expectations.rules import condition
from transforms.sql import identifier
from warehouse.home import Home
from warehouse.reader import header_rows

SUFFIX = ".diperiksa.xlsx"
COLOUR = "#F8C9C4"
# What Excel takes of one cell, and of a sheet.
MOST_TEXT, MOST_ROWS = 32_000, 1_048_575


def write_marked_copy(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    landed: Path,
    file: Path,
    language: str,
    layout: str | None,
) -> Path | None:
    """Writes the copy of what was judged on ``connection`` (``batch_typed``, ``batch_broken``); None where no row fails.

    Raises OSError where the folder of ``file`` cannot be written.
    """
    notes = _notes(connection, contract, language, layout)
    if not notes:
        return None
    target = _place_of(file)
    os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
    names = landed_names(contract, layout)
    titles = _titles(file, names, layout)
    with xlsxwriter.Workbook(str(target), {"strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        sheet, marked, bold = (
            workbook.add_worksheet(),
            workbook.add_format({"bg_color": COLOUR}),
            workbook.add_format({"bold": True}),
        )
        for line, row in enumerate(titles):
            for place, title in enumerate(row):
                if title is not None:
                    sheet.write_string(line, place, title[:MOST_TEXT], bold)
        for row_number, cells in _rows(connection, landed, names):
            for place, text in enumerate(cells):
                rules = notes.get((row_number, names[place]))
                if text is not None or rules:
                    sheet.write_string(
                        row_number + len(titles) - 1, place, (text or "")[:MOST_TEXT], marked if rules else None
                    )
                if rules:
                    sheet.write_comment(row_number + len(titles) - 1, place, "\n".join(rules), {"x_scale": 2})
    return target


def said_of(contract: Contract, rule: Rule, layout: str | None, language: str) -> str:
    """The rule's message; of a cell that is looked up, that there is a list."""
    message = str(getattr(rule.message, language))
    hint = None if rule.required else lookup_hint(contract.column_named(rule.column), layout)
    return f"{message} {getattr(hint, language)}" if hint else message


def _place_of(file: Path) -> Path:
    """Beside the file; of one that lies in an inbox, where no run takes it for a delivery: in the installation's private folder."""
    folders = file.resolve().parents
    inbox = next(
        (above for below, above in pairwise(folders) if above.name == "inbox" and below.name in source_names()), None
    )
    if inbox is None:
        return file.with_name(file.stem + SUFFIX)
    home = Home(inbox.parent)
    for folder in (home.quarantine, home.marked):
        folder.mkdir(mode=0o700, exist_ok=True)
    return home.marked / (file.stem + SUFFIX)


def _titles(file: Path, names: list[str], layout: str | None) -> Sequence[Sequence[str | None]]:
    """The rows above the data: the agreed names, or the titles of a workbook by position as it has them."""
    workbook = load_layout(layout) if layout else None
    return header_rows(file, file.name, workbook) if isinstance(workbook, WorkbookLayout) else [names]


def _notes(
    connection: duckdb.DuckDBPyConnection, contract: Contract, language: str, layout: str | None
) -> dict[tuple[int, str], list[str]]:
    """(row, delivered column) -> what each broken rule says."""
    found: dict[tuple[int, str], list[str]] = defaultdict(list)
    held = connection.execute("SELECT row_number, unnest(reasons) FROM batch_broken").fetchall()
    for rule in contract.all_rules:
        place = delivered_place(contract, contract.column_named(rule.column), layout)
        rows: Iterable[int] = [row for row, reason in held if reason == rule.id]
        if rule.severity != "quarantine" and not rule.identity:
            query = f"SELECT row_number FROM batch_typed WHERE ({condition(contract, rule)}) IS FALSE"
            rows = [row for (row,) in connection.execute(query).fetchall()]
        for row in rows:
            if row <= MOST_ROWS:
                found[row, place].append(f"{rule.id}: {said_of(contract, rule, layout, language)}")
    return found


def _rows(
    connection: duckdb.DuckDBPyConnection, landed: Path, names: list[str]
) -> Iterator[tuple[int, tuple[str | None, ...]]]:
    columns = ", ".join(map(identifier, names))
    found = connection.execute(
        f"SELECT file_row_number + 1, {columns} FROM read_parquet($1, file_row_number = true) ORDER BY 1 LIMIT {MOST_ROWS}",
        [str(landed)],
    )
    while chunk := found.fetchmany(10_000):
        for number, *cells in chunk:
            yield number, tuple(cells)
