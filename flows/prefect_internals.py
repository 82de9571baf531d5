# ruff: noqa: PLC0415
# Prefect is imported inside the functions: that takes a second, reads the settings and may report its use.
"""Everything of Prefect that is used here and that Prefect does not promise to keep: one place to mend when a release moves it.

``tests/flow/test_prefect_internals.py`` fails when one of these is gone. The server's side is ``flows/prefect_door.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from prefect.events import Event
    from prefect.runner import Runner
    from prefect.settings import Settings


@contextmanager
def settings_in_force(settings: Settings) -> Iterator[None]:
    """Settings for the block, also where Prefect was imported long before."""
    import prefect.context
    from prefect.logging.configuration import setup_logging

    before = prefect.context.GLOBAL_SETTINGS_CONTEXT
    context = prefect.context.SettingsContext(profile=before.profile, settings=settings)
    # The global is for threads that did not inherit our context: they would start a second, hidden server.
    prefect.context.GLOBAL_SETTINGS_CONTEXT = context.model_copy()
    try:
        with context:
            setup_logging()
            yield
    finally:
        prefect.context.GLOBAL_SETTINGS_CONTEXT = before


def remember_events(remember: bool) -> None:
    """From here on events are sent through a client that remembers what it has sent, or, where false, no longer."""
    from prefect.events.clients import AssertingPassthroughEventsClient
    from prefect.events.worker import EventsWorker

    EventsWorker.set_client_override(AssertingPassthroughEventsClient if remember else None)


def remembered_events() -> list[Event]:
    """What this process has sent since the last `forget_events`."""
    from prefect.events.clients import AssertingPassthroughEventsClient

    # A client that is not open yet has no list.
    return [event for client in AssertingPassthroughEventsClient.all for event in getattr(client, "events", ())]


def forget_events() -> None:
    from prefect.events.clients import AssertingPassthroughEventsClient

    AssertingPassthroughEventsClient.reset()


def sent_task_state(event: Event) -> tuple[UUID, tuple[str, str], str] | None:
    """(flow run, task run, type of state), where the event is a change of state that this process has sent.

    The task run is named by the server's own key: when a flow is retried, its task runs have new ids and old keys.
    """
    flow_run = event.resource_in_role.get("flow-run")
    if flow_run is None or event.resource.get("prefect.orchestration") != "client":
        return None
    task_run = event.payload["task_run"]
    key = (task_run["task_key"], task_run["dynamic_key"])
    return UUID(flow_run.id.rpartition(".")[2]), key, event.payload["validated_state"]["type"]


def drain_queues(timeout: float) -> bool:
    """Hands over what is queued: the queue services share one list, so this takes the log's too. False inside an event loop."""
    from prefect.events.worker import EventsWorker

    return isinstance(EventsWorker.drain_all(timeout=timeout, at_exit=False), tuple)


def runner_with(scratch: Path) -> Runner:
    """A runner that works in ``scratch``: its own choice is a fixed name under /tmp, which any account can take first."""
    from prefect.runner import Runner

    runner = Runner()
    runner._tmp_dir = scratch
    return runner
