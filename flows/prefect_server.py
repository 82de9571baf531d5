# ruff: noqa: PLC0415
# Prefect is imported inside the functions: that takes a second, reads the settings and may report its use.
"""A Prefect server of our own for the time of a block: on the loopback, behind a password, and never in the way of a run.

What records runs must not stop them: a database that is damaged or locked is put aside, and where the server does not
start with a new one either, it keeps its history in a folder that is thrown away.
"""

from __future__ import annotations

import errno
import fcntl
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flows.prefect_database import find_problem, put_aside
from flows.prefect_environment import HOST, PrefectServerError, environment, state_folder
from flows.prefect_internals import settings_in_force
from flows.prefect_secret import api_secret
from flows.settings import Settings as KpiSettings

if TYPE_CHECKING:
    from prefect.settings import Settings

START_SECONDS, STOP_SECONDS, POLL_SECONDS = 90.0, 15.0, 0.1
LOG_BYTES, MOST_RESTARTS = 1_000_000, 5
DOOR = Path(__file__).with_name("prefect_door.py")
Say = Callable[[str], None]


@dataclass(frozen=True)
class _Place:
    """Where a server keeps its database and its log, and the socket that it answers on."""

    state: Path
    prefect_home: Path
    listening: socket.socket
    serving: bool

    @property
    def port(self) -> int:
        return int(self.listening.getsockname()[1])

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}/api"

    @property
    def database(self) -> Path:
        return self.prefect_home / "prefect.db"


@contextmanager
def own_server(home: Path, user: Settings, say: Say, port: int | None) -> Iterator[str]:
    """A server for the block, and its address; the environment and Prefect's settings lead there.

    With a ``port`` (0: any that is free) it has what a schedule needs: the scheduler, and pages for a browser. Raises
    PrefectServerError where the port is taken, or where no server starts.
    """
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY
    from prefect.settings import Settings as PrefectSettings

    with ExitStack() as stack:
        # The client and the processes of flow runs need it as much as the server does.
        secret = api_secret(home)
        stack.enter_context(environment({f"PREFECT{side}_API_AUTH_STRING": secret for side in ("", "_SERVER")}))
        listening = stack.enter_context(_listening(port))
        address = _start(stack, home, user, say, listening, serving=port is not None)
        settings = PrefectSettings()
        if port is None:
            # Nobody looks at heartbeats here, and their thread holds up the end of a flow by half a second.
            settings = settings.copy_with_update(updates={PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None})
        stack.enter_context(settings_in_force(settings))
        say(f"Prefect's server answers at {address}")
        yield address


def _listening(port: int | None) -> socket.socket:
    """Listens before the server is there: nobody else can take its port and be given the password."""
    try:
        return socket.create_server((HOST, port or 0))
    except OSError as problem:
        if problem.errno != errno.EADDRINUSE:
            raise
        raise PrefectServerError(
            f"port {port} is taken, by another `kpi serve` or another program: end it, or choose another port by KPI_UI_PORT"
        ) from None


def _start(stack: ExitStack, home: Path, user: Settings, say: Say, listening: socket.socket, *, serving: bool) -> str:
    """Starts a server that lives as long as ``stack``: with its history, else with a new one, else with one for the time being."""
    chosen = os.environ.get("PREFECT_HOME")
    is_ours = chosen in (None, str(home / "prefect")) and "connection_url" not in user.server.database.model_fields_set
    problem = "?"
    try:
        state = state_folder(home)
        place = _Place(state, state if chosen is None else Path(chosen), listening, serving)
        for is_last in (False, True):
            try:
                return _enter(stack, place, user, say, may_put_aside=is_ours)
            except PrefectServerError as failure:
                problem = str(failure)
                if not is_ours or is_last or not place.database.exists():
                    break
                put_aside(place.database, "the server did not start with it", say)
    except OSError as failure:
        problem = str(failure)
    if not is_ours:
        raise PrefectServerError(problem)
    for line in problem.splitlines():
        say(line)
    say("Prefect's server keeps its history in a folder for the time being; it is lost when this ends")
    passing = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kpi-prefect-", ignore_cleanup_errors=True)))
    return _enter(stack, _Place(passing, passing, listening, serving), user, say, may_put_aside=False)


def _enter(stack: ExitStack, place: _Place, user: Settings, say: Say, *, may_put_aside: bool) -> str:
    variables = {"PREFECT_API_URL": place.address, "PREFECT_HOME": str(place.prefect_home)}
    # Prefect looks for profiles in its home: the user's stay in force where we move it.
    if user.profiles_path.exists():
        variables["PREFECT_PROFILES_PATH"] = str(user.profiles_path)
    with ExitStack() as trial:
        trial.enter_context(environment(variables))
        trial.enter_context(_server_process(place, say, may_put_aside))
        stack.enter_context(trial.pop_all())
    return place.address


@contextmanager
def _server_process(place: _Place, say: Say, may_put_aside: bool) -> Iterator[None]:
    log_path = place.state / "server.log"
    if log_path.exists() and log_path.stat().st_size > LOG_BYTES:
        log_path.replace(log_path.with_suffix(".log.1"))
    with log_path.open("ab") as log, (place.state / "start.lock").open("w") as lock:
        log_start = log.tell()
        # Two servers that make the same new database at the same time break each other's migrations.
        _lock(lock.fileno())
        if may_put_aside and (problem := find_problem(place.database)):
            put_aside(place.database, problem, say)
        say(
            "Starting Prefect's server"
            + "; its first start here takes some seconds more" * (not place.database.exists())
        )
        server = _Server(place, log.fileno(), say, may_put_aside)
        try:
            import prefect.main  # noqa: F401  (two seconds' work, while the server does its own)

            _wait_until_healthy(server.process, place, log_path, log_start)
            fcntl.flock(lock, fcntl.LOCK_UN)
            server.watch()
            yield
        finally:
            server.stop()


class _Server:
    """The server's process, and those that follow it: a client waits for a server that is gone without an end."""

    def __init__(self, place: _Place, log: int, say: Say, may_put_aside: bool) -> None:
        self._place, self._log, self._say, self._may_put_aside = place, log, say, may_put_aside
        self._stopping, self._guard = threading.Event(), threading.Lock()
        self.process = self._begin()

    def _begin(self) -> subprocess.Popen[bytes]:
        descriptor = self._place.listening.fileno()
        return subprocess.Popen(
            # -P: no file of the folder where this was started is taken for a module of the server's.
            [sys.executable, "-P", str(DOOR), *map(str, (os.getpid(), descriptor, self._place.port))],
            env={**os.environ, **_server_environment(self._place)},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            pass_fds=[descriptor],
            # Ctrl-C is for the flow; the server is stopped when the flow has reported how it ended.
            start_new_session=True,
        )

    def watch(self) -> None:
        """Starts it again, a few times at most, where it ends before it is stopped."""
        # The kernel ends a server with the thread that began it: this one lives as long as the last that it began.
        threading.Thread(target=self._follow, name="prefect-server", daemon=True).start()

    def _follow(self) -> None:
        for _ in range(MOST_RESTARTS):
            code = self.process.wait()
            with self._guard:
                if self._stopping.is_set():
                    return
                self._say(f"Prefect's server has ended (exit code {code}), and is started again")
                if self._may_put_aside and (problem := find_problem(self._place.database)):
                    put_aside(self._place.database, problem, self._say)
                self.process = self._begin()
        self.process.wait()
        # Whoever asks now is to hear at once that nobody answers.
        self._place.listening.close()

    def stop(self) -> None:
        self._stopping.set()
        with self._guard:
            self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _lock(descriptor: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise PrefectServerError("another Prefect server has been starting here for too long") from None
            time.sleep(POLL_SECONDS)


def _server_environment(place: _Place) -> dict[str, str]:
    serving, keep_days = str(place.serving).lower(), KpiSettings().history_days
    unless_set = {
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        # One transaction an event, as by default, makes SQLite stall ("database is locked") in larger flows.
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
        # Whole seconds: Prefect cuts the rest off, and a server that waits for no second at a time takes a whole core.
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "200",
        # In memory, the lease of a run is lost with a killed server, and its slot stays taken for ever.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        # By default only events go at the end of their time, and runs with their logs and artifacts stay for ever.
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(keep_days * 24 * 3600),
    }
    return {
        **{name: value for name, value in unless_set.items() if name not in os.environ},
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": serving,
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(place.state / "ui"),  # by default a folder of the installed package
        "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": serving,
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": place.address.removesuffix("/api"),
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
    }


def _wait_until_healthy(process: subprocess.Popen[bytes], place: _Place, log_path: Path, log_start: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _is_healthy(place):
        ended = process.poll() is not None
        if ended or time.monotonic() > deadline:
            problem = f"ended with exit code {process.returncode}" if ended else f"took over {START_SECONDS:.0f} s"
            tail = log_path.read_bytes()[log_start:].decode(errors="replace").splitlines()[-15:]
            raise PrefectServerError("\n".join([f"Prefect's server {problem}. The end of {log_path}:", *tail]))
        time.sleep(POLL_SECONDS)


def _is_healthy(place: _Place) -> bool:
    # The socket listens before the server does: an answer may be long in coming, and the server may have died meanwhile.
    connection = http.client.HTTPConnection(HOST, place.port, timeout=1)
    with closing(connection), suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/api/health")
        return connection.getresponse().status == http.client.OK
    return False
