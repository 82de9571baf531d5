"""A closed year: what would change it waits, is planned by cause, and is applied by name; before and after stay readable."""

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.app import app
from tests.rows import row
from tests.time_home import TimeHome, is_of_results, letter
from warehouse.facts.changes import NumberChange
from warehouse.reading.published_values import read_revisions
from warehouse.runs.closing import close_year
from warehouse.runs.pipeline import a_run, run_pipeline
from warehouse.runs.restatement import read_plan, restate
from warehouse.store.failures import WrongUsage


@pytest.fixture
def place(tmp_path: Path) -> TimeHome:
    """A home with 2024 published (two of three agencies integrated) and closed."""
    found = TimeHome(tmp_path)
    found.deliver(
        "integration/a.csv",
        letter("5500", integrated=True),
        letter("5501", integrated=False),
        letter("5502", integrated=True, channel="simpegnas"),
    )
    found.run("2025-01-10")
    close(found, "2025-01-11")
    return found


def close(place: TimeHome, day: str, year: int = 2024) -> bool:
    with a_run(place.root, date.fromisoformat(day), "test") as pipeline:
        is_new = close_year(pipeline.warehouse, year, pipeline.run)
        pipeline.end()
    return is_new


def late_and_corrected(place: TimeHome) -> None:
    place.deliver("integration/b.csv", letter("5501", integrated=True, number="L2", tgl_surat="2024-12-27"))
    place.deliver("integration/corrections/c.csv", letter("5502", integrated=False, channel="simpegnas"))


def values(pending: list[NumberChange]) -> list[tuple[str, str, str | None, str | None]]:
    """The changes of values, without those of tables of results."""
    return [(p.item, p.period, p.old, p.new) for p in pending if not is_of_results(p.item)]


def test_a_late_delivery_changes_nothing_of_a_closed_year_and_is_pending(place: TimeHome) -> None:
    late_and_corrected(place)
    report = place.run("2025-02-10")
    assert report.changed == []
    assert values(report.pending) == [
        ("IKU-06", "2024", "75.00", "50.00"),
        ("IKU-06", "2024-Q4", "75.00", "50.00"),
    ]
    of_channels = [
        (p.item, p.old, p.new) for p in report.pending if "integrated_count|2024-Q4|webservice|jabatan" in p.item
    ]
    assert [line for line in of_channels if line[0].startswith("integration_channels")] == of_channels != []
    assert place.value("IKU-06", "2024") == "75.00"
    assert report.as_dict()["pending"][0]["cause"] == "late_data"
    again = place.run("2025-02-11")
    assert values(again.pending) == values(report.pending) and not again.published
    pending = "SELECT count(*) FROM ledger.derivations WHERE state = 'pending' AND item = 'IKU-06'"
    assert place.ledger(pending) == [(1,)], "what is known to be pending is not derived again every night"


def test_the_plan_splits_the_difference_by_cause_and_names_the_deliveries(place: TimeHome) -> None:
    late_and_corrected(place)
    place.run("2025-02-10")
    plan = read_plan(place.root, date(2025, 2, 12))
    steps = [step for step in plan if step["period"] == "2024" and not is_of_results(step["item"])]
    assert steps == [
        {"item": "IKU-06", "period": "2024", "old": "75.00", "new": "100.00", "cause": "late_data", "deliveries": ["integration/b.csv"]},
        {
            "item": "IKU-06", "period": "2024", "old": "100.00", "new": "50.00", "cause": "correction",
            "deliveries": ["integration/corrections/c.csv"],
        },
    ]  # fmt: skip
    assert place.value("IKU-06", "2024") == "75.00", "a plan changes nothing"


def test_applied_it_is_a_new_version_and_the_old_one_stays_as_it_was_known(place: TimeHome) -> None:
    late_and_corrected(place)
    place.run("2025-02-10")
    restate(place.root, date(2025, 2, 13), "surat susulan", "Kepala Bagian")
    assert (place.value("IKU-06", "2024"), place.value("IKU-06", "2024", "2025-02-12")) == ("50.00", "75.00")
    revisions = [(r["value"], r["reason"]) for r in read_revisions(place.home, "IKU-06") if r["period"] == "2024"]
    assert revisions == [("75.00", None), ("50.00", "late_data")]
    assert place.ledger("SELECT years, reason, approver FROM ledger.restatements") == [
        ([2024], "surat susulan", "Kepala Bagian")
    ]
    assert place.run("2025-02-14").pending == []
    assert read_plan(place.root, date(2025, 2, 15)) == []


def test_a_correction_alone_has_that_reason(place: TimeHome) -> None:
    place.deliver("integration/corrections/c.csv", letter("5502", integrated=False, channel="simpegnas"))
    place.run("2025-02-10")
    restate(place.root, date(2025, 2, 13), "salah ketik", "Kepala")
    assert read_revisions(place.home, "IKU-06")[-1]["reason"] == "correction"


def test_what_is_taken_back_is_pending_no_more(place: TimeHome) -> None:
    with pytest.raises(WrongUsage, match="nothing of a closed year is pending"):
        restate(place.root, date(2025, 2, 9), "x", "y")
    place.deliver("integration/b.csv", letter("5501", integrated=True, number="L2", tgl_surat="2024-12-27"))
    assert len(values(place.run("2025-02-10").pending)) == 2
    place.deliver("integration/c.csv", letter("5501", integrated=False, number="L3", tgl_surat="2024-12-28"))
    pending = place.run("2025-02-11").pending
    assert values(pending) == []
    assert {p.item.split("|")[0] for p in pending} == {
        "integration_channels.letter_date",
        "integration_channels.letter_number",
    }


def test_rows_that_were_dated_later_are_late_data_without_a_delivery(place: TimeHome) -> None:
    """An assessment of 2024 that was delivered before the books closed, and is dated after them."""
    home = TimeHome(place.root / "assessed")
    file = home.home.inbox / "nspk_assessment" / "1.csv"
    file.parent.mkdir(parents=True)
    file.write_text("instansi_kode,tahun,nilai,tgl_penilaian\n5500,2024,80,2025-03-17\n5500,2023,80,2024-03-18\n")
    home.run("2025-01-10")
    close(home, "2025-01-11")
    assert [(p.item, p.period, p.new) for p in home.run("2025-04-01").pending if p.item == "IKU-01"] == [
        ("IKU-01", "2024", "2.04")
    ]
    (step,) = [step for step in read_plan(home.root, date(2025, 4, 2)) if step["item"] == "IKU-01"]
    assert (step["old"], step["new"], step["cause"], step["deliveries"]) == (None, "2.04", "late_data", [])


def test_other_years_go_on(place: TimeHome) -> None:
    spring = {"tahun": 2025, "tw": 1, "tgl_surat": "2025-03-28", "integrated": True}
    place.deliver("integration/b.csv", letter("5500", **spring), letter("5502", channel="simpegnas", **spring))
    changed = place.run("2025-04-10").changed
    assert {change.period[:4] for change in changed if change.new} == {"2025"}


def test_a_year_is_closed_once_it_is_over_and_published(place: TimeHome, tmp_path: Path) -> None:
    assert not close(place, "2025-01-12"), "closed already"
    with pytest.raises(WrongUsage, match="2025 still runs"):
        close(place, "2025-06-01", 2025)
    with pytest.raises(WrongUsage, match="nothing of 2019 is published"):
        close(place, "2025-06-01", 2019)
    empty = TimeHome(tmp_path / "empty")
    empty.home.make()
    with pytest.raises(WrongUsage, match="nothing of 2024 is published"):
        close(empty, "2025-06-01")


def test_a_return_that_is_approved_in_the_next_year(tmp_path: Path) -> None:
    """The state at the year's cut-off stays BTS; the year after sees the approval, and both see the return."""
    place = TimeHome(tmp_path)
    of_2024 = {"id": "P1", "periode": "01-12-2024", "tgl_pengiriman_kelayanan": "2024-11-04T09:00:00"}
    of_2025 = {"id": "P2", "periode": "01-02-2025", "tgl_pengiriman_kelayanan": "2024-12-16T09:00:00"}
    returned = {"status_usulan": 5, "tgl_update_layanan": "2024-12-20T10:00:00", "tgl_pertek": ""}
    approved = {"status_usulan": 7, "tgl_update_layanan": "2025-02-05T10:00:00", "tgl_pertek": "05-02-2025"}
    place.deliver("promotion/a.csv", *(row("promotion", **which, **returned) for which in (of_2024, of_2025)))
    place.run("2025-01-10")
    close(place, "2025-01-11")
    before = place.service("promotion", 2024)
    assert (before["bts"], before["ms"], before["ever_returned"], before["completion"]) == (1, 0, 1, "100.00")
    place.deliver("promotion/b.csv", *(row("promotion", **which, **approved) for which in (of_2024, of_2025)))
    report = place.run("2025-03-01")
    assert report.pending == [], "what happened after the cut-off changes nothing of the closed year"
    assert place.service("promotion", 2024) == before
    after = place.service("promotion", 2025)
    assert (after["ms"], after["bts"], after["ever_returned"]) == (1, 0, 1)


def test_two_versions_of_one_day_both_stand_in_the_triangle(tmp_path: Path) -> None:
    place = TimeHome(tmp_path)
    place.deliver(
        "integration/a.csv", letter("5500", integrated=False), letter("5502", integrated=True, channel="simpegnas")
    )
    run_pipeline(tmp_path)
    place.deliver("integration/b.csv", letter("5500", integrated=True, number="L2", tgl_surat="2024-12-27"))
    run_pipeline(tmp_path)
    shown = CliRunner().invoke(app, ["revisions", "IKU-06", "--format", "table", "--home", str(tmp_path)]).stdout
    (line,) = [text for text in shown.splitlines() if text.startswith("2024 ")]
    assert "50.00" in line and "100.00 (late_data)" in line


def test_the_commands(place: TimeHome) -> None:
    late_and_corrected(place)
    place.run("2025-02-10")
    at_home = ["--home", str(place.root), "--as-of", "2025-02-20"]
    runner = CliRunner()
    plan = runner.invoke(app, ["restate", "--plan", "--json", *at_home])
    assert [step["cause"] for step in json.loads(plan.stdout)][:2] == ["late_data", "correction"]
    assert runner.invoke(app, ["restate", *at_home]).exit_code == 2
    unapproved = runner.invoke(app, ["restate", "--apply", "--reason", "x", *at_home])
    assert unapproved.exit_code == 2 and "--approver" in unapproved.stderr
    applied = runner.invoke(app, ["restate", "--apply", "--reason", "surat", "--approver", "Kepala", *at_home])
    assert applied.exit_code == 0 and "50.00" in applied.stdout
    assert "values of 2024 restated and published, approved by Kepala: surat" in applied.stderr
    assert applied.stderr.startswith("run-000004: ")
    triangle = runner.invoke(app, ["revisions", "IKU-06", "--format", "table", "--home", str(place.root)])
    assert "75.00" in triangle.stdout and "50.00 (late_data)" in triangle.stdout
    assert runner.invoke(app, ["revisions", "IKU-99", "--home", str(place.root)]).exit_code == 2
    closed = runner.invoke(app, ["close", "2024", *at_home])
    assert closed.exit_code == 0 and "closed already" in closed.stdout


def test_a_year_that_cannot_be_closed_leaves_no_failed_run(tmp_path: Path) -> None:
    place = TimeHome(tmp_path)
    place.deliver("integration/a.csv", letter("5500", integrated=True))
    place.run("2025-01-10")
    runs = place.ledger("SELECT count(*) FROM ledger.runs")
    for year, says in (("2025", "2025 still runs"), ("2019", "nothing of 2019 is published")):
        said = CliRunner().invoke(app, ["close", year, "--home", str(place.root), "--as-of", "2025-02-20"])
        assert said.exit_code == 2 and says in said.stderr
    assert place.ledger("SELECT count(*) FROM ledger.runs") == runs


def test_the_plan_of_a_backfill_marks_closed_years(tmp_path: Path) -> None:
    place = TimeHome(tmp_path)
    earlier = letter("5500", integrated=True, tahun=2023, tgl_surat="2023-12-20")
    place.deliver("integration/a.csv", letter("5500", integrated=True), earlier)
    place.run("2025-01-10")
    at = ["--home", str(place.root), "--as-of", "2025-02-20"]
    runner = CliRunner()
    assert runner.invoke(app, ["close", "2024", *at]).exit_code == 0
    plan = json.loads(runner.invoke(app, ["backfill", "2023..2024", "--dry-run", "--json", *at]).stdout)
    assert {p["year"]: p["is_closed"] for p in plan["partitions"]} == {2023: False, 2024: True}
