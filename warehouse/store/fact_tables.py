"""Makes the tables of facts as ``transforms.facts`` and ``transforms.results`` declare them; a home that has one gets the columns that came since.

A column that is declared no more stays where it is, and what it holds: facts are never taken away.
"""

import duckdb

from transforms.facts import VERSION_COLUMNS, FactTable, fact_tables
from transforms.sql import identifier
from warehouse.store.queries import has_table, single_value

STAGED_COLUMNS = {"partition_year": "INTEGER"}


def install_fact_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Every declared table with its staging twin. Does nothing twice."""
    for table in fact_tables():
        for column in _install(connection, table.name, table.ddl | VERSION_COLUMNS):
            _note_added(connection, table, column)
        if table.partition is not None:
            _install(connection, table.staged, table.ddl | STAGED_COLUMNS)


def _install(connection: duckdb.DuckDBPyConnection, name: str, columns: dict[str, str]) -> list[str]:
    """Makes the table, or adds the columns that it lacks. Gives those that were added to one that was there."""
    schema, table = name.split(".")
    if not has_table(connection, schema, table):
        connection.execute(f"CREATE TABLE {name} ({', '.join(f'{identifier(n)} {t}' for n, t in columns.items())})")
        return []
    query = "SELECT column_name FROM duckdb_columns() WHERE schema_name = $1 AND table_name = $2"
    there = {column for (column,) in connection.execute(query, [schema, table]).fetchall()}
    added = [column for column in columns if column not in there]
    for column in added:
        connection.execute(f"ALTER TABLE {name} ADD COLUMN {identifier(column)} {columns[column]}")
    return added


def _note_added(connection: duckdb.DuckDBPyConnection, table: FactTable, column: str) -> None:
    """The runs until now were, or will be, sealed without the column."""
    newest = int(single_value(connection, "SELECT coalesce(max(run_id), 0) FROM ledger.runs"))
    connection.execute("INSERT INTO ledger.added_columns VALUES ($1, $2, $3)", [table.name, column, newest + 1])


def added_columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, int]:
    """The columns that a table of facts got after it had been made, with the first run that knew each."""
    query = "SELECT column_name, first_run_id FROM ledger.added_columns WHERE table_name = $1"
    return dict(connection.execute(query, [table]).fetchall())


def columns_added_after(connection: duckdb.DuckDBPyConnection, run_id: int) -> dict[str, tuple[str, ...]]:
    """By table the columns that it did not have when this run was sealed."""
    rows = connection.execute(
        "SELECT table_name, list(column_name ORDER BY column_name) FROM ledger.added_columns "
        "WHERE first_run_id > $1 GROUP BY table_name ORDER BY table_name",
        [run_id],
    ).fetchall()
    return {table: tuple(columns) for table, columns in rows}
