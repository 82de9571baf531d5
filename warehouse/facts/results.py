"""Derives the tables of results: the rows of one query of ``transforms/results``, a year at a time, as fresh rows beside the facts."""

import duckdb

from transforms.facts import GIVEN, FactTable
from transforms.periods import year_period
from transforms.reference import office
from transforms.sql import identifier, names_parameter
from warehouse.facts.derive import View, look_from


def derive_result(connection: duckdb.DuckDBPyConnection, table: FactTable, year: int, view: View) -> None:
    """Adds the rows of one table of results and year to the temporary table of what is derived."""
    derivation, period = table.derivation, year_period(year)
    if derivation is None:
        raise ValueError(f"{table.table} has no query of its own")
    look_from(connection, view)
    cut_off = period.cut_off(view.clock)
    given = {
        "office": office().office_code,
        "year": year,
        "definition_version": derivation.definition_version,
        "cut_off": cut_off,
        "is_provisional": period.is_running(view.clock),
    }
    known = given | derivation.parameters | {
        "clock": view.clock, "known_batch": view.known_batch, "office_code": office().office_code,
    }  # fmt: skip
    stated = ", ".join(f"$given_{name} AS {identifier(name)}" for name in GIVEN)
    found = ", ".join(identifier(name) for name in table.kept if name not in GIVEN)
    connection.execute(
        f"INSERT INTO {table.fresh} BY NAME SELECT {stated}, {found} FROM (\n{table.sql}\n)",
        {f"given_{name}": value for name, value in given.items()}
        | {name: value for name, value in known.items() if names_parameter(table.sql, name)},
    )
