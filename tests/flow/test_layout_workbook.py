"""The regional offices' promotion workbook: it gives the facts of its canonical twin; what is odd in it is read, the rest is held."""

from __future__ import annotations

import datetime as dt
import stat
from pathlib import Path
from typing import Any

import duckdb
import fastexcel
import pytest

from tests.workbook_twin import agreed_rows, later, proposals, write_workbook
from transforms.reference.tables import agencies, offices, proposal_status, spellings
from warehouse.loading.same_records import MARK, seek_earlier_ones
from warehouse.loading.validate_file import validate_file
from warehouse.reading.published_values import read_services, read_values
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.connection import open_warehouse
from warehouse.store.home import Home
from warehouse.store.runs import read_meta
from warehouse.trace.explain import explain
from warehouse.trace.reproduce import reproduce

COUNT = 2_000
GROUPS = ("year", "period", "region", "agency")


def _facts(root: Path) -> list[dict[str, Any]]:
    home = Home(root)
    rows = read_values(home) + [row for by in GROUPS for row in read_services(home, 2024, by)]
    return [{k: v for k, v in row.items() if k not in ("known_from", "run", "cut_off")} for row in rows]


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(home of the workbooks, home of the agreed rows), each with two exports that overlap."""
    first = list(proposals(COUNT))
    second = [later(proposal) for proposal in first[: COUNT // 2]]
    workbooks, agreed = (tmp_path_factory.mktemp(name) for name in ("workbooks", "agreed"))
    for root in (workbooks, agreed):
        (root / "inbox" / "promotion").mkdir(parents=True)
    for name, given in (("november", first), ("desember", second)):
        write_workbook(workbooks / "inbox" / "promotion" / f"{name}.xlsx", given)
        (agreed / "inbox" / "promotion" / f"{name}.csv").write_text(agreed_rows(given))
        for root in (workbooks, agreed):
            report = run_pipeline(root, dt.date(2025, 3, 1))
            assert report.refused == []
            assert [batch.landed for batch in report.batches] == [len(given)]
    return workbooks, agreed


def test_the_twins_give_the_same_facts(twins: tuple[Path, Path]) -> None:
    workbooks, agreed = map(_facts, twins)
    assert workbooks == agreed
    (year,) = read_services(Home(twins[0]), 2024)
    assert (year["received"], year["ms"] + year["bts"] + year["tms"] + year["in_process"]) == (1923, 1923)
    assert (year["ms"], year["bts"], year["tms"], year["in_process"]) == (1442, 96, 289, 96)


def test_both_hold_and_know_the_same_rows(twins: tuple[Path, Path]) -> None:
    counts = []
    for root in twins:
        with open_warehouse(root, "test") as opened:
            counts.append(
                opened.connection.execute(
                    "SELECT landed, accepted, quarantined, duplicate FROM ledger.batches ORDER BY batch_id"
                ).fetchall()
            )
    assert counts[0] == counts[1]
    assert counts[0][0] == (2000, 2000, 0, 0)
    accepted, duplicates = counts[0][1][1], counts[0][1][3]
    assert (accepted, duplicates) == (314, 686)


def test_the_number_is_explained_and_made_again_from_the_workbooks(twins: tuple[Path, Path]) -> None:
    told = explain(twins[0], "promotion.received", "2024")
    assert [delivery["file"] for delivery in told["deliveries"]] == [
        "promotion/november.xlsx",
        "promotion/desember.xlsx",
    ]
    again = reproduce(twins[0], "promotion.received", "2024")
    assert (again["recomputed"], again["equal"]) == ("1923", True)


def test_no_personal_value_of_a_workbook_is_in_the_warehouse(twins: tuple[Path, Path]) -> None:
    nips = {proposal.nip for proposal in proposals(50)}
    with duckdb.connect(str(twins[0] / "warehouse.duckdb"), read_only=True) as connection:
        keys = {key for (key,) in connection.execute("SELECT record_key FROM states.promotion").fetchall()}
    assert all(len(key) == 64 for key in keys)
    assert not any(nip in key for nip in nips for key in keys)


def _odd(**cells: object) -> dict[int, object]:
    """A good row by position, changed; names are c0 to c47."""
    good: dict[int, object] = {
        0: "Kota Palembang", 4: "28-12-2023", 5: "02-01-2024", 6: "MS", 8: "03-01-2024", 11: "UJI", 12: "198001152005011001", 17: "III/a",
        25: "III/b", 26: "01-02-2024", 39: "Reguler", 43: "07", 46: "03-01-2024",
    }  # fmt: skip
    return good | {int(name[1:]): value for name, value in cells.items()}


@pytest.mark.parametrize(
    ("cells", "rule", "place"),
    [
        ({"c6": "Usulan tms dan ms"}, "PRM-TYPE-STATUS_USULAN", "G"),
        ({"c6": "ms"}, "PRM-TYPE-STATUS_USULAN", "G"),
        ({"c0": "Kabupaten Tidak Ada"}, "PRM-LOG-6", "A"),
        ({"c0": "Jambi"}, "PRM-LOG-6", "A"),
        ({"c12": 1.98003e17}, "PRM-NIP-1", "M"),
        ({"c26": "1 Februari"}, "PRM-TYPE-PERIODE", "AA"),
        ({"c26": "01-02-24"}, "PRM-TYPE-PERIODE", "AA"),
        ({"c25": "V/z"}, "PRM-TYPE-GOLONGAN_BARU_ID", "Z"),
        ({"c39": "Naik saja"}, "PRM-TYPE-JENIS_KP_ID", "AN"),
        ({"c6": "TMS"}, "PRM-LOG-2", "AO"),
        ({"c43": None}, "PRM-REQ-KANREG_ID_PENGUSUL", "AR"),
    ],
)
def test_what_cannot_be_read_is_held_and_the_cell_is_named(
    tmp_path: Path, cells: dict[str, object], rule: str, place: str
) -> None:
    file = write_workbook(tmp_path / "a.xlsx", list(proposals(5)), [_odd(**cells)])
    told = validate_file(file, "promotion")
    found = {(failure["rule"], failure["column"], tuple(failure["first_rows"])) for failure in told["failures"]}
    assert (rule, place, (6,)) in found
    assert told["faulty_rows"] == 1


def test_the_marked_copy_has_the_titles_and_marks_the_cell(tmp_path: Path) -> None:
    file = write_workbook(tmp_path / "a.xlsx", list(proposals(5)), [_odd(c6="Usulan tms dan ms")])
    copy = Path(validate_file(file, "promotion")["marked_copy"])
    rows = fastexcel.read_excel(copy).load_sheet(0, header_row=None, skip_rows=0, dtypes="string").to_polars().rows()
    assert rows[0][0] == "MONITORING USULAN KENAIKAN PANGKAT"
    assert rows[1][6] == "Judul 6"
    assert (rows[8][6], rows[8][12]) == ("Usulan tms dan ms", "198001152005011001")


@pytest.mark.parametrize("width", [40, 52])
def test_a_table_of_another_width_is_no_such_workbook(tmp_path: Path, width: int) -> None:
    wide = dict.fromkeys(range(48, width), "x")
    more = [_odd() | wide] if width > 48 else []
    file = write_workbook(tmp_path / "a.xlsx", list(proposals(2)), more)
    if width < 48:
        import xlsxwriter

        with xlsxwriter.Workbook(str(file)) as book:
            sheet = book.add_worksheet()
            for column in range(width):
                sheet.write_string(0, column, f"Judul {column}")
    told = validate_file(file, "promotion", "en")
    assert "none of the" in told["refused"]


def test_each_spelling_stands_for_one_code_that_exists() -> None:
    rows = spellings().rows()
    by_key: dict[tuple[str, str], set[str]] = {}
    for kind, code, spelling in rows:
        key = (
            " ".join(spelling.split())
            if kind == "proposal_status"
            else "".join(c for c in spelling.lower() if c.isalnum())
        )
        by_key.setdefault((kind, key), set()).add(code)
    assert [key for key, codes in by_key.items() if len(codes) > 1] == []
    known = {kind: {code for k, code, _ in rows if k == kind} for kind, _, _ in rows}
    assert known["agency"] == set(agencies()["agency_code"])
    assert known["office"] == set(offices()["office_code"])
    assert known["proposal_status"] == {str(code) for code in proposal_status()["status_code"]}


def test_a_workbook_that_counts_from_1904_is_refused(tmp_path: Path) -> None:
    file = write_workbook(tmp_path / "a.xlsx", list(proposals(3)), date_1904=True)
    assert "counts days from 1904" in validate_file(file, "promotion", "en")["refused"]


def test_a_text_that_is_not_in_the_list_says_that_there_is_one(tmp_path: Path) -> None:
    file = write_workbook(tmp_path / "a.xlsx", list(proposals(3)), [_odd(c6="Usulan tms dan ms")])
    (failure,) = [f for f in validate_file(file, "promotion")["failures"] if f["column"] == "G"]
    assert "daftar ejaan (proposal_status)" in failure["message"]


def test_the_marked_copy_of_a_file_in_an_inbox_is_no_delivery(tmp_path: Path) -> None:
    inbox = tmp_path / "home" / "inbox" / "promotion"
    inbox.mkdir(parents=True)
    file = write_workbook(inbox / "a.xlsx", list(proposals(3)), [_odd(c6="Usulan tms dan ms")])
    copy = Path(validate_file(file, "promotion")["marked_copy"])
    assert copy == tmp_path / "home" / "quarantine" / "marked" / "a.diperiksa.xlsx"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600 and stat.S_IMODE(copy.parent.stat().st_mode) == 0o700
    assert [batch.file for batch in run_pipeline(tmp_path / "home").batches] == ["promotion/a.xlsx"]


@pytest.mark.parametrize("nights", [("log", "workbook"), ("workbook", "log"), ("both",)])
def test_a_proposal_in_the_workbook_and_in_the_log_counts_once(tmp_path: Path, nights: tuple[str, ...]) -> None:
    """By its row with an id, whichever came first; until that comes the workbook's counts, and stays what was known then (ruling 40)."""
    given = [p for p in proposals(12) if p.received and p.kind[0] != "301"][:7]
    inbox, home = tmp_path / "inbox" / "promotion", Home(tmp_path)
    inbox.mkdir(parents=True)
    for number, night in enumerate(nights, start=1):
        if night != "workbook":
            (inbox / "log.csv").write_text(agreed_rows(given))
        if night != "log":
            write_workbook(inbox / "buku.xlsx", given[:6])
        run_pipeline(tmp_path, dt.date(2025, 3, number))

    def received(as_of: dt.date) -> tuple[int, dict[str, int]]:
        (line,) = read_services(home, 2024, "year", as_of)
        return line["received"], line["excluded"]

    assert received(dt.date(2025, 3, len(nights))) == (7, {"same_proposal": 6})
    if len(nights) == 2:
        assert received(dt.date(2025, 3, 1)) == (6 if nights[0] == "workbook" else 7, {})
    for day in range(1, len(nights) + 1):
        assert reproduce(tmp_path, "promotion", "2024", dt.date(2025, 3, day))["equal"]
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        found = connection.execute(
            "SELECT batch_id, is_good, finding_en FROM ledger.delivery_checks WHERE check_name = 'same record'"
        ).fetchall()
    ids = sorted(f"{p.nip}/{p.effective}/{p.kind[0]}" for p in given[:6])
    said = "6 of promotion came both with an id and in the layout regional_office_workbook, which has none; the row with an id counts: "
    assert found == [(2, False, said + ", ".join(ids[:5]) + ", ...")]
    assert said in (home.validation_reports / "batch-000002.html").read_text(encoding="utf-8")
    with open_warehouse(tmp_path, "test") as warehouse:
        # as a home of a release that noted nothing yet
        noted = warehouse.connection.execute("FROM ledger.same_records ORDER BY ALL").fetchall()
        warehouse.connection.execute(
            f"DELETE FROM ledger.same_records; INSERT INTO ledger.meta VALUES ('{MARK}', 'to seek')"
        )
        seek_earlier_ones(warehouse.connection, home)
        assert (
            len(noted) == 6
            and warehouse.connection.execute("FROM ledger.same_records ORDER BY ALL").fetchall() == noted
        )
        assert read_meta(warehouse.connection, MARK) is None
