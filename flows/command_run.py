"""``kpi run`` and ``kpi backfill``: a flow with a Prefect server around it, and its history complete before the command ends."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from flows.prefect_loops import ended_loops
from flows.prefect_runtime import PrefectServerError, prefect_api, wait_for_history
from flows.sessions import Say, Session, opened
from warehouse.facts.plan import plan_partitions
from warehouse.landing.known import new_deliveries
from warehouse.loading.corrections import due_corrections
from warehouse.runs.backfill import plan_rows
from warehouse.runs.closing import closed_years
from warehouse.runs.pipeline import RunReport, run_pipeline
from warehouse.store.connection import open_warehouse
from warehouse.store.looking import look
from warehouse.store.runs import run_clock

Report = dict[str, Any]


def run_nightly(root: Path, as_of: date | None, session: Session) -> Report:
    """Runs the nightly flow and gives its report. Where Prefect fails the run goes on without: what records it must not stop it."""

    def nightly_flow() -> Report:
        from flows.nightly import nightly  # noqa: PLC0415

        return nightly(str(root), _text(as_of))

    def without_prefect() -> Report:
        return run_pipeline(root, as_of, session.say).as_dict()

    return _with_prefect(root, as_of, session, "kpi run", nightly_flow, without_prefect)


def run_backfill(
    root: Path, years: list[int], as_of: date | None, runner: str, workers: int, session: Session
) -> Report:
    """Runs the backfill flow and gives its report."""

    def backfill_flow() -> Report:
        from flows.backfill import backfill, task_runner  # noqa: PLC0415

        return backfill.with_options(task_runner=task_runner(runner, workers))(str(root), years, _text(as_of))

    return _with_prefect(root, as_of, session, f"kpi backfill {years[0]}..{years[-1]}", backfill_flow)


def plan_backfill(root: Path, years: list[int], as_of: date | None) -> Report:
    """What a backfill would do: ``partitions``, and the ``new_files`` and ``corrections`` that it would take in first. Changes nothing."""
    with look(root) as warehouse:
        plan = plan_partitions(warehouse.connection, run_clock(warehouse.connection, as_of), years)
        due = due_corrections(warehouse.connection, warehouse.home)
        return {
            "corrections": due.entries,
            "corrections_problem": due.problem,
            "new_files": [delivery.file for delivery in new_deliveries(warehouse.connection, warehouse.home)],
            "partitions": plan_rows(plan.partitions, closed_years(warehouse.connection)),
        }


def _with_prefect(
    root: Path,
    as_of: date | None,
    session: Session,
    purpose: str,
    run_flow: Callable[[], Report],
    without: Callable[[], Report] | None = None,
) -> Report:
    """The lock and the clock come first: who cannot run need not wait for a server.

    Where Prefect fails, before the flow or in it, the work is done by ``without``: what a flow has done already is known to it.
    """
    with open_warehouse(root, purpose) as warehouse, opened(root, session):
        run_clock(warehouse.connection, as_of)
        with ended_loops(), ExitStack() as prefect:
            try:
                prefect.enter_context(prefect_api(root, session.say))
                return _recorded(run_flow, session.say) | {"error": None}
            except PrefectServerError as problem:
                if without is None:
                    raise
                for line in str(problem).splitlines():
                    session.say(line)
                session.say("Prefect fails: the run goes on without it, and is in the ledger, not in Prefect's history")
        return without() | {"error": None}


def _recorded(run_flow: Callable[[], Report], say: Say) -> Report:
    report = run_flow()
    try:
        history = wait_for_history(UUID(report.pop("flow_run_id")), None)
        incomplete = None if history.complete else str(history)
    except httpx.HTTPError as problem:
        incomplete = str(problem)
    if incomplete:
        say(f"Prefect's history is not complete: {incomplete}")
    return report


def failed_report(session: Session, code: int, message: str) -> Report:
    """The report of a run that ends with an exit code: what it had done by then, and ``error``. Without a run its name is null."""
    return (
        (session.report or RunReport("")).as_dict()
        | ({} if session.report else {"run": None})
        | {"error": {"exit": code, "message": message}}
    )


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
