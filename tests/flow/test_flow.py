"""The nightly flow on a real Prefect server: history, artifacts, exit codes, two at once."""

import json
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.processes import kpi
from tests.rows import csv, row


def _deliver(home: Path, name: str, text: str) -> None:
    file = home / "inbox" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, prefect_database: Path) -> Path:
    """A home in which `kpi run` was started twice at once, with one good and one refused delivery."""
    root = tmp_path_factory.mktemp("flow")
    shutil.copytree(prefect_database, root / "prefect")
    _deliver(root, "pension/a.csv", csv(row("pension"), row("pension", id="S2", instansi_kode="9999")))
    _deliver(root, "pension/broken.csv", "id\n1\n")
    return root


@pytest.fixture(scope="module")
def runs(home: Path) -> list[tuple[int, str, str]]:
    """(exit code, output, errors) of the two, the one that did the work first."""
    with ThreadPoolExecutor(2) as both:
        ended = list(both.map(lambda _: kpi("run", "--json", home=home), range(2)))
    return sorted(((run.returncode, run.stdout, run.stderr) for run in ended), key=lambda run: run[0] == 3)


def test_one_does_the_work_and_the_other_names_it(runs: list[tuple[int, str, str]], home: Path) -> None:
    (first, _, _), (second, _, said) = runs
    assert (first, second) == (4, 3)
    assert "(kpi run, since" in said


def test_the_report_is_json(runs: list[tuple[int, str, str]]) -> None:
    report = json.loads(runs[0][1])
    assert report["published"] is True
    assert report["batches"] == [
        {"source": "pension", "file": "pension/a.csv", "landed": 2, "accepted": 1, "quarantined": 1, "duplicate": 0}
    ]
    assert [refused["file"] for refused in report["refused"]] == ["pension/broken.csv"]
    assert {"landing", "validation", "publication"} <= set(report["seconds"])


def test_progress_is_seen_while_it_runs(runs: list[tuple[int, str, str]]) -> None:
    assert "pension/a.csv: 2 rows = 1 accepted + 1 quarantined + 0 duplicate" in runs[0][2]
    assert "REFUSED" in runs[0][2]


def test_every_task_run_is_in_the_history(runs: list[tuple[int, str, str]], home: Path) -> None:
    assert runs
    database = next((home / "prefect").glob("*.db"))
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        states = connection.execute("SELECT state_type, count(*) FROM task_run GROUP BY state_type").fetchall()
        flows = connection.execute("SELECT state_type, count(*) FROM flow_run GROUP BY state_type").fetchall()
        artifacts = connection.execute("SELECT key, type FROM artifact ORDER BY key").fetchall()
        text = connection.execute("SELECT data FROM artifact WHERE key = 'what-failed'").fetchone()[0]
        tags = connection.execute("SELECT DISTINCT tags FROM task_run").fetchall()
    assert [state for state, _ in states] == ["COMPLETED"]
    assert states[0][1] >= 5
    assert flows == [("COMPLETED", 2)]
    assert artifacts == [
        ("deliveries", "table"),
        ("kpi-values", "table"),
        ("validation-report", "markdown"),
        ("what-failed", "markdown"),
    ]
    assert "PEN-LOG-6" in text
    assert "broken.csv" in text
    assert any("kpi" in tag for (tag,) in tags)
