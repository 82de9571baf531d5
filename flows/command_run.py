"""``kpi run``: the nightly flow with a Prefect server around it, and its history complete before the command ends."""

from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from flows.prefect_runtime import prefect_api, wait_for_history
from flows.render import say
from warehouse.connection import open_warehouse
from warehouse.ledger import run_clock


def run_nightly(root: Path, as_of: date | None) -> dict[str, Any]:
    """Runs the flow and gives its report. The lock and the clock come first: who cannot run need not wait for a server."""
    with open_warehouse(root, "kpi run") as warehouse:
        run_clock(warehouse.connection, as_of)
        return _run_flow(root, as_of)


def _run_flow(root: Path, as_of: date | None) -> dict[str, Any]:
    with prefect_api(root, say):
        from flows.nightly import nightly, on_progress  # noqa: PLC0415

        on_progress(say)
        report: dict[str, Any] = nightly(str(root), None if as_of is None else as_of.isoformat())
        history = wait_for_history(UUID(report.pop("flow_run_id")), None)
        if not history.complete:
            say(f"Prefect's history is not complete: {history}")
    return report
