"""What cannot be taken back asks on a terminal first, and says what it did; a pipe or a schedule is not asked."""

from datetime import date
from pathlib import Path

import pytest

from tests.flow.test_closed_years import late_and_corrected
from tests.processes import kpi
from tests.terminal import on_terminal
from tests.time_home import TimeHome, letter
from warehouse.runs.restatement import read_plan, restate
from warehouse.store.failures import WrongUsage

APPLY = ["restate", "--apply", "--reason", "surat susulan", "--approver", "Kepala Bagian"]


@pytest.fixture
def place(tmp_path: Path) -> TimeHome:
    """A home with 2024 published, not closed."""
    found = TimeHome(tmp_path)
    found.deliver(
        "integration/a.csv",
        letter("5500", integrated=True),
        letter("5501", integrated=False),
        letter("5502", integrated=True, channel="simpegnas"),
    )
    found.run("2025-01-10")
    return found


def closings(place: TimeHome) -> list[tuple[object, ...]]:
    return place.ledger("SELECT year FROM ledger.closings")


def test_close_asks_a_person_and_no_pipe(place: TimeHome) -> None:
    command = ["close", "2024", "--home", str(place.root), "--as-of", "2025-01-11"]
    refused = on_terminal(*command, types="n\n")
    assert "Close 2024 for good?" in refused.text and "2024 stays open" in refused.text
    assert (refused.code, closings(place)) == (0, [])
    assert len(place.ledger("FROM ledger.runs")) == 1, "a question leaves no run"
    assert "2024 is closed" in on_terminal(*command, types="y\n").text
    assert closings(place) == [(2024,)]


@pytest.mark.parametrize("yes", [["--yes"], []])
def test_a_schedule_closes_without_a_question(place: TimeHome, yes: list[str]) -> None:
    done = kpi("close", "2024", "--as-of", "2025-01-11", *yes, home=place.root)
    assert (done.returncode, done.stdout) == (0, "2024 is closed; what would change it waits for `kpi restate`\n")


def test_a_restatement_shows_the_plan_asks_and_says_what_it_did(place: TimeHome) -> None:
    kpi("close", "2024", "--as-of", "2025-01-11", home=place.root)
    late_and_corrected(place)
    place.run("2025-02-10")
    command = [*APPLY, "--home", str(place.root), "--as-of", "2025-02-13"]
    runs = len(place.ledger("FROM ledger.runs"))
    refused = on_terminal(*command, types="n\n")
    assert "late_data" in refused.text and "approved by Kepala Bagian?" in refused.text
    assert "nothing was changed" in refused.text
    assert place.value("IKU-06", "2024") == "75.00" and len(place.ledger("FROM ledger.runs")) == runs
    applied = on_terminal(*command, columns=200, types="y\n")
    said = f"run-{runs + 1:06d}: 44 values of 2024 restated and published, approved by Kepala Bagian: surat susulan"
    assert applied.code == 0 and said in applied.text
    assert place.value("IKU-06", "2024") == "50.00"


def test_a_plan_that_nobody_saw_is_not_entered(place: TimeHome) -> None:
    kpi("close", "2024", "--as-of", "2025-01-11", home=place.root)
    late_and_corrected(place)
    place.run("2025-02-10")
    shown = read_plan(place.root, date(2025, 2, 12))
    place.deliver("integration/d.csv", letter("5501", integrated=False, number="L9", tgl_surat="2024-12-30"))
    place.run("2025-02-13")
    with pytest.raises(WrongUsage, match="the plan has changed since it was shown"):
        restate(place.root, date(2025, 2, 14), "surat", "Kepala", shown)
    assert place.value("IKU-06", "2024") == "75.00"
