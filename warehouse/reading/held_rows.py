"""The index of quarantined rows: where each open one stands and which rules it breaks, without its content.

It lies in the restricted folder beside the rows themselves, so that it can be read while a run holds the warehouse.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from transforms.sql import load_sql
from warehouse.store.damage import UNREADABLE, one_line
from warehouse.store.failures import Damaged
from warehouse.store.home import Home
from warehouse.store.home_state import require_home
from warehouse.store.places import Place, place
from warehouse.store.queries import single_value

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


def open_rows() -> str:
    """SELECT of what the index holds. Grain: one open quarantined row."""
    return load_sql("warehouse.reading", "held_index.sql")


_DIGEST = "SELECT coalesce(sha256(string_agg(CAST(to_json(entry) AS VARCHAR), chr(10) ORDER BY to_json(entry))), '') FROM ({}) AS entry"
_INDEXED = "FROM read_parquet($index)"


def write_index(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Writes the index anew, whole or not at all; the digest of its rows stands in it."""
    target = home.quarantine / INDEX
    unfinished = target.with_suffix(".tmp")
    digest = single_value(connection, _DIGEST.format(open_rows()))
    connection.execute(
        f"COPY ({open_rows()}) TO $1 (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{rows_sha256: '{digest}'}})",
        [str(unfinished)],
    )
    unfinished.replace(target)


def read_held_rows(home: Home, source: str | None, reason: str | None) -> list[HeldRow]:
    """Open quarantined rows, of one source or with one reason where given; none where no run has been.

    Raises EnvironmentProblem where there is no installation, Damaged where the index is not as it was written.
    """
    index = home.quarantine / INDEX
    if not index.exists():
        require_home(home)
        return []
    try:
        with duckdb.connect() as connection:
            damage = None if is_whole(connection, index) else "its rows are not those that were written"
            rows = connection.execute(
                # By their types: a damaged index may have others.
                "SELECT CAST(source AS VARCHAR), CAST(file AS VARCHAR), CAST(row_number AS BIGINT), CAST(reasons AS VARCHAR[]), line, letters FROM "
                # An index of an earlier release says nothing of lines.
                "(SELECT NULL::BIGINT AS line, NULL::VARCHAR[] AS letters WHERE false UNION ALL BY NAME FROM read_parquet($1)) "
                "WHERE coalesce(source = $2, true) AND coalesce(list_contains(reasons, $3), true)",
                [str(index), source, reason],
            ).fetchall()
    except duckdb.InterruptException:
        raise
    except UNREADABLE as problem:
        damage = one_line(problem)
    if damage:
        raise Damaged(
            f"the index of quarantined rows quarantine/{INDEX} is damaged: {damage}; `kpi run` writes it anew"
        )
    return [
        HeldRow(held_source, file, row, reasons, line, place(row, line, letters).cell)
        for held_source, file, row, reasons, line, letters in rows
    ]


def is_whole(connection: duckdb.DuckDBPyConnection, index: Path) -> bool:
    """Whether the index has the rows that were written; one of before it had a digest is believed. Raises UNREADABLE."""
    written = single_value(
        connection,
        "SELECT decode(value) FROM parquet_kv_metadata($1) WHERE decode(key) = 'rows_sha256'",
        [str(index)],
    )
    return written in (None, single_value(connection, _DIGEST.format(_INDEXED), {"index": str(index)}))
