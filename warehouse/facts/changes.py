"""What a run changed of what is published, number by number: read from the versions that it opened and closed."""

from dataclasses import dataclass

import duckdb

from transforms.reference import office
from transforms.sql import load_sql
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
    """Indicators, services by measure and group, scores; by item and period. A first value has no ``old`` and no reason."""
    rows = connection.execute(
        load_sql("warehouse.facts", "changes_of_run.sql"), {"run": run, "office": office().office_code}
    ).fetchall()
    return [
        NumberChange(item, period, year, plain_number(old), plain_number(new), reason, is_told)
        for item, period, year, old, new, reason, is_told in rows
    ]


def told(changes: list[NumberChange]) -> list[Change]:
    """What the report of a run says: indicators, completion by year and period, NPSS."""
    return [Change(c.item, c.period, c.old, c.new, c.reason) for c in changes if c.is_told]
