"""What every command prints with --json is as ``docs/schema/json/`` says, and nothing that a command knows is left out unsaid."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from flows import render
from flows.app import COMMANDS, app
from flows.command_run import failed_report
from flows.json_shapes import Report, printed_shapes
from flows.sessions import Session
from tests.rows import csv, row
from tests.time_home import TimeHome, letter

SCHEMAS = Path("docs/schema/json")
# Of a row, for people's tables alone.
IN_TABLES_ALONE = {"where", "printed_in", "is_delivered"}
CORRECTION = """corrections:
  - {id: C-1, source: integration, key: {tahun: 2024, tw: 4, instansi_kode: "5502", riwayat: jabatan, tgl_surat: 2024-12-20},
     column: terintegrasi, expected: "true", corrected: "false", reason: salah ketik, owner: INKA}
  - {id: C-2, source: integration, key: {tahun: 2024, tw: 4, instansi_kode: "9999", riwayat: jabatan, tgl_surat: 2024-12-20},
     column: terintegrasi, expected: "true", corrected: "false", reason: salah ketik, owner: INKA}
"""
AGREED = (
    "indikator,tahun,target,sasaran,perspektif\nIKU-06,2024,100,SS4,internal_process\nIKU-01,2024,100,SS1,stakeholder\n"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[TimeHome, list[dict[str, Any]]]:
    """(a home that has something of everything, the reports of its runs)."""
    found = TimeHome(tmp_path_factory.mktemp("home"))
    found.deliver(
        "integration/a.csv", letter("5500", integrated=True), letter("5502", integrated=True, channel="simpegnas")
    )
    found.deliver("promotion/a.csv", row("promotion"), row("promotion", id="P2", nip="123"))
    found.deliver("pension/broken.csv", {"id": "1"})
    found.deliver("promotion/b.csv", row("promotion"), row("promotion", id="P2", nip="123"))
    (found.home.inbox / "performance_agreement").mkdir()
    (found.home.inbox / "performance_agreement" / "a.csv").write_text(AGREED)
    reports = [found.run("2025-01-10").as_dict()]
    closed = CliRunner().invoke(app, ["close", "2024", "--yes", "--as-of", "2025-01-20", "--home", str(found.root)])
    assert closed.exit_code == 0, closed.output
    (found.root / "corrections.yml").write_text(CORRECTION)
    reports.append(found.run("2025-02-10").as_dict())
    found.deliver("integration/corrections/new.csv", letter("5500", integrated=False))
    assert all(reports[0][key] for key in ("batches", "refused", "changed", "notices")), (
        "a report without rows shows no shape"
    )
    assert all(reports[1][key] for key in ("batches", "refused", "skipped", "pending"))
    return found, reports


@pytest.fixture
def undeclared(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The fields that a command had and did not print since no shape declares them."""
    found: list[str] = []
    shaped = render.shaped

    def watched(data: Any, shape: Any) -> Any:
        printed = shaped(data, shape)
        found.extend(_left_out(json.loads(json.dumps(data, default=str)), printed, ""))
        return printed

    monkeypatch.setattr(render, "shaped", watched)
    yield found


def _left_out(given: Any, printed: Any, at: str) -> Iterator[str]:
    if isinstance(given, dict):
        for key, value in given.items():
            if key in printed:
                yield from _left_out(value, printed[key], f"{at}.{key}")
            elif key not in IN_TABLES_ALONE:
                yield f"{at}.{key}"
    elif isinstance(given, list):
        for one, other in zip(given, printed, strict=True):
            yield from _left_out(one, other, f"{at}[]")


def faults(command: str, printed: Any) -> list[str]:
    schema = json.loads((SCHEMAS / f"{command}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(printed)]


@pytest.mark.parametrize(
    "asked",
    [
        ["values"], ["values", "--year", "1999"], ["services", "--year", "2024"], ["services", "--year", "2024", "--by", "agency"],
        ["scores", "--year", "2024"], ["scores", "--year", "2010"], ["explain", "IKU-06", "--period", "2024"],
        ["explain", "IKU-01", "--period", "2024"], ["explain", "promotion.two_day", "--period", "2024"],
        ["explain", "NPSS", "--period", "2024"], ["explain", "IKU-06", "--period", "2010"], ["reproduce", "IKU-06", "--period", "2024"],
        ["reproduce", "IKU-06", "--period", "2010"],
        ["integration", "--year", "2024"], ["agencies", "--indicator", "IKU-06"], ["backlog", "--service", "promotion"],
        ["explain", "integration|2024-Q4|webservice"], ["explain", "backlog|promotion|2024-01-16"], ["reproduce", "agency|IKU-06|2024-Q4|5500"],
        ["revisions", "IKU-06"], ["reconcile", "--year", "2024"], ["quarantine"],
        ["doctor"], ["backfill", "2024", "--dry-run"], ["purge", "--dry-run", "--days", "1"], ["restate", "--plan"], ["init"], ["waive", "--list"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_command_prints_what_its_schema_says(
    place: tuple[TimeHome, list[dict[str, Any]]], undeclared: list[str], asked: list[str]
) -> None:
    done = CliRunner().invoke(app, [*asked, "--json", "--home", str(place[0].root)])
    assert done.exit_code == 0 or asked[0] == "doctor", done.output
    printed = json.loads(done.stdout)
    assert (faults(asked[0], printed), undeclared) == ([], [])
    assert printed or "1999" in asked or "2010" in asked, "an empty list shows no shape"


@pytest.mark.parametrize("faulty", [True, False])
def test_validate_prints_what_its_schema_says(tmp_path: Path, undeclared: list[str], faulty: bool) -> None:
    file = tmp_path / "a.csv"
    file.write_text(csv(row("promotion", nip="123")) if faulty else "id\n1\n")
    printed = json.loads(CliRunner().invoke(app, ["validate", str(file), "--source", "promotion", "--json"]).stdout)
    assert (faults("validate", printed), undeclared) == ([], [])
    assert printed["failures"] if faulty else printed["refused"]


def test_the_reports_of_runs_are_as_their_schema_says(
    place: tuple[TimeHome, list[dict[str, Any]]], undeclared: list[str]
) -> None:
    """As `kpi run` prints them; what a run through Prefect gives more than these is ``error``."""
    _, reports = place
    for report in [*(report | {"error": None} for report in reports), failed_report(Session(print), 3, "no disk")]:
        printed = render.shaped(report, Report)
        assert [faults(command, printed) for command in ("run", "backfill")] == [[], []]
    assert undeclared == []


def test_every_command_with_json_has_a_schema() -> None:
    with_json = {each.name for each in COMMANDS if "as_json" in inspect.signature(each.function).parameters}
    assert with_json == set(printed_shapes()) == {file.name.removesuffix(".schema.json") for file in SCHEMAS.iterdir()}


def test_a_schema_finds_what_is_not_as_it_says() -> None:
    good = {"check": "lock", "verdict": "good", "finding": "free"}
    assert faults("doctor", [good]) == []
    assert faults("doctor", [good | {"verdict": None}]) != []
    assert faults("doctor", [{"check": "lock"}]) != []
    # An addition is none of the reader's business.
    assert faults("doctor", [good | {"since": "today"}]) == []
