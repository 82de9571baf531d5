# ruff: noqa: PLC0415
# Prefect is imported inside the functions: that takes a second, reads the settings and may report its use.
"""A history without gaps: what this process has sent to Prefect, and whether the server has written it down.

A Prefect client reports the states of task runs as events, and the server writes them down some time later. A process
that ends at once, with the server that Prefect starts by itself, loses the last of them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from flows.prefect_internals import drain_queues, forget_events, remember_events, remembered_events, sent_task_state

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

POLL_SECONDS = 0.1
FINAL_STATES = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
# Counted one by one, the last first: a task run that moves on meanwhile is missed, never counted twice.
STATES = (*FINAL_STATES, "CANCELLING", "PAUSED", "RUNNING", "PENDING", "SCHEDULED")


@dataclass(frozen=True)
class HistoryReport:
    """How much of a flow run, and of the flow runs under it, is in Prefect's history.

    `flow_runs` counts this flow run and all under it; `sent` the task runs that this process sent to the server, and
    `states` those recorded, by type of state. A sub-flow run's place holder among its parent's is not counted.
    """

    flow_run_id: UUID
    flow_runs: int
    sent: int
    expected: int | None
    states: Mapping[str, int]
    seconds: float

    @property
    def recorded(self) -> int:
        return sum(self.states.values())

    @property
    def missing(self) -> int:
        return max(0, max(self.sent, self.expected or 0) - self.recorded)

    @property
    def unfinished(self) -> int:
        return sum(count for state, count in self.states.items() if state not in FINAL_STATES)

    @property
    def complete(self) -> bool:
        return self.missing == 0 and self.unfinished == 0

    def __str__(self) -> str:
        states = ", ".join(f"{count} {state.lower()}" for state, count in self.states.items()) or "none"
        text = f"{self.recorded} task runs of flow run {self.flow_run_id} are in Prefect's history ({states})"
        if self.complete:
            return text
        return f"{text}; {self.missing} missing and {self.unfinished} unfinished after {self.seconds:.0f} s"


def wait_for_history(flow_run_id: UUID, expected_task_runs: int | None = None, timeout: float = 60) -> HistoryReport:
    """Wait until the server has written down every task run of a flow run and of the flow runs under it.

    To be called in the block of `prefect_api`, outside of an event loop, when the flow has ended. What this process
    sent is known. Give `expected_task_runs` where tasks run in processes that report by themselves (Dask), and only
    after a success: what a failed flow never started would be waited for. What is missing after `timeout` seconds
    stands in the report.
    """
    from prefect.client.orchestration import get_client

    drain_events(timeout)
    with get_client(sync_client=True) as client:
        return _wait_for_records(client, _with_descendants(client, flow_run_id), expected_task_runs, timeout)


def _wait_for_records(
    client: SyncPrefectClient, flow_run_ids: list[UUID], expected: int | None, timeout: float
) -> HistoryReport:
    start = time.monotonic()
    sent = [state for run, states in _sent_states().items() if run in flow_run_ids for state in states.values()]
    # A task run that a crash cut off never gets a final state: nothing is left to wait for then.
    cut_off = sum(state not in FINAL_STATES for state in sent)
    while True:
        report = HistoryReport(
            flow_run_id=flow_run_ids[0],
            flow_runs=len(flow_run_ids),
            sent=len(sent),
            expected=expected,
            states=_count_by_state(client, flow_run_ids),
            seconds=time.monotonic() - start,
        )
        if (report.missing == 0 and report.unfinished <= cut_off) or report.seconds >= timeout:
            return report
        time.sleep(POLL_SECONDS)


def drain_events(timeout: float = 30) -> None:
    """Hand over to the server the events and log lines that are still queued in this process."""
    # They would warn on the user's terminal that there is something to hand over.
    for name in ("EventsWorker", "APILogWorker"):
        logging.getLogger(name).setLevel(logging.ERROR)
    if not drain_queues(timeout):
        raise RuntimeError("Prefect's events cannot be drained from inside an event loop")


@contextmanager
def recorded_events(address: str, ours: bool) -> Iterator[None]:
    """Remember what is sent; before the block ends, send what is queued, and have our own server write it down."""
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.settings import get_current_settings

    # Prefect sends through its own clients only; of these, this one remembers what it has sent. Prefect Cloud needs
    # another, which takes a key: there only the caller's own count is known.
    if not address.startswith(get_current_settings().cloud.api_url):
        remember_events(True)
    try:
        yield
    finally:
        remember_events(False)
        # A worker left alive would hold on to this server when the process opens a second block.
        drain_events()
        # Also after a failure, whose history is wanted most; if the server is gone, the failure itself is to be told.
        if ours and (flow_run_ids := list(_sent_states())):
            with suppress(httpx.HTTPError), get_client(sync_client=True) as client:
                _wait_for_records(client, flow_run_ids, expected=None, timeout=30)
        forget_events()


def _sent_states() -> dict[UUID, dict[tuple[str, str], str]]:
    """The last state of each task run that this process has sent, by flow run."""
    sent: dict[UUID, dict[tuple[str, str], str]] = {}
    for event in remembered_events():
        if found := sent_task_state(event):
            flow_run, task_run, state = found
            sent.setdefault(flow_run, {})[task_run] = state
    return sent


def _with_descendants(client: SyncPrefectClient, flow_run_id: UUID) -> list[UUID]:
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterParentFlowRunId

    found = parents = [flow_run_id]
    while parents:
        children = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=parents))
        parents = []
        while page := client.read_flow_runs(flow_run_filter=children, offset=len(parents)):
            parents += [run.id for run in page]
        found = found + parents
    return found


def _count_by_state(client: SyncPrefectClient, flow_run_ids: list[UUID]) -> dict[str, int]:
    tasks_only = {"flow_run_id": {"any_": [str(run) for run in flow_run_ids]}, "subflow_runs": {"exists_": False}}
    counts: dict[str, int] = {}
    for state in STATES:
        query = {"task_runs": {**tasks_only, "state": {"type": {"any_": [state]}}}}
        response = client.request("POST", "/task_runs/count", json=query)
        if count := response.raise_for_status().json():
            counts[state] = count
    return counts
