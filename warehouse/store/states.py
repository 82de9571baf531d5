"""The tables of states: made from the contracts, and given the columns that a contract has got since.

A column that a contract has no more stays in its table, with what was delivered in it: the states of every known_from are kept.
"""

import re
from collections.abc import Iterable

import duckdb

from expectations.contract import load_contract
from expectations.identity import state_columns, states_table
from transforms.sql import identifier
from warehouse.store.failures import EnvironmentProblem

_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")


def prepare_states(connection: duckdb.DuckDBPyConnection, sources: Iterable[str]) -> None:
    """``states.<source>`` of each, with its comments, as the contract wants it. Grain: one state of one key.

    A new column is empty in the states that are there, and a decimal may become wider. Raises EnvironmentProblem, naming contract and column, where
    one has another type: what was delivered cannot be kept in it.
    """
    known: dict[str, dict[str, str]] = {}
    for table, name, sql_type in connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE schema_name = 'states'"
    ).fetchall():
        known.setdefault(table, {})[name] = sql_type
    for source in sources:
        if source in known:
            _bring_up(connection, source, known[source])
        else:
            _create(connection, source)


def _create(connection: duckdb.DuckDBPyConnection, source: str) -> None:
    contract = load_contract(source)
    table, columns = states_table(contract), state_columns(contract)
    connection.execute("CREATE SCHEMA IF NOT EXISTS states")
    connection.execute(f"CREATE TABLE {table} ({', '.join(f'{identifier(n)} {t}' for n, t, _ in columns)})")
    connection.execute(f"COMMENT ON TABLE {table} IS '{_quoted(contract.description.en)}'")
    for name, _, comment in columns:
        _comment(connection, table, name, comment)


def _bring_up(connection: duckdb.DuckDBPyConnection, source: str, known: dict[str, str]) -> None:
    contract = load_contract(source)
    table = states_table(contract)
    for name, sql_type, comment in state_columns(contract):
        if (found := known.get(name)) == sql_type:
            continue
        if found is None:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {identifier(name)} {sql_type}")
        elif _is_wider(found, sql_type):
            connection.execute(f"ALTER TABLE {table} ALTER COLUMN {identifier(name)} TYPE {sql_type}")
        else:
            raise EnvironmentProblem(
                f"contract {source}: column {name} is {sql_type}, and the states of this warehouse keep it as {found}. Nothing was changed. "
                "Let the contract keep the old column under its type, and name the new one otherwise"
            )
        _comment(connection, table, name, comment)


def _is_wider(old: str, new: str) -> bool:
    """Whether the new decimal has room for every value of the old one, at the same places."""
    before, after = _DECIMAL.fullmatch(old), _DECIMAL.fullmatch(new)
    return bool(before and after and before[2] == after[2] and int(before[1]) < int(after[1]))


def _comment(connection: duckdb.DuckDBPyConnection, table: str, column: str, comment: str) -> None:
    connection.execute(f"COMMENT ON COLUMN {table}.{identifier(column)} IS '{_quoted(comment)}'")


def _quoted(text: str) -> str:
    return text.replace("'", "''")
