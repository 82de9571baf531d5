"""What records runs must not stop them: a Prefect database that is damaged or locked, a folder, a server that does not start."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from flows.prefect_database import KEPT_ASIDE, find_problem, put_aside
from tests.processes import kpi, script
from tests.rows import csv, row

# A flow on a server whose database is put aside. The new one is made of the prepared one, which saves Prefect eight seconds of making it.
TINY_NIGHT = """
import shutil, sys
from pathlib import Path
from flows.prefect_runtime import prefect_api

home, prepared = map(Path, sys.argv[1:])

def say(line):
    print(line, file=sys.stderr)
    if "put aside as" in line:
        shutil.copy(prepared / "prefect.db", home / "prefect" / "prefect.db")

with prefect_api(home, say):
    from prefect import flow

    @flow
    def tiny():
        print("the flow has run")

    tiny()
"""


def deliver_one(home: Path) -> None:
    (home / "inbox" / "pension").mkdir(parents=True, exist_ok=True)
    (home / "inbox" / "pension" / "a.csv").write_text(csv(row("pension")))


def night(home: Path, **changes: str) -> CompletedProcess[str]:
    """`kpi run --json` with one delivery in the inbox."""
    deliver_one(home)
    return kpi("run", "--json", home=home, **changes)


def is_done(night: CompletedProcess[str]) -> bool:
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


def states(home: Path) -> list[tuple[str]]:
    with closing(sqlite3.connect(home / "prefect" / "prefect.db")) as connection:
        return connection.execute("SELECT state_type FROM flow_run WHERE parent_task_run_id IS NULL").fetchall()


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


@contextmanager
def rubbish(database: Path) -> Iterator[str]:
    make_rubbish(database)
    yield "file is not a database"


@contextmanager
def newer(database: Path) -> Iterator[str]:
    make_newer(database)
    yield "the server did not start with it"


@contextmanager
def locked(database: Path) -> Iterator[str]:
    with closing(sqlite3.connect(database, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        yield "database is locked"


@pytest.mark.slow
@pytest.mark.parametrize("harm", [rubbish, locked, newer])
def test_a_database_that_cannot_be_used_is_put_aside_and_a_new_history_begins(
    home: Path, prefect_database: Path, harm: Callable[[Path], AbstractContextManager[str]]
) -> None:
    database = home / "prefect" / "prefect.db"
    with harm(database) as reason:
        before = database.read_bytes()
        done = script(TINY_NIGHT, home, prefect_database)
    assert (done.returncode, "the flow has run" in done.stdout) == (0, True), done.stderr
    [aside] = [path for path in database.parent.glob("prefect.db.aside-*") if not path.name.endswith(("-wal", "-shm"))]
    assert aside.read_bytes() == before or harm is not rubbish
    assert f"cannot be used ({reason}): put aside as {aside.name}; a new history begins" in done.stderr
    assert "Traceback" not in done.stderr or harm is newer
    assert states(home) == [("COMPLETED",)]


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
    code = """
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
    deliver_one(home)
    done = script(code, "run", "--json", "--home", home)
    assert is_done(done)
    assert "Prefect's server has ended (exit code -9), and is started again" in done.stderr
    assert set(states(home)) == {("COMPLETED",)}
