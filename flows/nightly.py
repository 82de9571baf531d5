"""The nightly flow: what is new in the inbox goes through to publication."""

from datetime import date
from pathlib import Path
from typing import Any

from prefect import flow, runtime

from flows.steps import leave_artifacts, publish, renew_facts, running, take_in
from warehouse.pipeline import a_run


@flow(name="nightly", persist_result=False)
def nightly(home: str, as_of: str | None = None) -> dict[str, Any]:
    """The whole run. ``as_of`` (yyyy-mm-dd) pretends that today is that day. Gives the report of ``kpi run --json``."""
    with a_run(Path(home), date.fromisoformat(as_of) if as_of else None) as pipeline:
        with running(home, pipeline):
            take_in(home)
            renew_facts(home)
            publish(home)
            leave_artifacts(home)
        return pipeline.end().as_dict() | {"flow_run_id": str(runtime.flow_run.id)}
