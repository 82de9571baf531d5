"""The index of held rows: where each open one stands and which rules it breaks, without its content.

It lies in the restricted folder beside the rows themselves, so that it can be read while a run holds the warehouse.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.damage import UNREADABLE, one_line
from warehouse.failures import Damaged
from warehouse.home import Home
from warehouse.queries import single_value

INDEX = "open_rows.parquet"


@dataclass(frozen=True)
class HeldRow:
    source: str
    file: str
    row: int
    reasons: list[str]


# One row an open held row.
OPEN_ROWS = (
    "SELECT open_rows.source, file, row_number, reasons FROM quarantine.open_rows JOIN ledger.batches USING (batch_id) "
    "ORDER BY open_rows.source, batch_id, row_number"
)
_DIGEST = "SELECT coalesce(sha256(string_agg(CAST(to_json(entry) AS VARCHAR), chr(10) ORDER BY to_json(entry))), '') FROM ({}) AS entry"
_INDEXED = "SELECT source, file, row_number, reasons FROM read_parquet($index)"


def write_index(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Writes the index anew, whole or not at all; the digest of its rows stands in it."""
    target = home.quarantine / INDEX
    unfinished = target.with_suffix(".tmp")
    digest = single_value(connection, _DIGEST.format(OPEN_ROWS))
    connection.execute(
        f"COPY ({OPEN_ROWS}) TO $1 (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{rows_sha256: '{digest}'}})",
        [str(unfinished)],
    )
    unfinished.replace(target)


def read_held_rows(home: Home, source: str | None, reason: str | None) -> list[HeldRow]:
    """Open held rows, of one source or with one reason where given; none where no run has been.

    Raises Damaged where the index is not as it was written.
    """
    index = home.quarantine / INDEX
    if not index.exists():
        return []
    try:
        with duckdb.connect() as connection:
            damage = None if is_whole(connection, index) else "its rows are not those that were written"
            rows = connection.execute(
                f"{_INDEXED} WHERE coalesce(source = $source, true) AND coalesce(list_contains(reasons, $reason), true)",
                {"index": str(index), "source": source, "reason": reason},
            ).fetchall()
    except duckdb.InterruptException:
        raise
    except UNREADABLE as problem:
        damage = one_line(problem)
    if damage:
        raise Damaged(f"the index of held rows quarantine/{INDEX} is damaged: {damage}; `kpi run` writes it anew")
    return [HeldRow(*row) for row in rows]


def is_whole(connection: duckdb.DuckDBPyConnection, index: Path) -> bool:
    """Whether the index has the rows that were written; one of before it had a digest is believed. Raises UNREADABLE."""
    written = single_value(
        connection,
        "SELECT decode(value) FROM parquet_kv_metadata($1) WHERE decode(key) = 'rows_sha256'",
        [str(index)],
    )
    return written in (None, single_value(connection, _DIGEST.format(_INDEXED), {"index": str(index)}))
