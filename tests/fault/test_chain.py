"""The sealed ledger: whatever is changed of what a run entered, the first such run is named; so are changed archives."""

import os
import signal
from pathlib import Path

import duckdb
import pytest

from tests.processes import kpi, script
from tests.time_home import TimeHome, letter
from warehouse.runs.doctor import examine
from warehouse.runs.pipeline import a_run
from warehouse.store.seal import find_break


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> TimeHome:
    """Three runs: a first delivery with a faulty row, a late one, and one without any."""
    place = TimeHome(tmp_path_factory.mktemp("sealed"))
    place.deliver("integration/a.csv", letter("5500", integrated=False), letter("9999", integrated=True))
    place.run("2025-01-10")
    place.deliver("integration/b.csv", letter("5500", integrated=True, number="L2", tgl_surat="2024-12-27"))
    place.run("2025-02-10")
    place.run("2025-02-11")
    return place


def broken(place: TimeHome, *statements: str) -> str | None:
    """Where the chain breaks once these statements have been run; they are taken back."""
    with duckdb.connect(str(place.home.warehouse)) as connection:
        connection.execute("BEGIN")
        for statement in statements:
            connection.execute(statement)
        found = find_break(connection)
        connection.execute("ROLLBACK")
    return found


def test_an_untouched_ledger_holds(sealed: TimeHome) -> None:
    assert broken(sealed) is None
    checks = {check["check"]: check for check in examine(sealed.root)}
    ((seal,),) = sealed.ledger("SELECT sha256 FROM ledger.chain ORDER BY run_id DESC LIMIT 1")
    assert checks["ledger"]["verdict"] == "good"
    assert checks["ledger"]["finding"] == f"3 runs, each as it was sealed; last seal {seal}"
    assert checks["archive"]["verdict"] == "good"


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("UPDATE facts.kpi_values SET status = 'reported' WHERE run = 'run-000001'", "run 1: facts.kpi_values"),
        ("DELETE FROM facts.kpi_values WHERE run = 'run-000002'", "run 2: facts.kpi_values"),
        (
            "UPDATE facts.kpi_values SET known_to = '2025-02-01' WHERE known_to IS NOT NULL",
            "run 2: facts.kpi_values (ended)",
        ),
        ("UPDATE ledger.batches SET accepted = 7 WHERE batch_id = 1", "run 1: ledger.batches"),
        ("UPDATE ledger.runs SET message = 'x' WHERE run_id = 2", "run 2: ledger.runs"),
        ("DELETE FROM quarantine.held_rows", "run 1: quarantine.held_rows"),
        ("UPDATE ledger.validation_results SET rows_failed = 0", "run 1: ledger.validation_results"),
        ("INSERT INTO ledger.restatements VALUES (3, [2024], 'x', 'y', '2025-02-11')", "run 3: ledger.restatements"),
        ("UPDATE ledger.publications SET manifest_sha256 = 'x' WHERE publication_id = 2", "run 2: publication 2"),
        ("UPDATE ledger.chain SET contents = replace(contents, 'a', 'b') WHERE run_id = 2", "run 2: the link itself"),
        ("DELETE FROM ledger.chain WHERE run_id = 2", "run 3: the link itself"),
        ("DELETE FROM ledger.chain WHERE run_id = 1", "run 2: the link itself"),
    ],
)
def test_the_first_broken_link_is_named(sealed: TimeHome, statement: str, where: str) -> None:
    assert broken(sealed, statement) == where


def test_doctor_says_it_and_fails(tmp_path: Path) -> None:
    place = TimeHome(tmp_path)
    place.deliver("integration/a.csv", letter("5500", integrated=False))
    place.run("2025-01-10")
    with duckdb.connect(str(place.home.warehouse)) as connection:
        connection.execute("UPDATE ledger.batches SET landed = 2")
    done = kpi("doctor", home=tmp_path)
    assert done.returncode == 3 and "run 1: ledger.batches" in done.stdout


def test_a_changed_archive_is_named(tmp_path: Path) -> None:
    place = TimeHome(tmp_path)
    place.deliver("integration/a.csv", letter("5500", integrated=False))
    place.run("2025-01-10")
    (archive,) = place.home.landing.glob("*/*.parquet")
    archive.chmod(0o600)
    archive.write_bytes(archive.read_bytes()[:-1] + b"X")
    (check,) = [check for check in examine(tmp_path) if check["check"] == "archive"]
    assert check["verdict"] == "bad" and "integration/a.csv" in check["finding"]


def test_a_killed_run_is_sealed_by_the_next(tmp_path: Path) -> None:
    place = TimeHome(tmp_path)
    place.deliver("integration/a.csv", letter("5500", integrated=False))
    code = (
        "import os, signal, sys; from datetime import date; from pathlib import Path; from warehouse.runs.pipeline import a_run\n"
        "with a_run(Path(sys.argv[1]), date(2025, 1, 10)) as pipeline:\n"
        "    [pipeline.take_in(source, found, print) for source, found in pipeline.find()]\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = script(code, tmp_path)
    assert killed.returncode == -signal.SIGKILL
    place.run("2025-01-11")
    assert broken(place) is None
    assert place.ledger("SELECT run_id, status FROM ledger.runs JOIN ledger.chain USING (run_id) ORDER BY run_id") == [
        (1, "interrupted"),
        (2, "done"),
    ]


def test_a_failed_run_is_sealed_too(tmp_path: Path) -> None:
    place = TimeHome(tmp_path)
    place.home.make()
    with pytest.raises(RuntimeError), a_run(tmp_path, None):
        raise RuntimeError("a test")
    assert place.ledger("SELECT status, message FROM ledger.runs JOIN ledger.chain USING (run_id)") == [
        ("failed", "RuntimeError: a test")
    ]
    assert os.access(tmp_path, os.W_OK)
