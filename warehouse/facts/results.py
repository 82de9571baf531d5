"""Derives the tables of results: the rows of one query of ``transforms/results``, a year at a time, as fresh rows beside the facts."""

from typing import Any

import duckdb

from transforms.definitions import Indicator, load_indicators
from transforms.evidence import version_in_force
from transforms.facts import GIVEN, Derivation, Evidence, FactTable
from transforms.periods import parts, year_period
from transforms.reference import office
from transforms.sql import identifier, names_parameter
from warehouse.facts.derive import View, collect_evidence, derive_proposals, look_from

# What a query of results reads of an indicator's evidence. Held records count in a quality band, which a table of results has none of.
EVIDENCE = """CREATE OR REPLACE TEMP TABLE evidence (label VARCHAR, indicator VARCHAR, period VARCHAR, record_key VARCHAR, role VARCHAR, reason VARCHAR,
  path VARCHAR[], amount DECIMAL(18,6))"""
ADDED = """INSERT INTO evidence SELECT $label, $indicator, period, record_key, role, reason, path, amount FROM indicator_evidence
  WHERE role <> 'held' AND list_contains($begun, period)"""


def derive_result(connection: duckdb.DuckDBPyConnection, table: FactTable, year: int, view: View) -> None:
    """Adds the rows of one table of results and year to the temporary table of what is derived."""
    derivation = prepare_result(connection, table, year, view)
    given = {
        "office": office().office_code,
        "year": year,
        "definition_version": derivation.definition_version,
        "cut_off": year_period(year).cut_off(view.clock),
        "is_provisional": year_period(year).is_running(view.clock),
    }
    stated = ", ".join(f"$given_{name} AS {identifier(name)}" for name in GIVEN)
    found = ", ".join(identifier(name) for name in table.kept if name not in GIVEN)
    connection.execute(
        f"INSERT INTO {table.fresh} BY NAME SELECT {stated}, {found} FROM (\n{table.sql}\n)",
        {f"given_{name}": value for name, value in given.items()} | bound(table.sql, derivation, year, view),
    )


def prepare_result(connection: duckdb.DuckDBPyConnection, table: FactTable, year: int, view: View) -> Derivation:
    """(Re)creates what its query, and that of its records, read beside the states: ``evidence``, ``proposals``. Gives its derivation."""
    derivation = table.derivation
    if derivation is None:
        raise ValueError(f"{table.table} has no query of its own")
    look_from(connection, view)
    if derivation.evidence:
        connection.execute(EVIDENCE)
        for evidence in derivation.evidence:
            _add_evidence(connection, evidence, year, view)
    if derivation.reads_proposals:
        derive_proposals(connection, year, view)
    return derivation


def bound(query: str, derivation: Derivation, year: int, view: View) -> dict[str, Any]:
    """The parameters that the query names."""
    known = derivation.parameters | {
        "year": year,
        "definition_version": derivation.definition_version,
        "cut_off": year_period(year).cut_off(view.clock),
        "clock": view.clock,
        "known_batch": view.known_batch,
        "office_code": office().office_code,
        "two_day_limit_days": office().two_day_limit_days,
    }
    return {name: value for name, value in known.items() if names_parameter(query, name)}


def _add_evidence(connection: duckdb.DuckDBPyConnection, evidence: Evidence, year: int, view: View) -> None:
    """Of a year before the first version there is none; of a part that has not begun neither (ruling 42)."""
    indicator = next(indicator for indicator in load_indicators() if indicator.id == evidence.indicator)
    version = version_in_force(indicator, year)
    if version is None:
        return
    version = version.model_copy(update={"parameters": version.parameters | evidence.parameters})
    collect_evidence(connection, indicator, version, year, year, view)
    connection.execute(
        ADDED, {"label": evidence.label, "indicator": indicator.id, "begun": _begun(indicator, year, view)}
    )


def _begun(indicator: Indicator, year: int, view: View) -> list[str]:
    periods = [year_period(year)] if indicator.parts is None else parts(year, indicator.parts)
    return [period.id for period in periods if period.has_begun(view.clock)]
