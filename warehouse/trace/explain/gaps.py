"""What is behind a number that is missing: which part of it and which source, since when, and who delivers it."""

from typing import Any

import duckdb

from expectations.contract import load_contract
from transforms.definitions import Indicator
from transforms.periods import Period, parts
from transforms.sql import load_sql
from warehouse.facts.agreed import PRINT
from warehouse.facts.derive import View, look_from, look_now
from warehouse.facts.versions import KPI_VALUES
from warehouse.store.failures import WrongUsage
from warehouse.store.queries import records
from warehouse.trace.explain.lineage import Fact, Question, find_fact, is_held_back


def gap_of(
    connection: duckdb.DuckDBPyConnection, indicator: Indicator, fact: Fact, question: Question, view: View
) -> dict[str, Any] | None:
    """None where there is a value, or where a printed number holds it back: nothing is missing then. ``sources``: of each its last delivery (None: never) and its quarantined rows that concern the period;
    ``parts``: those of the year without a value, with their statuses; ``owner`` is the unit that answers for the delivery."""
    if fact.value is not None or is_held_back(fact.row):
        return None
    period = question.period
    year_parts = parts(period.year, indicator.parts) if indicator.parts and period.kind == "year" else []
    is_printed = "printed_twice" in fact.row["flags"]
    sources = [PRINT] if is_printed else list(indicator.sources)
    return {
        "status": fact.row["status"],
        "flags": fact.row["flags"],
        "since": fact.missing_since.isoformat(),
        "owner": indicator.owner,
        "parts": _missing_parts(connection, indicator, year_parts, question),
        "sources": [
            _source(row)
            for row in _deliveries(connection, sources, [period, *year_parts], indicator.held_key_prefix, view)
        ],
    }


def _deliveries(
    connection: duckdb.DuckDBPyConnection, sources: list[str], periods: list[Period], key_prefix: str, view: View
) -> list[dict[str, Any]]:
    named = {
        "sources": sources,
        "known_batch": view.known_batch,
        "periods": [period.id for period in periods],
        "key_prefix": key_prefix,
    }
    look_from(connection, view)
    try:
        return records(connection, load_sql("warehouse.trace", "explained_gaps.sql"), named)
    finally:
        look_now(connection)


def _source(row: dict[str, Any]) -> dict[str, Any]:
    title = load_contract(row["source"]).title
    delivered = row["last_delivered"]
    return row | {
        "title": {"id": title.id, "en": title.en},
        "last_delivered": delivered.isoformat() if delivered else None,
    }


def _missing_parts(
    connection: duckdb.DuckDBPyConnection, indicator: Indicator, year_parts: list[Period], question: Question
) -> list[dict[str, str]]:
    """Of the parts that have begun, those without a value."""
    missing = []
    for part in year_parts:
        key = {"indicator": indicator.id, "period": part.id}
        try:
            found = find_fact(connection, KPI_VALUES.name, key, Question(part, question.clock), indicator.id)
        except WrongUsage:
            continue
        if found.value is None:
            missing.append({"period": part.id, "status": found.row["status"]})
    return missing
