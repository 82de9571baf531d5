# ruff: noqa: PLC0415
# Prefect is imported inside the functions: that takes a second, reads the settings and may report its use.
"""Run Prefect flows with no set-up: a server for the time of a command, and a history without gaps.

A Prefect client reports the states of task runs as events, and the server writes them down some time later. A process
that ends at once, with the server that Prefect starts by itself, loses the last of them. So a command keeps a server of
its own (`prefect_api`) and waits for its records before it stops it (`wait_for_history`).
"""

from __future__ import annotations

import fcntl
import http.client
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.settings import Settings

HOST = "127.0.0.1"
START_SECONDS, STOP_SECONDS, POLL_SECONDS = 90.0, 15.0, 0.1
FINAL_STATES = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
# Counted one by one, the last first: a task run that moves on meanwhile is missed, never counted twice.
STATES = (*FINAL_STATES, "CANCELLING", "PAUSED", "RUNNING", "PENDING", "SCHEDULED")

# The kernel ends the server when its parent dies, also by `kill -9`, which no handler of ours would see. The child asks
# for it: `preexec_fn` may deadlock in a process that has threads, and Prefect's has.
_BOOTSTRAP = """
import ctypes, os, runpy, signal, sys
parent = int(sys.argv.pop(1))
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
if os.getppid() != parent:
    sys.exit("the process that wanted this server has ended")
sys.argv[0] = "prefect"
runpy.run_module("prefect", run_name="__main__")
"""


class PrefectServerError(RuntimeError):
    """Prefect's server did not start, or the configured one does not answer."""


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


@contextmanager
def prefect_api(home: Path, progress: Callable[[str], None] | None = None, *, serving: bool = False) -> Iterator[str]:
    """Give the address of a Prefect API and make it the one that flows use in this block.

    A configured server (PREFECT_API_URL in the environment or the active profile) is used and left alone. Otherwise a
    server of our own runs on the loopback for the time of the block, with its database in PREFECT_HOME or else in
    `home`/prefect, and its log in `home`/prefect/server.log. `serving` adds what a schedule needs: Prefect's scheduler
    and pages. Raises PrefectServerError if the configured server does not answer, or ours not within 90 seconds.
    """
    say, home = progress or (lambda _line: None), home.resolve()
    with ExitStack() as stack:
        stack.enter_context(_environment({"DO_NOT_TRACK": "1", **_no_proxy(), **_early_home(home)}))
        from prefect.settings import get_current_settings

        user = get_current_settings()
        if "level" not in user.logging.model_fields_set:
            # For the console alone: the history gets the flow's log as always.
            stack.enter_context(_environment({"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING"}))
        configured = os.environ.get("PREFECT_API_URL") or user.api.url
        if configured:
            stack.enter_context(_configured_server(configured))
        address = configured or stack.enter_context(_own_server(home, user, say, serving))
        stack.enter_context(_recorded_events(address, ours=not configured))
        yield address


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
    from prefect.events.worker import EventsWorker

    # They would warn on the user's terminal that there is something to hand over.
    for name in ("EventsWorker", "APILogWorker"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # All of Prefect's queue services share one list of instances: this drains the log worker as well.
    drained = EventsWorker.drain_all(timeout=timeout, at_exit=False)
    if not isinstance(drained, tuple):
        raise RuntimeError("Prefect's events cannot be drained from inside an event loop")


def _no_proxy() -> dict[str, str]:
    # A proxy must not be asked for the way to our own machine.
    before = {name: os.environ.get(name) for name in ("NO_PROXY", "no_proxy")}
    return {name: ",".join(filter(None, [value, HOST, "localhost"])) for name, value in before.items()}


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            os.environ.pop(name, None)
        os.environ.update({name: value for name, value in before.items() if value is not None})


def _early_home(home: Path) -> dict[str, str]:
    # Prefect makes ~/.prefect when it is imported. Without one there is no profile of the user's to read in it, and
    # the user of a service may not even have a place for it.
    chosen = {"PREFECT_API_URL", "PREFECT_HOME"} & os.environ.keys()
    return {} if chosen or Path("~/.prefect").expanduser().exists() else {"PREFECT_HOME": str(_state_folder(home))}


def _state_folder(home: Path) -> Path:
    state = home / "prefect"
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    state.chmod(0o700)
    return state


@contextmanager
def _configured_server(address: str) -> Iterator[None]:
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, get_current_settings

    settings = get_current_settings().copy_with_update(updates={PREFECT_API_URL: address})
    with _environment({"PREFECT_API_URL": address}), _settings(settings):
        with get_client(sync_client=True) as client:
            problem = client.api_healthcheck()
        if problem:
            advice = "Start it, or unset PREFECT_API_URL to have one for the time of the command."
            raise PrefectServerError(f"No Prefect server answers at {address} ({problem}). {advice}")
        yield


@contextmanager
def _settings(settings: Settings) -> Iterator[None]:
    """Put settings in force, also where Prefect was imported long before."""
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


@contextmanager
def _recorded_events(address: str, ours: bool) -> Iterator[None]:
    """Remember what is sent; before the block ends, send what is queued, and have our own server write it down."""
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.events.clients import AssertingPassthroughEventsClient
    from prefect.events.worker import EventsWorker
    from prefect.settings import get_current_settings

    # Prefect sends through its own clients only; of these, this one remembers what it has sent. Prefect Cloud needs
    # another, which takes a key: there only the caller's own count is known.
    if not address.startswith(get_current_settings().cloud.api_url):
        EventsWorker.set_client_override(AssertingPassthroughEventsClient)
    try:
        yield
    finally:
        EventsWorker.set_client_override(None)
        # A worker left alive would hold on to this server when the process opens a second block.
        drain_events()
        # Also after a failure, whose history is wanted most; if the server is gone, the failure itself is to be told.
        if ours and (flow_run_ids := list(_sent_states())):
            with suppress(httpx.HTTPError), get_client(sync_client=True) as client:
                _wait_for_records(client, flow_run_ids, expected=None, timeout=30)
        AssertingPassthroughEventsClient.reset()


def _sent_states() -> dict[UUID, dict[tuple[str, str], str]]:
    """The last state of each task run that this process has sent, by flow run."""
    from prefect.events.clients import AssertingPassthroughEventsClient

    sent: dict[UUID, dict[tuple[str, str], str]] = {}
    for client in AssertingPassthroughEventsClient.all:
        for event in getattr(client, "events", ()):
            flow_run = event.resource_in_role.get("flow-run")
            if flow_run and event.resource.get("prefect.orchestration") == "client":
                # The server's own key: when a flow is retried, its task runs have new ids and old keys.
                key = (event.payload["task_run"]["task_key"], event.payload["task_run"]["dynamic_key"])
                states = sent.setdefault(UUID(flow_run.id.rpartition(".")[2]), {})
                states[key] = event.payload["validated_state"]["type"]
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


@contextmanager
def _own_server(home: Path, user: Settings, say: Callable[[str], None], serving: bool) -> Iterator[str]:
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, Settings

    state = _state_folder(home)
    with socket.create_server((HOST, 0)) as free:
        address = f"http://{HOST}:{free.getsockname()[1]}/api"
    environment = {"PREFECT_API_URL": address, "PREFECT_HOME": os.environ.get("PREFECT_HOME") or str(state)}
    # Prefect looks for profiles in its home: the user's stay in force where we move it.
    if user.profiles_path.exists():
        environment["PREFECT_PROFILES_PATH"] = str(user.profiles_path)
    with ExitStack() as stack:
        stack.enter_context(_environment(environment))
        first = not Path(environment["PREFECT_HOME"], "prefect.db").exists()
        say("Starting Prefect's server" + "; its first start here takes some seconds more" * first)
        stack.enter_context(_server_process(state, address, serving))
        settings = Settings()
        if not serving:
            # Nobody looks at heartbeats here, and their thread holds up the end of a flow by half a second.
            settings = settings.copy_with_update(updates={PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None})
        stack.enter_context(_settings(settings))
        say(f"Prefect's server answers at {address}")
        yield address


@contextmanager
def _server_process(state: Path, address: str, serving: bool) -> Iterator[None]:
    command = [sys.executable, "-c", _BOOTSTRAP, str(os.getpid()), "server", "start", "--host", HOST]
    log_path = state / "server.log"
    with log_path.open("ab") as log, (state / "start.lock").open("w") as lock:
        log_start = log.tell()
        # Two servers that make the same new database at the same time break each other's migrations.
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen(
            [*command, "--port", str(urlsplit(address).port)],
            env={**os.environ, **_server_environment(state, serving)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for the flow; the server is stopped when the flow has reported how it ended.
            start_new_session=True,
        )
        try:
            import prefect.main  # noqa: F401  (two seconds' work, while the server does its own)

            _wait_until_healthy(process, address, log_path, log_start)
            fcntl.flock(lock, fcntl.LOCK_UN)
            yield
        finally:
            _stop(process)


def _server_environment(state: Path, serving: bool) -> dict[str, str]:
    schedules = str(serving).lower()
    unless_set = {
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        # One transaction an event, as by default, makes SQLite stall ("database is locked") in larger flows.
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "0.5",
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "200",
        # In memory, the lease of a run is lost with a killed server, and its slot stays taken for ever.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    }
    return {
        **{name: value for name, value in unless_set.items() if name not in os.environ},
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": schedules,
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(state / "ui"),  # by default a folder of the installed package
        "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": schedules,
    }


def _wait_until_healthy(process: subprocess.Popen[bytes], address: str, log_path: Path, log_start: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _is_healthy(address):
        ended = process.poll() is not None
        if ended or time.monotonic() > deadline:
            problem = f"ended with exit code {process.returncode}" if ended else f"took over {START_SECONDS:.0f} s"
            tail = log_path.read_bytes()[log_start:].decode(errors="replace").splitlines()[-15:]
            raise PrefectServerError("\n".join([f"Prefect's server {problem}. The end of {log_path}:", *tail]))
        time.sleep(POLL_SECONDS)


def _is_healthy(address: str) -> bool:
    url = urlsplit(address)
    connection = http.client.HTTPConnection(HOST, url.port, timeout=5)
    with closing(connection), suppress(OSError, http.client.HTTPException):
        connection.request("GET", f"{url.path}/health")
        return connection.getresponse().status == http.client.OK
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
