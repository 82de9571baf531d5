"""Runs one after another, side by side, cut short: the facts are the same, nothing is damaged."""

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from sample_data import write_deliveries
from tests.conftest import RunHome
from tests.processes import script
from tests.rows import csv, row
from tests.time_home import TimeHome, letter
from warehouse.publication.switch import verify_publication
from warehouse.reading.published_values import published, read_services, read_values
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.failures import EnvironmentProblem, WrongUsage
from warehouse.store.home import Home
from warehouse.store.lock import writer_lock


def _facts(home: Home) -> list:
    moving = ("known_from", "run", "cut_off")
    rows = read_values(home) + [
        r for by in ("year", "period", "region", "agency") for r in read_services(home, 2024, by)
    ]
    return [{name: value for name, value in fact.items() if name not in moving} for fact in rows]


def _inbox_files(root: Path) -> list[Path]:
    return sorted(file for file in (root / "inbox").rglob("*") if file.is_file())


def test_a_second_run_has_nothing_to_do(sample_2024: RunHome, tmp_path: Path) -> None:
    shutil.copytree(sample_2024.root, tmp_path / "again", symlinks=True)
    home = Home(tmp_path / "again")
    before = read_values(home), read_services(home, 2024), home.published.resolve().name
    report = run_pipeline(home.root)
    assert (report.batches, report.changed, report.published) == ([], [], False)
    assert len(report.skipped) == len(sample_2024.report.batches)
    assert (read_values(home), read_services(home, 2024), home.published.resolve().name) == before


def test_half_and_half_gives_the_same_facts_and_a_history(sample_2024: RunHome, tmp_path: Path) -> None:
    ordinary = [f for f in _inbox_files(sample_2024.root) if "corrections" not in f.parts]
    corrections = [f for f in _inbox_files(sample_2024.root) if "corrections" in f.parts]
    # What is printed comes when its records are there: half of them would contradict it, and stop the run.
    first = [f for f in ordinary[::2] if "published_value" not in f.parts]
    for part in (first, [f for f in ordinary if f not in first] + corrections):
        for file in part:
            target = tmp_path / file.relative_to(sample_2024.root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
        run_pipeline(tmp_path)
    assert _facts(Home(tmp_path)) == _facts(sample_2024.home)
    with published(Home(tmp_path)) as connection:
        history = connection.execute(
            "SELECT received_count < 38950, known_to IS NULL, reason FROM service_summary_history "
            "WHERE service = 'promotion' AND breakdown = 'year' ORDER BY known_from"
        ).fetchall()
    assert history == [(True, False, None), (False, True, "late_data")]


def test_publications_of_the_same_deliveries_repeat_byte_for_byte(tmp_path: Path, monkeypatch) -> None:
    # One installation's key: fingerprints of evidence go over pseudonyms.
    monkeypatch.setenv("KPI_PSEUDONYM_KEY", "the key of the test")
    from datetime import date

    write_deliveries(tmp_path / "one" / "inbox", [2021], 1, 7, False)
    # The large logs say nothing here that the third does not.
    for log in ("promotion", "nip"):
        shutil.rmtree(tmp_path / "one" / "inbox" / log)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    for name in ("one", "two"):
        run_pipeline(tmp_path / name, date(2026, 1, 31))
    one, two = (
        {f.name: f.read_bytes() for f in (tmp_path / n / "published" / "parquet").iterdir()} for n in ("one", "two")
    )
    assert one == two


def test_a_reader_neither_blocks_a_run_nor_is_blocked(tmp_path: Path, deliver) -> None:
    deliver("pension/a.csv", csv(row("pension")))
    run_pipeline(tmp_path)
    reader = duckdb.connect(str(tmp_path / "published" / "kpi.duckdb"), read_only=True)
    query = "SELECT received_count FROM service_summary WHERE breakdown = 'year'"
    assert reader.execute(query).fetchall() == [(1,)]
    deliver("pension/b.csv", csv(row("pension", id="S2")))
    assert run_pipeline(tmp_path).published
    assert reader.execute(query).fetchall() == [(1,)]
    reader.close()
    assert read_services(Home(tmp_path), 2024)[0]["received"] == 2


def test_a_held_lock_names_its_holder(tmp_path: Path) -> None:
    Home(tmp_path).make()
    holder = subprocess.Popen(
        [sys.executable, "-c", "import sys, time\nfrom pathlib import Path\nfrom warehouse.store.lock import writer_lock\n"
         "with writer_lock(Path(sys.argv[1]), 'kpi run'):\n    print('held', flush=True); time.sleep(60)", str(Home(tmp_path).lock)],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert holder.stdout and holder.stdout.readline() == b"held\n"
        with pytest.raises(EnvironmentProblem, match=rf"process {holder.pid} \(kpi run, since .* WIB\) is writing"):
            run_pipeline(tmp_path)
    finally:
        holder.kill()
        holder.wait()
    with writer_lock(Home(tmp_path).lock, "test"):
        pass


@dataclass(frozen=True)
class Halves:
    """``half``: a home that has taken in some of its deliveries, the others lie in its inbox; ``whole``: the facts of all of them."""

    half: TimeHome
    whole: list


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> Halves:
    place = TimeHome(tmp_path_factory.mktemp("half") / "home")
    place.deliver("integration/a.csv", letter("5500", integrated=True), letter("5501", integrated=False))
    place.deliver("pension/a.csv", row("pension"))
    place.run("2025-02-01")
    place.deliver("integration/b.csv", letter("5501", integrated=True, number="L2", tgl_surat="2024-12-27"))
    place.deliver("pension/b.csv", row("pension", id="S2", status_usulan="12"), row("pension", id="S3"))
    place.deliver("pension/corrections/c.csv", row("pension", status_usulan="5"))
    whole = place.copy(place.root.with_name("whole"))
    whole.run("2025-02-02")
    assert _facts(whole.home) != _facts(place.home)
    return Halves(place, _facts(whole.home))


# A step as it begins or as it ends, the first time or the second: before anything is kept, between two sources, in the transaction of
# the facts, before the publication and when its link leads there already.
KILLED = [("landing", "begins", 1), ("states", "ends", 1), ("validation", "begins", 2), ("states", "ends", 3), ("indicators", "begins", 1),
    ("facts", "ends", 1), ("reconciliation", "ends", 1), ("publication", "begins", 1), ("publication", "ends", 1)]  # fmt: skip
RUN_UNTIL = """
import os, sys
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.stopwatch import Stopwatch

root, step, moment, number = sys.argv[1:]
seen, timed = [], Stopwatch.step

@contextmanager
def watched(self, name):
    seen.extend([name] * (name == step))
    is_now = name == step and len(seen) == int(number)
    if is_now and moment == "begins":
        os.kill(os.getpid(), 9)
    with timed(self, name):
        yield
        if is_now:
            os.kill(os.getpid(), 9)

Stopwatch.step = watched
run_pipeline(Path(root), date(2025, 2, 2))
"""


@pytest.mark.parametrize(("step", "moment", "number"), KILLED)
def test_a_killed_run_leaves_the_last_publication_and_the_next_one_heals(
    halves: Halves, tmp_path: Path, step: str, moment: str, number: int
) -> None:
    place = halves.half.copy(tmp_path / "home")
    before = read_values(place.home)
    killed = script(RUN_UNTIL, place.root, step, moment, str(number))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert verify_publication(place.home.published.resolve()) == []
    is_switched = (step, moment) == ("publication", "ends")
    entered = place.ledger("SELECT count(*) > 0 FROM facts.kpi_values WHERE run = 'run-000002'")
    assert entered == [(step == "publication",)], "facts are entered whole or not at all"
    assert _facts(place.home) == halves.whole if is_switched else read_values(place.home) == before
    place.run("2025-02-02")
    assert _facts(place.home) == halves.whole


def test_the_clock_does_not_go_back(tmp_path: Path, deliver) -> None:
    from datetime import date

    deliver("pension/a.csv", csv(row("pension")))
    run_pipeline(tmp_path, date(2025, 3, 1))
    with pytest.raises(WrongUsage, match="use --as-of 2025-03-01 or later"):
        run_pipeline(tmp_path, date(2025, 2, 28))


def test_what_lies_beside_the_sources_is_named(tmp_path: Path, deliver) -> None:
    deliver("pensiun/a.csv", "id\n1\n")
    deliver("pension/.~lock.a.csv#", "")
    report = run_pipeline(tmp_path)
    assert report.unknown == ["pensiun"]
    assert (report.refused, report.batches) == ([], [])


def test_the_report_is_plain_data(tmp_path: Path, deliver) -> None:
    deliver("pension/a.csv", csv(row("pension")))
    report = json.loads(json.dumps(run_pipeline(tmp_path).as_dict(), default=str))
    assert set(report) >= {"run", "published", "batches", "refused", "skipped", "changed", "seconds"}
    assert report["batches"] == [
        {"source": "pension", "file": "pension/a.csv", "landed": 1, "accepted": 1, "quarantined": 0, "duplicate": 0}
    ]


def test_a_damaged_publication_is_made_anew(tmp_path: Path, deliver) -> None:
    deliver("pension/a.csv", csv(row("pension")))
    run_pipeline(tmp_path)
    damaged = tmp_path / "published" / "datapackage.json"
    damaged.write_text("{}")
    assert run_pipeline(tmp_path).published
    assert verify_publication(Home(tmp_path).published.resolve()) == []


def test_a_wrong_or_missing_key_stops(tmp_path: Path, deliver, monkeypatch) -> None:
    deliver("pension/a.csv", csv(row("pension")))
    run_pipeline(tmp_path)
    monkeypatch.setenv("KPI_PSEUDONYM_KEY", "another")
    with pytest.raises(EnvironmentProblem, match="not the one of this warehouse"):
        run_pipeline(tmp_path)
    monkeypatch.delenv("KPI_PSEUDONYM_KEY")
    (tmp_path / "secret" / "pseudonym.key").unlink()
    with pytest.raises(EnvironmentProblem, match="missing"):
        run_pipeline(tmp_path)


def test_what_a_killed_run_left_half_made_is_swept(tmp_path: Path, deliver) -> None:
    deliver("pension/a.csv", csv(row("pension")))
    home = Home(tmp_path)
    home.make()
    (home.spool / "land-1").mkdir()
    (home.spool / "land-1" / "plain.csv").write_text("x")
    (home.landing / "pension").mkdir()
    (home.landing / "pension" / ".abc.parquet.1.part").write_text("x")
    run_pipeline(tmp_path)
    assert list(home.spool.iterdir()) == []
    assert [file.suffix for file in (home.landing / "pension").iterdir()] == [".parquet"]
