"""What a run changed of what is published, number by number: read from the versions that it opened and closed."""

from dataclasses import dataclass
from functools import cache

import duckdb

from transforms.facts import GIVEN, FactTable, result_tables
from transforms.reference import office
from transforms.services.measures import a_row_each, load_measures
from transforms.sql import filled, identifier, load_sql
from warehouse.facts.versions import Change, plain_number


@dataclass(frozen=True)
class NumberChange:
    """One published number that a run changed. ``year``: of the period. ``is_told``: stands in the report of a run."""

    item: str
    period: str
    year: int
    old: str | None
    new: str | None
    reason: str | None
    is_told: bool


def changes_of(connection: duckdb.DuckDBPyConnection, run: str) -> list[NumberChange]:
    """Indicators, services by measure and group, scores, results by column and key; by item and period.

    A first value has no ``old`` and no reason.
    """
    rows = connection.execute(_query(), {"run": run, "office": office().office_code}).fetchall()
    return [
        NumberChange(item, period, year, plain_number(old), plain_number(new), reason, is_told)
        for item, period, year, old, new, reason, is_told in rows
    ]


@cache
def _query() -> str:
    measures = a_row_each(load_measures(), "number := CAST({column} AS VARCHAR)", "is_told := {is_told}")
    results = "\n".join(map(_numbers_of, result_tables()))
    return filled(load_sql("warehouse.facts", "changes_of_run.sql"), measures=measures, results=results)


def _numbers_of(table: FactTable) -> str:
    """SQL of what a table of results says, a line a column and key: ``survey_units.ikm_value|layanan|1|INKA``."""
    measures = ", ".join(
        f"struct_pack(measure := '{name}', number := CAST({identifier(name)} AS VARCHAR))" for name in table.measures
    )
    key = [f"CAST({identifier(name)} AS VARCHAR)" for name in table.key if name not in GIVEN]
    item = f"concat_ws('|', '{table.table}.' || measure, {', '.join(key)})" if key else f"'{table.table}.' || measure"
    versions = "known_from, known_to, reason, run, closed_by"
    return (
        f"UNION ALL SELECT {item}, CAST(year AS VARCHAR), year, number, false, false, {versions} FROM ("
        f"SELECT {', '.join(map(identifier, table.key))}, {versions}, unnest([{measures}], recursive := true) "
        f"FROM {table.name} WHERE office = $office)"
    )


def told(changes: list[NumberChange]) -> list[Change]:
    """What the report of a run says: indicators, completion by year and period, NPSS."""
    return [Change(c.item, c.period, c.old, c.new, c.reason) for c in changes if c.is_told]
