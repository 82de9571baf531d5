"""The index of held rows: where each open one stands and which rules it breaks, without its content.

It lies in the restricted folder beside the rows themselves, so that it can be read while a run holds the warehouse.
"""

from dataclasses import dataclass

import duckdb

from warehouse.home import Home
from warehouse.home_state import require_home

INDEX = "open_rows.parquet"


@dataclass(frozen=True)
class HeldRow:
    source: str
    file: str
    row: int
    reasons: list[str]


def write_index(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Writes the index anew, whole or not at all."""
    target = home.quarantine / INDEX
    unfinished = target.with_suffix(".tmp")
    connection.execute(
        "COPY (SELECT open_rows.source, file, row_number, reasons FROM quarantine.open_rows JOIN ledger.batches USING (batch_id) "
        "ORDER BY open_rows.source, batch_id, row_number) TO $1 (FORMAT parquet, COMPRESSION zstd)",
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
            "SELECT source, file, row_number, reasons FROM read_parquet($1) "
            "WHERE coalesce(source = $2, true) AND coalesce(list_contains(reasons, $3), true)",
            [str(index), source, reason],
        ).fetchall()
    return [HeldRow(*row) for row in rows]
