"""Damage of any file of a home: the doctor names it with what mends it, and no command ends in a traceback."""

import json
import os
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.processes import kpi, script
from tests.time_home import TimeHome, letter
from warehouse.reading.held_rows import read_held_rows
from warehouse.runs import doctor
from warehouse.store.failures import EnvironmentProblem
from warehouse.store.key import VARIABLE
from warehouse.store.seal import seal_runs


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> TimeHome:
    """Three runs, the last one without a publication; one quarantined row."""
    place = TimeHome(tmp_path_factory.mktemp("made"))
    place.deliver("integration/a.csv", letter("5500", integrated=False), letter("9999", integrated=True))
    place.run("2025-01-10")
    place.deliver("integration/b.csv", letter("5500", integrated=True, number="L2", tgl_surat="2024-12-27"))
    place.run("2025-02-10")
    place.run("2025-02-11")
    return place


@pytest.fixture
def place(made: TimeHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TimeHome:
    monkeypatch.delenv(VARIABLE, raising=False)
    shutil.copytree(made.root, tmp_path / "home", symlinks=True)
    return TimeHome(tmp_path / "home")


def bad(place: TimeHome, *, is_deep: bool = True, is_apart: bool = False) -> dict[str, str]:
    """What the doctor finds. ``is_apart``: in a process of its own, as it is; else here, which takes a tenth of the time: for what ends no process."""
    with pytest.MonkeyPatch.context() as here:
        if not is_apart:
            here.setattr(doctor, "_warehouse", lambda home, deep: list(doctor._warehouse_checks(home, deep)))
        checks = doctor.examine(place.root, is_deep=is_deep)
    return {check["check"]: check["finding"] for check in checks if check["verdict"] == "bad"}


def flip(file: Path, at: int, bit: int = 0) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 1 << bit
    file.write_bytes(content)


READ_ALL = """
import duckdb, hashlib, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
for table in connection.execute("SELECT schema_name || '.' || table_name FROM duckdb_tables() ORDER BY ALL").fetchall():
    print(table[0], hashlib.sha256(repr(sorted(map(repr, connection.execute(f"FROM {table[0]}").fetchall()))).encode()).hexdigest())
"""


def everything(place: TimeHome) -> tuple[int, str]:
    """How a reader of all tables ends, and a digest of each table."""
    done = script(READ_ALL, place.home.warehouse)
    return done.returncode, done.stdout


def test_an_undamaged_home_is_good(place: TimeHome) -> None:
    assert bad(place) == {}
    assert kpi("doctor", "--deep", home=place.root).returncode == 0


def test_flipped_bits_of_the_warehouse_that_harm_are_named(place: TimeHome) -> None:
    whole, undamaged, dice = everything(place), place.home.warehouse.read_bytes(), random.Random(7)
    harmful = 0
    while harmful < 5:
        place.home.warehouse.write_bytes(undamaged)
        flip(place.home.warehouse, at := dice.randrange(len(undamaged)), bit := dice.randrange(8))
        if everything(place) != whole:
            harmful += 1
            assert bad(place, is_apart=True), f"bit {bit} of byte {at}"


@pytest.mark.parametrize("keep", [0, 100, 12288, 1_000_000])
def test_a_cut_warehouse_is_named(place: TimeHome, keep: int) -> None:
    os.truncate(place.home.warehouse, keep)
    found = bad(place, is_apart=True)
    assert any("restore warehouse.duckdb from a backup" in finding for finding in found.values())


def test_a_child_that_dies_is_a_finding(place: TimeHome, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dying = tmp_path / "python"
    dying.write_text(
        '#!/bin/sh\necho \'{"check": "key", "verdict": "good", "finding": ""}\'\nprintf \'{"che\'\nkill -ABRT $$\n'
    )
    dying.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dying))
    assert bad(place, is_apart=True) == {
        "warehouse": "reading it ended after the check of key with signal 6; restore warehouse.duckdb from a backup, then `kpi run`"
    }


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda key: key.unlink(), "missing"),
        (lambda key: key.write_text(""), "empty"),
        (lambda key: key.write_text("0" * 64), "not the one of this warehouse"),
        (lambda key: key.write_bytes(b"\xff\xfe"), "no text of ASCII"),
    ],
)
def test_a_changed_key_is_named(place: TimeHome, harm: Callable[[Path], object], says: str) -> None:
    harm(place.home.secret / "pseudonym.key")
    assert says in bad(place, is_deep=False)["key"]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", "kunci é".encode()])
@pytest.mark.parametrize("is_new", [False, True])
def test_a_file_that_is_no_key_stops_a_run(place: TimeHome, content: bytes, is_new: bool) -> None:
    if is_new:
        place.home.warehouse.unlink()
    (place.home.secret / "pseudonym.key").write_bytes(content)
    with pytest.raises(EnvironmentProblem, match="key"):
        place.run("2025-02-12")


def test_a_deleted_link_is_named_and_made_again(place: TimeHome) -> None:
    place.home.published.unlink()
    assert set(bad(place, is_deep=False)) == {"publication", "published ledger"}
    assert place.run("2025-02-12").published
    assert bad(place) == {}


def test_a_link_to_an_older_publication_is_named(place: TimeHome) -> None:
    place.home.published.unlink()
    place.home.published.symlink_to("publications/000001")
    assert "000001 is in force, and 000002 was made" in bad(place, is_deep=False)["published ledger"]


def cut(place: TimeHome, last: int) -> None:
    """Takes every trace of the runs after ``last`` out of the warehouse, as one would who hides them."""
    with duckdb.connect(str(place.home.warehouse)) as connection:
        for table in ("ledger.runs", "ledger.chain", "ledger.batches", "ledger.publications", "ledger.derivations"):
            connection.execute(f"DELETE FROM {table} WHERE run_id > {last}")
        for table in ("ledger.validation_results", "ledger.touched_years", "states.integration"):
            connection.execute(f"DELETE FROM {table} WHERE batch_id NOT IN (SELECT batch_id FROM ledger.batches)")
        for table in ("facts.kpi_values", "facts.service_summary", "facts.kpi_scores"):
            connection.execute(f"DELETE FROM {table} WHERE run NOT IN (SELECT run FROM ledger.runs)")
            connection.execute(
                f"UPDATE {table} SET known_to = NULL, closed_by = NULL WHERE closed_by NOT IN (SELECT run FROM ledger.runs)"
            )


@pytest.mark.parametrize(
    ("last", "named"),
    [(1, {"warehouse", "published ledger", "pages of runs"}), (2, {"pages of runs"})],
)
def test_runs_cut_off_the_end_are_named(place: TimeHome, last: int, named: set[str]) -> None:
    cut(place, last)
    assert set(bad(place, is_deep=False)) == named


def test_a_past_that_was_sealed_anew_is_named(place: TimeHome) -> None:
    """Who changes an early run and seals all of them again has another head than the publication states."""
    with duckdb.connect(str(place.home.warehouse)) as connection:
        connection.execute("UPDATE ledger.batches SET landed = 3 WHERE batch_id = 1")
        connection.execute("DELETE FROM ledger.chain")
        seal_runs(connection)
    assert set(bad(place, is_deep=False)) == {"published ledger"}


def test_the_manifest_states_the_seal_of_the_run_before(place: TimeHome) -> None:
    manifest = json.loads((place.home.published / "manifest.json").read_text())
    assert [(manifest["seal"]["run_id"], manifest["seal"]["sha256"])] == place.ledger(
        "SELECT run_id, sha256 FROM ledger.chain WHERE run_id = 1"
    )


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("landing/integration/*.parquet", "archive"),
        ("quarantine/integration/000001.parquet", "quarantined rows"),
        ("quarantine/open_rows.parquet", "index of quarantined rows"),
        ("publications/000001/parquet/kpi_values.parquet", "older publications"),
        ("publications/000001/manifest.json", "older publications"),
        ("publications/000002/kpi.duckdb", "publication"),
        ("publications/000002/manifest.json", "publication"),
        ("publications/000002/manifest.json", "published ledger"),
    ],
)
@pytest.mark.parametrize("is_cut", [False, True])
def test_a_damaged_file_is_named(place: TimeHome, pattern: str, name: str, is_cut: bool) -> None:
    file = next(iter(sorted(place.root.glob(pattern))))
    file.chmod(0o600)
    if is_cut:
        os.truncate(file, file.stat().st_size // 2)
    else:
        flip(file, 60)
    assert name in bad(place)


def test_a_bit_of_the_index_that_changes_the_answer_is_noticed(place: TimeHome) -> None:
    index, rows = place.home.quarantine / "open_rows.parquet", read_held_rows(place.home, None, None)
    undamaged = index.read_bytes()
    assert len(rows) == 1
    for at in range(0, len(undamaged), 3):
        flip(index, at, at % 8)
        try:
            assert read_held_rows(place.home, None, None) == rows, at
        except EnvironmentProblem as problem:
            assert "`kpi run` writes it anew" in str(problem)
        index.write_bytes(undamaged)
