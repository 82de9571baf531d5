"""One Parquet file, of any column types, to the Parquet of its text. It runs in a process of its own (``reader.py``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb

from transforms.sql import identifier
from warehouse.landing import text_file
from warehouse.landing.columns import match_columns
from warehouse.landing.refusal import DeliveryRefused, refusal
from warehouse.landing.session import copy_to_parquet, one_path
from warehouse.store.disk import is_full

# Runs of one value cost no bytes, so the size alone does not bound the work.
MAX_ROWS = 500_000_000

_INTEGER_TYPES: Final = tuple(
    f"{sign}{size}" for sign in ("", "U") for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
)
_TIMESTAMP_TYPES: Final = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")
_PLAIN_TYPES: Final = {"VARCHAR", "BOOLEAN", "DATE", "TIME", "UUID", "NULL", *_INTEGER_TYPES, *_TIMESTAMP_TYPES}
_PLAIN_PREFIXES: Final = ("DECIMAL(", "ENUM(")
# From here on a binary fraction cannot hold every whole number: a NIP stored in it has lost digits, and is written
# with an exponent so that it never looks whole.
_EXACT_BELOW: Final = {"DOUBLE": 2**53, "FLOAT": 2**24}
# The zone of all deliveries, and of the clock that cut-offs fall on.
_ZONE_HOURS: Final = 7

_SOURCE: Final = "read_parquet(?, binary_as_string=true, hive_partitioning=false, union_by_name=false)"


def land_parquet(con: duckdb.DuckDBPyConnection, path: Path, name: str, columns: Sequence[str], part: Path) -> int:
    """Writes `part`; returns the number of rows.

    Raises DeliveryRefused: `unreadable`, `encoding`, `too_large`, `nested_value`, and those of the columns.
    """
    source = [one_path(path)]
    try:
        raw_names = _column_names(con, source)
        order = match_columns(raw_names, columns, name)
        _check_size(con, source, name)
        types = [str(row[1]) for row in con.execute(f"DESCRIBE SELECT * FROM {_SOURCE}", source).fetchall()]
        texts = [
            f"{_as_text(raw_names[at], types[at], name)} AS {identifier(column)}"
            for column, at in zip(columns, order, strict=True)
        ]
        return copy_to_parquet(con, f"SELECT {', '.join(texts)} FROM {_SOURCE}", source, part)
    except duckdb.Error as error:
        fault = _fault(error, name)
    raise fault


def _fault(error: duckdb.Error, name: str) -> DeliveryRefused:
    """DuckDB gives a damaged file nearly every class of error; only a full disk or memory is left to the caller."""
    text = str(error)
    if isinstance(error, duckdb.OutOfMemoryException) or is_full(error):
        raise error
    if "Invalid string encoding" in text:
        return refusal("encoding.parquet", name)
    return refusal("unreadable.damaged", name, format=".parquet")


def _column_names(con: duckdb.DuckDBPyConnection, source: list[str]) -> list[str]:
    """The top-level names as the file has them: read_parquet renames what stands twice."""
    nodes = con.execute("SELECT name, coalesce(num_children, 0) FROM parquet_schema(?)", source).fetchall()
    names: list[str] = []
    at = 1
    for _ in range(nodes[0][1]):
        names.append(nodes[at][0])
        open_nodes = 1
        while open_nodes:
            open_nodes += nodes[at][1] - 1
            at += 1
    return names


def _check_size(con: duckdb.DuckDBPyConnection, source: list[str], name: str) -> None:
    rows = con.execute("SELECT num_rows FROM parquet_file_metadata(?)", source).fetchall()[0][0]
    sizes = con.execute("SELECT total_uncompressed_size FROM parquet_metadata(?)", source).fetchall()
    size = sum(row[0] for row in sizes)
    if rows > MAX_ROWS or size > text_file.MAX_EXPANDED_BYTES:
        limit = f"{MAX_ROWS} rows, {text_file.MAX_EXPANDED_BYTES} bytes"
        raise refusal("too_large", name, limit=limit)


def _as_text(raw_name: str, type_name: str, name: str) -> str:
    """The expression that writes a column as text.

    Dates are `yyyy-mm-dd`, times of a day `yyyy-mm-dd hh:mm:ss[.ffffff]`, instants the same at +07:00. A whole number
    in a binary fraction has no decimals; one too large to be exact has an exponent.
    """
    field = identifier(raw_name)
    plain = type_name.strip('"')
    if plain in _PLAIN_TYPES or (plain.startswith(_PLAIN_PREFIXES) and not plain.endswith("]")):
        return f"CAST({field} AS VARCHAR)"
    if plain in ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NS WITH TIME ZONE"):
        moved = f"make_timestamp(epoch_us({field}) + {_ZONE_HOURS} * 3600000000)"
        return f"CAST({moved} AS VARCHAR) || '+{_ZONE_HOURS:02d}:00'"
    if plain in _EXACT_BELOW:
        return (
            f"CASE WHEN NOT isfinite({field}) THEN CAST({field} AS VARCHAR) "
            f"WHEN abs({field}) >= 1e16 THEN upper(CAST({field} AS VARCHAR)) "
            f"WHEN abs({field}) >= {_EXACT_BELOW[plain]} "
            rf"THEN regexp_replace(format('{{:.15E}}', CAST({field} AS DOUBLE)), '\.?0*E', 'E') "
            f"WHEN {field} = trunc({field}) THEN CAST(CAST({field} AS BIGINT) AS VARCHAR) "
            f"ELSE CAST({field} AS VARCHAR) END"
        )
    raise refusal("nested_value.column", name, column=raw_name.strip(), type=type_name.split("(", maxsplit=1)[0])
