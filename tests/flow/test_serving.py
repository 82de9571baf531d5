"""A schedule that is really served: a real server plans the runs, and a runner executes them in processes of their own."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import yaml

from flows import serving

ROOT = Path(__file__).parents[2]
TINY_FLOW = """
from pathlib import Path
from prefect import flow, task
from prefect.states import Completed


@task
def leave_a_mark(home):
    Path(home, "mark").write_text("done")


def tiny_of(home):
    @flow(name="tiny", flow_run_name="tiny 2026-11-24")
    def tiny():
        leave_a_mark(home)
        return Completed(message="a mark was left")

    return tiny
"""
SERVE_TINY = """
import sys
from datetime import timedelta
from pathlib import Path
from flows.serving import serve_flow


def make_flow():
    from tiny_flow import tiny_of

    return tiny_of(sys.argv[1])


serve_flow(make_flow, "tiny", Path(sys.argv[1]), 0, interval=timedelta(seconds=5), timezone="Asia/Jakarta")
"""
# As if the server could not be kept alive: it is not started again in the same block.
SERVE_FRAGILE = (
    """
import flows.prefect_server, flows.serving
flows.prefect_server.MOST_RESTARTS = 0
flows.serving.AGAIN_SECONDS = 1
"""
    + SERVE_TINY
)
SERVE_NIGHTLY = """
import sys
from pathlib import Path
from flows.serving import serve_nightly
serve_nightly(Path(sys.argv[1]), 0)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, prefect_database: Path) -> Path:
    """One for all, with Prefect's database made already."""
    root = tmp_path_factory.mktemp("served") / "home"
    shutil.copytree(prefect_database, root / "prefect")
    return root


@contextmanager
def served(script: str, home: Path, modules: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that serves, for the time of the block; its lines are read from its standard output."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")} | {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(modules), os.environ.get("PYTHONPATH")])),
        "PYTHONUNBUFFERED": "1",
        # Nobody wants to wait here as long as a night allows.
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
        "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "1",
    }
    with subprocess.Popen(
        [sys.executable, "-c", script, str(home)], env=environment, cwd=modules, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            # Should the test have failed before it stopped it; the server goes with it.
            process.kill()


def rows(home: Path, query: str) -> list[tuple[str | int | None, ...]]:
    with closing(sqlite3.connect(f"file:{home}/prefect/prefect.db?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()


def serving_line(process: subprocess.Popen[str]) -> str:
    return next((line for line in process.stdout if line.startswith("Serving ")), "")


@pytest.mark.slow
def test_the_scheduler_starts_a_run_that_completes(home, tmp_path):
    (tmp_path / "tiny_flow.py").write_text(TINY_FLOW)
    with served(SERVE_TINY, home, tmp_path) as process:
        assert serving_line(process).startswith("Serving tiny/tiny; next run ")
        completed = (
            "SELECT DISTINCT t.state_type FROM flow_run f JOIN task_run t ON t.flow_run_id = f.id"
            " WHERE f.auto_scheduled AND f.state_type = 'COMPLETED'"
        )
        deadline = time.monotonic() + 45
        while rows(home, completed) != [("COMPLETED",)]:
            assert process.poll() is None
            assert time.monotonic() < deadline, rows(home, "SELECT state_name FROM flow_run")
            time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        said = process.stdout.read()
        assert "No longer serving tiny/tiny\n" in said
        # A line a run, with its outcome.
        assert re.search(r"^\d{4}-\d\d-\d\d \d\d:\d\d tiny 2026-11-24: completed; a mark was left$", said, re.MULTILINE)
        assert process.wait(30) == 0

    assert (home / "mark").read_text() == "done"
    # Stopped, it is paused: nothing is planned that nobody would run. Nothing occupies its only slot.
    assert rows(home, "SELECT paused FROM deployment") == [(1,)]
    assert rows(home, "SELECT count(*) FROM flow_run WHERE state_type = 'SCHEDULED'") == [(0,)]


def server_of(process: subprocess.Popen[str]) -> int:
    """The server that the process has started: it names its parent in its command line."""
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            arguments = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            if any(b"prefect_door" in argument for argument in arguments) and str(process.pid).encode() in arguments:
                return int(entry.name)
    raise AssertionError("no server")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "said"),
    [
        (SERVE_TINY, "Prefect's server has ended (exit code -9), and is started again"),
        (SERVE_FRAGILE, "Prefect has failed, and is started again in 1 s: "),
    ],
)
def test_a_schedule_outlives_its_server(home, tmp_path, script, said):
    (tmp_path / "tiny_flow.py").write_text(TINY_FLOW)
    with served(script, home, tmp_path) as process:
        assert serving_line(process).startswith("Serving tiny/tiny; next run ")
        os.kill(server_of(process), signal.SIGKILL)
        assert next(line for line in process.stdout if said in line)
        # Killed in the middle, a run of before may be told as crashed; those after it complete.
        assert next(line for line in process.stdout if "tiny 2026-11-24: completed; a mark was left" in line)
        process.send_signal(signal.SIGTERM)
        assert "No longer serving tiny/tiny\n" in process.stdout.read()
        assert process.wait(30) == 0


@pytest.mark.slow
def test_the_nightly_run_is_planned_for_one_in_the_morning_in_jakarta(home, tmp_path):
    with served(SERVE_NIGHTLY, home, tmp_path) as process:
        line = serving_line(process)
        assert line.startswith("Serving nightly/nightly; next run ")
        assert " 01:00 Asia/Jakarta;" in line
        planned = rows(
            home,
            "SELECT DISTINCT time(expected_start_time) FROM flow_run r JOIN deployment d ON d.id = r.deployment_id"
            " WHERE d.name = 'nightly'",
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0

    assert planned == [("18:00:00",)]
    [(parameters, options, limit)] = rows(
        home,
        'SELECT d.parameters, d.concurrency_options, c."limit" FROM deployment d'
        " JOIN concurrency_limit_v2 c ON c.id = d.concurrency_limit_id WHERE d.name = 'nightly'",
    )
    # The home is fixed by the process.
    assert json.loads(parameters) == {}
    assert json.loads(options)["collision_strategy"] == "CANCEL_NEW"
    assert limit == 1


def test_the_deployment_for_a_worker_is_the_same():
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    assert deployments == [
        {
            "name": serving.NIGHTLY_DEPLOYMENT,
            "description": "Takes what is new in the inbox through to publication.",
            "entrypoint": "flows/nightly.py:nightly",
            "parameters": {"home": "data"},
            "schedules": [{"cron": "0 1 * * *", "timezone": "Asia/Jakarta", "slug": "nightly"}],
            "concurrency_limit": {"limit": 1, "collision_strategy": "CANCEL_NEW"},
            "work_pool": {"name": "kanreg-kpi", "job_variables": {"env": {"DO_NOT_TRACK": "1"}}},
        }
    ]
    assert (serving.NIGHTLY_CRON, serving.NIGHTLY_TIMEZONE) == ("0 1 * * *", "Asia/Jakarta")
