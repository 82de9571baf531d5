"""Ctrl-C and SIGTERM, sent to the process group as a terminal and a service manager do: one line, 130 or 143, and a ledger that says so."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from tests.processes import kpi
from tests.rows import csv, row
from warehouse.runs.pipeline import a_run, run_pipeline
from warehouse.store.stopping import Stopped, stoppable

KPI = [sys.executable, "-c", "from flows.cli import main; main()"]


def start(command: list[str], home: Path, log: Path) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("KPI_", "PREFECT_"))}
    with log.open("wb") as output:
        return subprocess.Popen(
            command, stdout=output, stderr=output, start_new_session=True, env=environment | {"KPI_HOME": str(home)}
        )


def wait_for(text: str, log: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while text not in log.read_text() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert text in log.read_text()


def end(process: subprocess.Popen[bytes], number: int) -> int:
    os.killpg(process.pid, number)
    return process.wait(120)


def last_run(home: Path) -> tuple[str, str]:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute("SELECT status, message FROM ledger.runs ORDER BY run_id DESC LIMIT 1").fetchall()[0]


def test_what_swallows_the_signal_stops_at_the_end_of_the_step() -> None:
    done = []
    with pytest.raises(Stopped), stoppable():
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)
        except BaseException:
            done.append("swallowed")
        done.append("went on")
    assert done == ["swallowed", "went on"]


def test_the_same_wish_sent_twice_does_not_break_off_the_clearing_up() -> None:
    cleared = []
    with pytest.raises(Stopped), stoppable():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            cleared.append(True)
    assert cleared == [True]


def test_a_stopped_run_is_not_a_failed_one(tmp_path: Path, deliver) -> None:
    deliver("pension/a.csv", csv(row("pension")))
    with pytest.raises(KeyboardInterrupt), a_run(tmp_path, None) as pipeline:
        for source, found in pipeline.find():
            pipeline.take_in(source, found, lambda line: None)
        os.kill(os.getpid(), signal.SIGINT)
    assert last_run(tmp_path) == ("stopped", "stopped by Ctrl-C")
    assert "stopped by Ctrl-C" in (tmp_path / "reports" / "validation" / "run-000001.html").read_text()
    assert run_pipeline(tmp_path).published


@pytest.mark.parametrize(("number", "code", "name"), [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM")])
def test_a_stopped_night_says_so_in_one_line(
    tmp_path: Path, prefect_database: Path, deliver, number: int, code: int, name: str
) -> None:
    deliver("integration/a.csv", csv(row("integration")))
    many = [row("pension", id=f"S{n}", nip=f"1966{n:014d}") for n in range(120_000)]
    deliver("pension/a.csv", csv(*many))
    shutil.copytree(prefect_database, tmp_path / "prefect")
    log = tmp_path / "log"
    process = start([*KPI, "run"], tmp_path, log)
    wait_for("integration/a.csv:", log, process)
    time.sleep(1.0)
    assert end(process, number) == code
    lines = log.read_text().splitlines()
    assert lines[-1] == (
        f"kpi: run-000001 was stopped by {name}: nothing was published, new deliveries kept: 1; "
        "run the same again, and it goes on from there"
    )
    assert [line for line in lines if "Traceback" in line or "leaked" in line or "Crash" in line] == []
    assert last_run(tmp_path) == ("stopped", f"stopped by {name}")


@pytest.mark.parametrize(
    "command", [["explain", "pension", "--period", "2024"], ["reproduce", "pension", "--period", "2024"]]
)
def test_a_reading_command_is_stopped_at_any_moment(tmp_path: Path, deliver, command: list[str]) -> None:
    deliver("pension/a.csv", csv(row("pension")))
    run_pipeline(tmp_path)
    whole = kpi(*command, home=tmp_path).stdout.splitlines()
    codes = set()
    for seconds in (0.0, 0.1, 0.4, 0.8):
        # What comes before is Python's own start.
        ready = [sys.executable, "-c", "from flows.cli import main; print('ready', flush=True); main()"]
        process = start([*ready, *command], tmp_path, tmp_path / "log")
        wait_for("ready", tmp_path / "log", process)
        time.sleep(seconds)
        if process.poll() is None:
            code = end(process, signal.SIGINT)
            said = (tmp_path / "log").read_text().splitlines()
            assert not any("Traceback" in line or "leaked" in line for line in said)
            # It may have been done by then, and at Python's own end: the whole answer is there.
            if code == 0 and said[-1] == whole[-1]:
                continue
            codes.add(code)
            assert said[-1] == "kpi: stopped by Ctrl-C; run the same again"
    assert codes == {130}


LONG_QUERY = """
import sys, threading, duckdb
from warehouse.store.stopping import interruptible, noticing, stoppable
connection = duckdb.connect(config={"threads": 2})
ended = []
def ask():
    try:
        with stoppable(), interruptible(connection):
            print("asking", flush=True)
            connection.execute("SELECT count(DISTINCT md5(range::VARCHAR)) FROM range(1000000000)")
    except BaseException as stop:
        ended.append(stop)
with noticing(is_last=True):
    if sys.argv[1] == "main":
        ask()
    else:
        thread = threading.Thread(target=ask)
        thread.start()
        try:
            thread.join()
        except BaseException:
            pass
print(*ended, flush=True)
"""


@pytest.mark.parametrize("thread", ["main", "another"])
def test_a_long_query_is_interrupted_wherever_python_waits(tmp_path: Path, thread: str) -> None:
    process = start([sys.executable, "-c", LONG_QUERY, thread], tmp_path, tmp_path / "log")
    wait_for("asking", tmp_path / "log", process)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(20) == 0
    assert (tmp_path / "log").read_text().splitlines() == ["asking", "stopped by SIGTERM"]


def test_a_sample_that_is_broken_off_delivers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sample_data

    def broken_off(order: object) -> list[Path]:
        raise KeyboardInterrupt

    monkeypatch.setattr(sample_data, "SOURCES", (*sample_data.SOURCES[3:5], broken_off))
    with pytest.raises(KeyboardInterrupt):
        sample_data.write_deliveries(tmp_path / "inbox", [2024], 1, 7, faults=False)
    assert list((tmp_path / "inbox").iterdir()) == []


def test_what_a_command_leaves_behind_is_freed(tmp_path: Path, deliver) -> None:
    deliver("pension/a.csv", csv(row("pension")))
    script = "import sys; from pathlib import Path; from warehouse.runs.pipeline import run_pipeline; run_pipeline(Path(sys.argv[1]))"
    shown = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert shown.stderr == ""


def test_run_as_json_prints_a_report_also_when_it_fails(tmp_path: Path, deliver) -> None:
    from warehouse.store.home import Home
    from warehouse.store.lock import writer_lock

    Home(tmp_path).make()
    for command in (["run", "--json"], ["backfill", "2024", "--json"]):
        with writer_lock(Home(tmp_path).lock, "another"):
            shown = subprocess.run(
                [*KPI, *command, "--home", str(tmp_path)], capture_output=True, text=True, check=False, timeout=120
            )
        report = json.loads(shown.stdout)
        assert shown.returncode == 3
        assert (report["run"], report["published"], report["batches"]) == (None, False, [])
        assert report["error"]["exit"] == 3 and "is writing" in report["error"]["message"]


def test_a_commit_that_has_ended_its_transaction_does_not_hide_why(tmp_path: Path) -> None:
    from warehouse.store.connection import open_warehouse

    (tmp_path / "inbox").mkdir()
    # As a COMMIT does that finds the disk full: the transaction is over, and the failure comes after.
    with (
        open_warehouse(tmp_path, "test") as warehouse,
        pytest.raises(OSError, match="No space left"),
        warehouse.transaction() as connection,
    ):
        connection.execute("ROLLBACK")
        raise OSError(28, "No space left on device")
