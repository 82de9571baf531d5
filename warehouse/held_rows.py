"""The index of held rows: where each open one stands and which rules it breaks, without its content.

It lies in the restricted folder beside the rows themselves, so that it can be read while a run holds the warehouse.
"""

from dataclasses import dataclass

import duckdb

from transforms.sql import load_sql
from warehouse.home import Home
from warehouse.home_state import require_home
from warehouse.places import Place, place

INDEX = "open_rows.parquet"


@dataclass(frozen=True)
class HeldRow:
    """``row`` is the data row, ``line`` and ``cell`` where a person finds it; see ``Place``."""

    source: str
    file: str
    row: int
    reasons: list[str]
    line: int | None = None
    cell: str | None = None

    @property
    def place(self) -> Place:
        return Place(self.row, self.line, self.cell)


def write_index(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Writes the index anew, whole or not at all."""
    target = home.quarantine / INDEX
    unfinished = target.with_suffix(".tmp")
    connection.execute(
        f"COPY ({load_sql('warehouse.sql', 'held_index.sql')}) TO $1 (FORMAT parquet, COMPRESSION zstd)",
        [str(unfinished)],
    )
    unfinished.replace(target)


def read_held_rows(home: Home, source: str | None, reason: str | None) -> list[HeldRow]:
    """Open held rows, of one source or with one reason where given; none where no run has been.

    Raises EnvironmentProblem where there is no installation.
    """
    index = home.quarantine / INDEX
    if not index.exists():
        require_home(home)
        return []
    with duckdb.connect() as connection:
        rows = connection.execute(
            "SELECT source, file, row_number, reasons, line, letters FROM "
            # An index of an earlier release says nothing of lines.
            "(SELECT NULL::BIGINT AS line, NULL::VARCHAR[] AS letters WHERE false UNION ALL BY NAME FROM read_parquet($1)) "
            "WHERE coalesce(source = $2, true) AND coalesce(list_contains(reasons, $3), true)",
            [str(index), source, reason],
        ).fetchall()
    return [
        HeldRow(held_source, file, row, reasons, line, place(row, line, letters).cell)
        for held_source, file, row, reasons, line, letters in rows
    ]
