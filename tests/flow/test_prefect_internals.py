"""What is used of Prefect beyond its promises is still there, and does what is wanted of it: a release that moves it fails here."""

import inspect
import os
import time
from pathlib import Path
from uuid import uuid4

import prefect.context
import pytest
from prefect import flow
from prefect.events import Event
from prefect.events.clients import AssertingPassthroughEventsClient, PrefectEventsClient
from prefect.events.worker import EventsWorker
from prefect.runner import Runner
from prefect.runner._starter_direct import DirectSubprocessStarter
from prefect.server.api.server import create_app
from prefect.settings import PREFECT_API_URL, get_current_settings

from flows.prefect_internals import (
    drain_queues,
    forget_events,
    remember_events,
    remembered_events,
    runner_with,
    sent_task_state,
    settings_in_force,
)


def test_a_server_that_nobody_asks_rests(
    prefect_server: dict[str, str], _shared_server: tuple[int, dict[str, str]]
) -> None:
    """The least of some stretches: it may have something to begin with, or to clear away."""

    def seconds_taken() -> float:
        fields = Path(f"/proc/{_shared_server[0]}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    taken = []
    for _ in range(4):
        before = seconds_taken()
        time.sleep(1)
        taken.append(seconds_taken() - before)
    assert min(taken) < 0.3


def test_settings_hold_in_the_block_and_in_the_global() -> None:
    before = prefect.context.GLOBAL_SETTINGS_CONTEXT
    there = get_current_settings().copy_with_update(updates={PREFECT_API_URL: "http://127.0.0.1:1/api"})
    with settings_in_force(there):
        assert PREFECT_API_URL.value() == "http://127.0.0.1:1/api"
        assert prefect.context.GLOBAL_SETTINGS_CONTEXT.settings.api.url == "http://127.0.0.1:1/api"
    assert before is prefect.context.GLOBAL_SETTINGS_CONTEXT
    assert PREFECT_API_URL.value() != "http://127.0.0.1:1/api"


def test_events_are_sent_through_the_client_that_remembers() -> None:
    assert issubclass(AssertingPassthroughEventsClient, PrefectEventsClient)
    remember_events(True)
    try:
        assert EventsWorker._client_override[0] is AssertingPassthroughEventsClient
    finally:
        remember_events(False)
    assert not EventsWorker._client_override
    forget_events()
    assert remembered_events() == []


def test_a_change_of_state_is_read_from_its_event() -> None:
    run = uuid4()
    event = Event(
        event="prefect.task-run.Completed",
        resource={"prefect.resource.id": "prefect.task-run.1", "prefect.orchestration": "client"},
        related=[{"prefect.resource.id": f"prefect.flow-run.{run}", "prefect.resource.role": "flow-run"}],
        payload={"task_run": {"task_key": "square", "dynamic_key": "0"}, "validated_state": {"type": "COMPLETED"}},
    )
    assert sent_task_state(event) == (run, ("square", "0"), "COMPLETED")
    server = event.model_copy(update={"related": []})
    assert sent_task_state(server) is None


def test_queues_are_drained_outside_of_an_event_loop() -> None:
    assert drain_queues(1) is True


def test_a_runner_works_where_it_is_told_and_executes_our_function(tmp_path: Path) -> None:
    plain = Runner()
    assert hasattr(plain, "_tmp_dir"), "the folder that a runner works in has another name"
    assert runner_with(tmp_path / "runner")._tmp_dir == tmp_path / "runner"
    # `add_flow` keeps the function itself, and what is due is executed by it and not by what the API says.
    assert "register_flow(deployment_id, flow)" in inspect.getsource(Runner.aadd_flow)
    assert "DirectSubprocessStarter(\n                        flow=flow" in inspect.getsource(Runner.__aenter__)

    @flow
    def ours() -> None:
        pass

    assert DirectSubprocessStarter(flow=ours)._flow is ours


@pytest.mark.parametrize("parameter", ["final"])
def test_the_server_is_an_application_that_a_door_can_stand_before(parameter: str) -> None:
    assert parameter in inspect.signature(create_app).parameters
