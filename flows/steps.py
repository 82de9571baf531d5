"""The steps of the flows as Prefect tasks: what is retried, and what is shown. Tasks hand on references, never frames.

The work itself is ``warehouse.runs.pipeline.Pipeline``.
"""

from functools import partial
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from flows.messages import contested_rows, failure_report, value_rows
from flows.sessions import pipeline_of, tell
from warehouse.landing.inbox import Delivery
from warehouse.reports.validation_pages import run_page
from warehouse.store.failures import Damaged, EnvironmentProblem


def _may_pass(_task: Task[Any, Any], _run: TaskRun, state: State[Any]) -> bool:
    """A full disk or a busy file may be better in a while; a broken rule, a gate or a damaged file will not."""
    failure = state.result(raise_on_failure=False) if state.is_failed() else None
    return isinstance(failure, (EnvironmentProblem, OSError)) and not isinstance(failure, Damaged)


@task(tags=["kpi", "delivery"], retries=2, retry_delay_seconds=5, retry_condition_fn=_may_pass)
def judge_again(home: str) -> int:
    """Deliveries that were judged by other rules than today's, from the archive. Gives how many came out otherwise."""
    return pipeline_of(home).reprocess(partial(tell, home))


@task(tags=["kpi", "inbox"])
def find_deliveries(home: str) -> list[tuple[str, list[Delivery]]]:
    """What lies in the inbox, by source, in the order of taking in."""
    return pipeline_of(home).find()


@task(
    tags=["kpi", "delivery"],
    task_run_name="take in {source}",
    retries=2,
    retry_delay_seconds=5,
    retry_condition_fn=_may_pass,
)
def take_in_source(home: str, source: str, found: list[Delivery]) -> int:
    """The deliveries of one source, from landing to states. Gives how many there were."""
    pipeline_of(home).take_in(source, found, partial(tell, home))
    return len(found)


@task(tags=["kpi", "delivery"])
def apply_corrections(home: str) -> int:
    """The entries of ``corrections.yml``. Gives how many rows were corrected."""
    return pipeline_of(home).correct(partial(tell, home))


@flow(name="take-in", flow_run_name="take in", persist_result=False)
def take_in(home: str) -> int:
    """Every delivery that is not known yet. Gives how many lay in the inbox."""
    judge_again(home)
    count = sum(take_in_source(home, source, found) for source, found in find_deliveries(home))
    apply_corrections(home)
    return count


@task(tags=["kpi", "facts"], retries=2, retry_delay_seconds=5, retry_condition_fn=_may_pass)
def renew_facts(home: str) -> int:
    """Derives what the deliveries and the clock may have changed. Gives the number of changed facts."""
    changed = len(pipeline_of(home).renew())
    tell(home, f"facts: {changed} changed")
    return changed


@task(tags=["kpi", "publication"], retries=2, retry_delay_seconds=5, retry_condition_fn=_may_pass)
def publish(home: str) -> bool:
    """Switches to a new publication where anything differs from the last."""
    published = pipeline_of(home).publish()
    tell(home, "published" if published else "nothing new to publish")
    return published


@task(tags=["kpi", "report"])
def leave_artifacts(home: str) -> None:
    """A table of the KPIs, one of the deliveries with their counts, one of what is contested, a text of what failed."""
    pipeline = pipeline_of(home)
    report = pipeline.report.as_dict()
    create_table_artifact(
        key="kpi-values", table=value_rows(pipeline.warehouse.home), description="KPI values as published"
    )
    create_table_artifact(key="deliveries", table=report["batches"], description=f"Deliveries of {pipeline.run.name}")
    create_table_artifact(
        key="contested",
        table=contested_rows(report["contested"]),
        description="Printed numbers that contradict what is derived, and what that holds back",
    )
    create_link_artifact(
        key="validation-report",
        link=run_page(pipeline.warehouse.home, pipeline.run.name).as_uri(),
        description=f"Validation report of {pipeline.run.name}",
    )
    create_markdown_artifact(key="what-failed", markdown=failure_report(pipeline.report, pipeline.warehouse.home))
