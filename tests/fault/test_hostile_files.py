"""An inbox of some fifty broken and hostile files and a good one: each ends in a clear message, in bounded time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import duckdb
import pytest

from tests.hostile_files import HOSTILE, SOURCE, Hostile
from tests.rows import csv, row
from transforms.odd_text import printable
from warehouse.reading.published_values import read_services
from warehouse.store.home import Home

RUN = """
import json, resource, sys
from pathlib import Path
from warehouse.runs.pipeline import run_pipeline
report = run_pipeline(Path(sys.argv[1])).as_dict()
print(json.dumps({"report": report, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2}, default=str))
"""
MOST_SECONDS, MOST_GIB = 120, 1.5
GROWING = "growing.csv"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The home, the report, seconds and memory of the one run, while one file grows."""
    root = tmp_path_factory.mktemp("hostile") / "home"
    inbox = root / "inbox" / SOURCE
    inbox.mkdir(parents=True)
    for hostile in HOSTILE:
        hostile.write(inbox / hostile.name)
    (inbox / "good.csv").write_text(csv(row(SOURCE, id="GOOD")))
    growing = inbox / GROWING
    growing.write_text(csv(*(row(SOURCE, id=f"G{number}") for number in range(50_000))))
    line = csv(row(SOURCE, id="MORE")).splitlines()[1] + "\n"
    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(root)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while process.poll() is None:
        with growing.open("a") as stream:
            stream.write(line)
        time.sleep(0.01)
        assert time.monotonic() - start < MOST_SECONDS, "the run does not end"
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    return json.loads(output.splitlines()[-1]) | {"root": root, "seconds": time.monotonic() - start}


def test_there_are_forty_kinds() -> None:
    assert len({hostile.name for hostile in HOSTILE}) >= 40


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: printable(hostile.name[:40]))
def test_each_ends_in_a_clear_message_or_in_its_rows(ran: dict[str, Any], hostile: Hostile) -> None:
    refused = {entry["file"]: entry for entry in ran["report"]["refused"]}
    batches = {batch["file"]: batch for batch in ran["report"]["batches"]}
    file = f"{SOURCE}/{printable(hostile.name)}"
    if hostile.says is not None:
        assert file not in batches
        assert hostile.says in refused[file]["message"]
        assert refused[file]["message"].startswith(f"{file}: ")
        assert len(refused[file]["message"]) < 2_000
        assert refused[file]["message_id"] != refused[file]["message"]
    else:
        assert file not in refused
        batch = batches[file]
        assert (batch["landed"], batch["quarantined"], batch["accepted"]) == (
            hostile.rows,
            hostile.held,
            hostile.rows - hostile.held,
        )


def test_the_good_one_loads_and_is_counted(ran: dict[str, Any]) -> None:
    (good,) = [batch for batch in ran["report"]["batches"] if batch["file"] == f"{SOURCE}/good.csv"]
    assert good["accepted"] == 1
    assert ran["report"]["published"]
    taken_in = sum(hostile.rows - hostile.held for hostile in HOSTILE if hostile.says is None) + 1
    (line,) = read_services(Home(ran["root"]), 2024)
    assert line["received"] == taken_in


def test_no_name_steers_a_terminal_or_a_page(ran: dict[str, Any]) -> None:
    report = ran["report"]
    shown = [entry["file"] for entry in report["batches"] + report["refused"]]
    shown += [entry[language] for entry in report["refused"] for language in ("message", "message_id")]
    assert len(shown) > 100
    assert all(text.isprintable() for text in shown)
    assert {f"{SOURCE}/red\\n\\x1b[31m.csv", f"{SOURCE}/kata\\u202egnp.csv", f"{SOURCE}/caf\\xe9.csv"} <= set(shown)
    for page in (ran["root"] / "reports" / "validation").rglob("*.html"):
        assert not {"\x1b", "\u202e"} & set(page.read_text(encoding="utf-8"))


def test_a_file_that_grows_is_left_for_the_next_run(ran: dict[str, Any]) -> None:
    (entry,) = [entry for entry in ran["report"]["refused"] if entry["file"] == f"{SOURCE}/{GROWING}"]
    assert entry["message"].startswith(f"{SOURCE}/{GROWING}: the file was changed while it was read")


def test_time_and_memory_are_bounded(ran: dict[str, Any]) -> None:
    assert ran["peak"] < MOST_GIB
    assert ran["seconds"] < MOST_SECONDS


def test_nothing_got_out_and_nothing_is_left_half_made(ran: dict[str, Any]) -> None:
    root = ran["root"]
    assert not list(root.parent.rglob("climbed.txt"))
    assert not list((root / "spool").iterdir())
    assert not list((root / "landing").rglob("*.part"))
    with duckdb.connect(str(root / "warehouse.duckdb"), read_only=True) as connection:
        keys = {key for (key,) in connection.execute("SELECT record_key FROM states.pension").fetchall()}
    assert "OUTSIDE" not in keys
    assert "x'; DROP TABLE states.pension; --" in keys
