"""Small ways of asking the warehouse."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import duckdb

from transforms.sql import load_sql


def install_macros(connection: duckdb.DuckDBPyConnection) -> None:
    """The questions that many queries ask (``transforms/macros.sql``), for this connection: nothing of them is kept in a file."""
    connection.execute(load_sql("transforms", "macros.sql"))


def first_row(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
) -> tuple[Any, ...] | None:
    """The first row, or None. Reads the result to its end: an unfinished one blocks the connection for everything else."""
    rows = connection.execute(query, parameters or None).fetchall()
    return rows[0] if rows else None


def single_value(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
) -> Any:
    """The first column of the first row; None where there is none."""
    row = first_row(connection, query, parameters)
    return None if row is None else row[0]


def records(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
) -> list[dict[str, Any]]:
    """All rows, each by the names of its columns."""
    found = connection.execute(query, parameters or None)
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    """Takes back what is open. A COMMIT that found the disk full has ended its transaction itself: that must not hide why it failed."""
    with suppress(duckdb.TransactionException):
        connection.execute("ROLLBACK")


def has_table(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    """Whether the warehouse has this table: of a source without a contract it has none."""
    query = "SELECT 1 FROM duckdb_tables() WHERE schema_name = $1 AND table_name = $2"
    return single_value(connection, query, [schema, table]) is not None
