"""What the reading commands answer: by terminal, pipe and format; nothing known; what cannot be; near names; what they import."""

import csv as csv_files
import io
import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import fresh_kpi, kpi
from tests.rows import row
from tests.terminal import on_terminal
from tests.time_home import TimeHome, letter

# What only a writer, a validator or a derivation needs.
HEAVY = {
    "prefect",
    "great_expectations",
    "sqlalchemy",
    "polars",
    "pyarrow",
    "numpy",
    "pandas",
    "rich",
    "pydantic_settings",
}
WRITERS = {"connection", "pipeline", "loading", "delivery", "delivery_load", "derivation", "publication", "renewal"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> TimeHome:
    """A home with a value of two agencies, a promotion of one, and a printed number that agrees."""
    found = TimeHome(tmp_path_factory.mktemp("answers") / "home")
    found.deliver(
        "integration/a.csv", letter("5500", integrated=True), letter("5502", integrated=True, channel="simpegnas")
    )
    found.deliver("promotion/a.csv", row("promotion"), row("promotion", id="P2", instansi_kode="9999"))
    found.run("2025-01-10")
    return found


READING = [
    ["values"], ["values", "--year", "2024"], ["scores", "--year", "2024"], ["services", "--year", "2024", "--by", "agency"],
    ["revisions", "IKU-06"], ["reconcile", "--year", "2024"], ["quarantine"],
]  # fmt: skip


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_a_pipe_has_tabs_and_one_row_a_line(place: TimeHome, arguments: list[str]) -> None:
    shown = kpi(*arguments, home=place.root)
    assert shown.returncode == 0
    lines = shown.stdout.splitlines()
    assert len(lines) > 1
    assert {line.count("\t") for line in lines} == {lines[0].count("\t")} != {0}
    comma = kpi(*arguments, "--format", "csv", home=place.root).stdout
    assert [len(line) for line in csv_files.reader(io.StringIO(comma))] == [lines[0].count("\t") + 1] * len(lines)
    assert kpi(*arguments, "--format", "md", home=place.root).stdout.splitlines()[1].startswith("|---")
    assert (
        kpi(*arguments, "--format", "json", home=place.root).stdout == kpi(*arguments, "--json", home=place.root).stdout
    )


@pytest.mark.parametrize("columns", [80, 100, 200])
@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_a_terminal_has_a_table_that_keeps_to_its_width(place: TimeHome, arguments: list[str], columns: int) -> None:
    said = on_terminal(*arguments, "--home", str(place.root), columns=columns)
    assert said.code == 0
    assert "───" in said.text and "\t" not in said.text
    hints = ("(", "  IKU", "  SS", "NPSS")
    # An item of a report may be longer than the terminal: it stands alone in its line.
    assert all(len(line) <= columns or "|" in line or line.startswith(hints) for line in said.text.splitlines())


def test_wide_and_a_file_have_every_column(place: TimeHome) -> None:
    narrow = on_terminal("services", "--year", "2024", "--by", "agency", "--home", str(place.root)).text
    wide = on_terminal("services", "--year", "2024", "--by", "agency", "--wide", "--home", str(place.root)).text
    assert "p90 days: --wide shows them" in narrow and "p90 days" in wide and "shows them" not in wide
    assert "Pemerintah Provinsi Sumatera" in narrow, "the name stands beside the code"
    shown = kpi("services", "--year", "2024", "--by", "agency", "--json", home=place.root)
    assert ("5600", "Pemerintah Provinsi Sumatera Selatan") in {
        (r["group"], r["group_name"]) for r in json.loads(shown.stdout)
    }


def test_a_workbook_goes_into_a_file_and_not_on_a_terminal(place: TimeHome) -> None:
    said = on_terminal("values", "--format", "xlsx", "--home", str(place.root))
    assert said.code == 2 and "add `> FILE.xlsx`" in said.text


def test_explain_names_the_agencies(place: TimeHome) -> None:
    shown = kpi("explain", "IKU-06", "--period", "2024", home=place.root)
    assert "5500 Pemerintah Provinsi Jambi" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["values", "--json", "--format", "csv"], "either --json or --format csv"),
        (["values", "--indicator", "IKU-6"], "did you mean 'IKU-06'?"),
        (["revisions", "iku6"], "did you mean 'IKU-06'?"),
        (["explain", "IKU-6", "--period", "2024"], "did you mean 'IKU-06'?"),
        (["explain", "promotion.twoday", "--period", "2024"], "did you mean 'promotion.two_day'?"),
        (["explain", "promotion|Jambbi", "--period", "2024"], "did you mean 'Jambi'?"),
        (["quarantine", "--source", "promosi"], "did you mean 'promotion'?"),
        (["quarantine", "--reason", "PRM-LOG6"], "did you mean 'PRM-LOG-6'?"),
    ],
)
def test_a_name_that_is_nearly_right_is_suggested(place: TimeHome, arguments: list[str], said: str) -> None:
    shown = kpi(*arguments, home=place.root)
    assert shown.returncode == 2
    assert said in shown.stderr and shown.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["values", "--year", "2019"], ["values", "--period", "2019-Q1"], ["scores", "--year", "2019"],
        ["services", "--year", "2019"], ["services", "--year", "2019", "--by", "region"], ["reconcile", "--year", "2019"],
        ["explain", "IKU-06", "--period", "2019"], ["explain", "promotion", "--period", "2019"], ["explain", "NPSS", "--period", "2019"],
        ["reproduce", "IKU-06", "--period", "2019"], ["restate", "--plan"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_nothing_known_is_no_mistake_and_one_sentence(place: TimeHome, arguments: list[str]) -> None:
    said = on_terminal(*arguments, "--home", str(place.root), columns=200)
    assert said.code == 0
    (sentence,) = said.text.strip().splitlines()
    assert sentence.startswith("kpi: no")
    as_json = kpi(*arguments, "--json", home=place.root)
    assert as_json.returncode == 0 and as_json.stderr == f"{sentence}\n"
    json.loads(as_json.stdout)


@pytest.mark.parametrize("year", ["20245", "0", "abc"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["values", "--year"], ["values", "--period"], ["scores", "--year"], ["services", "--year"], ["reconcile", "--year"],
        ["explain", "IKU-06", "--period"], ["reproduce", "IKU-06", "--period"], ["close"], ["backfill"], ["sample", "--years"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_can_be_no_year_is_wrong_usage_and_leaves_nothing(arguments: list[str], year: str, tmp_path: Path) -> None:
    root = tmp_path / "not" / "there"
    shown = kpi(*arguments, year, home=root)
    assert shown.returncode == 2
    assert shown.stderr and "Traceback" not in shown.stderr and shown.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_sample_without_figures_leaves_no_half_of_itself(tmp_path: Path) -> None:
    shown = kpi("sample", "--years", "2024..2025", home=tmp_path / "home")
    assert shown.returncode == 2 and "figures for 2025" in shown.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [*READING, ["revisions", "IKU-06", "--format", "csv"]], ids=" ".join)
def test_reading_imports_no_writer(place: TimeHome, arguments: list[str]) -> None:
    program = (
        "import sys\nfrom flows.app import app\ntry: app()\nfinally: print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments, "--home", str(place.root)],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stderr.splitlines())
    assert "warehouse.reading.published_values" in loaded
    assert not loaded & HEAVY
    assert not loaded & {f"warehouse.{name}" for name in WRITERS}


def test_a_line_of_reconciliation_has_its_note_and_can_be_chosen(sample_2024: object) -> None:
    home = sample_2024.root  # type: ignore[attr-defined]
    rows = json.loads(kpi("reconcile", "--year", "2024", "--json", home=home).stdout)
    assert list(rows[0]) == ["item", "published", "derived", "verdict", "discrepancy", "note"]
    assert any(row["note"] for row in rows)
    known = json.loads(kpi("reconcile", "--year", "2024", "--verdict", "known", "--json", home=home).stdout)
    assert known == [row for row in rows if row["verdict"] == "known"] != []
    none = kpi("reconcile", "--year", "2024", "--verdict", "different", "--json", home=home)
    assert (none.returncode, json.loads(none.stdout)) == (0, [])
    assert none.stderr == f"kpi: none of the {len(rows)} printed numbers of 2024 is different\n"
    assert kpi("reconcile", "--year", "2024", "--verdict", "unequal", home=home).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "most"), [(["--help"], 0.3), (["values"], 0.5), (["services", "--year", "2024"], 0.5)]
)
def test_an_answer_takes_little_of_the_processor(place: TimeHome, arguments: list[str], most: float) -> None:
    """Seconds of the processor, the best of three: what else the machine does says nothing of us."""
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert fresh_kpi(*arguments, home=place.root).returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < most
