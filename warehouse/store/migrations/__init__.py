"""The schema of a warehouse through the years: numbered migrations, each all or nothing, that leave the ledger's history as it is.

``warehouse/store/ledger.sql`` is schema 3, the first that can be migrated, and is never changed again. Every change since is
a file ``NNNN_what_it_does.sql`` beside this module; a new warehouse takes the same way as an old one. Tables of facts, and columns that they get,
need none: they come from their declarations (``fact_tables.py``).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files

import duckdb

from transforms.sql import load_sql
from warehouse.store.fact_tables import install_fact_tables
from warehouse.store.failures import EnvironmentProblem
from warehouse.store.queries import has_table, single_value

FIRST_SCHEMA = 3
_NUMBERED = re.compile(r"(\d{4})_\w+\.sql")
_ADDED = re.compile(r"ALTER TABLE (\w+\.\w+) ADD COLUMN (?:IF NOT EXISTS )?(\w+)", re.IGNORECASE)


@cache
def migrations() -> dict[int, str]:
    """SQL of each migration by its number, which is the schema that it leads to; in order."""
    names = sorted(entry.name for entry in files("warehouse.store.migrations").iterdir() if entry.name.endswith(".sql"))
    found: dict[int, str] = {}
    for name in names:
        number = _NUMBERED.fullmatch(name)
        if number is None or int(number[1]) in found or int(number[1]) <= FIRST_SCHEMA:
            raise ValueError(
                f"warehouse/store/migrations/{name}: not NNNN_what_it_does.sql with a number of its own over {FIRST_SCHEMA}"
            )
        found[int(number[1])] = load_sql("warehouse.store.migrations", name)
    return found


def newest_schema() -> int:
    return max(migrations(), default=FIRST_SCHEMA)


def columns_since(table: str, schema: int) -> list[str]:
    """Columns that ``table`` got after ``schema``: a seal made then says nothing of them."""
    return [
        column
        for number, sql in migrations().items()
        if number > schema
        for altered, column in _ADDED.findall(sql)
        if altered == table
    ]


def schema_of(connection: duckdb.DuckDBPyConnection) -> int | None:
    """The schema of this warehouse; None where it is new."""
    if not has_table(connection, "ledger", "meta"):
        return None
    return int(single_value(connection, "SELECT value FROM ledger.meta WHERE name = 'layout'") or 1)


def migrate(connection: duckdb.DuckDBPyConnection, place: str) -> None:
    """Brings the warehouse to the newest schema, one migration a transaction. Raises EnvironmentProblem where it cannot be read.

    ``place`` is what the message calls the file.
    """
    schema = schema_of(connection)
    if schema is not None and schema > newest_schema():
        raise EnvironmentProblem(
            f"the warehouse {place} has the schema {schema} of a newer release, this one knows {newest_schema()}: "
            "run the release that wrote it, or a newer one"
        )
    if schema is not None and schema < FIRST_SCHEMA:
        raise EnvironmentProblem(
            f"the warehouse {place} has the schema {schema} of a trial release, and can be brought up from {FIRST_SCHEMA} on: "
            "keep the old home as it is, and let a new one (`kpi init --home NEW`) take its inbox in anew"
        )
    if schema is None:
        schema = FIRST_SCHEMA
        # In one transaction: each statement by itself would be put on disk by itself.
        _in_one(connection, load_sql("warehouse.store", "ledger.sql") + _noted(schema, is_new=True))
    for number, sql in migrations().items():
        if number > schema:
            try:
                _in_one(connection, sql + _noted(number, is_new=False))
            except (duckdb.CatalogException, duckdb.BinderException, duckdb.ParserException) as fault:
                raise EnvironmentProblem(
                    f"the warehouse {place} could not be brought to schema {number}: {fault}; it is as it was; "
                    "go on with the release before, and report this as a fault of the product"
                ) from fault
    with _one(connection):
        install_fact_tables(connection)


def _noted(schema: int, *, is_new: bool) -> str:
    if is_new:
        return f"\nINSERT INTO ledger.meta VALUES ('layout', '{schema:d}');"
    return f"\nUPDATE ledger.meta SET value = '{schema:d}' WHERE name = 'layout';"


def _in_one(connection: duckdb.DuckDBPyConnection, statements: str) -> None:
    with _one(connection):
        connection.execute(statements)


@contextmanager
def _one(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """One transaction."""
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
