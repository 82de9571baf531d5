"""Renews the facts: derives the partitions that are due and enters them, all in one transaction with the reconciliation.

A fact of a closed year never changes by itself: what would change it is tried, noted as pending, and left to a restatement.
What a delivered printed number contradicts is held back; all else is entered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb

from transforms.facts import fact_tables
from warehouse.facts.additions import enter_additions
from warehouse.facts.changes import NumberChange, changes_of, told
from warehouse.facts.derive import View
from warehouse.facts.digests import printed_digest, words_digest
from warehouse.facts.enter import derive_partitions, enter_derived, settle, waiting_partitions
from warehouse.facts.plan import Partition, Plan, plan_partitions
from warehouse.facts.versions import Change
from warehouse.reconciliation.compare import renew_reconciliation
from warehouse.reconciliation.waivers import decided_digest
from warehouse.runs.closing import closed_years
from warehouse.store.connection import Warehouse
from warehouse.store.queries import single_value
from warehouse.store.runs import UNPUBLISHED, Run, read_meta, write_meta
from warehouse.store.stopwatch import Stopwatch

PRINTED, WORDS = "printed_digest", "words_digest"


@dataclass(frozen=True)
class Renewal:
    """What a renewal changed, and what of closed years it would have changed."""

    changed: list[Change]
    pending: list[NumberChange]


Derive = Callable[[duckdb.DuckDBPyConnection, Sequence[Partition], View, Stopwatch], None]


def renew_facts(
    warehouse: Warehouse, run: Run, watch: Stopwatch, years: list[int] | None = None, derive: Derive | None = None
) -> Renewal:
    """Derives and enters what is due in ``years`` (None: all). Nothing is derived where nothing could have changed."""
    connection = warehouse.connection
    judged_by = printed_digest(decided_digest(connection, run.clock.date()))
    plan, closed = plan_partitions(connection, run.clock, years), closed_years(connection)
    open_due = [partition for partition in plan.due if partition.year not in closed]
    closed_due = [partition for partition in plan.due if partition.year in closed]
    changed: list[Change] = []
    if open_due or read_meta(connection, PRINTED) != judged_by:
        with warehouse.transaction():
            (derive or derive_partitions)(connection, open_due, plan.view, watch)
            enter_derived(connection, plan, open_due, run, watch)
            with watch.step("reconciliation"):
                renew_reconciliation(connection, plan.view, run, closed)
                write_meta(connection, PRINTED, judged_by)
            settle(connection, open_due, run, are_entered=True)
            changed = told(changes_of(connection, run.name))
            if _has_entered(connection, run):
                write_meta(connection, UNPUBLISHED, "yes")
    if read_meta(connection, WORDS) != words_digest():
        write_meta(connection, WORDS, words_digest())
        write_meta(connection, UNPUBLISHED, "yes")
    if closed_due:
        _note_pending(warehouse, plan, closed_due, run, watch)
    return Renewal(changed, pending_changes(connection))


def pending_changes(connection: duckdb.DuckDBPyConnection) -> list[NumberChange]:
    """The numbers of closed years that wait for a restatement."""
    rows = connection.execute(
        "SELECT item, period, year, old, new, cause, true FROM ledger.pending_changes ORDER BY item, period"
    ).fetchall()
    return [NumberChange(*row) for row in rows]


def _note_pending(warehouse: Warehouse, plan: Plan, due: Sequence[Partition], run: Run, watch: Stopwatch) -> None:
    """Derives the partitions of closed years to see what would change, takes it back, and notes it as pending.

    What is new in them by the release alone changes nothing, and is entered.
    """
    connection = warehouse.connection
    years = sorted({partition.year for partition in due})
    with warehouse.transaction():
        enter_additions(connection, plan, due, run, watch)
        if _has_entered(connection, run):
            write_meta(connection, UNPUBLISHED, "yes")
    entered = set(changes_of(connection, run.name))
    waiting = waiting_partitions(connection, plan, years)
    with warehouse.trial():
        derive_partitions(connection, waiting, plan.view, watch)
        enter_derived(connection, plan, waiting, run, watch)
        found = [
            change for change in changes_of(connection, run.name) if change.year in years and change not in entered
        ]
    with warehouse.transaction():
        changed = [change for change in found if change.old != change.new]
        connection.execute("DELETE FROM ledger.pending_changes WHERE list_contains($1, year)", [years])
        if changed:
            connection.executemany(
                "INSERT INTO ledger.pending_changes VALUES ($1, $2, $3, $4, $5, $6, $7)",
                [[c.item, c.period, c.old, c.new, c.reason or "late_data", c.year, run.run_id] for c in changed],
            )
        pending = {change.year for change in changed}
        settle(connection, [p for p in due if p.year in pending], run, are_entered=False)
        settle(connection, [p for p in waiting if p.year not in pending], run, are_entered=True)


def _has_entered(connection: duckdb.DuckDBPyConnection, run: Run) -> bool:
    """Whether the run opened or closed any version, also one that differs in its components alone."""
    return any(
        single_value(connection, f"SELECT 1 FROM {table.name} WHERE run = $1 OR closed_by = $1 LIMIT 1", [run.name])
        for table in fact_tables()
    )
