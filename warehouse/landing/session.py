"""The DuckDB session that reads one delivery, and how it writes the landed Parquet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import duckdb

# Bytes of memory before DuckDB spills to the spool: a nightly run must leave room for the rest of the machine.
MEMORY_LIMIT = "1GB"
# Measured on 1,000,000 rows of 20 columns: smaller groups start more writers, larger ones keep one thread idle.
ROW_GROUP_ROWS: Final = 40_960
# Level 1 costs half the time of the default and makes no larger file on this data.
COMPRESSION_LEVEL: Final = 1

_GLOB: Final = {"*": "[*]", "?": "[?]", "[": "[[]"}


def open_session(spool: Path, threads: int) -> duckdb.DuckDBPyConnection:
    """An in-memory session that spills into `spool` and never looks for an extension outside."""
    return duckdb.connect(
        config={
            "threads": threads,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(spool),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )


def one_path(path: Path) -> str:
    """`path` as DuckDB reads exactly it: a bare `*`, `?` or `[` would match other files, even if the file exists."""
    return "".join(_GLOB.get(letter, letter) for letter in str(path.absolute()))


def literal(text: str) -> str:
    """A text as SQL literal, for the places where nothing can be bound."""
    return "'" + text.replace("'", "''") + "'"


def copy_to_parquet(con: duckdb.DuckDBPyConnection, query: str, parameters: list[str], part: Path) -> int:
    """Writes the rows of `query`, in their order, to `part` and returns their number.

    `part` is made readable to its owner alone first: a failed COPY may have taken the earlier one away.
    """
    os.close(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
    statement = (
        f"COPY ({query}) TO {literal(str(part.absolute()))} (FORMAT parquet, COMPRESSION zstd, "
        f"COMPRESSION_LEVEL {COMPRESSION_LEVEL}, ROW_GROUP_SIZE {ROW_GROUP_ROWS}, USE_TMP_FILE false)"
    )
    return int(con.execute(statement, parameters).fetchall()[0][0])
