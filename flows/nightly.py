"""The nightly flow: what is new in the inbox goes through to publication."""

from datetime import date
from pathlib import Path
from typing import Any

from prefect import Flow, flow, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.messages import outcome
from flows.own_failures import say_once
from flows.run_names import dated
from flows.sessions import running
from flows.steps import leave_artifacts, publish, renew_facts, take_in
from warehouse.runs.pipeline import a_run


@flow(name="nightly", flow_run_name=dated("nightly"), persist_result=False)
def nightly(home: str, as_of: str | None = None) -> dict[str, Any]:
    """The whole run. ``as_of`` (yyyy-mm-dd) pretends that today is that day. Gives the report of ``kpi run --json``."""
    return _night(home, as_of)


def nightly_of(home: Path) -> Flow[[], State[Any]]:
    """The same for one home, with no parameter: what is served on a schedule is fixed by the process that serves it.

    The state that it ends in says the outcome in a line.
    """

    @flow(name="nightly", flow_run_name=dated("nightly"), persist_result=False)
    def nightly_here() -> State[Any]:
        return Completed(message=outcome(_night(str(home), None)))

    return nightly_here


def _night(home: str, as_of: str | None) -> dict[str, Any]:
    say_once()
    with a_run(Path(home), date.fromisoformat(as_of) if as_of else None) as pipeline:
        with running(home, pipeline):
            take_in(home)
            renew_facts(home)
            publish(home)
            leave_artifacts(home)
        return pipeline.end().as_dict() | {"flow_run_id": str(runtime.flow_run.id)}
