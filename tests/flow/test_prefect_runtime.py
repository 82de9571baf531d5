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

from flows.settings import Settings
from tests.processes import script

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
RUN = """
with prefect_api(Path(sys.argv[1])) as address:
    squares, _ = define_flows()
    tasks = int(sys.argv[2])
    report = wait_for_history(UUID(squares(tasks)), tasks + 3)
    print(json.dumps([address, report.complete, report.sent, report.flow_runs, dict(report.states)]))
"""
# What a server of ours says of itself, after a run.
ASK = """
    from prefect.analytics import is_telemetry_enabled
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        server = client.request("GET", "/admin/settings").json()["server"]
    print(json.dumps([is_telemetry_enabled(), server["analytics_enabled"], server["ui"]["enabled"]]))
"""


def run(code: str, *arguments: str | Path, **changes: str) -> subprocess.CompletedProcess[str]:
    return script(FLOWS + code, *arguments, **changes)


@contextmanager
def server(home: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server of another process, for the time of the block, and that process."""
    code = "with prefect_api(Path(sys.argv[1])) as address: print(address, flush=True), sys.stdin.read()"
    command = [sys.executable, "-c", FLOWS + code, str(home)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True) as process:
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
def first_run(
    tmp_path_factory: pytest.TempPathFactory, prefect_database: Path
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A flow with 40 mapped tasks, and a sub-flow with three; its user has nothing of Prefect's."""
    user = tmp_path_factory.mktemp("user")
    shutil.copytree(prefect_database, user / "home" / "prefect")
    return user / "home", run(RUN + ASK, user / "home", "40", HOME=str(user))


@pytest.fixture
def home(tmp_path: Path, prefect_database: Path) -> Path:
    """A home whose database is made already, with an empty history: a server starts in it in a few seconds."""
    shutil.copytree(prefect_database, tmp_path / "home" / "prefect")
    return tmp_path / "home"


@pytest.mark.slow
def test_every_task_run_is_in_the_history_when_the_process_has_ended(first_run):
    home, finished = first_run
    assert finished.returncode == 0, finished.stderr
    address, *report = json.loads(finished.stdout.splitlines()[0])
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
    assert len(finished.stdout.splitlines()) == 2, "what the script itself prints"
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
def test_a_configured_server_is_used_and_left_alone_and_does_not_outlive_a_killed_process(home, tmp_path):
    with server(home) as (address, process):
        password = (home / "secret" / "prefect-api").read_text().strip()
        profile = f'active = "office"\n[profiles.office]\nPREFECT_API_URL = "{address}"\nPREFECT_API_AUTH_STRING = "{password}"\n'
        (tmp_path / "profiles.toml").write_text(profile)
        by_environment = run(RUN, tmp_path / "unused", "1", PREFECT_API_URL=address, PREFECT_API_AUTH_STRING=password)
        by_profile = run(RUN, tmp_path / "unused", "1", PREFECT_HOME=str(tmp_path))
        for finished in (by_environment, by_profile):
            assert finished.stdout and json.loads(finished.stdout)[:2] == [address, True], finished.stderr
        assert not (tmp_path / "unused").exists()
        assert is_up(address)
        assert history(home, "SELECT state_type, count(*) FROM task_run GROUP BY 1") == [("COMPLETED", 10)]
        process.send_signal(signal.SIGKILL)
        process.wait()
    deadline = time.monotonic() + 20
    while is_up(address):
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.slow
def test_nothing_is_reported_to_prefects_makers(first_run):
    _, finished = first_run
    assert json.loads(finished.stdout.splitlines()[1]) == [False, False, False]


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
def test_the_history_keeps_the_last_days_and_no_more(first_run, tmp_path):
    """Of two runs, one of them 40 days old and one of 20, a history of 30 days keeps the second; unless somebody sets it, it has 90."""
    assert Settings().history_days == 90
    home = tmp_path / "home"
    shutil.copytree(first_run[0], home)
    with closing(sqlite3.connect(home / "prefect" / "prefect.db")) as database, database:
        for is_part, days in ((False, 40), (True, 20)):
            database.execute(
                "UPDATE flow_run SET end_time = datetime('now', ?) WHERE (parent_task_run_id IS NOT NULL) = ?",
                (f"-{days} days", is_part),
            )
    look = """
import time
with prefect_api(Path(sys.argv[1])):
    from prefect.client.orchestration import get_client

    deadline = time.monotonic() + 30
    with get_client(sync_client=True) as client:
        while len(left := client.read_flow_runs()) > 1 and time.monotonic() < deadline:
            time.sleep(0.2)
    print([run.name == sys.argv[2] for run in left])
"""
    ((younger,),) = history(home, "SELECT name FROM flow_run WHERE parent_task_run_id IS NOT NULL")
    finished = run(look, home, str(younger), KPI_HISTORY_DAYS="30")
    assert finished.stdout == "[True]\n", finished.stderr
    assert history(home, "SELECT count(*) FROM flow_run") == [(1,)]
    # The tasks and states of the older went with it.
    assert history(home, "SELECT count(*) FROM task_run WHERE flow_run_id NOT IN (SELECT id FROM flow_run)") == [(0,)]
    assert history(home, "SELECT count(*) FROM flow_run_state WHERE flow_run_id NOT IN (SELECT id FROM flow_run)") == [
        (0,)
    ]


def test_importing_the_module_does_not_import_prefect():
    assert run("sys.exit('prefect' in sys.modules)").returncode == 0
