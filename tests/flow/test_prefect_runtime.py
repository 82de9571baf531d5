"""Flows with a Prefect server of their own: real servers, in processes of their own, their databases read afterwards."""

import http.client
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

FLOWS = """
import json, os, sys, threading
from pathlib import Path
from uuid import UUID
from flows.prefect_runtime import prefect_api, wait_for_history


def define_flows():
    from prefect import flow, get_run_logger, runtime, task

    @task
    def square(number):
        if number < 0:
            raise ValueError("no square is asked for")
        return number * number

    @flow
    def part():
        square.map(range(3)).result()

    @flow
    def squares(count):
        get_run_logger().info("a line for the history")
        square.map(range(count)).result()
        part()
        return str(runtime.flow_run.id)

    @flow
    def failing():
        square(1)
        square(-1)

    return squares, failing
"""
RUN_40 = """
with prefect_api(Path(sys.argv[1])) as address:
    squares, _ = define_flows()
    report = wait_for_history(UUID(squares(40)), 43)
    print(json.dumps([address, report.complete, report.sent, report.flow_runs, dict(report.states)]))
"""


def environment(**changes: str) -> dict[str, str]:
    """This process's, without what its user has set for Prefect."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")} | changes


def run(script: str, *arguments: str | Path, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", FLOWS + script, *map(str, arguments)]
    return subprocess.run(command, env=environment(**changes), capture_output=True, text=True, timeout=180, check=False)


@contextmanager
def server(home: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server of another process, for the time of the block, and that process."""
    script = "with prefect_api(Path(sys.argv[1])) as address: print(address, flush=True), sys.stdin.read()"
    command = [sys.executable, "-c", FLOWS + script, str(home)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment(), stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.stdin.close()


def history(home: Path, query: str) -> list[tuple[str | int, ...]]:
    with closing(sqlite3.connect(home / "prefect" / "prefect.db")) as database:
        return database.execute(query).fetchall()


def is_up(address: str) -> bool:
    url = urlsplit(address)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=5)
    try:
        connection.request("GET", f"{url.path}/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A flow with 40 mapped tasks, and a sub-flow with three, in a new home: the server makes its database."""
    user = tmp_path_factory.mktemp("user")
    return user / "home", run(RUN_40, user / "home", HOME=str(user))


@pytest.fixture
def home(first_run: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path) -> Path:
    """A home whose database is made already, with an empty history: a server starts in it in a few seconds."""
    copy = tmp_path / "home"
    shutil.copytree(first_run[0], copy)
    with closing(sqlite3.connect(copy / "prefect" / "prefect.db")) as database, database:
        for table in ("task_run_state", "task_run", "flow_run_state", "flow_run"):
            database.execute(f"DELETE FROM {table}")
    return copy


@pytest.mark.slow
def test_every_task_run_is_in_the_history_when_the_process_has_ended(first_run):
    home, finished = first_run
    assert finished.returncode == 0, finished.stderr
    address, *report = json.loads(finished.stdout)
    assert report == [True, 43, 2, {"COMPLETED": 43}]
    # Beside the 43 there is the sub-flow's place holder among the flow's task runs.
    assert history(home, "SELECT state_type, count(*) FROM task_run GROUP BY 1") == [("COMPLETED", 44)]
    assert history(home, "SELECT count(*) FROM task_run WHERE task_key LIKE 'square-%'") == [(43,)]
    assert history(home, "SELECT count(*) FROM log WHERE message = 'a line for the history'") == [(1,)]
    assert not is_up(address)


@pytest.mark.slow
def test_the_terminal_stays_quiet_and_the_only_folder_private(first_run):
    home, finished = first_run
    assert finished.stderr == ""
    assert len(finished.stdout.splitlines()) == 1
    assert (home / "prefect").stat().st_mode & 0o777 == 0o700
    assert (home / "prefect" / "server.log").exists()
    assert list(home.parent.iterdir()) == [home]  # no ~/.prefect


@pytest.mark.slow
def test_a_failed_flow_is_in_the_history_too_though_nobody_waits_for_it(home):
    finished = run("with prefect_api(Path(sys.argv[1])): define_flows()[1]()", home)
    assert "ValueError: no square is asked for" in finished.stderr
    assert history(home, "SELECT state_type FROM task_run ORDER BY 1") == [("COMPLETED",), ("FAILED",)]
    assert history(home, "SELECT state_type FROM flow_run") == [("FAILED",)]


@pytest.mark.slow
def test_settings_hold_in_the_block_only_also_where_prefect_was_imported_before(home, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(home, other)
    finished = run(
        """
squares, _ = define_flows()
from prefect.settings import PREFECT_API_URL, PREFECT_HOME
at_first, seen = dict(os.environ), []
for home in sys.argv[1:3]:
    with prefect_api(Path(home)) as address:
        look = threading.Thread(target=lambda: seen.append(PREFECT_API_URL.value() == address))
        look.start(), look.join()
        seen.append(wait_for_history(UUID(squares(5))).complete)
        seen.append(PREFECT_HOME.value() == Path(home) / "prefect")
print(json.dumps([seen, PREFECT_API_URL.value(), dict(os.environ) == at_first]))
""",
        home,
        other,
    )
    assert finished.stdout and json.loads(finished.stdout) == [[True] * 6, None, True], finished.stderr
    for used in (home, other):
        assert history(used, "SELECT state_type, count(*) FROM task_run GROUP BY 1") == [("COMPLETED", 9)]


@pytest.mark.slow
def test_a_configured_server_is_used_and_left_alone(home, tmp_path):
    with server(home) as (address, _):
        password = (home / "secret" / "prefect-api").read_text().strip()
        profile = f'active = "office"\n[profiles.office]\nPREFECT_API_URL = "{address}"\nPREFECT_API_AUTH_STRING = "{password}"\n'
        (tmp_path / "profiles.toml").write_text(profile)
        by_environment = run(RUN_40, tmp_path / "unused", PREFECT_API_URL=address, PREFECT_API_AUTH_STRING=password)
        by_profile = run(RUN_40, tmp_path / "unused", PREFECT_HOME=str(tmp_path))
        for finished in (by_environment, by_profile):
            assert finished.stdout and json.loads(finished.stdout)[:2] == [address, True], finished.stderr
        assert not (tmp_path / "unused").exists()
        assert is_up(address)
    assert history(home, "SELECT state_type, count(*) FROM task_run GROUP BY 1") == [("COMPLETED", 88)]


@pytest.mark.slow
def test_nothing_is_reported_to_prefects_makers(home):
    finished = run(
        """
with prefect_api(Path(sys.argv[1])):
    from prefect.analytics import is_telemetry_enabled
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        server = client.request("GET", "/admin/settings").json()["server"]
    print(json.dumps([is_telemetry_enabled(), server["analytics_enabled"], server["ui"]["enabled"]]))
""",
        home,
    )
    assert finished.stdout and json.loads(finished.stdout) == [False, False, False], finished.stderr


@pytest.mark.slow
def test_the_server_does_not_outlive_a_killed_process(home):
    with server(home) as (address, process):
        assert is_up(address)
        process.send_signal(signal.SIGKILL)
        process.wait()
    deadline = time.monotonic() + 20
    while is_up(address):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_configured_server_that_does_not_answer_is_named(tmp_path):
    finished = run("prefect_api(Path(sys.argv[1])).__enter__()", tmp_path, PREFECT_API_URL="http://127.0.0.1:9/api")
    assert "PrefectServerError: No Prefect server answers at http://127.0.0.1:9/api" in finished.stderr


@pytest.mark.slow
def test_a_server_that_does_not_start_gives_the_end_of_its_log(tmp_path):
    finished = run(
        "prefect_api(Path(sys.argv[1])).__enter__()",
        tmp_path,
        PREFECT_SERVER_DATABASE_CONNECTION_URL="sqlite+aiosqlite:////nowhere/at/all.db",
    )
    assert f"The end of {tmp_path}/prefect/server.log:" in finished.stderr
    assert "unable to open database file" in finished.stderr


@pytest.mark.slow
def test_the_history_keeps_the_last_days_and_no_more(home):
    squares = "with prefect_api(Path(sys.argv[1])): define_flows()[0](2)"
    assert run(squares, home).returncode == 0
    assert history(home, "SELECT count(*) FROM flow_run") == [(2,)]
    with closing(sqlite3.connect(home / "prefect" / "prefect.db")) as database, database:
        database.execute("UPDATE flow_run SET end_time = datetime('now', '-40 days')")
    look = """
import time
with prefect_api(Path(sys.argv[1])):
    from prefect.client.orchestration import get_client

    deadline = time.monotonic() + int(sys.argv[2])
    with get_client(sync_client=True) as client:
        while (left := len(client.read_flow_runs())) and time.monotonic() < deadline:
            time.sleep(0.2)
    print(left)
"""
    assert run(look, home, "5").stdout == "2\n"
    assert run(look, home, "30", KPI_HISTORY_DAYS="30").stdout == "0\n"
    for table in ("flow_run", "task_run", "flow_run_state"):
        assert history(home, f"SELECT count(*) FROM {table}") == [(0,)]


def test_importing_the_module_does_not_import_prefect():
    assert run("sys.exit('prefect' in sys.modules)").returncode == 0
