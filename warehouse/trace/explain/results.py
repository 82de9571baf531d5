"""The explanation of a row of a table of results: its query again and the records behind it, as the run that entered it saw them."""

from collections import Counter
from typing import Any

import duckdb

from transforms.definitions import NOT_STATED, load_indicators
from transforms.evidence import version_in_force
from transforms.facts import FactTable
from transforms.result_names import ResultName
from transforms.sql import identifier, names_parameter
from warehouse.facts.derive import View, look_now
from warehouse.facts.results import bound, derive_result, prepare_result
from warehouse.facts.versions import make_fresh_table
from warehouse.store.queries import records
from warehouse.trace.explain.lineage import Fact, Question, Row, deliveries_of_rows, described, find_fact, reproduced

OF_RECORDS = "record_key IN (SELECT record_key FROM explained_records WHERE source = $source)"


def explain_result(connection: duckdb.DuckDBPyConnection, name: ResultName, question: Question) -> dict[str, Any]:
    """Raises NothingKnown where there is no such row."""
    table, column = name.table, name.explained.value
    fact = find_fact(connection, table.name, name.key, question, name.text)
    view = fact.view(connection)
    try:
        again = _again(connection, table, name, view)
        found = _records_behind(connection, table, name, view)
    finally:
        look_now(connection)
    value = table.columns[column].shown(fact.row[column])
    measured = [measure for measure in table.measures if fact.row[measure] is not None]
    keys = {
        role: [row["record_key"] for row in found if row["role"] == role] for role in {row["role"] for row in found}
    }
    # A row that rests on what was not delivered has a record without a source.
    sources = sorted({row["source"] for row in found if row["source"]})
    return {
        "indicator": name.text,
        "period": name.period,
        "value": value,
        "status": "derived",
        "unit": table.columns[column].unit,
        "title": f"{table.published[0].title}: {name.explained.text}",
        "definition_version": fact.row["definition_version"],
        **_grounds(name),
        "formula": ", ".join(f"{measure} {table.columns[measure].shown(fact.row[measure])}" for measure in measured),
        "numerator": None,
        "denominator": None,
        "excluded": dict(Counter(row["reason"] for row in found if row["role"] == "excluded")),
        **described(
            connection,
            [
                delivery
                for source in sources
                for delivery in deliveries_of_rows(connection, source, OF_RECORDS, {"source": source}, view)
            ],
        ),
        "history": _history(connection, fact, table, column),
        "records": {"numerator": [], "denominator": []}
        | {role: found_keys for role, found_keys in sorted(keys.items()) if role != "excluded"}
        | {"excluded": [{"key": r["record_key"], "reason": r["reason"]} for r in found if r["role"] == "excluded"]},
        "evidence": [
            {
                "period": name.period,
                "key": row["record_key"],
                "role": row["role"],
                "group": row["reason"] or "",
                "amount": row["amount"],
            }
            for row in found
        ],
        "reproduced": reproduced(_said(table, fact.row), None if again is None else _said(table, again)),
    }


def _again(connection: duckdb.DuckDBPyConnection, table: FactTable, name: ResultName, view: View) -> Row | None:
    """The row as today's code makes it of the records that the view sees."""
    make_fresh_table(connection, table)
    derive_result(connection, table, name.year, view)
    where = " AND ".join(f"{identifier(column)} = ${column}" for column in name.key)
    found = records(connection, f"SELECT * FROM {table.fresh} WHERE {where}", name.key)
    return next(iter(found), None)


def _records_behind(connection: duckdb.DuckDBPyConnection, table: FactTable, name: ResultName, view: View) -> list[Row]:
    """(Re)creates the temporary table ``explained_records``. Grain: one record in its role."""
    query = table.records_sql
    derivation = prepare_result(connection, table, name.year, view)
    of_key = {column: value for column, value in name.key.items() if names_parameter(query, column)}
    named = bound(query, derivation, name.year, view) | of_key
    connection.execute(f"CREATE OR REPLACE TEMP TABLE explained_records AS {query}", named)
    rows = "SELECT source, record_key, role, reason, amount FROM explained_records ORDER BY role, record_key"
    return records(connection, rows, {})


def _grounds(name: ResultName) -> Row:
    """What the row rests on: the grounds of the indicator whose evidence it reads, where it reads any."""
    evidence = name.table.derivation.evidence if name.table.derivation else ()
    named = [e.indicator for e in evidence if {e.label, e.indicator} & set(name.key.values())] or [
        e.indicator for e in evidence
    ]
    indicator = next((indicator for indicator in load_indicators() if indicator.id in named), None)
    version = version_in_force(indicator, name.year) if indicator else None
    return version.grounds if version else {"legal_basis": NOT_STATED, "cited_at": None, "inferred": False}


def _said(table: FactTable, row: Row) -> str:
    """Everything that the row says, as one text."""
    return ", ".join(f"{measure} {table.columns[measure].shown(row[measure])}" for measure in table.measures)


def _history(connection: duckdb.DuckDBPyConnection, fact: Fact, table: FactTable, column: str) -> list[Row]:
    versions = [row | {"value": table.columns[column].shown(row[column]), "status": "derived"} for row in fact.versions]
    return Fact(fact.row, versions).history(connection)
