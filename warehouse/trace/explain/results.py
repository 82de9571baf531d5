"""The explanation of a number of a table of results: what it says, the deliveries of its sources, and its query run again as then."""

from collections.abc import Callable
from datetime import date
from typing import Any

import duckdb

from expectations.contract import load_contract
from transforms.facts import GIVEN, FactTable
from transforms.sql import identifier
from warehouse.facts.derive import View, look_now
from warehouse.facts.results import derive_result
from warehouse.facts.versions import make_fresh_table
from warehouse.store.failures import WrongUsage
from warehouse.store.queries import first_row
from warehouse.trace.explain.lineage import Fact, Question, deliveries_of_rows, described, find_fact, reproduced

_READ: dict[str, Callable[[str], Any]] = {"integer": int, "date": date.fromisoformat}


def explain_result(
    connection: duckdb.DuckDBPyConnection, table: FactTable, measure: str, group: str, question: Question
) -> dict[str, Any]:
    """``group``: the key beside office and year, ``layanan|1|INKA``. Raises WrongUsage where it is none, NothingKnown where nothing stands there.

    Its query counts rows together: what it read is told delivery by delivery, and no record by its key.
    """
    key, column, year = result_key(table, group, question), table.columns[measure], question.period.year
    name = f"{table.table}.{measure}" + (f"|{group}" if group else "")
    fact = find_fact(connection, table.name, key, question, name)
    view, derivation = fact.view(connection), table.derivation
    sources = (*derivation.sources, *derivation.shared) if derivation else ()
    rows = [
        row
        for source in sources
        for row in deliveries_of_rows(connection, source, f"{load_contract(source).year} = $year", {"year": year}, view)
    ]
    value = column.text(fact.row[measure])
    versions = [row | {"value": column.text(row[measure]), "status": "derived"} for row in fact.versions]
    return {
        "indicator": name,
        "period": question.period.id,
        "value": value,
        "status": "derived",
        "unit": column.unit,
        "title": f"{table.published[0].title}: {column.description}",
        "definition_version": fact.row["definition_version"],
        "legal_basis": derivation.legal_basis if derivation else None,
        "cited_at": None,
        "inferred": False,
        "formula": f"{column.description}: {value} ({', '.join(f'{n} {fact.row[n]}' for n in table.measures if n != measure)})",
        "numerator": None,
        "denominator": None,
        "excluded": {},
        **described(connection, rows),
        "history": Fact(fact.row, versions).history(connection),
        "records": {"numerator": [], "denominator": [], "excluded": []},
        "evidence": [],
        "reproduced": reproduced(value, column.text(_again(connection, table, measure, key, year, view))),
    }


def result_key(table: FactTable, group: str, question: Question) -> dict[str, Any]:
    """The key of the number, but for the office. Raises WrongUsage where the group does not name it, or the period is no year."""
    names = [name for name in table.key if name not in GIVEN]
    given = group.split("|") if group else []
    if question.period.kind != "year":
        raise WrongUsage(f"{table.table} has numbers of a year, not of {question.period.id}")
    try:
        values = [_READ.get(table.columns[n].type, str)(text) for n, text in zip(names, given, strict=True)]
    except ValueError:
        shown = "|".join([table.table, *(f"<{name}>" for name in names)])
        raise WrongUsage(f"{table.table} is named with {', '.join(names) or 'nothing more'}: '{shown}'") from None
    return dict(zip(names, values, strict=True)) | {"year": question.period.year}


def _again(
    connection: duckdb.DuckDBPyConnection, table: FactTable, measure: str, key: dict[str, Any], year: int, view: View
) -> Any:
    make_fresh_table(connection, table)
    derive_result(connection, table, year, view)
    look_now(connection)
    where = " AND ".join(f"{identifier(name)} = ${name}" for name in key)
    row = first_row(connection, f"SELECT {identifier(measure)} FROM {table.fresh} WHERE {where}", key)
    return row[0] if row else None
