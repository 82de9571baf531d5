"""What records runs must not stop them: a Prefect database that is damaged or locked, a folder, a server that does not start."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from flows.prefect_database import KEPT_ASIDE, find_problem, put_aside
from tests.rows import csv, row

ROOT = Path(__file__).parents[2]
KPI = [sys.executable, "-c", "from flows.cli import main; main()"]


def night(home: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """`kpi run --json` with one delivery in the inbox."""
    (home / "inbox" / "pension").mkdir(parents=True, exist_ok=True)
    (home / "inbox" / "pension" / "a.csv").write_text(csv(row("pension")))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "KPI_"))}
    return subprocess.run(
        [*KPI, "run", "--json", "--home", str(home)],
        env=environment | {"PYTHONPATH": str(ROOT)} | changes,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def is_done(night: subprocess.CompletedProcess[str]) -> bool:
    assert night.returncode == 0, night.stderr
    report = json.loads(night.stdout)
    return bool(report["published"]) and [batch["accepted"] for batch in report["batches"]] == [1]


@pytest.fixture
def home(tmp_path: Path, prefect_database: Path) -> Path:
    shutil.copytree(prefect_database, tmp_path / "home" / "prefect")
    return tmp_path / "home"


def flip(database: Path) -> None:
    content = bytearray(database.read_bytes())
    content[4096 * 3 : 4096 * 40] = os.urandom(4096 * 37)
    database.write_bytes(content)


def make_rubbish(database: Path) -> None:
    for log in ("-wal", "-shm"):
        Path(f"{database}{log}").unlink(missing_ok=True)
    database.write_bytes(b"no database at all" * 1000)


def make_newer(database: Path) -> None:
    """As a later release of Prefect leaves it: whole, but of a revision that this one does not know."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")


@pytest.mark.parametrize("damage", [flip, make_rubbish])
def test_damage_is_seen_before_a_server_starts(home: Path, damage: Callable[[Path], None]) -> None:
    database = home / "prefect" / "prefect.db"
    assert find_problem(database) is None
    damage(database)
    assert find_problem(database)


def test_what_is_put_aside_keeps_its_log_and_only_the_last_are_kept(tmp_path: Path) -> None:
    database, said = tmp_path / "prefect.db", []
    for number in range(KEPT_ASIDE + 2):
        database.write_text(str(number))
        Path(f"{database}-wal").write_text(f"log {number}")
        put_aside(database, "a reason", said.append)
        assert not list(tmp_path.glob("prefect.db-*"))
    kept = sorted(path for path in tmp_path.iterdir() if not path.name.endswith("-wal"))
    assert [path.read_text() for path in kept] == ["2", "3", "4"]
    assert [Path(f"{path}-wal").read_text() for path in kept] == ["log 2", "log 3", "log 4"]
    assert said[-1] == (
        f"Prefect's database {database} cannot be used (a reason): put aside as {kept[-1].name}; a new history begins"
    )


@pytest.mark.slow
@pytest.mark.parametrize("damage", [make_rubbish, make_newer])
def test_a_database_that_cannot_be_used_is_put_aside_and_the_night_goes_on(
    home: Path, damage: Callable[[Path], None]
) -> None:
    database = home / "prefect" / "prefect.db"
    damage(database)
    before = database.read_bytes()
    done = night(home)
    assert is_done(done)
    [aside] = [path for path in database.parent.glob("prefect.db.aside-*") if not path.name.endswith(("-wal", "-shm"))]
    if damage is make_rubbish:
        assert aside.read_bytes() == before
    assert f"put aside as {aside.name}; a new history begins" in done.stderr
    assert "Traceback" not in done.stderr or damage is make_newer
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT state_type FROM flow_run WHERE parent_task_run_id IS NULL").fetchall() == [
            ("COMPLETED",)
        ]


@pytest.mark.slow
def test_a_locked_database_is_put_aside_and_the_night_goes_on(home: Path) -> None:
    with closing(sqlite3.connect(home / "prefect" / "prefect.db", isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        done = night(home)
    assert is_done(done)
    assert "cannot be used (database is locked): put aside as prefect.db.aside-" in done.stderr


@pytest.mark.slow
def test_a_folder_that_cannot_be_made_costs_the_history_only(tmp_path: Path) -> None:
    (tmp_path / "prefect").write_text("in the way")
    done = night(tmp_path)
    assert is_done(done)
    assert "Prefect's server keeps its history in a folder for the time being; it is lost when this ends" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"PREFECT_SERVER_DATABASE_CONNECTION_URL": "sqlite+aiosqlite:////nowhere/at/all.db"},
        {"PREFECT_API_URL": "http://127.0.0.1:9/api"},
    ],
)
def test_without_any_server_the_night_goes_on(tmp_path: Path, changes: dict[str, str]) -> None:
    done = night(tmp_path, **changes)
    assert is_done(done)
    assert "the run goes on without it, and is in the ledger, not in Prefect's history" in done.stderr
    assert "\\n" not in done.stderr, "two lines, not one with an escape"


@pytest.mark.slow
def test_a_server_that_is_killed_during_the_run_does_not_stop_it(home: Path) -> None:
    """The process that serves is killed as soon as the first delivery is in."""
    script = """
import os, signal, sys
from pathlib import Path
import flows.render as render

def kill_the_server():
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                ours = f"\\0{os.getpid()}\\0".encode() in (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if ours and "prefect_door" in (entry / "cmdline").read_text():
                os.kill(int(entry.name), signal.SIGKILL)

say = render.say
def watch(line):
    if line.startswith("pension/a.csv"):
        kill_the_server()
    say(line)
render.say = watch
from flows.cli import main
main()
"""
    (home / "inbox" / "pension").mkdir(parents=True)
    (home / "inbox" / "pension" / "a.csv").write_text(csv(row("pension")))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "KPI_"))}
    done = subprocess.run(
        [sys.executable, "-c", script, "run", "--json", "--home", str(home)],
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert is_done(done)
    assert "Prefect's server has ended (exit code -9), and is started again" in done.stderr
    with closing(sqlite3.connect(home / "prefect" / "prefect.db")) as connection:
        states = connection.execute("SELECT DISTINCT state_type FROM flow_run").fetchall()
    assert states == [("COMPLETED",)]
