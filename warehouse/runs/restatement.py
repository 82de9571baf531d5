"""Restatement: what would change of the closed years, cause by cause with the deliveries to blame; then the change itself."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from warehouse.facts.changes import NumberChange, changes_of
from warehouse.facts.derive import View
from warehouse.facts.enter import derive_partitions, enter_derived, settle, waiting_partitions
from warehouse.facts.plan import Partition, Plan, delivery_cause, plan_partitions
from warehouse.reconciliation.compare import renew_reconciliation
from warehouse.runs.closing import closed_years
from warehouse.runs.pipeline import Pipeline, a_run
from warehouse.store.connection import Warehouse, open_warehouse
from warehouse.store.failures import WrongUsage
from warehouse.store.looking import look
from warehouse.store.runs import UNPUBLISHED, Run, run_clock, write_meta
from warehouse.store.stopwatch import Stopwatch


@dataclass(frozen=True)
class PlannedChange:
    """One step of a published number to what it would be: ``cause`` and the ``deliveries`` that bring it."""

    item: str
    period: str
    old: str | None
    new: str | None
    cause: str
    deliveries: list[str]


@dataclass(frozen=True)
class Restated:
    """What a restatement did: its run, the closed years, the steps of the plan that it entered, and what contradicts printed numbers."""

    run: str
    years: list[int]
    steps: list[dict[str, Any]]
    reason: str
    approver: str
    contested: list[dict[str, Any]] = field(default_factory=list)

    def sentence(self) -> str:
        held = {(number["item"], number["period"]) for found in self.contested for number in found["held"]}
        numbers = len({(step["item"], step["period"]) for step in self.steps} - held)
        years = ", ".join(map(str, self.years))
        return f"{self.run}: {numbers} values of {years} restated and published, approved by {self.approver}: {self.reason}"


@dataclass(frozen=True)
class _Step:
    """Partitions, each with its cause, to derive as the delivery ``known_batch`` leaves them; ``brings``: it makes the difference."""

    known_batch: int
    partitions: list[Partition]
    brings: bool


def read_plan(root: Path, as_of: date | None) -> list[dict[str, Any]]:
    """``kpi restate --plan --json``: looks without leaving a run in the ledger."""
    with look(root) as warehouse:
        return _plan_rows(warehouse, as_of)


def _plan_rows(warehouse: Warehouse, as_of: date | None) -> list[dict[str, Any]]:
    clock = run_clock(warehouse.connection, as_of)
    return [asdict(change) for change in plan_restatement(warehouse, Run(0, "plan", clock))]


def plan_restatement(warehouse: Warehouse, run: Run) -> list[PlannedChange]:
    """What ``restate --apply`` would change on the clock of ``run``, by item and period, in the steps that lead there.

    The steps follow the ledger: first what the definitions and the code of today make of the deliveries that the published
    number knows, then each later delivery. Everything is derived in a transaction that is taken back.
    """
    connection = warehouse.connection
    plan = plan_partitions(connection, run.clock)
    waiting = waiting_partitions(connection, plan, sorted(closed_years(connection)))
    found: list[PlannedChange] = []
    with warehouse.trial():
        for number, step in enumerate(_steps(connection, plan, waiting)):
            as_then = replace(plan, view=View(run.clock, step.known_batch))
            name = f"plan-{number:06d}"
            derive_partitions(connection, step.partitions, as_then.view, Stopwatch())
            enter_derived(connection, as_then, step.partitions, Run(run.run_id, name, run.clock), Stopwatch())
            found += [
                _planned(connection, change, step)
                for change in changes_of(connection, name)
                if change.old != change.new
            ]
    return sorted(found, key=lambda change: (change.item, change.period))


def require_approval(reason: str, approver: str) -> None:
    """Raises WrongUsage where the reason or the approver is missing."""
    if not reason.strip() or not approver.strip():
        raise WrongUsage("a restatement needs --reason and --approver")


def restate(
    root: Path, as_of: date | None, reason: str, approver: str, shown: list[dict[str, Any]] | None = None
) -> Restated:
    """``kpi restate --apply``: a run of its own, through to publication. ``shown``: the plan that was agreed to, where somebody was asked.

    Raises WrongUsage where nothing is pending, or where the plan is another one by now: what nobody agreed to is not entered.
    """
    require_approval(reason, approver)
    with open_warehouse(root, "kpi restate --apply") as warehouse:
        # Looked at before a run begins: where no published number would change, nothing is entered and the ledger has no failed run.
        steps = _plan_rows(warehouse, as_of)
        if not steps:
            raise WrongUsage("nothing of a closed year is pending; `kpi restate --plan` shows what is")
        if shown not in (None, steps):
            raise WrongUsage(
                "the plan has changed since it was shown: nothing was entered; look at it again, then apply it"
            )
        with a_run(root, as_of, "kpi restate --apply") as pipeline:
            years = apply_restatement(pipeline, reason, approver)
            pipeline.look_for_contradictions()
            pipeline.publish()
            contested = pipeline.end().as_dict()["contested"]
            return Restated(pipeline.run.name, years, steps, reason, approver, contested)


def apply_restatement(pipeline: Pipeline, reason: str, approver: str) -> list[int]:
    """Enters what is pending of the closed years, with the reason and the approver. Gives the years.

    Raises WrongUsage where nothing is pending. What a delivered printed number contradicts is held back, as in any run.
    """
    connection, run = pipeline.warehouse.connection, pipeline.run
    plan, closed = plan_partitions(connection, run.clock), closed_years(connection)
    waiting = waiting_partitions(connection, plan, sorted(closed))
    if not waiting:
        raise WrongUsage("nothing of a closed year is pending; `kpi restate --plan` shows what is")
    years = sorted({partition.year for partition in waiting})
    with pipeline.warehouse.transaction():
        derive_partitions(connection, waiting, plan.view, pipeline.watch)
        enter_derived(connection, plan, waiting, run, pipeline.watch)
        with pipeline.watch.step("reconciliation"):
            renew_reconciliation(connection, plan.view, run, closed - set(years))
        settle(connection, waiting, run, are_entered=True)
        connection.execute("DELETE FROM ledger.pending_changes WHERE list_contains($1, year)", [years])
        connection.execute(
            "INSERT INTO ledger.restatements VALUES ($1, $2, $3, $4, $5)",
            [run.run_id, years, reason, approver, run.clock],
        )
        write_meta(connection, UNPUBLISHED, "yes")
    return years


def _steps(connection: duckdb.DuckDBPyConnection, plan: Plan, waiting: list[Partition]) -> Iterator[_Step]:
    entered = _entered_batches(connection)
    by_batch: dict[int, list[Partition]] = defaultdict(list)
    for partition in waiting:
        by_batch[entered.get((partition.item.name, partition.year), 0)].append(partition)
    for batch, partitions in sorted(by_batch.items()):
        # No delivery is new here: it is the definition, the code, or rows dated later that count by now.
        yield _Step(batch, [replace(p, why=_without_delivery(p.causes)) for p in partitions], brings=False)
    touching = connection.execute(
        "SELECT DISTINCT batch_id FROM ledger.touched_years WHERE list_contains($1, year) AND batch_id > $2 ORDER BY batch_id",
        [sorted({partition.year for partition in waiting}), min(by_batch, default=0)],
    ).fetchall()
    for (batch,) in touching:
        concerned = [partition for known, partitions in by_batch.items() if known < batch for partition in partitions]
        cause = delivery_cause([batch], plan.causes)
        yield _Step(batch, [replace(partition, why=cause) for partition in concerned], brings=True)
    # What an indicator sees of the deliveries of earlier years.
    yield _Step(plan.view.known_batch, waiting, brings=True)


def _without_delivery(causes: tuple[str, ...]) -> str:
    return next((cause for cause in ("definition", "code") if cause in causes), "late_data")


def _entered_batches(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, int], int]:
    rows = connection.execute("SELECT item, year, entered_batch FROM ledger.partitions").fetchall()
    return {(item, year): batch for item, year, batch in rows}


def _planned(connection: duckdb.DuckDBPyConnection, change: NumberChange, step: _Step) -> PlannedChange:
    files = connection.execute(
        "SELECT file FROM ledger.batches JOIN ledger.touched_years USING (batch_id, source) "
        "WHERE batch_id = $1 AND year = $2 AND $3 GROUP BY file",
        [step.known_batch, change.year, step.brings],
    ).fetchall()
    return PlannedChange(
        change.item, change.period, change.old, change.new, change.reason or "late_data", [file for (file,) in files]
    )
