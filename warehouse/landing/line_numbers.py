"""How the data rows of a delivery lie in its file: what a reader notes, so that the line of any row can be told later.

Data rows are counted from 1, without titles and blank lines; a person counts every line. The two differ by one constant in nearly
every file, so a reader states the line of the first data row and, only where there are any, the blank lines and that values hold
line ends. Lines are computed from that for the rows that somebody asks for.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl

from expectations.columns import Column
from expectations.contract import Contract
from expectations.layout import delivered_place
from transforms.sql import identifier, load_sql
from warehouse.store.places import Place
from warehouse.store.queries import single_value


class BlankLines:
    """The blank lines of a text, as they are met: how many stand right before a data row."""

    def __init__(self) -> None:
        self._rows, self._lines = array("q"), array("q")

    def add(self, next_row: int) -> None:
        """One more blank line before data row ``next_row``, counted from 1."""
        if self._rows and self._rows[-1] == next_row:
            self._lines[-1] += 1
        else:
            self._rows.append(next_row)
            self._lines.append(1)

    def frame(self) -> pl.DataFrame:
        return pl.DataFrame(
            {"row_number": self._rows, "lines": self._lines}, schema={"row_number": pl.Int64, "lines": pl.Int64}
        )


def no_blank_lines() -> pl.DataFrame:
    return BlankLines().frame()


def blank_lines_of(found: Mapping[str, Sequence[int]]) -> pl.DataFrame:
    """Blank lines as another process told them."""
    return pl.DataFrame(dict(found), schema=no_blank_lines().schema)


@dataclass(frozen=True)
class Places:
    """How the data rows of a delivery lie in its file. ``first_line`` None: there are no lines to speak of.

    ``blank_lines``: row_number, lines; ``has_line_ends``: values may hold line ends; ``letters``: of the sheet's column, by landed name.
    """

    first_line: int | None = None
    blank_lines: pl.DataFrame = field(default_factory=no_blank_lines)
    has_line_ends: bool = False
    letters: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_regular(self) -> bool:
        """Whether every line is the first one plus the rows before."""
        return self.first_line is None or (self.blank_lines.is_empty() and not self.has_line_ends)


def keep_shifts(
    connection: duckdb.DuckDBPyConnection, places: Places, landed: Path, names: Sequence[str], table: str
) -> None:
    """Creates ``table`` (temporary; row_number, shift): from which rows on the lines are further ahead; no row in a regular file."""
    values = ", ".join(map(identifier, names)) if places.has_line_ends else "NULL"
    query = load_sql("warehouse.landing", "line_shifts.sql").format(values=values)
    connection.register("blank_lines", places.blank_lines.to_arrow())
    try:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}", {"landed": str(landed)})
    finally:
        connection.unregister("blank_lines")


def lines_query(places: Places, shifts: str, rows: str) -> str:
    """SELECT row_number, line (NULL where the file has no lines) of the data rows in ``rows``; ``shifts`` is the table of ``keep_shifts``."""
    first = "NULL" if places.first_line is None else f"{places.first_line:d}"
    return (
        f"SELECT asked.row_number, {first} - 1 + asked.row_number + coalesce(shift, 0) AS line FROM {rows} AS asked "
        f"ASOF LEFT JOIN {shifts} AS shifts ON asked.row_number >= shifts.row_number"
    )


def line_of(connection: duckdb.DuckDBPyConnection, places: Places, shifts: str, row: int) -> int | None:
    """The line of one data row; see ``lines_query``."""
    query = lines_query(places, shifts, "(SELECT $1::BIGINT AS row_number)")
    line: int | None = single_value(connection, f"SELECT line FROM ({query})", [row])
    return line


def known_place(connection: duckdb.DuckDBPyConnection, batch_id: int, row: int) -> Place:
    """Where a row of a delivery that was taken in stands in its file."""
    query = load_sql("warehouse.landing", "known_line.sql")
    return Place(row, single_value(connection, query, {"batch_id": batch_id, "row_number": row}), None)


def letter_of(contract: Contract, column: Column, layout: str | None, places: Places) -> str | None:
    """The letters of the sheet's column in which the sender gives ``column``; None where there is no sheet."""
    return places.letters.get(delivered_place(contract, column, layout))
