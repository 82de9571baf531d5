"""What nobody sees in a file must not change a number in silence: it is stripped, held or named."""

import json
import unicodedata
from pathlib import Path

import pytest
import xlsxwriter
from typer.testing import CliRunner

from flows.app import app
from tests.rows import row
from tests.time_home import TimeHome
from warehouse.loading.validate_file import validate_file
from warehouse.reading.held_rows import read_held_rows
from warehouse.reports.validation_pages import last_page


@pytest.fixture
def place(tmp_path: Path) -> TimeHome:
    return TimeHome(tmp_path)


def received(place: TimeHome) -> int:
    return int(place.service("pension", 2024)["received"])


SAME = [
    "\ufeffC\u00e906",
    "C\u00e906\u200b",
    "C\u200d\u00e906",
    "\u202eC\u00e906",
    unicodedata.normalize("NFD", "C\u00e906"),
    "\u00a0C\u00e906 ",
]


@pytest.mark.parametrize("spelling", SAME, ids=map(ascii, SAME))
def test_marks_that_carry_nothing_make_no_other_proposal(place: TimeHome, spelling: str) -> None:
    place.deliver("pension/a.csv", row("pension", id="C\u00e906"))
    place.deliver("pension/b.csv", row("pension", id=spelling, instansi_kode="\ufeff5600"))
    report = place.run("2024-02-01")
    assert [(batch.accepted, batch.quarantined, batch.duplicate) for batch in report.batches] == [(1, 0, 0), (0, 0, 1)]
    assert received(place) == 1


@pytest.mark.parametrize(
    "spelling",
    ["C\x0106", "C\x7f06", "C\t06", "C\n06", "C\u00a006", "C\u200206", "C\u202806", "C\ue00006", "C06\x1b"],
    ids=ascii,
)
def test_what_remains_unseen_in_an_id_is_held_and_named(place: TimeHome, spelling: str) -> None:
    place.deliver("pension/a.csv", row("pension", id="C06"), row("pension", id=spelling))
    (batch,) = place.run("2024-02-01").batches
    assert (batch.accepted, batch.quarantined) == (1, 1)
    assert [(held.row, held.reasons) for held in read_held_rows(place.home, "pension", None)] == [(2, ["PEN-TYPE-ID"])]
    (failure,) = validate_file(place.home.inbox / "pension/a.csv", "pension")["failures"]
    assert failure["column"] == "id" and "karakter yang tidak terlihat" in failure["message"]


@pytest.mark.parametrize("word", ["NULL", "None", "N/A", "#N/A", "nan"])
def test_an_id_that_reads_like_nothing_is_taken_and_warned_of(place: TimeHome, word: str) -> None:
    place.deliver("pension/a.csv", row("pension", id=word), row("pension", id="NULLABLE-1"))
    (batch,) = place.run("2024-02-01").batches
    assert (batch.accepted, batch.quarantined) == (2, 0)
    assert place.ledger("SELECT rows_failed FROM ledger.validation_results WHERE rule = 'PEN-NULL-ID'") == [(1,)]
    assert "PEN-NULL-ID" in last_page(place.home).read_text(encoding="utf-8")


OUT_OF_RANGE = {
    "offset": ({"tgl_update_layanan": "2024-01-16T10:00:00+25:00"}, "PEN-TYPE-TGL_UPDATE_LAYANAN"),
    "24:00": ({"tgl_update_layanan": "2024-01-16T24:00:00"}, "PEN-TYPE-TGL_UPDATE_LAYANAN"),
    "year 1": ({"tgl_update_layanan": "0001-01-01T00:00:00"}, "PEN-TYPE-TGL_UPDATE_LAYANAN"),
    "year 9999": ({"tgl_update_layanan": "9999-12-31T00:00:00"}, "PEN-TYPE-TGL_UPDATE_LAYANAN"),
    "a date of year 1": ({"tgl_usulan": "01-01-0001"}, "PEN-TYPE-TGL_USULAN"),
    "counter": ({"counter_bts": "198001152005011001"}, "PEN-LOG-4"),
}


@pytest.mark.parametrize(("changed", "rule"), OUT_OF_RANGE.values(), ids=OUT_OF_RANGE)
def test_a_value_out_of_all_range_is_held_with_the_range(place: TimeHome, changed: dict[str, str], rule: str) -> None:
    place.deliver("pension/a.csv", row("pension"), row("pension", id="S2", **changed))
    place.run("2024-02-01")
    assert [held.reasons for held in read_held_rows(place.home, "pension", None)] == [[rule]]
    (failure,) = validate_file(place.home.inbox / "pension/a.csv", "pension", "en")["failures"]
    assert "years 1900 to 2100" in failure["message"] or "0 to 99" in failure["message"]


def workbook(file: Path, *rows: dict[str, str], formula_in: tuple[int, str], hidden: int = 0, merged: str = "") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(file)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, list(rows[0]))
        for line, cells in enumerate(rows, start=1):
            for place, (name, text) in enumerate(cells.items()):
                if (line, name) == formula_in:
                    # Without a result of our own the writer stores 0.
                    sheet.write_formula(line, place, "=1+1")
                else:
                    sheet.write_string(line, place, text)
        for line in range(1, hidden + 1):
            sheet.set_row(line, None, None, {"hidden": True})
        if merged:
            sheet.merge_range(merged, "")


@pytest.mark.parametrize(
    ("column", "rule"),
    [
        ("id", "PEN-TYPE-ID"),
        ("counter_bts", "PEN-TYPE-COUNTER_BTS"),
        ("instansi_kode", "PEN-REQ-INSTANSI_KODE"),
        ("nip", "PEN-NIP-1"),
    ],
)
def test_a_formula_that_nobody_computed_holds_its_row(place: TimeHome, column: str, rule: str) -> None:
    workbook(place.home.inbox / "pension/a.xlsx", row("pension"), row("pension", id="S2"), formula_in=(2, column))
    report = place.run("2024-02-01")
    assert [(held.row, held.reasons) for held in read_held_rows(place.home, "pension", None)] == [(2, [rule])]
    (note,) = report.notes
    cell = "ABCDEFGHIJKLMNOP"[list(row("pension")).index(column)] + "3"
    assert f"1 cells hold a formula without a stored result ({cell})" in note.message
    assert received(place) == 1


def test_what_a_person_does_not_see_is_noted_everywhere(place: TimeHome) -> None:
    file = place.home.inbox / "pension/a.xlsx"
    workbook(file, row("pension"), row("pension", id="S2"), formula_in=(0, ""), hidden=1, merged="R1:R2")
    answer = CliRunner().invoke(app, ["validate", str(file), "--source", "pension", "--lang", "id"])
    assert "1 baris tersembunyi atau tersaring" in answer.stdout and "1 kelompok sel digabung" in answer.stdout
    report = place.run("2024-02-01")
    assert [(note.file, note.check) for note in report.notes] == [
        ("pension/a.xlsx", "hidden rows"),
        ("pension/a.xlsx", "merged cells"),
    ]
    assert json.loads(json.dumps(report.as_dict()["notes"], default=str))[0]["message_id"].startswith(
        "1 baris tersembunyi"
    )
    assert report.batches[0].accepted == 2 and "1 rows are hidden" in last_page(place.home).read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", ["Corrections", "c40 corrections", "CORRECTION", "koreksi"])
def test_a_folder_that_is_nearly_called_corrections_is_named(place: TimeHome, folder: str) -> None:
    place.deliver("pension/a.csv", row("pension"))
    place.run("2024-02-01")
    place.deliver(f"pension/{folder}/a.csv", row("pension", instansi_kode="5601"))
    report = place.run("2024-02-02")
    assert report.batches[0].quarantined == 1, "an ordinary delivery"
    (notice,) = report.notices
    assert notice.file == f"pension/{folder}/a.csv" and "did you mean the folder corrections/" in notice.message
    assert len(place.run("2024-02-03").notices) == 1, "said until it is seen to"
