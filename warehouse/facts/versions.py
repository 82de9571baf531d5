"""The bitemporal facts: append-only, a value that is computed again and is the same adds nothing.

One mechanism for every table of facts: fresh rows are compared with the standing ones by their key; one that differs
closes the old version (``known_to``) and opens a new one (``known_from``), with the reason.
"""

from dataclasses import dataclass
from datetime import datetime

import duckdb

from transforms.sql import identifier


@dataclass(frozen=True)
class Change:
    """A fact whose value is new or differs from what was known."""

    indicator: str
    period: str
    old: str | None
    new: str | None
    reason: str | None


@dataclass(frozen=True)
class FactTable:
    """``key`` finds the standing version; ``compared`` are the columns that make a version differ (the cut-off of a running
    period moves with the clock and is none)."""

    name: str
    key: tuple[str, ...]
    compared: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.key, *self.compared, "cut_off")


KPI_VALUES = FactTable(
    "facts.kpi_values",
    ("indicator", "period", "office"),
    (
        "definition_version",
        "value",
        "decimals",
        "unit",
        "target",
        "status",
        "numerator",
        "denominator",
        "excluded",
        "band_low",
        "band_high",
        "is_provisional",
        "flags",
        "evidence_hash",
    ),
)
SERVICE_SUMMARY = FactTable(
    "facts.service_summary",
    ("service", "year", "breakdown", "group_name", "office"),
    (
        "definition_version",
        "received_count",
        "ms_count",
        "bts_count",
        "tms_count",
        "in_process_count",
        "completion_percent",
        "approval_percent",
        "ever_returned_count",
        "decided_count",
        "two_day_percent",
        "median_days",
        "p90_days",
        "excluded",
        "completion_band_low",
        "completion_band_high",
        "is_provisional",
        "evidence_hash",
    ),
)
KPI_SCORES = FactTable(
    "facts.kpi_scores",
    ("measure", "item", "year", "office"),
    ("definition_version", "value", "decimals", "unit", "status", "missing", "category", "is_provisional"),
)


@dataclass(frozen=True)
class Derived:
    """Where what is derived of a table of facts stands: the temporary rows of a run, and those that a backfill keeps aside.

    ``item`` is the column that names the service or indicator; ``year`` is SQL of a row's year, ``{row}`` its alias.
    """

    table: FactTable
    fresh: str
    staged: str
    item: str
    year: str


DERIVED = (
    Derived(KPI_VALUES, "fresh_values", "facts.staged_values", "indicator", "CAST(left({row}.period, 4) AS INTEGER)"),
    Derived(SERVICE_SUMMARY, "fresh_summary", "facts.staged_summary", "service", "{row}.year"),
)


def make_fresh_table(connection: duckdb.DuckDBPyConnection, table: FactTable, fresh: str) -> None:
    """An empty temporary table for what a run derives, with the columns of the facts."""
    columns = ", ".join(map(identifier, table.columns))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {fresh} AS SELECT {columns} FROM {table.name} LIMIT 0")


def enter_fresh(
    connection: duckdb.DuckDBPyConnection,
    table: FactTable,
    fresh: str,
    scope: str,
    reason: str,
    clock: datetime,
    run: str,
) -> None:
    """Closes and opens versions from the temporary table ``fresh``.

    ``scope`` is an SQL condition on the key columns: standing facts in it that are not among the fresh ones are closed.
    ``reason`` is an SQL expression over ``source_of_change``-free fresh columns and ``old_version`` (the old definition version).
    """
    keys = ", ".join(map(identifier, table.key))
    differs = " OR ".join(f"fresh.{identifier(c)} IS DISTINCT FROM standing.{identifier(c)}" for c in table.compared)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE changed_facts AS SELECT fresh.*, standing.known_from IS NOT NULL AS has_old, "
        f"standing.definition_version AS old_version FROM {fresh} AS fresh "
        f"LEFT JOIN (SELECT * FROM {table.name} WHERE known_to IS NULL) AS standing USING ({keys}) "
        f"WHERE standing.known_from IS NULL OR {differs}"
    )
    # A group that no record belongs to any more is closed without a successor.
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE vanished_facts AS SELECT * FROM {table.name} AS fact "
        f"WHERE known_to IS NULL AND ({scope}) AND ({keys}) NOT IN (SELECT ({keys}) FROM {fresh})"
    )
    connection.execute(
        f"UPDATE {table.name} AS fact SET known_to = $1, closed_by = $2 WHERE known_to IS NULL AND "
        f"({keys}) IN (SELECT ({keys}) FROM changed_facts UNION ALL SELECT ({keys}) FROM vanished_facts)",
        [clock, run],
    )
    columns = ", ".join(map(identifier, table.columns))
    connection.execute(
        f"INSERT INTO {table.name} ({columns}, known_from, known_to, reason, run) "
        f"SELECT {columns}, $1, NULL, CASE WHEN has_old THEN {reason} END, $2 FROM changed_facts ORDER BY {keys}",
        [clock, run],
    )


def plain_number(number: str | None) -> str | None:
    """A stored decimal as text with two places at least, without the storage's trailing zeros."""
    if number is None or "." not in number:
        return number
    whole, places = number.split(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"
