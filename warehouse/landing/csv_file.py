"""One CSV file to the Parquet of its text.

DuckDB reads it, but some of its habits would let a fault pass: it takes extra empty fields at a row's end, drops a last
row that is nothing but an unclosed quote, misreads a quoted line end where two of its threads meet, and gives up on
mixed line ends. So the bytes are counted first, and what DuckDB read must agree with that count; where it does not,
Python's csv decides, row by row.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Final

import duckdb

from transforms.sql import identifier
from warehouse.landing import text_file
from warehouse.landing.columns import match_columns
from warehouse.landing.line_numbers import BlankLines, Places
from warehouse.landing.refusal import refusal
from warehouse.landing.session import copy_to_parquet, literal, one_path

SEPARATORS: Final = (",", ";")
_LONE_RETURN: Final = re.compile(rb"\r(?!\n)")
# DuckDB's buffer must hold the longest line; its own choice, five times as large, takes a tenth more processor time.
_BUFFER_MARGIN_BYTES: Final = 2_000_000
_UNIFIED_NAME: Final = "unified.csv"


class Shape:
    """What one pass over the bytes counts outside double quotes, and whether line ends stand inside."""

    def __init__(self, separator: str) -> None:
        self._separator = separator.encode()
        self._in_quotes = False
        self._line_ends = 0
        self._windows_ends = 0
        self._has_open_line = False
        self.separators = 0
        self.has_quoted_line_ends = False
        self.lone_return_at = -1

    @property
    def has_mixed_line_ends(self) -> bool:
        return 0 < self._windows_ends < self._line_ends

    def add(self, offset: int, block: bytes) -> None:
        """Counts one block of whole lines that begins at `offset`."""
        outside = block
        if self._in_quotes or b'"' in block:
            parts = block.split(b'"')
            first = 1 if self._in_quotes else 0
            outside = b'"'.join(parts[first::2])
            quoted = b'"'.join(parts[1 - first :: 2])
            self.has_quoted_line_ends |= b"\n" in quoted or b"\r" in quoted
            self._in_quotes ^= len(parts) % 2 == 0
        self.separators += outside.count(self._separator)
        self._line_ends += outside.count(b"\n")
        self._has_open_line = not block.endswith(b"\n")
        if b"\r" in outside:
            self._count_returns(offset, block, outside)

    def fits(self, rows: int, fields: int, header_at: int) -> bool:
        """Whether `rows` data rows of `fields` each account for every line after the header and every separator.

        False too where there are blank lines or quotes in odd places: then the slower reader must decide.
        """
        lines = self._line_ends + self._has_open_line
        return lines - header_at == rows and self.separators == (rows + 1) * (fields - 1) and not self._in_quotes

    def _count_returns(self, offset: int, block: bytes, outside: bytes) -> None:
        pairs = outside.count(b"\r\n")
        self._windows_ends += pairs
        if outside.count(b"\r") > pairs and self.lone_return_at < 0:
            lone = _LONE_RETURN.search(block)
            self.lone_return_at = offset + (lone.start() if lone else 0)


def land_csv(
    con: duckdb.DuckDBPyConnection, path: Path, name: str, columns: Sequence[str], part: Path, spool: Path
) -> tuple[int, bool, Places]:
    """Writes `part`; returns the number of data rows, whether a comma is a decimal sign here, and how the rows lie in the lines.

    Raises DeliveryRefused for every breach of the CSV rules.
    """
    header_at, text = text_file.first_line(path, name)
    if "\r" in text:
        raise refusal("line_ends", name, line=header_at)
    separator, names = parse_header(text)
    match_columns(names, columns, name)
    table = _Table(path, name, separator, [field.strip() for field in names], header_at)
    with ThreadPoolExecutor(1) as beside:
        # Counting needs one processor and leaves the other idle: DuckDB reads meanwhile, and reads again where it must read otherwise.
        counting = beside.submit(measure, path, name, separator)
        try:
            rows = table.copy(con, columns, part, parallel=True)
        finally:
            # What is wrong with the bytes goes before whatever DuckDB made of them.
            shape = counting.result()
    if shape.lone_return_at >= 0:
        raise refusal("line_ends", name, line=text_file.line_at(path, shape.lone_return_at))
    if shape.has_mixed_line_ends:
        table = _Table(unify_line_ends(path, name, spool / _UNIFIED_NAME), name, separator, table.names, header_at)
    if shape.has_mixed_line_ends or shape.has_quoted_line_ends:
        rows = table.copy(con, columns, part, parallel=not shape.has_quoted_line_ends)
    blank_lines = BlankLines()
    if not shape.fits(rows, len(names), header_at):
        true_rows = table.count_rows(blank_lines)
        if rows != true_rows:
            rows = table.copy(con, columns, part, parallel=False)
        if rows != true_rows:
            raise refusal("unreadable.csv", name)
    return rows, separator == ";", Places(header_at + 1, blank_lines.frame(), shape.has_quoted_line_ends)


def parse_header(text: str) -> tuple[str, list[str]]:
    """The separator that gives the header line more fields, and these fields; a comma if both give as many."""
    csv.field_size_limit(text_file.MAX_LINE_BYTES)
    readings = [(separator, next(csv.reader([text], delimiter=separator))) for separator in SEPARATORS]
    return max(readings, key=lambda reading: len(reading[1]))


def measure(path: Path, name: str, separator: str) -> Shape:
    """One pass over all bytes: text rules are checked, separators and line ends counted."""
    shape = Shape(separator)
    for offset, block in text_file.checked_blocks(path, name):
        shape.add(offset, block)
    return shape


def unify_line_ends(path: Path, name: str, target: Path) -> Path:
    """A copy with Unix line ends between rows; what stands in quotes keeps its own."""
    in_quotes = False
    with target.open("xb") as sink:
        for _, block in text_file.checked_blocks(path, name):
            parts = block.split(b'"')
            for i in range(1 if in_quotes else 0, len(parts), 2):
                parts[i] = parts[i].replace(b"\r\n", b"\n")
            in_quotes ^= len(parts) % 2 == 0
            sink.write(b'"'.join(parts))
    return target


class _Table:
    """A CSV file whose header and separator are known; `names` in the file's order, all of the contract."""

    def __init__(self, path: Path, name: str, separator: str, names: list[str], header_at: int) -> None:
        self._path = path
        self._name = name
        self._separator = separator
        self.names = names
        self._header_at = header_at

    def copy(self, con: duckdb.DuckDBPyConnection, columns: Sequence[str], part: Path, *, parallel: bool) -> int:
        """Rows that DuckDB wrote, or -1 if it could not read the file; its own words quote cells and are dropped."""
        types = ", ".join(f"{literal(field)}: 'VARCHAR'" for field in self.names)
        query = (
            f"SELECT {', '.join(map(identifier, columns))} FROM read_csv(?, auto_detect=false, header=false, "
            f"skip={self._header_at}, columns={{{types}}}, delim={literal(self._separator)}, quote='\"', escape='\"', "
            f"strict_mode=true, null_padding=false, ignore_errors=false, compression='none', hive_partitioning=false, "
            f"max_line_size={text_file.MAX_LINE_BYTES}, "
            f"buffer_size={text_file.MAX_LINE_BYTES + _BUFFER_MARGIN_BYTES}, parallel={str(parallel).lower()})"
        )
        try:
            return copy_to_parquet(con, query, [one_path(self._path)], part)
        except (duckdb.InvalidInputException, duckdb.NotImplementedException):
            # The second is its parallel reader giving up on lines about as long as its buffer.
            return -1

    def count_rows(self, blank_lines: BlankLines) -> int:
        """Data rows by Python's reader, which is slower but names the line of the first fault; adds to ``blank_lines``.

        Raises DeliveryRefused: `field_count`, `unclosed_quote`.
        """
        csv.field_size_limit(text_file.MAX_LINE_BYTES)
        rows = 0
        with self._path.open(encoding="utf-8-sig", newline="") as stream:
            lines = islice(stream, self._header_at, None)
            reader = csv.reader(lines, delimiter=self._separator, strict=True, skipinitialspace=True)
            while True:
                line = self._header_at + reader.line_num + 1
                fields = self._fields_of_next_row(reader, line)
                if fields is None:
                    return rows
                if fields not in (0, len(self.names)):
                    raise refusal("field_count", self._name, line=line, found=fields, expected=len(self.names))
                if fields:
                    rows += 1
                else:
                    blank_lines.add(rows + 1)

    def _fields_of_next_row(self, reader: Iterator[list[str]], line: int) -> int | None:
        """Number of fields of the next row, 0 for a blank line, None at the end."""
        try:
            return len(next(reader))
        except StopIteration:
            return None
        except csv.Error:
            raise refusal("unclosed_quote", self._name, line=line) from None
