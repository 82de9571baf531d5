"""The process that reads workbooks and Parquet: what kills it costs one file, and nothing of it is left."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import delivery_desk
from tests.contract.test_delivery_xlsx import text_cell, with_sheet_xml
from tests.delivery_desk import ABC, Desk, workbook
from warehouse.landing import reader

desk = delivery_desk.desk


@pytest.fixture(autouse=True)
def own_process():
    reader._PROCESS.end()
    yield
    reader._PROCESS.end()


def good(desk: Desk) -> Path:
    return workbook(desk.root / "good.xlsx", [list(ABC), ["1", "2", "3"]])


def test_a_file_that_asks_for_more_memory_than_there_may_be_is_refused_and_the_next_is_read(desk, monkeypatch):
    monkeypatch.setattr(reader, "MEMORY_BYTES", 2**30)
    # 2^26 cells of 24 bytes, which the measure lets pass.
    far = f'<row r="1">{text_cell("A1", "a")}</row><row r="1048576"><c r="BL1048576"><v>1</v></c></row>'
    refused = desk.refused(with_sheet_xml(desk.root / "f.xlsx", far), ("a",))
    assert refused.code == "unreadable"
    assert "broke down on it, or needed more than allowed (1 GiB" in refused.message
    assert "pembaca .xlsx gagal" in refused.message_id
    assert desk.rows(good(desk)) == [("1", "2", "3")]


def test_a_file_that_takes_too_long_is_refused_and_nothing_runs_on(desk, monkeypatch):
    file = good(desk)
    monkeypatch.setattr(reader, "LEAST_SECONDS", 0)
    monkeypatch.setattr(reader, "SECONDS_A_MEGABYTE", 0)
    start = time.monotonic()
    assert desk.refused(file).code == "unreadable"
    assert time.monotonic() - start < 5
    assert reader._PROCESS._child is None


def test_one_process_reads_many_files_and_knows_no_secret(desk, monkeypatch):
    monkeypatch.setenv("KPI_PSEUDONYM_KEY", "secret of the office")
    file = good(desk)
    desk.land(file)
    child = reader._PROCESS._child
    assert child
    desk.land(file)
    assert reader._PROCESS._child is child
    assert b"secret of the office" not in Path(f"/proc/{child.pid}/environ").read_bytes()
    limits = Path(f"/proc/{child.pid}/limits").read_text()
    assert f"Max data size             {reader.MEMORY_BYTES}" in limits and "Max core file size        0 " in limits


def test_it_ends_with_whoever_started_it(desk):
    script = (
        "import sys; from pathlib import Path; from warehouse.landing import reader; from warehouse.landing.delivery import land_delivery\n"
        f"land_delivery(Path({str(good(desk))!r}), 'x', {ABC!r}, Path({str(desk.target)!r}), Path({str(desk.spool)!r}))\n"
        "print(reader._PROCESS._child.pid, flush=True); import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    )
    pid = int(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False).stdout)
    for _ in range(50):
        if not Path(f"/proc/{pid}/cmdline").exists() or not Path(f"/proc/{pid}/cmdline").read_bytes():
            return
        time.sleep(0.1)
    pytest.fail("the reader outlives the run")
