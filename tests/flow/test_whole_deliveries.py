"""Checks of a delivery as a whole: the totals it brought, its source's history, a rule that refuses; and the end of retention."""

import errno
import json
import os
import zipfile
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest
from fastexcel import read_excel
from typer.testing import CliRunner

from expectations.contract import Contract, load_contract
from expectations.kinds.sql import Sql
from flows.app import app
from tests.rows import csv, row
from tests.time_home import TimeHome, letter
from warehouse.loading.file_fault import is_fault_of
from warehouse.reports.validation_pages import last_page
from warehouse.runs.doctor import examine
from warehouse.store.connection import open_warehouse
from warehouse.store.failures import EnvironmentProblem, GateFailed
from warehouse.trace.reproduce import reproduce


@pytest.fixture
def place(tmp_path: Path) -> TimeHome:
    return TimeHome(tmp_path)


def totals(place: TimeHome, file: str, **stated: object) -> None:
    (place.home.inbox / f"{file}.control.json").write_text(json.dumps(stated), encoding="utf-8")


def two_proposals(place: TimeHome) -> None:
    place.deliver("promotion/a.csv", row("promotion"), row("promotion", id="P2", status_usulan=5, tgl_pertek=""))


def test_totals_that_agree_are_noted(place: TimeHome) -> None:
    two_proposals(place)
    totals(place, "promotion/a.csv", rows=2, received=2, outcomes={"MS": 1, "BTS": 1, "TMS": 0})
    report = place.run("2024-02-01")
    assert [b.accepted for b in report.batches] == [2] and report.refused == [] and report.unknown == []
    assert place.ledger("SELECT check_name, is_good FROM ledger.delivery_checks") == [("totals", True)]


DIFFERING = [
    ({"rows": 3}, "rows 3, counted 2"),
    ({"rows": 2, "received": 1}, "received 1, counted 2"),
    ({"rows": 2, "outcomes": {"MS": 2}}, "MS 2, counted 1"),
    ({"rows": 2, "outcomes": {"OK": 2}}, "name OK, which promotion does not have"),
    ({"row": 2}, "the control file cannot be read"),
]


def test_totals_that_differ_refuse_the_delivery(place: TimeHome) -> None:
    for number, (stated, _) in enumerate(DIFFERING):
        rows = row("promotion", id=f"P{number}"), row("promotion", id=f"Q{number}", status_usulan=5, tgl_pertek="")
        place.deliver(f"promotion/{number}.csv", *rows)
        totals(place, f"promotion/{number}.csv", **stated)
    report = place.run("2024-02-01")
    assert [refused.file.split(".")[0] for refused in report.refused] == [
        f"promotion/{n}" for n in range(len(DIFFERING))
    ]
    for refused, (_, message) in zip(report.refused, DIFFERING, strict=True):
        assert message in refused.message and "deliver the file again whole" in refused.message
    assert report.batches == [] and place.ledger("SELECT count(*) FROM states.promotion") == [(0,)]
    assert list(place.home.landing.glob("*/*.parquet")) == []


def test_totals_without_their_file_are_no_delivery_of_themselves(place: TimeHome) -> None:
    two_proposals(place)
    totals(place, "promotion/b.csv", rows=2)
    (refused,) = place.run("2024-02-01").refused
    assert "b.csv.control.json" in refused.file


def test_an_odd_volume_is_noted_with_the_history_it_rests_on(place: TimeHome) -> None:
    for number in range(6):
        place.deliver(
            f"integration/{number}.csv",
            letter("5500", integrated=True, number=f"L{number}", tgl_surat=f"2024-12-1{number}"),
        )
    place.run("2025-01-10")
    agencies = [f"55{n:02d}" for n in range(10)] + ["5571", "5572"]
    place.deliver(
        "integration/large.csv", *(letter(a, integrated=True, number="L9", tgl_surat="2024-12-29") for a in agencies)
    )
    place.run("2025-01-11")
    ((check, is_good, finding),) = place.ledger("SELECT check_name, is_good, finding_en FROM ledger.delivery_checks")
    assert (check, is_good) == ("volume", False) and "12 rows, where the median of 6 earlier deliveries is 1" in finding
    assert finding in last_page(place.home).read_text(encoding="utf-8")


def test_a_column_that_is_suddenly_empty_is_noted(place: TimeHome) -> None:
    def month(number: int, decree: str) -> None:
        rows = [row("promotion", id=f"P{number}-{n}", no_sk=decree) for n in range(120)]
        place.deliver(f"promotion/{number}.csv", *rows)

    month(1, "SK-1")
    place.run("2024-02-01")
    month(2, "")
    place.run("2024-02-02")
    ((finding,),) = place.ledger("SELECT finding_en FROM ledger.delivery_checks")
    assert finding == "column no_sk: 100 % empty, 0 % of 120 earlier rows were"


def test_a_rule_that_refuses_takes_none_of_the_rows_in(place: TimeHome, monkeypatch: pytest.MonkeyPatch) -> None:
    def stricter(source: str) -> Contract:
        contract = load_contract(source)
        rules = [
            rule.model_copy(update={"severity": "refuse"}) if rule.id == "INT-01" else rule for rule in contract.rules
        ]
        return contract.model_copy(update={"rules": rules})

    monkeypatch.setattr("warehouse.loading.group.load_contract", stricter)
    place.deliver("integration/a.csv", letter("5500", integrated=True), letter("5501", integrated=True, tw=5))
    (refused,) = place.run("2025-01-10").refused
    assert (
        "integration/a.csv: line 3, column tw: INT-01" in refused.message
        and "tw harus 1 sampai 4" in refused.message_id
    )
    assert place.ledger("SELECT count(*) FROM states.integration") == [(0,)]


def test_a_file_at_which_our_own_code_fails_stops_no_other(place: TimeHome, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that raises an error inside DuckDB breaks the transaction in which the files before it stand."""

    def breaking(source: str) -> Contract:
        contract = load_contract(source)
        sql = "CASE WHEN agency_code = '5599' THEN error('cell of 5599') ELSE true END"
        rule = contract.rules[0].model_copy(update={"id": "INT-99", "kind": Sql(holds=sql)})
        return contract.model_copy(update={"rules": [*contract.rules, rule]})

    monkeypatch.setattr("warehouse.loading.group.load_contract", breaking)
    place.deliver("integration/a.csv", letter("5500", integrated=True), letter("9999", integrated=True))
    place.deliver("integration/b.txt", letter("5501", integrated=True))
    place.deliver("integration/c.csv", letter("9999", integrated=True), letter("5599", integrated=True))
    place.deliver("integration/d.csv", letter("5502", integrated=True, channel="simpegnas"))
    report = place.run("2025-01-10")
    assert [(batch.file, batch.accepted, batch.quarantined) for batch in report.batches] == [
        ("integration/a.csv", 1, 1),
        ("integration/d.csv", 1, 0),
    ]
    assert [refused.file for refused in report.refused] == ["integration/b.txt", "integration/c.csv"]
    message = report.refused[1].message
    assert "the product failed at this file (InvalidInputException, judged_rows.py:" in message
    assert "cell of" not in message, "no word of an error: it may quote a cell"
    assert place.ledger("SELECT file, landed FROM ledger.batches ORDER BY batch_id") == [
        ("integration/a.csv", 2), ("integration/d.csv", 1)
    ]  # fmt: skip
    assert place.ledger("SELECT file FROM ledger.refusals ORDER BY file") == [
        ("integration/b.txt",),
        ("integration/c.csv",),
    ]
    assert place.ledger("SELECT count(*) FROM quarantine.held_rows") == [(1,)]
    assert len(list(place.home.landing.glob("*/*.parquet"))) == 2
    assert place.value("IKU-06", "2024") == "100.00"


@pytest.mark.parametrize(
    ("problem", "is_its_own"),
    [
        (OSError(errno.ENAMETOOLONG, "File name too long", "x.csv.control.json"), True),
        (PermissionError(errno.EACCES, "Permission denied", "/inbox/x.csv"), True),
        (PermissionError(errno.EACCES, "Permission denied", "/landing/x.parquet"), False),
        (OSError(errno.ENOSPC, "No space left on device"), False),
        (duckdb.IOException("IO Error: Could not write file"), False),
        (duckdb.ConversionException("No space left on device"), False),
        (duckdb.ConversionException("Could not convert"), True),
        (UnicodeEncodeError("utf-8", "\udce9", 0, 1, "surrogates not allowed"), True),
        (RecursionError(), True),
        (GateFailed("kept 1 of 2"), False),
        (EnvironmentProblem("another run holds the lock"), False),
    ],
)
def test_what_stops_everything_and_what_one_file(problem: Exception, is_its_own: bool) -> None:
    assert is_fault_of(problem, Path("/inbox/x.csv")) is is_its_own


def test_the_end_of_retention(place: TimeHome) -> None:
    place.deliver("integration/a.csv", letter("5500", integrated=False), letter("9999", integrated=True))
    place.run("2025-01-10")
    place.deliver("integration/b.csv", letter("5502", integrated=True, channel="simpegnas"))
    place.run("2025-06-10")
    before = place.value("IKU-06", "2024")
    at = ["--home", str(place.root), "--as-of", "2025-07-01"]
    dry = CliRunner().invoke(app, ["purge", "--days", "100", "--dry-run", "--json", *at])
    assert [line["file"] for line in json.loads(dry.stdout)] == ["integration/a.csv"]
    assert len(list(place.home.landing.glob("*/*.parquet"))) == 2, "a dry run removes nothing"
    assert CliRunner().invoke(app, ["purge", "--days", "100", *at]).exit_code == 0
    assert len(list(place.home.landing.glob("*/*.parquet"))) == 1
    assert list(place.home.quarantine.glob("integration/*")) == []
    assert place.value("IKU-06", "2024") == before == "50.00"
    assert place.ledger("SELECT quarantined FROM ledger.batches ORDER BY batch_id") == [(1,), (0,)]
    (archive,) = [check for check in examine(place.root) if check["check"] == "archive"]
    assert archive["verdict"] == "note" and "1 of 2 deliveries were purged" in archive["finding"]
    with pytest.raises(EnvironmentProblem, match=r"integration/a\.csv: its archive"):
        reproduce(place.root, "IKU-06", "2024")
    assert place.run("2025-07-02").skipped == ["integration/a.csv", "integration/b.csv"], (
        "what was purged is not taken in again"
    )


def test_a_lost_archive_is_no_purged_one(place: TimeHome) -> None:
    place.deliver("integration/a.csv", letter("5500", integrated=False))
    place.run("2025-01-10")
    next(place.home.landing.glob("*/*.parquet")).unlink()
    (archive,) = [check for check in examine(place.root) if check["check"] == "archive"]
    assert archive["verdict"] == "bad" and "is lost" in archive["finding"]


def test_a_clerk_gets_a_marked_copy_of_a_workbook(tmp_path: Path) -> None:

    good, bad = row("pension"), row("pension", id="S2", tmt_pensiun="2024-06-02 00:00:00", nama="=1+1")
    file = tmp_path / "pensiun.xlsx"
    pl.DataFrame([good, bad]).write_excel(file)
    done = CliRunner().invoke(app, ["validate", str(file), "--source", "pension", "--json", "--home", str(tmp_path)])
    assert done.exit_code == 1
    copy = Path(json.loads(done.stdout)["marked_copy"])
    assert copy == tmp_path / "pensiun.diperiksa.xlsx" and copy.stat().st_mode & 0o777 == 0o600
    cells = read_excel(copy).load_sheet(0).to_polars()
    assert cells["nama"].to_list() == ["UJI COBA", "=1+1"], "what begins with = is text, and computes nothing"

    with zipfile.ZipFile(copy) as parts:
        notes = parts.read("xl/comments1.xml").decode()
        assert "<f>" not in parts.read("xl/worksheets/sheet1.xml").decode()
    assert notes.count("<comment ") == 1 and "PEN-" in notes and "198" not in notes
    assert csv(good).splitlines()[0].startswith("id,")


def test_a_file_of_another_type_is_refused_as_a_run_does(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(csv(*(row("pension", id=f"S{n}", tmt_pensiun="1 Juni 2024") for n in range(3))), encoding="utf-8")
    done = CliRunner().invoke(
        app, ["validate", str(file), "--source", "pension", "--lang", "en", "--home", str(tmp_path)]
    )
    assert done.exit_code == 1 and "column tmt_pensiun: none of its 3 values can be read" in done.stdout


def test_a_value_that_comes_much_more_often_is_noted(place: TimeHome) -> None:
    place.deliver(
        "promotion/a.csv", *(row("promotion", id=f"A{n}", status_usulan=[7, 12][n % 10 == 0]) for n in range(120))
    )
    place.run("2024-02-01")
    assert place.ledger("SELECT count(*) FROM ledger.delivery_checks") == [(0,)]
    place.deliver("promotion/b.csv", *(row("promotion", id=f"B{n}", status_usulan=[7, 12][n % 2]) for n in range(120)))
    place.run("2024-02-02")
    found = place.ledger("SELECT check_name, finding_en, finding_id FROM ledger.delivery_checks ORDER BY finding_en")
    assert found == [
        (
            "category share",
            "column status_usulan: 50 % are 12, 10 % of 120 earlier rows were",
            "kolom status_usulan: 50 % bernilai 12, terdahulu 10 % dari 120 baris",
        ),
        (
            "category share",
            "column status_usulan: 50 % are 7, 90 % of 120 earlier rows were",
            "kolom status_usulan: 50 % bernilai 7, terdahulu 90 % dari 120 baris",
        ),
    ]


def test_a_delivery_that_comes_late_is_noted_with_the_cadence(place: TimeHome) -> None:
    place.deliver("promotion/a.csv", row("promotion"))
    place.run("2024-02-01")
    place.deliver("promotion/b.csv", row("promotion", id="P2"))
    place.run("2024-03-03")
    assert place.ledger("SELECT count(*) FROM ledger.delivery_checks") == [(0,)]
    place.deliver("promotion/c.csv", row("promotion", id="P3"))
    place.run("2024-04-04")
    ((check, finding),) = place.ledger("SELECT check_name, finding_en FROM ledger.delivery_checks")
    assert (check, finding) == (
        "freshness",
        "came 32 days after the delivery before; expected every 31 days: look whether one is missing",
    )
    assert "came 32 days" in last_page(place.home).read_text()


def test_no_breakdown_by_health_is_watched_or_published() -> None:
    pension = {column.name: column.category for column in load_contract("pension").columns}
    assert pension["status_usulan"] and not pension["jenis_pensiun_id"]


def test_a_key_that_stands_twice_over_all_deliveries_is_named_by_the_doctor(place: TimeHome) -> None:
    place.deliver("promotion/a.csv", row("promotion"))
    place.run("2024-02-01")
    assert {c["check"]: c["verdict"] for c in examine(place.root)}["states"] == "good"
    with open_warehouse(place.root, "test") as opened:
        opened.connection.execute(
            "INSERT INTO states.promotion SELECT * REPLACE (2 AS row_number) FROM states.promotion"
        )
    (line,) = [check for check in examine(place.root) if check["check"] == "states"]
    assert line["verdict"] == "bad" and line["finding"].startswith("promotion: 1 keys stand twice")


def test_a_delivery_that_meets_a_double_stops_the_run(place: TimeHome) -> None:
    place.deliver("promotion/a.csv", row("promotion"))
    place.run("2024-02-01")
    with open_warehouse(place.root, "test") as opened:
        opened.connection.execute(
            "INSERT INTO states.promotion SELECT * REPLACE (2 AS row_number) FROM states.promotion"
        )
    place.deliver("promotion/b.csv", row("promotion"), row("promotion", id="P2"))
    with pytest.raises(GateFailed, match=r"promotion/b.csv: .* nothing is published"):
        place.run("2024-02-02")


def test_texts_that_look_like_formulas_are_inert_in_the_marked_copy(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://127.0.0.1","x")']
    pl.DataFrame([row("pension", id=text, nip="123") for text in texts]).write_excel(file)
    shown = CliRunner().invoke(app, ["validate", str(file), "--source", "pension"])
    assert "diperiksa.xlsx" in shown.stdout
    copy = tmp_path / "a.diperiksa.xlsx"
    with zipfile.ZipFile(copy) as package:
        sheet = package.read("xl/worksheets/sheet1.xml").decode()
        assert "hyperlink" not in sheet
    assert "<f>" not in sheet
    assert read_excel(copy).load_sheet(0).to_polars()["id"].to_list() == texts


def test_marked_copies_have_the_same_retention(place: TimeHome) -> None:
    place.deliver("integration/a.csv", letter("5500", integrated=False))
    place.run("2025-01-10")
    place.home.marked.mkdir(mode=0o700)
    old, new = place.home.marked / "old.diperiksa.xlsx", place.home.marked / "new.diperiksa.xlsx"
    for copy, day in ((old, "2025-01-05"), (new, "2025-06-20")):
        copy.write_bytes(b"x")
        moment = datetime.fromisoformat(day).timestamp()
        os.utime(copy, (moment, moment))
    at = ["--home", str(place.root), "--as-of", "2025-07-01", "--days", "177"]
    dry = CliRunner().invoke(app, ["purge", "--dry-run", "--json", *at])
    assert [line["file"] for line in json.loads(dry.stdout)] == ["quarantine/marked/old.diperiksa.xlsx"]
    assert CliRunner().invoke(app, ["purge", *at]).exit_code == 0
    assert not old.exists() and new.exists()
