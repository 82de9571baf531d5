"""The bitemporal facts: append-only, a value that is computed again and is the same adds nothing.

One mechanism for every table of facts: fresh rows are compared with the standing ones by their key; one that differs
closes the old version (``known_to``) and opens a new one (``known_from``), with the reason.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from transforms.facts import FactTable, fact_table
from transforms.sql import identifier
from warehouse.store.fact_tables import added_columns


@dataclass(frozen=True)
class Change:
    """A fact whose value is new or differs from what was known."""

    indicator: str
    period: str
    old: str | None
    new: str | None
    reason: str | None


KPI_VALUES, SERVICE_SUMMARY, KPI_SCORES = map(fact_table, ("kpi_values", "service_summary", "kpi_scores"))


def make_fresh_table(connection: duckdb.DuckDBPyConnection, table: FactTable) -> None:
    """An empty temporary table for what a run derives, with the columns of the facts."""
    columns = ", ".join(map(identifier, table.kept))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {table.fresh} AS SELECT {columns} FROM {table.name} LIMIT 0")


def add_fresh(connection: duckdb.DuckDBPyConnection, table: FactTable, rows: Sequence[Mapping[str, Any]]) -> None:
    """Puts these rows into the temporary table of what a run derives; each gives all columns of it, by their names."""
    if not rows:
        return
    names = list(rows[0])
    marks = ", ".join(f"${number + 1}" for number in range(len(names)))
    connection.executemany(
        f"INSERT INTO {table.fresh} ({', '.join(map(identifier, names))}) VALUES ({marks})",
        [[row[name] for name in names] for row in rows],
    )


def enter_fresh(
    connection: duckdb.DuckDBPyConnection,
    table: FactTable,
    scope: str,
    reason: str,
    clock: datetime,
    run: str,
    *,
    additions_only: bool = False,
) -> None:
    """Closes and opens versions from the temporary table of what the run derived.

    ``scope`` is an SQL condition on the key columns: standing facts in it that are not among the fresh ones are closed.
    ``reason`` is an SQL expression over ``source_of_change``-free fresh columns and ``old_version`` (the old definition version).
    ``additions_only``: nothing is closed without a successor, and only what was never said is entered: a key that has no version, or the
    columns of a standing one that are younger than it.
    """
    keys = ", ".join(map(identifier, table.key))
    differs = " OR ".join(f"fresh.{identifier(c)} IS DISTINCT FROM standing.{identifier(c)}" for c in table.compared)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE changed_facts AS SELECT fresh.*, standing.known_from IS NOT NULL AS has_old, "
        f"standing.definition_version AS old_version FROM {table.fresh} AS fresh "
        f"LEFT JOIN (SELECT * FROM {table.name} WHERE known_to IS NULL) AS standing USING ({keys}) "
        f"WHERE (standing.known_from IS NULL OR {differs}) AND {_is_addition(connection, table) if additions_only else 'true'}"
    )
    # A group that no record belongs to any more is closed without a successor.
    vanishing = "false" if additions_only else scope
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE vanished_facts AS SELECT * FROM {table.name} AS fact "
        f"WHERE known_to IS NULL AND ({vanishing}) AND ({keys}) NOT IN (SELECT ({keys}) FROM {table.fresh})"
    )
    connection.execute(
        f"UPDATE {table.name} AS fact SET known_to = $1, closed_by = $2 WHERE known_to IS NULL AND "
        f"({keys}) IN (SELECT ({keys}) FROM changed_facts UNION ALL SELECT ({keys}) FROM vanished_facts)",
        [clock, run],
    )
    columns = ", ".join(map(identifier, table.kept))
    connection.execute(
        f"INSERT INTO {table.name} ({columns}, known_from, known_to, reason, run) "
        f"SELECT {columns}, $1, NULL, CASE WHEN has_old THEN {reason} END, $2 FROM changed_facts ORDER BY {keys}",
        [clock, run],
    )


def _is_addition(connection: duckdb.DuckDBPyConnection, table: FactTable) -> str:
    """SQL of whether a fresh row says only what no version of its key has said."""
    keys = ", ".join(f"fresh.{identifier(name)}" for name in table.key)
    stored = ", ".join(map(identifier, table.key))
    first_runs = added_columns(connection, table.name)
    of_standing = "(SELECT run_id FROM ledger.runs AS entered WHERE entered.run = standing.run)"
    kept = [
        f"(fresh.{identifier(c)} IS NOT DISTINCT FROM standing.{identifier(c)}"
        + (f" OR {of_standing} < {first_runs[c]:d})" if c in first_runs else ")")
        for c in table.compared
    ]
    never = f"({keys}) NOT IN (SELECT ({stored}) FROM {table.name})"
    return f"CASE WHEN standing.known_from IS NULL THEN {never} ELSE {' AND '.join(kept)} END"


def plain_number(number: str | None) -> str | None:
    """A stored decimal as text with two places at least, without the storage's trailing zeros; other text as it is."""
    if number is None or not re.fullmatch(r"-?\d+\.\d+", number):
        return number
    whole, places = number.split(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"
