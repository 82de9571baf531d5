"""Derives partitions and enters them: the fresh rows beside the facts, the versions that they open and close, what they settle."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, replace
from datetime import datetime

import duckdb
import polars as pl

from expectations.contract import load_contract
from expectations.identity import states_table
from transforms.definitions import load_indicators
from transforms.facts import partitioned_tables, result_tables, tables_of
from transforms.services import load_services
from transforms.sql import identifier, load_sql
from warehouse.facts.agreed import PRINT
from warehouse.facts.derive import View, derive_indicator, derive_service, look_now, summarise_service
from warehouse.facts.plan import CAUSES, SCORES, Partition, Plan
from warehouse.facts.results import derive_result
from warehouse.facts.scores import BUDGET, enter_scores
from warehouse.facts.versions import KPI_VALUES, add_fresh, enter_fresh, make_fresh_table
from warehouse.store.runs import Run
from warehouse.store.stopwatch import Stopwatch

SETTLED: dict[str, pl.DataType | type[pl.DataType]] = {
    "item": pl.String, "year": pl.Int32, "definition_digest": pl.String, "code_digest": pl.String, "source_state": pl.String,
    "known_batch": pl.Int32, "settled_at": pl.Datetime("us"), "why": pl.String, "rows_read": pl.Int64,
}  # fmt: skip


def derive_partitions(
    connection: duckdb.DuckDBPyConnection, partitions: Sequence[Partition], view: View, watch: Stopwatch
) -> None:
    """(Re)creates the temporary tables of what is derived (``fresh_<table>``) for these partitions."""
    for table in partitioned_tables():
        make_fresh_table(connection, table)
    by_item: dict[str, list[int]] = {}
    for partition in partitions:
        by_item.setdefault(partition.item.name, []).append(partition.year)
    with watch.step("services"):
        for service in load_services().services:
            for year in by_item.get(service.service, []):
                derive_service(connection, service, year, view)
                summarise_service(connection, year, view)
    with watch.step("indicators"):
        for indicator in load_indicators():
            if years := by_item.get(indicator.id):
                values = derive_indicator(connection, indicator, years, view)
                add_fresh(connection, KPI_VALUES, [value.row(value.period.cut_off(view.clock)) for value in values])
    with watch.step("results"):
        for table in result_tables():
            for year in by_item.get(table.table, []):
                derive_result(connection, table, year, view)
    look_now(connection)


def enter_derived(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    partitions: Sequence[Partition],
    run: Run,
    watch: Stopwatch,
    *,
    additions_only: bool = False,
) -> None:
    """Enters the fresh rows of these partitions, and the scores that rest on them. ``additions_only``: see ``enter_fresh``."""
    connection.execute("CREATE OR REPLACE TEMP TABLE entered_partitions (item VARCHAR, year INTEGER, cause VARCHAR)")
    if partitions:
        rows = [[partition.item.name, partition.year, partition.cause] for partition in partitions]
        connection.executemany("INSERT INTO entered_partitions VALUES ($1, $2, $3)", rows)
    reason = (
        "CASE WHEN old_version <> definition_version THEN 'definition' ELSE coalesce("
        "(SELECT cause FROM entered_partitions WHERE item = {item} AND entered_partitions.year = {year}), 'late_data') END"
    )
    scope = "({item}, {year}) IN (SELECT (item, year) FROM entered_partitions)"
    with watch.step("facts"):
        for table in tables_of(partition.item.name for partition in partitions):
            enter_fresh(
                connection, table, scope.format(**table.partition_of("fact")),
                reason.format(**table.partition_of("changed_facts")), run.clock, run.name, additions_only=additions_only,
            )  # fmt: skip
    with watch.step("scores"):
        years = [partition.year for partition in partitions if partition.item.name == SCORES]
        if years:
            enter_scores(connection, years, _causes(plan, partitions), run, plan.view)


def settle(
    connection: duckdb.DuckDBPyConnection, partitions: Sequence[Partition], run: Run, *, are_entered: bool
) -> None:
    """Notes from what each partition was derived, and until when rows that are dated later wait."""
    if not partitions:
        return
    frame = pl.DataFrame(
        [[p.item.name, p.year, *astuple(p.basis), p.why, p.rows] for p in partitions], schema=SETTLED, orient="row"
    )
    connection.register("settled_frame", frame.to_arrow())
    state = {"run_id": run.run_id, "are_entered": are_entered}
    for query in ("settle_partitions.sql", "note_derivations.sql"):
        named = {name: value for name, value in state.items() if f"${name}" in load_sql("warehouse.facts", query)}
        connection.execute(load_sql("warehouse.facts", query), named)
    settled = "IN (SELECT (item, year) FROM settled_frame)"
    connection.execute(f"DELETE FROM ledger.staged_partitions WHERE (item, year) {settled}")
    for table in tables_of(partition.item.name for partition in partitions):
        item = table.partition_of(table.staged)["item"]
        connection.execute(f"DELETE FROM {table.staged} WHERE ({item}, partition_year) {settled}")
    connection.unregister("settled_frame")
    for source in sorted({source for p in partitions for source in p.item.sources}):
        _note_waiting_rows(connection, source, sorted({p.year for p in partitions if source in p.item.sources}), run)


def waiting_partitions(connection: duckdb.DuckDBPyConnection, plan: Plan, years: Sequence[int]) -> list[Partition]:
    """The partitions of closed years that are due, or were derived since their facts were entered, each with its cause."""
    rows = connection.execute(load_sql("warehouse.facts", "pending_partitions.sql"), {"years": list(years)}).fetchall()
    lagging = {(item, year): causes for item, year, causes in rows}
    behind = {year for _, year in lagging} | {partition.year for partition in plan.due}
    found = []
    for partition in plan.partitions:
        causes = [*lagging.get((partition.item.name, partition.year), []), *([partition.why] if partition.why else [])]
        rests_on_others = partition.item.name == SCORES and partition.year in behind
        if partition.year in years and (causes or rests_on_others):
            known = [cause for cause in causes if cause in CAUSES]
            first = min(known, key=CAUSES.index) if known else CAUSES[0]
            found.append(replace(partition, why=first, causes=tuple(causes)))
    return found


def _note_waiting_rows(connection: duckdb.DuckDBPyConnection, source: str, years: list[int], run: Run) -> None:
    contract = load_contract(source)
    waits: dict[int, datetime] = {}
    if contract.state:
        time = f"CAST({identifier(contract.state.time)} AS TIMESTAMP)"
        found = connection.execute(
            f"SELECT {contract.year}, max({time}) FROM {states_table(contract)} WHERE {time} > $1 GROUP BY 1",
            [run.clock],
        )
        waits = dict(found.fetchall())
    connection.execute("DELETE FROM ledger.source_years WHERE source = $1 AND list_contains($2, year)", [source, years])
    connection.executemany(
        "INSERT INTO ledger.source_years VALUES ($1, $2, $3, $4)",
        [[source, year, run.clock, waits.get(year)] for year in years],
    )


def _causes(plan: Plan, partitions: Sequence[Partition]) -> Mapping[tuple[str, int], str]:
    """Why each item was derived again; why the budget and the prints of a year concern its scores."""
    causes = {(partition.item.name, partition.year): partition.cause for partition in partitions}
    for year in {partition.year for partition in partitions}:
        causes |= {
            (source, year): cause
            for source in (BUDGET, PRINT)
            if (cause := plan.source_cause(source, year)) is not None
        }
    return causes
