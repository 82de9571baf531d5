"""Renews the facts after deliveries: what must be derived again, the derivation, and the entry into the facts. One transaction."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any

import duckdb

from expectations.contract import load_contract
from expectations.identity import states_table
from transforms.definitions import load_indicators
from transforms.periods import year_period
from transforms.reference import office
from transforms.services import load_services
from warehouse.agreed import PRINT, SHARED_SOURCES
from warehouse.connection import Warehouse
from warehouse.derivation import View, derive_indicator, derive_service, summarise_service
from warehouse.facts import KPI_VALUES, SERVICE_SUMMARY, Change, enter_fresh, make_fresh_table, plain_number
from warehouse.ledger import UNPUBLISHED, Run, read_meta, write_meta
from warehouse.queries import single_value
from warehouse.reconciliation import renew_reconciliation
from warehouse.scores import BUDGET, enter_scores
from warehouse.stopwatch import Stopwatch

DEFINITIONS = "definitions_digest"
DEFINING = ("transforms.indicators", "transforms.services", "transforms.reference", "transforms.scoring")


@dataclass(frozen=True)
class Plan:
    """What a run must derive: (source, year) pairs, and the cause of each; ``years`` are all years that anything touches."""

    causes: dict[tuple[str, int], str]
    years: list[int]


def plan_renewal(connection: duckdb.DuckDBPyConnection, clock: datetime) -> Plan:
    """Years that deliveries touched, whose clock moved on (running years, rows dated later), or all where definitions changed."""
    pending = connection.execute(
        "SELECT source, year, bool_and(is_correction) FROM ledger.pending_years JOIN ledger.batches USING (batch_id, source) GROUP BY ALL"
    ).fetchall()
    known = connection.execute("SELECT source, year, settled_at, waits_until FROM ledger.source_years").fetchall()
    causes: dict[tuple[str, int], str] = {}
    is_changed = read_meta(connection, DEFINITIONS) not in (None, definitions_digest())
    for source, year, settled_at, waits_until in known:
        end = max(filter(None, (year_period(year).end, waits_until)))
        if settled_at < min(clock, end):
            causes[source, year] = "late_data"
        elif is_changed:
            causes[source, year] = "code"
    causes |= {
        (source, year): "correction" if only_corrections else "late_data" for source, year, only_corrections in pending
    }
    causes = {(source, year): cause for (source, year), cause in causes.items() if year_period(year).has_begun(clock)}
    years = {year for _, year, *_ in known} | {year for _, year in causes}
    return Plan(causes, sorted(year for year in years if year_period(year).has_begun(clock)))


def renew_facts(warehouse: Warehouse, run: Run, watch: Stopwatch) -> list[Change]:
    """Derives what the plan names and enters it. Nothing is derived where nothing could have changed.

    Raises GateFailed where a delivered printed value is derived otherwise: nothing of the derivation is entered then.
    """
    with warehouse.transaction() as connection:
        plan = plan_renewal(connection, run.clock)
        if not plan.causes:
            return []
        view = View(run.clock)
        make_fresh_table(connection, KPI_VALUES, "fresh_values")
        make_fresh_table(connection, SERVICE_SUMMARY, "fresh_summary")
        with watch.step("services"):
            _derive_services(connection, plan, view)
        with watch.step("indicators"):
            _derive_indicators(connection, plan, view)
        with watch.step("facts"):
            changes = _enter(connection, plan, run)
            _settle(connection, plan, run.clock)
        with watch.step("scores"):
            changes += enter_scores(connection, plan.years, _item_causes(plan), run, view)
        with watch.step("reconciliation"):
            renew_reconciliation(connection, view)
        if changes or _has_entered(connection, run):
            write_meta(connection, UNPUBLISHED, "yes")
        return changes


def _has_entered(connection: duckdb.DuckDBPyConnection, run: Run) -> bool:
    """Whether the run opened any version, also one that differs in its components alone."""
    tables = (KPI_VALUES, SERVICE_SUMMARY)
    return any(single_value(connection, f"SELECT 1 FROM {table.name} WHERE run = $1", [run.name]) for table in tables)


def definitions_digest() -> str:
    """Fingerprint of everything that says what the numbers mean: definitions, evidence queries, services, reference data."""
    digest = hashlib.sha256()
    for package in (*DEFINING, "transforms"):
        for file in sorted(files(package).iterdir(), key=lambda f: f.name):
            if file.is_file():
                digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _derive_services(connection: duckdb.DuckDBPyConnection, plan: Plan, view: View) -> None:
    for service in load_services().services:
        for year in plan.years:
            if (service.source, year) in plan.causes:
                derive_service(connection, service, year, view)
                summarise_service(connection, year, view)


def _derive_indicators(connection: duckdb.DuckDBPyConnection, plan: Plan, view: View) -> None:
    """All indicators of all known years: they are small, and a source's first delivery changes the status of every year."""
    rows: list[list[Any]] = []
    for indicator in load_indicators():
        rows += [
            fresh.row(fresh.period.cut_off(view.clock))
            for fresh in derive_indicator(connection, indicator, plan.years, view)
        ]
    names = [
        "indicator",
        "period",
        "office",
        "definition_version",
        "cut_off",
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
    ]
    if rows:
        marks = ", ".join(f"${n + 1}" for n in range(len(names)))
        connection.executemany(f"INSERT INTO fresh_values ({', '.join(names)}) VALUES ({marks})", rows)


def _enter(connection: duckdb.DuckDBPyConnection, plan: Plan, run: Run) -> list[Change]:
    connection.execute("CREATE OR REPLACE TEMP TABLE fact_causes (item VARCHAR, year INTEGER, cause VARCHAR)")
    causes = [(*item, cause) for item, cause in _item_causes(plan).items()]
    if causes:
        connection.executemany("INSERT INTO fact_causes VALUES ($1, $2, $3)", causes)
    reason = (
        "CASE WHEN old_version <> definition_version THEN 'definition' ELSE coalesce("
        "(SELECT cause FROM fact_causes WHERE item = {item} AND fact_causes.year = {year}), 'late_data') END"
    )
    changes: list[Change] = []
    year = "CAST(left(changed_facts.period, 4) AS INTEGER)"
    scope = "list_contains([" + ", ".join(map(str, plan.years)) + "], CAST(left(fact.period, 4) AS INTEGER))"
    enter_fresh(
        connection,
        KPI_VALUES,
        "fresh_values",
        scope,
        reason.format(item="changed_facts.indicator", year=year),
        run.clock,
        run.name,
    )
    changes += _changes(connection, "indicator", "period", "value", "facts.kpi_values", run)
    derived = [
        f"({service.service!r}, {y})"
        for service in load_services().services
        for y in plan.years
        if (service.source, y) in plan.causes
    ]
    scope = f"(fact.service, fact.year) IN ({', '.join(derived)})" if derived else "false"
    enter_fresh(
        connection,
        SERVICE_SUMMARY,
        "fresh_summary",
        scope,
        reason.format(item="changed_facts.service", year="changed_facts.year"),
        run.clock,
        run.name,
    )
    changes += _changes(
        connection, "service || '.completion'", "group_name", "completion_percent", "facts.service_summary", run
    )
    return changes


def _item_causes(plan: Plan) -> dict[tuple[str, int], str]:
    """The cause by service, indicator or budget, and year; late data go before corrections where both came.

    Agreements and printed values concern every indicator, but only where its own rows are no cause.
    """
    found: dict[tuple[str, int], set[str]] = defaultdict(set)
    shared: dict[tuple[str, int], set[str]] = defaultdict(set)
    for (source, year), cause in plan.causes.items():
        if source in (BUDGET, PRINT):
            found[source, year].add(cause)
        for service in load_services().services:
            if service.source == source:
                found[service.service, year].add(cause)
        for indicator in load_indicators():
            if source in indicator.sources:
                found[indicator.id, year].add(cause)
            elif source in SHARED_SOURCES:
                shared[indicator.id, year].add(cause)
    order = ["late_data", "correction", "code"]
    return {item: min(causes, key=order.index) for item, causes in (shared | found).items()}


def _changes(
    connection: duckdb.DuckDBPyConnection, item: str, period: str, value: str, table: str, run: Run
) -> list[Change]:
    """What this run changed, each with the value before. Of the services, the year and its periods (not regions and agencies)."""
    keys = "indicator, period, office" if item == "indicator" else "service, year, breakdown, group_name, office"
    shown = f"office = '{office().office_code}'" if item == "indicator" else "breakdown IN ('year', 'period')"
    rows = connection.execute(
        f"""WITH versions AS (
          SELECT {item} AS item, {period} AS period, CAST({value} AS VARCHAR) AS new, reason, run, known_from, known_to,
            -- a line that had gone and comes back had no value before
            CASE WHEN lag(known_to) OVER earlier = known_from THEN lag(CAST({value} AS VARCHAR)) OVER earlier END AS old
          FROM {table} WHERE {shown}
          WINDOW earlier AS (PARTITION BY {keys} ORDER BY known_from, run)
        ) SELECT item, period, old, new, reason FROM versions WHERE run = $1 ORDER BY item, period""",
        [run.name],
    ).fetchall()
    if item != "indicator":
        rows += connection.execute(
            f"""SELECT {item}, {period}, CAST({value} AS VARCHAR), NULL,
              coalesce((SELECT cause FROM fact_causes WHERE item = service AND fact_causes.year = vanished_facts.year), 'late_data')
            FROM vanished_facts WHERE {shown} ORDER BY ALL"""
        ).fetchall()
    changes = [
        Change(item, period, plain_number(old), plain_number(new), reason) for item, period, old, new, reason in rows
    ]
    # A service's version may differ in its components alone; what is told of it is the completion. An indicator's is told whole.
    return [change for change in changes if item == "indicator" or change.reason is None or change.old != change.new]


def _settle(connection: duckdb.DuckDBPyConnection, plan: Plan, clock: datetime) -> None:
    """The pending years are derived; notes the clock, and until when rows dated later than it wait."""
    for source, year in plan.causes:
        contract = load_contract(source)
        waits = None
        if contract.state:
            waits = single_value(
                connection,
                f"SELECT max(CAST({contract.state.time} AS TIMESTAMP)) FROM {states_table(contract)} "
                f"WHERE CAST({contract.state.time} AS TIMESTAMP) > $1 AND {contract.year} = $2",
                [clock, year],
            )
        connection.execute("DELETE FROM ledger.source_years WHERE source = $1 AND year = $2", [source, year])
        connection.execute("INSERT INTO ledger.source_years VALUES ($1, $2, $3, $4)", [source, year, clock, waits])
    # Years that have not begun stay pending: nothing of them is derived before they do.
    connection.execute("DELETE FROM ledger.pending_years WHERE year <= $1", [clock.year])
    write_meta(connection, DEFINITIONS, definitions_digest())
