"""What only asks writes nothing: a home is the same to the byte, the right and the moment, and needs no right to be written to."""

import hashlib
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from flows.app import app
from flows.command_run import plan_backfill
from tests.fault.test_home_kept import ASKING, WRITING
from tests.fault.test_migrations import HOMES
from tests.processes import kpi, script
from tests.rows import row
from tests.time_home import TimeHome, letter
from warehouse.runs.purge import plan_purge
from warehouse.runs.restatement import read_plan
from warehouse.store import looking
from warehouse.store.failures import EnvironmentProblem
from warehouse.store.lock import reader_lock
from warehouse.store.looking import look, scratch_folder
from warehouse.trace.explain import explain
from warehouse.trace.reproduce import reproduce


def state(root: Path) -> dict[str, Any]:
    """Every path with its rights, content and moments: a file that was made and removed changes its folder's."""
    found = {}
    for path in (root, *sorted(root.rglob("*"))):
        about = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        found[str(path)] = (about.st_mode, about.st_size, about.st_mtime_ns, about.st_ctime_ns, content)
    return found


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> TimeHome:
    """A closed year with a pending change, a quarantined row, a file that waits in the inbox, and a run that was killed."""
    place = TimeHome(tmp_path_factory.mktemp("asked"))
    place.deliver(
        "integration/a.csv", letter("5500", integrated=True), letter("5502", integrated=True, channel="simpegnas")
    )
    place.deliver("pension/a.csv", row("pension"), row("pension", id="S9", tmt_pensiun="2024-06-02 00:00:00"))
    place.run("2025-02-01")
    assert kpi("close", "2024", "--as-of", "2025-02-02", "--home", str(place.root)).returncode == 0
    place.deliver("integration/b.csv", letter("5500", integrated=False, number="L2", tgl_surat="2024-12-28"))
    place.run("2025-02-03")
    place.deliver("pension/waits.csv", row("pension", id="S2"))
    code = (
        "import os, sys; from pathlib import Path; from warehouse.store.connection import open_warehouse\n"
        "with open_warehouse(Path(sys.argv[1]), 'kpi run') as w:\n"
        "    w.connection.execute(\"INSERT INTO ledger.meta VALUES ('killed', 'here')\"); os.kill(os.getpid(), 9)"
    )
    assert script(code, place.root).returncode == -9
    assert place.home.write_ahead_log.exists()
    return place


def test_every_command_is_one_that_writes_or_one_that_asks() -> None:
    known = {arguments[0] for arguments in (*WRITING, *ASKING)} | {"init", "sample"}
    assert {command.callback.__name__ for command in app.registered_commands if command.callback} == known


@pytest.mark.parametrize("arguments", [*ASKING, ["validate", "{outside}", "--source", "pension"]], ids=" ".join)
def test_a_command_that_asks_changes_nothing(
    arguments: list[str], asked: TimeHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER", "true")
    # Of one that lies in the inbox the marked copy, which is the answer, would stand in the home.
    outside = tmp_path / "outside.csv"
    outside.write_bytes((asked.home.inbox / "pension" / "a.csv").read_bytes())
    before = state(asked.root)
    shown = kpi(*(part.format(root=asked.root, outside=outside) for part in arguments), "--home", str(asked.root))
    assert "no installation" not in shown.stderr
    assert shown.returncode in (0, 1), shown.stderr
    assert shown.stdout
    assert state(asked.root) == before


def test_the_answers_are_those_of_the_warehouse(asked: TimeHome) -> None:
    steps = [(step["item"], step["period"], step["new"], step["deliveries"]) for step in read_plan(asked.root, None)]
    assert ("IKU-06", "2024", "50.00", ["integration/b.csv"]) in steps
    plan = plan_backfill(asked.root, [2024], None)
    assert plan["new_files"] == ["pension/waits.csv"]
    assert explain(asked.root, "pension", "2024")["deliveries"][0]["file"] == "pension/a.csv"
    assert reproduce(asked.root, "pension", "2024")["equal"]
    assert [line.file for line in plan_purge(asked.root, None, 30)] == [
        "integration/a.csv",
        "pension/a.csv",
        "integration/b.csv",
    ]


def test_a_home_without_a_run_is_asked_and_stays_as_it_is(tmp_path: Path) -> None:
    place = TimeHome(tmp_path)
    place.deliver("pension/a.csv", row("pension"))
    before = state(tmp_path)
    assert plan_backfill(tmp_path, [2024], None)["new_files"] == ["pension/a.csv"]
    assert (read_plan(tmp_path, None), plan_purge(tmp_path, None, 1)) == ([], [])
    shown = kpi("explain", "IKU-06", "--period", "2024", "--home", str(tmp_path))
    assert (shown.returncode, "nothing is known of IKU-06 2024" in shown.stderr) == (0, True), shown.stderr
    assert state(tmp_path) == before


def test_an_older_schema_is_brought_up_in_the_copy_alone(tmp_path: Path) -> None:
    with tarfile.open(HOMES / "layout_3.tar.xz") as archive:
        archive.extractall(tmp_path, filter="tar")
    before = state(tmp_path)
    assert explain(tmp_path, "IKU-06", "2024")["indicator"] == "IKU-06"
    assert reproduce(tmp_path, "promotion", "2024")["equal"]
    assert state(tmp_path) == before


def test_no_copy_has_a_name_while_it_is_asked_and_a_run_may_begin(
    asked: TimeHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking.tempfile, "tempdir", str(tmp_path))
    with look(asked.root) as warehouse:
        assert list(tmp_path.rglob("warehouse.duckdb")) == []
        warehouse.connection.execute("CREATE TABLE ledger.tried AS SELECT 1 AS a")
        assert warehouse.connection.execute("SELECT value FROM ledger.meta WHERE name = 'killed'").fetchall() == [
            ("here",)
        ]
        # The night begins meanwhile.
        with reader_lock(asked.home.lock) as writer:
            assert writer is None
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_command_left_is_swept_and_what_is_in_use_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    monkeypatch.setattr(looking.tempfile, "tempdir", str(tmp_path))
    (tmp_path / "kpi-look-dead").mkdir()
    (tmp_path / "kpi-look-dead/rows.parquet").touch()
    os.utime(tmp_path / "kpi-look-dead", (time.time() - 3600,) * 2)
    with scratch_folder() as living:
        os.utime(living, (time.time() - 3600,) * 2)
        with scratch_folder() as second:
            assert set(tmp_path.iterdir()) == {living, second}


def test_while_a_run_writes_a_question_waits_for_it_by_name(asked: TimeHome) -> None:
    script = (
        "import sys, time; from pathlib import Path; from warehouse.store.lock import writer_lock\n"
        "with writer_lock(Path(sys.argv[1]), 'kpi run'):\n    print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", script, str(asked.home.lock)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout and holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(EnvironmentProblem, match=rf"process {holder.pid} \(kpi run, since .* WIB\) is writing"),
            look(asked.root),
        ):
            pass
        checks = kpi("doctor", "--home", str(asked.root))
        assert "is writing" in checks.stdout
    finally:
        holder.kill()
        holder.wait()


def test_a_run_waits_for_whoever_looks(tmp_path: Path) -> None:
    place = TimeHome(tmp_path)
    place.deliver("pension/a.csv", row("pension"))
    place.run("2025-02-01")
    # As a writer leaves it that is killed.
    place.home.lock.write_text('{"pid": 1, "purpose": "kpi run", "since": "2025-02-01 01:00:00"}')
    script = (
        "import sys, time; from pathlib import Path; from warehouse.store.lock import reader_lock\n"
        "with reader_lock(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(1.5)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(place.home.lock)], stdout=subprocess.PIPE) as reader:
        assert reader.stdout and reader.stdout.readline() == b"held\n"
        assert place.run("2025-02-02").run == "run-000002"
        assert reader.wait() == 0
