"""Tables as programs read them: comma- or tab-separated, Markdown, an Excel workbook. Standard output is the file."""

import csv
import sys
from collections.abc import Callable, Sequence
from io import BytesIO

from flows.options import Format
from flows.tables import Column, Row, Table, plain
from warehouse.store.failures import WrongUsage

# A spreadsheet takes a text that begins so for a formula.
_FORMULA = ("=", "+", "@")


def _write_csv(table: Table, rows: Sequence[Row]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(column.title for column in table.columns)
    writer.writerows([_harmless(column, row) for column in table.columns] for row in rows)


def _harmless(column: Column, row: Row) -> str:
    text = plain(column.of(row))
    return f"'{text}" if text.startswith(_FORMULA) and not column.is_number else text


def _write_tsv(table: Table, rows: Sequence[Row]) -> None:
    print("\t".join(column.title for column in table.columns))
    for row in rows:
        print("\t".join(plain(column.of(row)) for column in table.columns))


def _write_md(table: Table, rows: Sequence[Row]) -> None:
    def line(cells: list[str]) -> str:
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    print(line([column.title for column in table.columns]))
    print(f"|{'|'.join('---:' if column.is_number else '---' for column in table.columns)}|")
    for row in rows:
        print(line([plain(column.of(row)) for column in table.columns]))


def _write_xlsx(table: Table, rows: Sequence[Row]) -> None:
    """One sheet: a bold header that stays in sight, a filter, numbers as numbers with the decimals that they have."""
    import xlsxwriter  # noqa: PLC0415

    if sys.stdout.isatty():
        raise WrongUsage("a workbook is no text: add `> FILE.xlsx`")
    made = BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True})
        formats = {}
        for at, column in enumerate(table.columns):
            sheet.write_string(0, at, column.title, bold)
            for line, row in enumerate(rows, start=1):
                text = plain(column.of(row))
                if column.is_number and _is_number(text):
                    decimals = len(text.partition(".")[2])
                    if decimals not in formats:
                        formats[decimals] = book.add_format(
                            {"num_format": "#,##0" + ("." + "0" * decimals if decimals else "")}
                        )
                    sheet.write_number(line, at, float(text), formats[decimals])
                else:
                    sheet.write_string(line, at, text)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(rows), len(table.columns) - 1)
        sheet.autofit()
    sys.stdout.buffer.write(made.getvalue())


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal()


WRITERS: dict[Format, Callable[[Table, Sequence[Row]], None]] = {
    Format.csv: _write_csv,
    Format.tsv: _write_tsv,
    Format.md: _write_md,
    Format.xlsx: _write_xlsx,
}
