"""A home is never made, lost or overwritten by mistake: what stands without its warehouse, or is newer than it, stops every command."""

import shutil
import stat
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from tests.processes import kpi
from tests.rows import csv, row
from tests.time_home import TimeHome
from transforms.periods import clock_now
from warehouse.publication.switch import verify_publication
from warehouse.runs.doctor import examine
from warehouse.runs.home_checks import check_home
from warehouse.runs.initialise import initialise
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.failures import EnvironmentProblem, WrongUsage
from warehouse.store.home import Home
from warehouse.store.looking import look
from warehouse.store.runs import TRIAL, read_meta

WRITING = (
    ["run"], ["backfill", "2024"], ["close", "2024"], ["restate", "--apply", "--reason", "a", "--approver", "b"], ["purge"], ["serve"],
    ["waive", "IKU-07|2024|realisasi", "--reason", "a", "--owner", "b"],
)  # fmt: skip
ASKING = (
    ["backfill", "2024", "--dry-run"], ["restate", "--plan"], ["purge", "--dry-run"], ["explain", "IKU-06", "--period", "2024"],
    ["reproduce", "IKU-06", "--period", "2024"], ["doctor", "--json"], ["values"], ["services", "--year", "2024"], ["scores", "--year", "2024"],
    ["revisions", "IKU-06"], ["reconcile", "--year", "2024"], ["quarantine"], ["validate", "--open"],
    ["waive", "--list"], ["surveys", "--year", "2024"], ["integration", "--year", "2024"], ["agencies", "--indicator", "IKU-06"],
    ["budget", "--year", "2024"], ["backlog", "--service", "pension"],
)  # fmt: skip


@pytest.fixture
def place(two_nights: TimeHome, tmp_path: Path) -> TimeHome:
    return two_nights.copy(tmp_path / "home")


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def bad(root: Path) -> dict[str, str]:
    return {check["check"]: check["finding"] for check in examine(root) if check["verdict"] == "bad"}


# A home is made by those who want one.


@pytest.mark.parametrize("arguments", [*WRITING, *ASKING], ids=" ".join)
def test_a_folder_that_is_no_home_is_exit_3_and_nothing_is_made(arguments: list[str], tmp_path: Path) -> None:
    root = tmp_path / "mistyped"
    shown = kpi(*arguments, "--home", str(root))
    assert shown.returncode == 3, shown.stderr
    said = shown.stderr + shown.stdout
    assert f"there is no installation in {root}" in said
    assert "`kpi init`" in said
    assert names(tmp_path) == []


def test_init_makes_a_home_once_and_an_inbox_alone_is_one(tmp_path: Path) -> None:
    first = kpi("init", "--home", str(tmp_path / "new"))
    assert (first.returncode, first.stdout.splitlines()[0]) == (0, f"An installation is made: {tmp_path / 'new'}")
    key = (tmp_path / "new/secret/pseudonym.key").read_text()
    again = kpi("init", "--home", str(tmp_path / "new"))
    assert again.returncode == 0
    assert "was there already; nothing of it was changed" in again.stdout
    assert (tmp_path / "new/secret/pseudonym.key").read_text() == key
    assert bad(tmp_path / "new") == {}
    assert run_pipeline(tmp_path / "new").run == "run-000001"
    (tmp_path / "other/inbox/pension").mkdir(parents=True)
    (tmp_path / "other/inbox/pension/a.csv").write_text(csv(row("pension")), encoding="utf-8")
    assert len(run_pipeline(tmp_path / "other").batches) == 1


# A warehouse that is lost is not a new home.


@pytest.mark.parametrize("gone", ["missing", "another"])
def test_a_lost_warehouse_stops_every_command_and_nothing_is_touched(place: TimeHome, gone: str) -> None:
    place.home.warehouse.unlink()
    if gone == "another":
        duckdb.connect(str(place.home.warehouse)).close()
    before = names(place.home.publications), place.home.published.readlink()
    with pytest.raises(
        EnvironmentProblem,
        match=r"is lost, but what it has left is there: the key .*; 2 archived .*; quarantined rows of 1 .*; publications 000001, 000002\.",
    ):
        place.run("2025-02-03")
    assert (names(place.home.publications), place.home.published.readlink()) == before
    assert verify_publication(place.home.published.resolve()) == []
    if gone == "missing":
        assert not place.home.warehouse.exists()
        assert "is lost" in bad(place.root)["home"]
        for arguments in (["run"], ["explain", "IKU-06", "--period", "2024"], ["init"]):
            shown = kpi(*arguments, "--home", str(place.root))
            assert (shown.returncode, "kpi init --force" in shown.stderr) == (3, True)
        # What is published can still be read.
        assert kpi("services", "--year", "2024", "--home", str(place.root)).returncode == 0


@pytest.mark.parametrize("left", ["secret/pseudonym.key", "landing", "publications", "warehouse.duckdb.wal"])
def test_each_trace_alone_tells_that_a_warehouse_is_lost(place: TimeHome, tmp_path: Path, left: str) -> None:
    (place.root / "warehouse.duckdb.wal").touch()
    other = tmp_path / "other"
    (other / "inbox").mkdir(parents=True)
    (other / left).parent.mkdir(exist_ok=True)
    (shutil.copytree if (place.root / left).is_dir() else shutil.copy)(place.root / left, other / left)
    with pytest.raises(EnvironmentProblem, match="is lost"):
        run_pipeline(other)


def test_init_force_begins_anew_and_sets_aside_what_was_left(place: TimeHome) -> None:
    key = (place.home.secret / "pseudonym.key").read_text()
    place.home.warehouse.unlink()
    shown = kpi("init", "--force", "--home", str(place.root))
    assert shown.returncode == 0, shown.stderr
    (aside,) = place.home.set_aside.iterdir()
    assert f"set aside: set-aside/{aside.name}/publications" in shown.stdout
    assert verify_publication(aside / "publications/000002") == []
    assert len(list((aside / "landing/pension").iterdir())) == 2
    assert stat.S_IMODE(place.home.set_aside.stat().st_mode) == 0o700
    assert not place.home.published.is_symlink()
    report = place.run("2025-02-03")
    assert (report.run, len(report.batches), report.published) == ("run-000001", 2, True)
    assert (place.home.secret / "pseudonym.key").read_text() == key
    # A number names one publication for ever.
    assert place.home.published.resolve().name == "000003"
    assert place.service("pension", 2024)["received"] == 2


def test_init_force_leaves_a_whole_home_alone(place: TimeHome) -> None:
    with pytest.raises(WrongUsage, match="is whole: there is nothing to begin anew from"):
        initialise(place.root, force=True)
    assert names(place.home.publications)[0] == "000001"
    assert not place.home.set_aside.exists()


# An old warehouse does not overwrite what is newer.


@pytest.fixture
def restored(place: TimeHome) -> TimeHome:
    """The same home on the third night, with the warehouse of the second put back."""
    backup = place.root.with_name("backup.duckdb")
    shutil.copy(place.home.warehouse, backup)
    place.deliver("pension/c.csv", row("pension", id="S3"))
    place.run("2025-02-03")
    shutil.copy(backup, place.home.warehouse)
    return place


def test_an_older_warehouse_does_not_overwrite_a_newer_publication(restored: TimeHome) -> None:
    with pytest.raises(
        EnvironmentProblem, match=r"is older than what is published: it knows nothing of publication 000003\."
    ):
        restored.run("2025-02-04")
    assert restored.home.published.resolve().name == "000003"
    assert restored.ledger("SELECT max(run_id) FROM ledger.runs") == [(2,)]
    assert "is older than what is published" in bad(restored.root)["warehouse"]
    with pytest.raises(EnvironmentProblem, match="is older"), look(restored.root):
        pass
    # Also where the link was taken away, or led back.
    restored.home.published.unlink()
    with pytest.raises(EnvironmentProblem, match="is older"):
        restored.run("2025-02-04")


def test_init_force_goes_on_from_an_older_warehouse(restored: TimeHome) -> None:
    made = initialise(restored.root, force=True)
    assert [line.partition("/publications/")[2] for line in made.set_aside] == ["000003"]
    assert restored.home.published.resolve().name == "000002"
    report = restored.run("2025-02-04")
    assert (report.run, [batch.file for batch in report.batches], report.published) == (
        "run-000003",
        ["pension/c.csv"],
        True,
    )
    assert restored.home.published.resolve().name == "000004"
    assert restored.service("pension", 2024)["received"] == 3


def test_a_run_that_was_killed_after_the_switch_is_no_older_warehouse(place: TimeHome) -> None:
    with duckdb.connect(str(place.home.warehouse)) as connection:
        connection.execute("DELETE FROM ledger.publications WHERE publication_id = 2")
    place.deliver("pension/c.csv", row("pension", id="S3"))
    assert place.run("2025-02-03").published
    assert place.ledger("SELECT publication_id FROM ledger.publications ORDER BY ALL") == [(1,), (2,), (3,)]


# A day that is yet to come is for trials.


def test_a_day_that_is_yet_to_come_is_refused_and_does_not_block_the_home(place: TimeHome) -> None:
    later = clock_now().date() + timedelta(days=400)
    for arguments in (
        ["run"],
        ["backfill", "2024"],
        ["backfill", "2024", "--dry-run"],
        ["purge"],
        ["close", "2024"],
        ["restate", "--plan"],
    ):
        shown = kpi(*arguments, "--as-of", str(later), "--home", str(place.root))
        assert (shown.returncode, f"{later} is yet to come" in shown.stderr) == (2, True), arguments
    with pytest.raises(WrongUsage, match="in a home that `kpi init --trial` has made"):
        run_pipeline(place.root, later)
    assert place.ledger("SELECT max(run_id) FROM ledger.runs") == [(2,)]
    run_pipeline(place.root)


def test_a_home_for_trials_may_pretend_it_where_that_is_asked_for(tmp_path: Path) -> None:
    later = clock_now().date() + timedelta(days=400)
    assert kpi("init", "--trial", "--home", str(tmp_path)).returncode == 0
    refused = kpi("purge", "--as-of", str(later), "--home", str(tmp_path))
    assert (refused.returncode, "--pretend-future" in refused.stderr) == (2, True)
    assert kpi("purge", "--as-of", str(later), "--pretend-future", "--home", str(tmp_path)).returncode == 0
    assert "clock" not in bad(tmp_path)
    assert run_pipeline(tmp_path, later).run == "run-000002"


def test_a_home_with_runs_does_not_become_one_for_trials(place: TimeHome) -> None:
    with pytest.raises(WrongUsage, match="has runs of its own"):
        initialise(place.root, trial=True)
    with look(place.root) as warehouse:
        assert read_meta(warehouse.connection, TRIAL) is None


def test_a_day_that_was_taken_to_its_end_does_not_block_the_rest_of_it(place: TimeHome) -> None:
    run_pipeline(place.root, clock_now().date())
    assert run_pipeline(place.root).run == "run-000004"
    ((first, second),) = place.ledger("SELECT min(clock), max(clock) FROM ledger.runs WHERE run_id > 2")
    assert (first, second.microsecond) == (second, 999999)


def test_a_ledger_that_is_ahead_of_now_is_named_with_the_way_out(place: TimeHome) -> None:
    with duckdb.connect(str(place.home.warehouse)) as connection:
        connection.execute("UPDATE ledger.runs SET clock = TIMESTAMP '2099-12-31 23:59:59' WHERE run_id = 2")
    with pytest.raises(
        WrongUsage, match=r"ahead of the clock: it knows of 2099-12-31 23:59, .*the-night-failed\.md says the way out"
    ):
        run_pipeline(place.root)
    assert "2099-12-31 23:59" in bad(place.root)["clock"]


def test_the_documented_way_out_of_a_clock_that_was_ahead(place: TimeHome) -> None:
    """As docs/how-to/the-night-failed.md says: the backup of before, then `kpi init --force`."""
    backup = place.root.with_name("backup.duckdb")
    shutil.copy(place.home.warehouse, backup)
    place.deliver("pension/c.csv", row("pension", id="S3"))
    place.run("2025-02-03")
    with duckdb.connect(str(place.home.warehouse)) as connection:
        connection.execute("UPDATE ledger.runs SET clock = TIMESTAMP '2099-12-31 23:59:59' WHERE run_id = 3")
    shutil.copy(backup, place.home.warehouse)
    assert kpi("init", "--force", "--home", str(place.root)).returncode == 0
    assert run_pipeline(place.root).published
    assert bad(place.root) == {}
    assert place.service("pension", 2024)["received"] == 3


def test_bytes_that_came_twice_are_both_entered_when_they_are_purged(tmp_path: Path) -> None:
    """Once as a delivery and once as a correction: one archive, and each delivery is known to be gone, not lost."""
    place = TimeHome(tmp_path)
    place.deliver("pension/a.csv", row("pension"))
    place.run("2025-02-01")
    place.deliver("pension/corrections/a.csv", row("pension"))
    place.run("2025-02-02")
    assert place.ledger("SELECT count(*), count(DISTINCT sha256) FROM ledger.batches") == [(2, 1)]
    assert kpi("purge", "--days", "30", "--home", str(tmp_path)).returncode == 0
    assert place.ledger("SELECT batch_id FROM ledger.purges ORDER BY batch_id") == [(1,), (2,)]
    assert bad(tmp_path) == {}


def test_a_sample_of_no_year_makes_no_home(tmp_path: Path) -> None:
    assert kpi("sample", "--years", "nonsense", "--home", str(tmp_path / "home")).returncode == 2
    assert names(tmp_path) == []


def test_the_doctor_names_a_secret_that_others_may_read_and_what_prefect_put_aside(tmp_path: Path) -> None:
    initialise(tmp_path)
    password, aside = (
        tmp_path / "secret" / "prefect-api",
        tmp_path / "prefect" / "prefect.db.aside-20260101T000000000000",
    )
    password.touch(0o600)
    assert [finding for finding in check_home(Home(tmp_path)) if finding[1] != "good"] == []
    password.chmod(0o640)
    aside.parent.mkdir()
    for file in (aside, Path(f"{aside}-wal")):
        file.touch()
    found = {name: (verdict, text) for name, verdict, text in check_home(Home(tmp_path)) if verdict != "good"}
    assert found["secret/prefect-api"] == ("bad", "mode 0640: others may read it or change it; run chmod 600 on it")
    assert found["prefect/"][0] == "note" and found["prefect/"][1].startswith(f"{aside.name}: databases")
