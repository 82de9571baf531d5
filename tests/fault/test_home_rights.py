"""Private is private, published is readable, whatever the umask; and nothing is cleared or made private behind a link."""

import os
import stat
from pathlib import Path

import pytest

from tests.fault.test_home_kept import bad, names
from tests.processes import script
from tests.rows import row
from tests.time_home import TimeHome
from warehouse.runs.initialise import initialise
from warehouse.store.connection import open_warehouse
from warehouse.store.failures import EnvironmentProblem


@pytest.fixture
def place(two_nights: TimeHome, tmp_path: Path) -> TimeHome:
    return two_nights.copy(tmp_path / "home")


NIGHT = """import os, sys
os.umask(int(sys.argv[2], 8))
from pathlib import Path
from datetime import date
from warehouse.runs.pipeline import run_pipeline
run_pipeline(Path(sys.argv[1]), date.fromisoformat(sys.argv[3]))
"""


def night(root: Path, umask: str, day: str) -> None:
    assert script(NIGHT, root, umask, day).returncode == 0


def rights(root: Path) -> dict[str, int]:
    return {name: stat.S_IMODE((root / name).lstat().st_mode) for name in names(root) if not (root / name).is_symlink()}


@pytest.mark.parametrize("umask", ["000", "022", "077"])
def test_rights_do_not_depend_on_the_umask(tmp_path: Path, umask: str) -> None:
    init = f"import os; os.umask(0o{umask}); from flows.cli import main; main()"
    shown = script(init, "init", "--home", tmp_path / "deep/home")
    assert shown.returncode == 0, shown.stderr
    place = TimeHome(tmp_path / "deep/home")
    before = os.umask(int(umask, 8))
    try:
        place.deliver("pension/a.csv", row("pension"), row("pension", id="S9", tmt_pensiun="2024-06-02 00:00:00"))
    finally:
        os.umask(before)
    night(place.root, umask, "2025-02-01")
    found = rights(tmp_path / "deep")
    ours = {name: mode for name, mode in found.items() if "/inbox/" not in name}
    assert [name for name, mode in ours.items() if mode & 0o022] == []
    public = {name for name in ours if name.split("/")[1:2] in (["publications"], ["reports"])} | {"home"}
    assert {name for name, mode in ours.items() if mode & 0o077} == public
    assert {name for name in public if ours[name] & 0o044 != 0o044} == set()
    assert {ours[f"home/{name}"] for name in ("warehouse.duckdb", "warehouse.lock")} == {0o600}
    assert bad(place.root) == {}


def test_the_write_ahead_log_is_private_while_a_run_goes_on(place: TimeHome) -> None:
    before = os.umask(0)
    try:
        with open_warehouse(place.root, "test") as warehouse:
            warehouse.connection.execute("INSERT INTO ledger.meta VALUES ('a', 'b')")
            assert stat.S_IMODE(place.home.write_ahead_log.stat().st_mode) == 0o600
        assert os.umask(0) == 0
    finally:
        os.umask(before)


def test_rights_of_an_older_home_are_healed_and_named_before(place: TimeHome) -> None:
    for name, mode in {
        "warehouse.duckdb": 0o644,
        "warehouse.lock": 0o666,
        "publications": 0o700,
        "landing": 0o755,
        ".": 0o777,
    }.items():
        (place.root / name).chmod(mode)
    assert set(bad(place.root)) == {"warehouse.duckdb", "warehouse.lock", "publications/", "landing/", "home/"}
    place.home.inbox.chmod(0o770)
    place.run("2025-02-03")
    assert bad(place.root) == {}
    # As it was set for those who deliver.
    assert stat.S_IMODE(place.home.inbox.stat().st_mode) == 0o770


# Nothing is cleared or made private behind a link.


@pytest.mark.parametrize(
    "name",
    ["spool", "landing", "quarantine", "secret", "publications", "reports", "warehouse.duckdb", "warehouse.lock", "landing/pension", "publications/000001"],
)  # fmt: skip
def test_no_link_is_followed(place: TimeHome, tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    (place.root / name).rename(elsewhere)
    if elsewhere.is_dir():
        elsewhere.chmod(0o755)
        (elsewhere / ".precious.part").write_text("precious")
        (elsewhere / "folder").mkdir(exist_ok=True)
    (place.root / name).symlink_to(elsewhere)
    before = {
        path: (path.lstat().st_mode, path.lstat().st_mtime_ns, path.lstat().st_size)
        for path in (elsewhere, *elsewhere.rglob("*"))
    }
    for command in (lambda: place.run("2025-02-03"), lambda: initialise(place.root), place.home.make):
        with pytest.raises(
            EnvironmentProblem, match=f"{place.root / name} is a link to {elsewhere}: nothing there was touched"
        ):
            command()
    after = {
        path: (path.lstat().st_mode, path.lstat().st_mtime_ns, path.lstat().st_size)
        for path in (elsewhere, *elsewhere.rglob("*"))
    }
    assert after == before
    assert "is a link to" in bad(place.root)["home"]


def test_a_link_in_the_spool_goes_and_what_it_leads_to_stays(place: TimeHome, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/precious").write_text("precious")
    (place.home.spool / "link").symlink_to(tmp_path / "elsewhere")
    place.run("2025-02-03")
    assert list(place.home.spool.iterdir()) == []
    assert (tmp_path / "elsewhere/precious").read_text() == "precious"
