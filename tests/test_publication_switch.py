"""The switch to a new publication: readers see the old or the new one whole, and the newest three are kept."""

import json
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import publication_home
from tests.publication_home import add_value, names_in, publish_runs
from warehouse.failures import EnvironmentProblem
from warehouse.home import Home
from warehouse.publication import current_publication, publish, verify_publication

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
