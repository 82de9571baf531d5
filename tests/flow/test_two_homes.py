"""Two homes in one process at the same time: each run has its own warehouse, its own lines and its own outcome."""

import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from flows.nightly import nightly
from flows.prefect_loops import ended_loops
from flows.prefect_runtime import prefect_api
from flows.sessions import Session, opened, pipeline_of
from tests.rows import csv, row
from warehouse.store.connection import open_warehouse
from warehouse.store.failures import EnvironmentProblem
from warehouse.store.home import private_files


def test_two_nights_at_once_know_nothing_of_each_other(tmp_path: Path, prefect_database: Path) -> None:
    """The flow itself, with its tasks, under one server: two threads, two homes."""
    shutil.copytree(prefect_database, tmp_path / "server" / "prefect")
    told: dict[str, list[str]] = {"one": [], "two": []}
    together = Barrier(2, timeout=60)

    def night(name: str) -> dict[str, object]:
        home = tmp_path / name
        together.wait()
        with opened(home, Session(told[name].append)):
            return nightly(str(home))

    for name, source in (("one", "pension"), ("two", "integration")):
        (tmp_path / name / "inbox" / source).mkdir(parents=True)
        (tmp_path / name / "inbox" / source / f"{name}.csv").write_text(csv(row(source)))
    with ended_loops(), prefect_api(tmp_path / "server"), ThreadPoolExecutor(2) as threads:
        one, two = threads.map(night, told)
    for report, name, source in ((one, "one", "pension"), (two, "two", "integration")):
        assert report["published"]
        assert [batch["file"] for batch in report["batches"]] == [f"{source}/{name}.csv"]
        assert told[name][0] == f"{source}/{name}.csv: 1 rows = 1 accepted + 0 quarantined + 0 duplicate"
        assert told[name][-1] == "published"
    assert stat.S_IMODE((tmp_path / "one" / "warehouse.duckdb").stat().st_mode) == 0o600


def test_a_second_thread_on_the_same_home_is_refused_as_another_process_is(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()

    def second() -> None:
        with open_warehouse(tmp_path, "second"):
            pass

    with open_warehouse(tmp_path, "first") as first, ThreadPoolExecutor(1) as threads:
        with open_warehouse(tmp_path, "nested") as nested:
            assert nested is first
        with pytest.raises(EnvironmentProblem, match=rf"process {os.getpid()} \(first, since .*\) is writing"):
            threads.submit(second).result()


def test_a_task_where_no_run_is_at_work_says_so(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match=f"no run is at work on {tmp_path}"):
        pipeline_of(str(tmp_path))


def test_the_files_of_two_threads_are_private_until_the_last_of_them_ends(tmp_path: Path) -> None:
    entered, left = Barrier(2, timeout=10), Barrier(2, timeout=10)

    def first() -> None:
        with private_files():
            entered.wait()
        left.wait()

    def second() -> None:
        with private_files():
            entered.wait()
            left.wait()
            (tmp_path / "late").touch()

    before = os.umask(0o022)
    try:
        with ThreadPoolExecutor(2) as threads:
            for done in [threads.submit(first), threads.submit(second)]:
                done.result()
        (tmp_path / "after").touch()
    finally:
        os.umask(before)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("late", "after")] == [0o600, 0o644]
