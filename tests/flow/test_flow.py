"""The nightly flow on a real Prefect server: history, artifacts, exit codes, two at once."""

import json
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.processes import kpi
from tests.rows import csv, row


def _deliver(home: Path, name: str, text: str) -> None:
    file = home / "inbox" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, prefect_database: Path) -> Path:
    """A home in which `kpi run` was started twice at once: a good delivery of each format, a refused one, a printed number that contradicts."""
    root = tmp_path_factory.mktemp("flow")
    shutil.copytree(prefect_database, root / "prefect")
    _deliver(root, "pension/a.csv", csv(row("pension"), row("pension", id="S2", instansi_kode="9999")))
    _deliver(root, "pension/b.jsonl", json.dumps(row("pension", id="S3")) + "\n")
    pl.DataFrame([row("pension", id="S4")]).write_excel(root / "inbox" / "pension" / "c.xlsx")
    _deliver(root, "pension/broken.csv", "id\n1\n")
    services = "".join(f"2024,{number},Layanan {number},true,SK 1/2024\n" for number in range(1, 13))
    _deliver(root, "digital_service/a.csv", f"tahun,layanan_id,nama,digital,dasar\n{services}")
    print_of_2024 = (
        "kantor,indikator,tahun,ukuran,nilai,desimal,sumber\n07,IKU-07,2024,realisasi,90.00,2,Surat 7/2025\n"
    )
    _deliver(root, "published_value/a.csv", print_of_2024)
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
    assert [(batch["source"], batch["accepted"]) for batch in report["batches"]] == [
        ("digital_service", 12), ("pension", 1), ("pension", 1), ("pension", 1), ("published_value", 1),
    ]  # fmt: skip
    assert report["batches"][1:2] == [
        {"source": "pension", "file": "pension/a.csv", "landed": 2, "accepted": 1, "quarantined": 1, "duplicate": 0}
    ]
    assert [refused["file"] for refused in report["refused"]] == ["pension/broken.csv"]
    assert [(found["published"], found["derived"]) for found in report["contested"]] == [("90.00", "100.00")]
    assert {"landing", "validation", "publication"} <= set(report["seconds"])


def test_progress_is_seen_while_it_runs(runs: list[tuple[int, str, str]]) -> None:
    assert "pension/a.csv: 2 rows = 1 accepted + 1 quarantined + 0 duplicate" in runs[0][2]
    assert "REFUSED" in runs[0][2]


def test_the_end_of_the_process_reports_no_leak(runs: list[tuple[int, str, str]]) -> None:
    assert [
        line for _, _, said in runs for line in said.splitlines() if "leak" in line or "Exception ignored" in line
    ] == []


def test_every_task_run_is_in_the_history(runs: list[tuple[int, str, str]], home: Path) -> None:
    assert runs
    database = next((home / "prefect").glob("*.db"))
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        states = connection.execute("SELECT state_type, count(*) FROM task_run GROUP BY state_type").fetchall()
        flows = connection.execute("SELECT state_type, count(*) FROM flow_run GROUP BY state_type").fetchall()
        artifacts = connection.execute("SELECT key, type FROM artifact ORDER BY key").fetchall()
        text = connection.execute("SELECT data FROM artifact WHERE key = 'what-failed'").fetchone()[0]
        contested = connection.execute("SELECT data FROM artifact WHERE key = 'contested'").fetchone()[0]
        tags = connection.execute("SELECT DISTINCT tags FROM task_run").fetchall()
    assert [state for state, _ in states] == ["COMPLETED"]
    assert states[0][1] >= 5
    assert flows == [("COMPLETED", 2)]
    assert artifacts == [
        ("contested", "table"),
        ("deliveries", "table"),
        ("kpi-values", "table"),
        ("validation-report", "markdown"),
        ("what-failed", "markdown"),
    ]
    assert "PEN-LOG-6" in text
    assert "broken.csv" in text
    assert "07|IKU-07|2024|realisasi@Surat 7/2025: printed 90.00, derived 100.00" in text
    # Prefect keeps a table as text.
    [line] = json.loads(json.loads(contested))
    assert (line["held back"], line["status"]) == ("IKU-07", "withheld_contested")
    assert any("kpi" in tag for (tag,) in tags)


@pytest.mark.parametrize("command", [["run"], ["backfill", "2024"]], ids=" ".join)
def test_a_failed_gate_is_exit_1_and_its_report_says_why(
    runs: list[tuple[int, str, str]], home: Path, tmp_path: Path, command: list[str]
) -> None:
    assert runs
    shutil.copytree(home, tmp_path / "home", symlinks=True)
    with duckdb.connect(str(tmp_path / "home" / "warehouse.duckdb")) as connection:
        # What no run does, and the gate before a publication finds: two standing values of one indicator and period.
        connection.execute("INSERT INTO facts.kpi_values FROM facts.kpi_values LIMIT 1")
    _deliver(tmp_path / "home", "pension/later.csv", csv(row("pension", id="S5")))
    shown = kpi(*command, "--json", home=tmp_path / "home")
    report = json.loads(shown.stdout)
    assert (shown.returncode, report["error"]["exit"], report["published"]) == (1, 1, False)
    assert "published table kpi_values: 1 keys" in report["error"]["message"]
    assert f"kpi: {report['error']['message']}" in shown.stderr
    assert [batch["file"] for batch in report["batches"]] == ["pension/later.csv"]
    assert "Traceback" not in shown.stderr and "leaked" not in shown.stderr
