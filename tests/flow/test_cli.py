"""The command line: exit codes, JSON shapes, speed of the help, messages without a stack of calls."""

import json
import shutil
import time
from pathlib import Path

import pytest

from tests.conftest import RunHome
from tests.processes import fresh_kpi, kpi
from tests.rows import csv, row

COMMANDS = ["init", "sample", "run", "serve", "values", "services", "quarantine", "validate", "doctor"]


def test_help_answers_in_half_a_second() -> None:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        shown = fresh_kpi("--help")
        times.append(time.perf_counter() - start)
        assert all(command in shown.stdout for command in COMMANDS)
    assert min(times) < 0.5


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    shown = kpi(command, "--help")
    assert shown.returncode == 0
    assert "--home" in shown.stdout


def test_values_as_json(sample_2024: RunHome) -> None:
    shown = kpi("values", "--year", "2024", "--json", home=sample_2024.root)
    rows = json.loads(shown.stdout)
    third = next(r for r in rows if r["period"] == "2024-Q3" and r["indicator"] == "IKU-06")
    assert set(third) >= {
        "indicator", "period", "value", "decimals", "unit", "target", "status", "numerator", "denominator",
        "definition_version", "known_from", "provisional", "flags",
    }  # fmt: skip
    assert (third["value"], third["numerator"], third["denominator"], third["provisional"]) == ("71.88", 31, 49, False)


def test_one_period(sample_2024: RunHome) -> None:
    rows = json.loads(kpi("values", "--period", "2024-Q1", "--json", home=sample_2024.root).stdout)
    assert {(r["indicator"], r["value"]) for r in rows} == {("IKU-06", "14.71")}


def test_services_as_json(sample_2024: RunHome) -> None:
    rows = json.loads(kpi("services", "--year", "2024", "--by", "region", "--json", home=sample_2024.root).stdout)
    assert set(rows[0]) >= {
        "service", "year", "group", "received", "ms", "bts", "tms", "in_process", "completion", "approval",
        "ever_returned", "two_day", "median_days", "p90_days",
    }  # fmt: skip
    assert [r["group"] for r in rows if r["service"] == "promotion"] == [
        "Bengkulu", "Jambi", "Kepulauan Bangka Belitung", "Sumatera Selatan", "vertical",
    ]  # fmt: skip


def test_tables_for_people(sample_2024: RunHome) -> None:
    assert "38,950" in kpi("services", "--year", "2024", "--format", "table", home=sample_2024.root).stdout
    assert "71.88" in kpi("values", "--year", "2024", "--format", "table", home=sample_2024.root).stdout


def test_quarantine_as_json_and_as_table(faulty_2024: RunHome) -> None:
    rows = json.loads(
        kpi("quarantine", "--source", "pension", "--reason", "PEN-03", "--json", home=faulty_2024.root).stdout
    )
    assert [set(r) for r in rows] == [{"source", "file", "row", "line", "cell", "reasons"}]
    assert rows[0]["reasons"] == ["PEN-03"]
    assert "PEN-03" in kpi("quarantine", home=faulty_2024.root).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["values", "--period", "2024-Q9"], "not a period"),
        (["values", "--as-of", "31-12-2024"], "use yyyy-mm-dd"),
        (["sample", "--years", "2024-2025"], "use 2024 or 2020..2024"),
        (["validate", __file__, "--source", "pensiun"], "sumber 'pensiun' tidak dikenal"),
        (["services", "--year", "2024", "--by", "province"], "province"),
        (["nonsense"], "nonsense"),
    ],
)
def test_wrong_usage_is_exit_2(arguments: list[str], said: str, sample_2024: RunHome) -> None:
    shown = kpi(*arguments, home=sample_2024.root)
    assert shown.returncode == 2
    assert said in shown.stderr
    assert "Traceback" not in shown.stderr


def test_nothing_published_is_exit_3_and_says_what_to_do(tmp_path: Path) -> None:
    shown = kpi("values", home=tmp_path)
    assert shown.returncode == 3
    assert "kpi run" in shown.stderr


def test_validate_speaks_to_the_clerk_and_shows_no_value(tmp_path: Path) -> None:
    file = tmp_path / "usulan.csv"
    file.write_text(csv(row("promotion"), row("promotion", id="P2", nip="1.98003E+17", instansi_kode="9999")))
    shown = kpi("validate", str(file), "--source", "promotion")
    assert shown.returncode == 1
    assert "NIP harus 18 angka" in shown.stdout
    assert "1.98003E+17" not in shown.stdout
    english = json.loads(kpi("validate", str(file), "--source", "promotion", "--lang", "en", "--json").stdout)
    assert {(f["rule"], f["column"], f["rows"], *f["first_rows"]) for f in english["failures"]} == {
        ("PRM-NIP-1", "nip", 1, 2), ("PRM-LOG-6", "instansi_kode", 1, 2),
    }  # fmt: skip
    file.write_text(csv(row("promotion")))
    assert kpi("validate", str(file), "--source", "promotion").returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {file.name, "usulan.csv.diperiksa.xlsx"}


def test_doctor_finds_what_is_wrong(sample_2024: RunHome, tmp_path: Path) -> None:
    shutil.copytree(sample_2024.root, tmp_path / "home", symlinks=True)
    assert kpi("doctor", home=tmp_path / "home").returncode == 0
    (tmp_path / "home" / "published" / "datapackage.json").write_text("{}")
    (tmp_path / "home" / "landing").chmod(0o755)
    shown = kpi("doctor", "--json", home=tmp_path / "home")
    assert shown.returncode == 3
    bad = {check["check"]: check["finding"] for check in json.loads(shown.stdout) if check["verdict"] == "bad"}
    assert set(bad) == {"publication", "landing/"}
    assert "datapackage.json" in bad["publication"]


def test_sample_writes_into_the_inbox(tmp_path: Path) -> None:
    shown = kpi("sample", "--years", "2021", "--home", str(tmp_path))
    assert shown.returncode == 0
    assert {folder.name for folder in (tmp_path / "inbox").iterdir()} >= {"promotion", "nip", "pension", "integration"}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["values", "--year", "1999"], 0, "nothing is known of 1999; `kpi values` lists all that is"),
        (["values", "--indicator", "iku-06", "--as-of", "2001-01-01"], 0, "IKU-06 as known on 2001-01-01"),
        (["values", "--indicator", "IKU-99"], 2, "there is no indicator 'IKU-99'"),
        (["services", "--year", "1999"], 0, "nothing is known of the services of 1999"),
        (["reconcile", "--year", "1999"], 0, "printed numbers of 1999"),
        (["quarantine", "--source", "promosi"], 2, "unknown source 'promosi'"),
        (["quarantine", "--reason", "PRM-99"], 2, "no rule 'PRM-99'"),
    ],
)
def test_an_empty_answer_says_why(sample_2024: RunHome, arguments: list[str], code: int, says: str) -> None:
    shown = kpi(*arguments, home=sample_2024.root)
    assert shown.returncode == code
    assert says.lower() in shown.stderr.lower()
