"""A warehouse in memory for tests of what is derived: the product's own tables, filled with states instead of deliveries."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from io import BytesIO
from types import SimpleNamespace

import duckdb
import polars as pl

from expectations.contract import load_contract, source_names
from expectations.identity import states_table
from expectations.typed_read import derived_value, record_key
from transforms.definitions import Indicator, load_indicators
from transforms.exact import decimal_text
from transforms.facts import fact_table
from transforms.periods import end_of_day, parse_period
from transforms.sql import identifier
from warehouse.facts.derive import FreshValue, View, derive_indicator
from warehouse.facts.results import derive_result
from warehouse.facts.versions import make_fresh_table
from warehouse.store.connection import configure, install_key, install_reference
from warehouse.store.migrations import migrate
from warehouse.store.states import prepare_states


def indicator_named(name: str) -> Indicator:
    return next(indicator for indicator in load_indicators() if indicator.id == name)


def empty_warehouse(connection: duckdb.DuckDBPyConnection) -> None:
    """The warehouse's own tables, in memory."""
    configure(connection)
    migrate(connection, "in memory")
    install_reference(connection)
    prepare_states(connection, source_names())
    install_key(connection, b"worked examples")


@contextmanager
def lent_warehouse() -> Iterator[SimpleNamespace]:
    """Its ``connection``, for the time of the block: hypothesis keeps what a test is given, and would keep the connection itself open."""
    with duckdb.connect() as connection:
        empty_warehouse(connection)
        lent = SimpleNamespace(connection=connection)
        yield lent
        del lent.connection


def give_states(connection: duckdb.DuckDBPyConnection, source: str, csv: str) -> None:
    """Puts the rows of an example into the states of ``source``, as one delivery; derived columns and the key are computed."""
    contract = load_contract(source)
    given = pl.read_csv(BytesIO(csv.encode()), infer_schema=False)
    columns = {
        column.column: "VARCHAR" if column.privacy == "pseudonym" else column.sql_type
        for column in contract.columns
        if column.is_kept
    }
    assert set(given.columns) == set(columns), f"{source}: an example gives every kept column"
    connection.register("given_frame", given.to_arrow())
    typed = ", ".join(
        f"CAST({identifier(name)} AS {sql_type}) AS {identifier(name)}" for name, sql_type in columns.items()
    )
    derived = "".join(f", {derived_value(column)} AS {identifier(column.column)}" for column in contract.derived)
    kept = ", ".join(identifier(column.column) for column in (*contract.kept, *contract.derived))
    batch = connection.execute("SELECT coalesce(max(batch_id), 0) + 1 FROM ledger.batches").fetchone()[0]
    connection.execute(
        f"INSERT INTO {states_table(contract)} BY NAME WITH typed AS (SELECT {typed} FROM given_frame), "
        f"completed AS (SELECT *{derived} FROM typed) "
        f"SELECT {kept}, {record_key(contract)} AS record_key, $1 AS batch_id, row_number() OVER () AS row_number FROM completed",
        [batch],
    )
    connection.unregister("given_frame")
    connection.execute("INSERT INTO ledger.batches BY NAME SELECT $1 AS batch_id, $2 AS source", [batch, source])


def hold_row(
    connection: duckdb.DuckDBPyConnection, source: str, key: str | None, year: int, part: str | None = None
) -> None:
    """A quarantined row, delivered alone."""
    batch = connection.execute("SELECT coalesce(max(batch_id), 0) + 1 FROM ledger.batches").fetchone()[0]
    connection.execute("INSERT INTO ledger.batches BY NAME SELECT $1 AS batch_id, $2 AS source", [batch, source])
    connection.execute(
        "INSERT INTO quarantine.held_rows BY NAME SELECT $1 AS batch_id, $2 AS source, 1 AS row_number, ['TRY-01'] AS reasons, "
        "$3 AS record_key, $4 AS year, $5 AS part",
        [batch, source, key, year, part],
    )


def derive(
    connection: duckdb.DuckDBPyConnection, indicator: Indicator, period: str, as_of: date | None = None
) -> FreshValue:
    year = parse_period(period).year
    clock = end_of_day(as_of or date(year + 2, 12, 31))
    derived = derive_indicator(connection, indicator, [year], View(clock))
    return next(value for value in derived if value.period.id == period and value.office_code is None)


def result_rows(
    connection: duckdb.DuckDBPyConnection, name: str, query: str, year: int = 2024, as_of: date | None = None
) -> list[tuple[object, ...]]:
    """What ``query`` finds in the rows, named ``{rows}``, that a table of results has of the year, ordered."""
    table = fact_table(name)
    make_fresh_table(connection, table)
    derive_result(connection, table, year, View(end_of_day(as_of or date(year + 2, 12, 31))))
    return connection.execute(f"{query.format(rows=table.fresh)} ORDER BY ALL").fetchall()


def shown(value: FreshValue) -> str | None:
    decimals = value.indicator.decimals if value.outcome.decimals is None else value.outcome.decimals
    return decimal_text(value.outcome.value(decimals), decimals)
