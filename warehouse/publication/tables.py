"""The tables of a publication: kpi.duckdb and its Parquet twins, made from the open warehouse as ``tables.yml`` declares them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from transforms.definitions import load_indicators
from transforms.facts import Column, fact_table
from transforms.periods import parse_period
from transforms.printed import documented
from transforms.reference import office
from transforms.sql import filled, identifier, load_sql
from warehouse.publication.declared import Published, Table, load_published
from warehouse.store.connection import Warehouse
from warehouse.store.failures import GateFailed

DATABASE = "kpi.duckdb"
PARQUET = "parquet"
# The catalog name of the new file while it is filled from the warehouse's connection.
CATALOG = "publication"
DESCRIBED = "described_values"
# Clients of DuckDB 1.5 can open the file too; in the format of 2.0 they could not.
STORAGE_VERSION = "v1.5.0"


@dataclass(frozen=True)
class _Condition:
    """What must hold of every row of a column; ``broken`` is the SQL predicate of a row that breaks it."""

    what: str
    broken: str


def parquet_path(table: Table) -> str:
    """The table's Parquet file, relative to the publication."""
    return f"{PARQUET}/{table.name}.parquet"


def write_tables(warehouse: Warehouse, folder: Path) -> None:
    """Writes kpi.duckdb and parquet/ into ``folder``. Raises GateFailed where a table is not what is declared of it."""
    published, connection = load_published(), warehouse.connection
    (folder / PARQUET).mkdir()
    with _definitions(connection), _new_database(connection, folder / DATABASE):
        with warehouse.transaction():
            for table in published.tables:
                _create(connection, published, table)
            for view in published.views:
                _create_view(connection, published, view)
        for table in published.tables:
            _copy(connection, table, folder / parquet_path(table))
        rows = {table.name: _number(connection, f"SELECT count(*) FROM {_stored(table)}") for table in published.tables}
    _require_whole(folder, published, rows)


@contextmanager
def _definitions(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """The indicators' definitions as relations for the block: ``definition_indicators``, ``definition_versions``; and the values
    with what a definition and a period say of them: ``described_values``; what is known of printed reports: ``documented_discrepancies``."""
    frames = {
        "definition_indicators": indicator_frame(),
        "definition_versions": version_frame(),
        "definition_periods": _period_frame(connection),
        "documented_discrepancies": discrepancy_frame(),
    }
    for name, frame in frames.items():
        connection.register(name, frame.to_arrow())
    try:
        kept = ", ".join(f"facts.{identifier(column)}" for column in fact_table("kpi_values").kept)
        query = filled(load_sql("warehouse.publication", "described_values.sql"), kept=kept)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {DESCRIBED} AS {query}", {"office": office().office_code})
        yield
    finally:
        connection.execute(f"DROP TABLE IF EXISTS {DESCRIBED}")
        for name in frames:
            connection.unregister(name)


def indicator_frame() -> pl.DataFrame:
    """One row an indicator."""
    texts = [
        "indicator",
        "title_id",
        "title_en",
        "owner",
        "legal_basis",
        "cited_at",
        "unit",
        "polarity",
        "perspective",
        "objective",
    ]
    rows = [
        {
            "indicator": indicator.id,
            "title_id": indicator.title.id,
            "title_en": indicator.title.en,
            "owner": indicator.owner,
            "legal_basis": indicator.legal_basis,
            "cited_at": indicator.cited_at,
            "unit": indicator.unit,
            "decimals": indicator.decimals,
            "polarity": indicator.polarity,
            "perspective": indicator.perspective,
            "objective": indicator.objective,
        }
        for indicator in load_indicators()
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(texts, pl.String) | {"decimals": pl.Int32})


def _period_frame(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """One row a period that has a value: its kind, year, first and last day."""
    found = connection.execute("SELECT DISTINCT period FROM facts.kpi_values").fetchall()
    periods = [parse_period(text) for (text,) in found]
    return pl.DataFrame(
        {
            "period": [period.id for period in periods],
            "period_kind": [period.kind for period in periods],
            "year": [period.year for period in periods],
            "period_start": [period.start for period in periods],
            "period_end": [period.end.date() for period in periods],
        },
        schema={
            "period": pl.String,
            "period_kind": pl.String,
            "year": pl.Int32,
            "period_start": pl.Date,
            "period_end": pl.Date,
        },
    )


def version_frame() -> pl.DataFrame:
    """One row an indicator and version of its definition."""
    texts = ["indicator", "definition_version", "changed_id", "changed_en", "legal_basis", "cited_at", "formula"]
    rows = [
        {
            "indicator": indicator.id,
            "definition_version": version.version,
            "valid_from": version.valid_from,
            "changed_id": version.changed.id,
            "changed_en": version.changed.en,
            "legal_basis": version.legal_basis,
            "cited_at": version.cited_at,
            "inferred": version.inferred,
            "formula": version.formula.text,
        }
        for indicator in load_indicators()
        for version in indicator.versions
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(texts, pl.String) | {"valid_from": pl.Date, "inferred": pl.Boolean})


def discrepancy_frame() -> pl.DataFrame:
    """One row a documented discrepancy of a report; ``is_for_readers``: it explains no line, so that only a reader can find it."""
    known = documented()
    texts = [
        "discrepancy",
        "discrepancy_type",
        "discrepancy_severity",
        "location",
        "stated",
        "computed",
        "likely_cause",
        "handling",
    ]
    rows = [
        (d.id, d.type, d.severity, d.location, d.stated, d.computed, d.likely_cause, d.handling, known.report_year, not d.explains)
        for d in known.discrepancies
    ]  # fmt: skip
    schema = dict.fromkeys(texts, pl.String) | {"report_year": pl.Int32, "is_for_readers": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")


@contextmanager
def _new_database(connection: duckdb.DuckDBPyConnection, file: Path) -> Iterator[None]:
    """A new file as catalog ``publication`` for the block; at its end everything stands in the file itself."""
    connection.execute(f"ATTACH {_literal(str(file))} AS {CATALOG} (STORAGE_VERSION '{STORAGE_VERSION}')")
    try:
        yield
        # DETACH would write the file out too, but keeps silent where it cannot.
        connection.execute(f"CHECKPOINT {CATALOG}")
    finally:
        connection.execute(f"DETACH {CATALOG}")


def _create(connection: duckdb.DuckDBPyConnection, published: Published, table: Table) -> None:
    columns = published.columns_of(table)
    _require_declared(connection, table, columns, table.query)
    names, key = _names(table.columns), _names(table.primary_key)
    connection.execute(f"CREATE TABLE {_stored(table)} AS SELECT {names} FROM (\n{table.query}\n) ORDER BY {key}")
    _require_conditions(connection, table, columns)
    _comment(connection, f"TABLE {_stored(table)}", f"{table.description} Grain: {table.grain}.")
    _comment_columns(connection, table, columns)


def _create_view(connection: duckdb.DuckDBPyConnection, published: Published, view: Table) -> None:
    """The view reads the tables of the file that it stands in, by their names there."""
    columns = published.columns_of(view)
    connection.execute(f"CREATE VIEW {_stored(view)} AS\n{view.query}")
    _require_declared(connection, view, columns, f"FROM {_stored(view)}")
    _require_conditions(connection, view, columns)
    _comment(connection, f"VIEW {_stored(view)}", f"{view.title} {view.description} Grain: {view.grain}.")
    _comment_columns(connection, view, columns)


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(map(identifier, columns))


def _comment_columns(connection: duckdb.DuckDBPyConnection, table: Table, columns: dict[str, Column]) -> None:
    for name, column in columns.items():
        _comment(connection, f"COLUMN {_stored(table)}.{identifier(name)}", f"{column.description} [{column.unit}]")


def _comment(connection: duckdb.DuckDBPyConnection, item: str, text: str) -> None:
    connection.execute(f"COMMENT ON {item} IS {_literal(text)}")


def _require_declared(
    connection: duckdb.DuckDBPyConnection, table: Table, columns: dict[str, Column], query: str
) -> None:
    """The query gives the declared columns, all of them and no other, each in its type."""
    found = {name: sql_type for name, sql_type, *_ in connection.execute(f"DESCRIBE {query}").fetchall()}
    if found.keys() != columns.keys():
        raise _not_as_declared(
            table, f"the query and the declaration differ in {', '.join(sorted(found.keys() ^ columns.keys()))}"
        )
    for name, column in columns.items():
        if not column.is_stored_as(found[name]):
            raise _not_as_declared(table, f"column {name} is {found[name]}, which is no {column.type}")


def _require_unique(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    key = _names(table.primary_key)
    repeated = _number(
        connection, f"SELECT count(*) FROM (SELECT {key} FROM {_stored(table)} GROUP BY {key} HAVING count(*) > 1)"
    )
    if repeated:
        raise _not_as_declared(table, f"{repeated} keys ({key}) stand there more than once")


def _require_conditions(connection: duckdb.DuckDBPyConnection, table: Table, columns: dict[str, Column]) -> None:
    _require_unique(connection, table)
    conditions = [condition for name, column in columns.items() for condition in _conditions(name, column)]
    counts = ", ".join(f"count(*) FILTER (WHERE {condition.broken})" for condition in conditions)
    row = connection.execute(f"SELECT {counts} FROM {_stored(table)}").fetchone() or ()
    for condition, broken in zip(conditions, row, strict=True):
        if broken:
            raise _not_as_declared(table, f"{condition.what} in {broken} rows")


def _conditions(name: str, column: Column) -> Iterator[_Condition]:
    quoted = identifier(name)
    if column.required:
        yield _Condition(f"column {name} is empty", f"{quoted} IS NULL")
    if column.enum:
        values = ", ".join(map(_literal, column.enum))
        yield _Condition(f"column {name} is none of {', '.join(column.enum)}", f"{quoted} NOT IN ({values})")
    if column.type == "object":
        yield _Condition(f"column {name} is no JSON", f"NOT json_valid({quoted})")


def _not_as_declared(table: Table, finding: str) -> GateFailed:
    return GateFailed(
        f"published table {table.name}: {finding}; nothing was published. "
        "Put its declaration, its query or the facts right, then `kpi run`"
    )


def _copy(connection: duckdb.DuckDBPyConnection, table: Table, file: Path) -> None:
    """In the order of the table, which is that of its key (``preserve_insertion_order``): same content, same bytes."""
    connection.execute(f"COPY {_stored(table)} TO {_literal(str(file))} (FORMAT parquet, COMPRESSION zstd)")


def _require_whole(folder: Path, published: Published, rows: dict[str, int]) -> None:
    """The files hold every row and need no other file beside them, as a reader finds them."""
    leftover = folder / f"{DATABASE}.wal"
    if leftover.exists():
        raise GateFailed(
            f"{DATABASE} is not complete without {leftover.name}; nothing was published, run `kpi run` again"
        )
    with duckdb.connect(str(folder / DATABASE), read_only=True, config={"threads": 1}) as reader:
        for view in published.views:
            _number(reader, f"SELECT count(*) FROM {identifier(view.name)}")
        for table in published.tables:
            stored = _number(reader, f"SELECT count(*) FROM {identifier(table.name)}")
            copied = _number(reader, "SELECT count(*) FROM read_parquet($1)", str(folder / parquet_path(table)))
            if not rows[table.name] == stored == copied:
                raise GateFailed(
                    f"published table {table.name}: {rows[table.name]} rows, but {stored} in {DATABASE} and {copied} in "
                    f"{parquet_path(table)}; nothing was published, run `kpi run` again"
                )


def _number(connection: duckdb.DuckDBPyConnection, query: str, *parameters: str) -> int:
    row = connection.execute(query, list(parameters)).fetchone()
    return int(row[0]) if row else 0


def _stored(table: Table) -> str:
    return f"{CATALOG}.main.{identifier(table.name)}"


def _literal(text: str) -> str:
    """``text`` as an SQL string: paths, comments and declared values stand where no parameter may."""
    return "'" + text.replace("'", "''") + "'"
