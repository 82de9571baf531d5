"""An installation with facts to publish, for tests of the publication, and a reader of what was published."""

from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from transforms.facts import FactTable, result_tables
from warehouse.publication.switch import publish
from warehouse.store.connection import open_warehouse
from warehouse.store.home import Home

TABLES = {
    "kpi_values",
    "kpi_values_history",
    "peer_values",
    "peer_values_history",
    "service_summary",
    "service_summary_history",
    "kpi_scores",
    "kpi_scores_history",
    *(table.table for table in result_tables()),
    *(f"{table.table}_history" for table in result_tables()),
    "reconciliation",
    "contested",
    "discrepancies",
    "batches",
    "validation_results",
    "indicators",
    "indicator_versions",
    "agencies",
    "perspectives",
    "objectives",
    "indicator_names",
    "budget_programs",
    "offices",
    "nspk_grades",
    "survey_names",
}
VIEWS = {"current_year", "trend"}
FILES = ["datapackage.json", "kpi.duckdb", *sorted(f"parquet/{table}.parquet" for table in TABLES), "site/index.html"]

VALUE = """INSERT INTO facts.kpi_values BY NAME SELECT 'IKU-06' AS indicator, $period AS period, $office AS office, '2024' AS definition_version,
  TIMESTAMP '2024-03-31 23:59:59.999999' AS cut_off, CAST($value AS DECIMAL(28,6)) AS value, 2 AS decimals, 'percent' AS unit,
  'derived' AS status, 5 AS numerator, 49 AS denominator, '{"no_row_in_quarter": 2}' AS excluded, false AS is_provisional,
  ['incomplete'] AS flags, 'f00d' AS evidence_hash, CAST($known_from AS TIMESTAMP) AS known_from,
  CAST($known_to AS TIMESTAMP) AS known_to, $reason AS reason, $run AS run"""
SUMMARY = """INSERT INTO facts.service_summary BY NAME SELECT 'promotion' AS service, 2024 AS year, 'region' AS breakdown,
  $group_name AS group_name, '07' AS office, '2024' AS definition_version, TIMESTAMP '2024-12-31 23:59:59.999999' AS cut_off,
  10 AS received_count, 7 AS ms_count, 1 AS bts_count, 1 AS tms_count, 1 AS in_process_count, 90.00 AS completion_percent,
  70.00 AS approval_percent, 2 AS ever_returned_count, 9 AS decided_count, 88.89 AS two_day_percent, 1.50 AS median_days,
  3.20 AS p90_days, '{}' AS excluded, 81.82 AS completion_band_low, 90.91 AS completion_band_high, false AS is_provisional,
  'beef' AS evidence_hash, TIMESTAMP '2025-01-01 01:00:00' AS known_from, CAST($known_to AS TIMESTAMP) AS known_to, 'run-000001' AS run"""

SCORE = """INSERT INTO facts.kpi_scores BY NAME SELECT 'nss' AS measure, 'SS1' AS item, 2024 AS year, '07' AS office,
  '2024' AS definition_version, TIMESTAMP '2024-12-31 23:59:59.999999' AS cut_off, 100 AS value, 2 AS decimals, 'points' AS unit,
  'derived' AS status, '{"IKU-01": "not_yet_measured"}' AS missing, false AS is_provisional,
  TIMESTAMP '2025-01-01 01:00:00' AS known_from, 'run-000001' AS run"""
# A value of each type, for the one row of every table of results.
OF_TYPE = {
    "string": "x", "integer": 2024, "number": "91.2", "boolean": False, "date": "2024-12-31", "datetime": "2025-01-01 01:00:00",
}  # fmt: skip
RECONCILED = """INSERT INTO facts.reconciliation BY NAME SELECT '07|SS1|2024|NSS' AS item, 2024 AS year, 2024 AS report_year,
  '100.00' AS published, '100.00' AS derived, 'equal' AS verdict, false AS is_delivered"""


@pytest.fixture
def home(tmp_path):
    """An installation whose path needs quoting in SQL."""
    made = Home((tmp_path / "the office's data").resolve())
    made.make()
    return made


@pytest.fixture
def warehouse(home):
    with open_warehouse(home.root, "test") as opened:
        fill(opened.connection)
        yield opened


def fill(connection):
    """Two runs; a value with two versions and one with one; another office's; two groups of a service; a delivery with two rules."""
    for run_id in range(1, 10):
        clock = datetime(2025, 1, run_id, 23, 59, 59, 999999)
        connection.execute(
            "INSERT INTO ledger.runs VALUES ($1, $2, $3, NULL, $3, $3, 'done', NULL)",
            [run_id, f"run-{run_id:06d}", clock],
        )
    add_value(connection, "2024-Q2", "22.33")
    add_value(connection, "2024-Q1", "14.70", known_to="2025-01-02 01:00:00")
    add_value(connection, "2024-Q1", "14.71", known_from="2025-01-02 01:00:00", reason="late_data", run="run-000002")
    add_value(connection, "2024", "98", office="03")
    for group, known_to in (("vertical", None), ("Jambi", "2025-01-02 01:00:00"), ("Bengkulu", None)):
        connection.execute(SUMMARY, {"group_name": group, "known_to": known_to})
    connection.execute(
        "INSERT INTO ledger.batches VALUES (1, 2, 'promotion', 'promotion/2024.csv', 'abc', false, 'csv', false, false, 10, 8, 1, 1, 'def', NULL)"
    )
    connection.execute(
        "INSERT INTO ledger.validation_results VALUES (1, 'promotion', 'PRM-07', 'quarantine', 10, 1, 'native', 1)"
    )
    connection.execute(
        "INSERT INTO ledger.validation_results VALUES (1, 'promotion', 'PRM-02', 'warn', 10, 0, 'native', 0)"
    )
    connection.execute(SCORE)
    for table in result_tables():
        add_result(connection, table)
    connection.execute(RECONCILED)
    connection.execute("INSERT INTO facts.contested VALUES ('07|SS1|2024|NSS', 'nss', 'SS1', '2024', 'SS1.nss')")


def add_result(connection, table: FactTable):
    """One row, of the words that the table allows."""
    row = {name: next(iter(table.columns[name].enum), OF_TYPE[table.columns[name].type]) for name in table.kept}
    row |= {"office": "07", "known_from": "2025-01-01 01:00:00", "run": "run-000001"}
    marks = ", ".join(f"${name}" for name in row)
    connection.execute(f"INSERT INTO {table.name} ({', '.join(row)}) VALUES ({marks})", row)


def add_value(
    connection,
    period,
    value,
    known_from="2025-01-01 01:00:00",
    known_to=None,
    reason=None,
    run="run-000001",
    office="07",
):
    connection.execute(
        VALUE,
        {
            "period": period,
            "office": office,
            "value": value,
            "known_from": known_from,
            "known_to": known_to,
            "reason": reason,
            "run": run,
        },
    )


def publish_runs(warehouse, first, last):
    return [publish(warehouse, run_id, f"run-{run_id:06d}") for run_id in range(first, last + 1)]


def query(folder: Path, sql: str):
    with duckdb.connect(str(folder / "kpi.duckdb"), read_only=True) as reader:
        return reader.execute(sql).fetchall()


def names_in(folder: Path):
    return sorted(path.name for path in folder.iterdir())
