"""A lost archive is landed again while the inbox has the delivery, and named; what was purged stays purged."""

from pathlib import Path

import duckdb
import pytest

from tests.time_home import TimeHome, letter
from warehouse.runs.damage_checks import archive_check, held_check
from warehouse.runs.pipeline import a_run, run_pipeline
from warehouse.runs.purge import purge
from warehouse.store.home import Home


@pytest.fixture
def place(tmp_path: Path) -> TimeHome:
    place = TimeHome(tmp_path)
    place.deliver("integration/a.csv", letter("5500", integrated=False))
    place.deliver("integration/b.csv", letter("5501", integrated=True))
    place.run("2025-01-10")
    return place


def archive_of(place: TimeHome, file: str) -> Path:
    ((sha256,),) = place.ledger(f"SELECT sha256 FROM ledger.batches WHERE file = '{file}'")
    return place.home.landed_file("integration", sha256)


def doctor_says(place: TimeHome) -> dict[str, str]:
    with duckdb.connect(str(place.home.warehouse), read_only=True) as connection:
        return archive_check(Home(place.root), connection)


def test_it_is_landed_again_and_named(place: TimeHome, capsys: pytest.CaptureFixture[str]) -> None:
    archive = archive_of(place, "integration/a.csv")
    written = archive.read_bytes()
    archive.unlink()
    assert "a.csv" in (found := doctor_says(place))["finding"] and found["verdict"] == "bad"
    assert "`kpi run` lands it again from the inbox" in found["finding"]
    with a_run(place.root, None) as pipeline:
        for source, deliveries in pipeline.find():
            pipeline.take_in(source, deliveries, print)
        report = pipeline.end()
    assert (report.relanded, report.batches, report.refused) == (["integration/a.csv"], [], [])
    assert report.skipped == ["integration/a.csv", "integration/b.csv"]
    assert (
        "integration/a.csv: its archive in landing/ was lost; it was landed again from the inbox"
        in capsys.readouterr().out
    )
    assert archive.read_bytes() == written
    assert doctor_says(place)["verdict"] == "good"


def test_where_the_inbox_has_it_no_more_a_backup_must(place: TimeHome) -> None:
    archive_of(place, "integration/a.csv").unlink()
    (place.home.inbox / "integration/a.csv").write_text("another file")
    assert "a.csv" in (found := doctor_says(place)["finding"]) and "restore it from a backup" in found


def test_what_was_purged_is_not_landed_again(place: TimeHome) -> None:
    with a_run(place.root, None) as pipeline:
        assert len(purge(pipeline, 30)) == 2
        pipeline.end()
    assert run_pipeline(place.root).relanded == []
    assert not archive_of(place, "integration/a.csv").exists()
    assert doctor_says(place)["verdict"] == "note"


def test_lost_quarantined_rows_are_written_anew_from_the_archive(place: TimeHome) -> None:
    place.deliver("integration/d.csv", letter("9999", integrated=True, number="L3"))
    place.run("2025-01-11")
    (held,) = (place.home.quarantine / "integration").glob("*.parquet")
    written = duckdb.sql(f"FROM '{held}'").fetchall()
    for harm, advice in (
        (held.unlink, "is lost; `kpi run` writes it anew from the archive"),
        (lambda: held.write_bytes(b"PAR1, no more"), "is not as it was written; remove it: `kpi run` writes it anew"),
    ):
        held.chmod(0o600)
        harm()
        with duckdb.connect(str(place.home.warehouse), read_only=True) as connection:
            found = held_check(place.home, connection)
            assert found["verdict"] == "bad" and advice in found["finding"]
        held.unlink(missing_ok=True)
        report = place.run("2025-01-12")
        assert [(n.kind, n.file) for n in report.notices] == [("rewritten", "integration/d.csv")]
        assert duckdb.sql(f"FROM '{held}'").fetchall() == written
        with duckdb.connect(str(place.home.warehouse), read_only=True) as connection:
            assert held_check(place.home, connection)["verdict"] == "good"
    assert place.run("2025-01-13").notices == []
