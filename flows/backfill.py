"""The backfill flow: what is new is taken in, then past years are derived partition by partition, and published together."""

from datetime import date
from pathlib import Path
from typing import Any

from prefect import flow, runtime, task
from prefect.futures import wait
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.own_failures import say_once
from flows.run_names import dated
from flows.sessions import pipeline_of, running, tell
from flows.steps import leave_artifacts, publish, take_in
from warehouse.runs.backfill import plan_rows, stageable, summary
from warehouse.runs.closing import closed_years
from warehouse.runs.pipeline import a_run
from warehouse.store.failures import EnvironmentProblem


@task(tags=["kpi", "partition"], task_run_name="{item} {year}")
def derive_partition(home: str, item: str, year: int) -> str:
    """One item and year; kept as soon as it is done. Gives its name."""
    tell(home, pipeline_of(home).stage(item, year))
    return f"{item} {year}"


@task(tags=["kpi", "facts"])
def enter_years(home: str, years: list[int]) -> int:
    """Enters what was derived, scores the years and reconciles them: all or nothing. Gives the number of changed facts."""
    changed = len(pipeline_of(home).enter_staged(years))
    tell(home, f"facts: {changed} changed")
    return changed


@flow(name="backfill", flow_run_name=dated("backfill"), persist_result=False)
def backfill(home: str, years: list[int], as_of: str | None = None) -> dict[str, Any]:
    """Derives ``years`` in full, whatever is missing or stale. Gives the report of ``kpi run --json`` with the plan beside it."""
    say_once()
    day = date.fromisoformat(as_of) if as_of else None
    with a_run(Path(home), day, f"kpi backfill {years[0]}..{years[-1]}") as pipeline:
        with running(home, pipeline):
            take_in(home)
            plan = pipeline.plan(years)
            tell(home, summary(plan))
            with pipeline.watch.step("partitions"):
                wait([derive_partition.submit(home, p.item.name, p.year) for p in stageable(plan)])
            enter_years(home, years)
            publish(home)
            leave_artifacts(home)
        report = pipeline.end().as_dict()
        return report | {
            "plan": plan_rows(plan, closed_years(pipeline.warehouse.connection)),
            "flow_run_id": str(runtime.flow_run.id),
        }


def task_runner(name: str, workers: int) -> TaskRunner[Any]:
    """Where partitions run: threads of this process, or a Dask cluster in it. The warehouse is one file that one process holds.

    Raises EnvironmentProblem where prefect-dask is not installed.
    """
    if name == "local":
        return ThreadPoolTaskRunner(max_workers=workers)
    try:
        from prefect_dask.task_runners import DaskTaskRunner  # noqa: PLC0415
    except ImportError:
        raise EnvironmentProblem(
            "--runner dask needs the package prefect-dask: pip install 'kanreg-kpi[dask]', or use --runner local"
        ) from None
    runner: TaskRunner[Any] = DaskTaskRunner(
        cluster_kwargs={"processes": False, "n_workers": 1, "threads_per_worker": workers, "dashboard_address": None}
    )
    return runner
