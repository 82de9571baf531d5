"""The switch to a new publication: readers see the old or the new one whole, and the newest three are kept."""

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import publication_home
from tests.publication_home import add_value, names_in, publish_runs
from warehouse.publication.switch import current_publication, publish, verify_publication
from warehouse.store.failures import EnvironmentProblem
from warehouse.store.home import Home

home = publication_home.home
warehouse = publication_home.warehouse

READER = """
import sys, duckdb
with duckdb.connect(sys.argv[1] + '/kpi.duckdb', read_only=True) as reader:
    print(reader.execute('SELECT count(*) FROM kpi_values_history').fetchone()[0], flush=True)
    sys.stdin.readline()
    print(reader.execute('SELECT count(*), max(value) FROM kpi_values_history').fetchone()[0], flush=True)
with duckdb.connect(sys.argv[1] + '/kpi.duckdb', read_only=True) as reader:
    print(reader.execute('SELECT count(*) FROM kpi_values_history').fetchone()[0], flush=True)
"""


def test_a_reader_keeps_what_he_opened_and_then_sees_the_new_one_whole(warehouse, home):
    publish(warehouse, 1, "run-000001")
    process = subprocess.Popen(
        [sys.executable, "-c", READER, str(home.published)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "3\n"
    add_value(warehouse.connection, "2024-Q3", "71.88")
    publish_runs(warehouse, 2, 5)
    assert not (home.publications / "000001").exists()
    answer, _ = process.communicate("\n", timeout=60)
    assert answer == "3\n4\n"
    assert process.returncode == 0


def test_there_is_no_moment_without_a_publication(warehouse, home):
    publish(warehouse, 1, "run-000001")
    seen, is_done = set(), threading.Event()

    def look():
        while not is_done.is_set():
            seen.add(json.loads((home.published / "manifest.json").read_text())["publication_id"])

    with ThreadPoolExecutor() as pool:
        looking = pool.submit(look)
        try:
            publish_runs(warehouse, 2, 4)
        finally:
            is_done.set()
        looking.result()
    assert seen == {1, 2, 3, 4}


def test_the_newest_three_are_kept(warehouse, home):
    publish_runs(warehouse, 1, 5)
    assert names_in(home.publications) == ["000003", "000004", "000005"]
    assert str(home.published.readlink()) == "publications/000005"
    assert [
        row[0] for row in warehouse.connection.execute("SELECT publication_id FROM ledger.publications").fetchall()
    ] == [1, 2, 3, 4, 5]


def test_the_home_can_be_moved(warehouse, home, tmp_path):
    publish(warehouse, 1, "run-000001")
    shutil.copytree(home.root, tmp_path / "moved", symlinks=True)
    moved = Home((tmp_path / "moved").resolve())
    assert current_publication(moved) == moved.root / "publications/000001"
    assert verify_publication(moved.publications / "000001") == []


def test_nothing_published_or_a_broken_link(home):
    home.make()
    assert current_publication(home) is None
    home.published.symlink_to("publications/000009")
    assert current_publication(home) is None
    home.published.unlink()
    home.published.symlink_to("published")
    assert current_publication(home) is None


def test_a_broken_link_is_replaced(warehouse, home):
    home.published.symlink_to("publications/000009")
    publication = publish(warehouse, 1, "run-000001")
    assert current_publication(home) == publication.folder


def test_a_folder_in_the_links_place_is_not_touched(warehouse, home):
    home.published.mkdir()
    (home.published / "note.txt").write_text("mine")
    with pytest.raises(EnvironmentProblem, match="move it away, then run this again"):
        publish(warehouse, 1, "run-000001")
    assert names_in(home.published) == ["note.txt"]
    assert names_in(home.publications) == []


def write_page(home, name, text):
    """As the report writes them: whole, under another name first."""
    home.validation_reports.mkdir(parents=True, exist_ok=True)
    (home.validation_reports / "new").write_text(text)
    (home.validation_reports / "new").replace(home.validation_reports / name)


def inodes(folder):
    return {path.name: path.stat().st_ino for path in (folder / "site/validation").iterdir()}


def test_a_page_that_has_not_changed_is_one_file_in_all_publications(warehouse, home):
    for number in range(20):
        write_page(home, f"batch-{number:06d}.html", f"delivery {number}")
    write_page(home, "index.html", "one run")
    first = publish(warehouse, 1, "run-000001").folder
    write_page(home, "index.html", "two runs")
    write_page(home, "batch-000020.html", "delivery 20")
    (second,) = publish_runs(warehouse, 2, 2)
    before, after = inodes(first), inodes(second.folder)
    assert {name for name in after if after[name] != before.get(name)} == {"index.html", "batch-000020.html"}
    own = {path.stat().st_ino for path in home.validation_reports.iterdir()}
    assert own.isdisjoint(after.values()), "a page that is edited under reports/ changes no publication"
    manifest = json.loads((second.folder / "manifest.json").read_text())
    assert len([name for name in manifest["files"] if name.startswith("site/validation/")]) == 22
    assert verify_publication(first) == verify_publication(second.folder) == []

    publish_runs(warehouse, 3, 6)
    assert names_in(home.publications) == ["000004", "000005", "000006"]
    last = current_publication(home)
    assert inodes(last)["batch-000007.html"] == before["batch-000007.html"]
    assert (last / "site/validation/index.html").read_text() == "two runs"
    assert [verify_publication(folder) for folder in home.publications.iterdir()] == [[], [], []]


@pytest.mark.parametrize("damage", ["edited", "removed", "linked away", "unreadable"])
def test_a_damaged_page_is_not_handed_on(warehouse, home, tmp_path, damage):
    write_page(home, "run-000001.html", "as it was")
    page = publish(warehouse, 1, "run-000001").folder / "site/validation/run-000001.html"
    match damage:
        case "edited":
            page.write_text("as it is")
        case "removed":
            page.unlink()
        case "linked away":
            page.unlink()
            page.symlink_to(home.validation_reports / "run-000001.html")
        case _:
            page.chmod(0o600)
    (second,) = publish_runs(warehouse, 2, 2)
    assert verify_publication(second.folder) == []
    mended = second.folder / "site/validation/run-000001.html"
    assert mended.read_text() == "as it was" and not mended.is_symlink()
    assert mended.stat().st_mode & 0o777 == 0o644


def test_where_nothing_can_be_linked_pages_are_copied(warehouse, home, monkeypatch):
    write_page(home, "run-000001.html", "as it was")
    publish(warehouse, 1, "run-000001")

    def refuse(path, target):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    (second,) = publish_runs(warehouse, 2, 2)
    assert verify_publication(second.folder) == []
    assert (second.folder / "site/validation/run-000001.html").read_text() == "as it was"
