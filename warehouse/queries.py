"""Small ways of asking the warehouse."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb


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
