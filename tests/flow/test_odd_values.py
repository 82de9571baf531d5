"""What nobody sees in a file must not change a number in silence: it is stripped, held or named."""

import json
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from typer.testing import CliRunner

from flows.app import app
from tests.rows import row
from tests.time_home import TimeHome
from warehouse.loading.validate_file import validate_file
from warehouse.reading.held_rows import read_held_rows
from warehouse.reports.validation_pages import last_page
from warehouse.runs.pipeline import RunReport


@pytest.fixture
def place(tmp_path: Path) -> TimeHome:
    return TimeHome(tmp_path)


def base(case: int) -> str:
    """An id with a letter that has two spellings, one a case."""
    return f"C\u00e9{case:02d}"


SAME = {
    "a byte order mark": lambda text: f"\ufeff{text}",
    "a zero-width space": lambda text: f"{text}\u200b",
    "a joiner": lambda text: text.replace("C", "C\u200d"),
    "a direction": lambda text: f"\u202e{text}",
    "a letter in two marks": lambda text: unicodedata.normalize("NFD", text),
    "blanks around": lambda text: f"\u00a0{text} ",
}
UNSEEN = ["C\x0106", "C\x7f06", "C\t06", "C\n06", "C\u00a006", "C\u200206", "C\u202806", "C\ue00006", "C06\x1b"]
WORDS = ["NULL", "None", "N/A", "#N/A", "nan"]
OUT_OF_RANGE = {
    "offset": ({"tgl_update_layanan": "2024-01-16T10:00:00+25:00"}, "PEN-TYPE-TGL_UPDATE_LAYANAN"),
    "24:00": ({"tgl_update_layanan": "2024-01-16T24:00:00"}, "PEN-TYPE-TGL_UPDATE_LAYANAN"),
    "year 1": ({"tgl_update_layanan": "0001-01-01T00:00:00"}, "PEN-TYPE-TGL_UPDATE_LAYANAN"),
    "year 9999": ({"tgl_update_layanan": "9999-12-31T00:00:00"}, "PEN-TYPE-TGL_UPDATE_LAYANAN"),
    "a date of year 1": ({"tgl_usulan": "01-01-0001"}, "PEN-TYPE-TGL_USULAN"),
    "counter": ({"counter_bts": "198001152005011001"}, "PEN-LOG-4"),
}
FORMULAS = {
    "id": "PEN-TYPE-ID",
    "counter_bts": "PEN-TYPE-COUNTER_BTS",
    "instansi_kode": "PEN-REQ-INSTANSI_KODE",
    "nip": "PEN-NIP-1",
}


@dataclass(frozen=True)
class Night:
    """One run over a file for each kind of oddity; the reasons of each quarantined row by file and row."""

    place: TimeHome
    report: RunReport
    held: dict[tuple[str, int], list[str]]

    def counts(self, file: str) -> tuple[int, int, int]:
        (batch,) = [batch for batch in self.report.batches if batch.file == file]
        return batch.accepted, batch.quarantined, batch.duplicate

    def failures(self, file: str, language: str = "id") -> dict[str, dict[str, Any]]:
        """By rule."""
        told = validate_file(self.place.home.inbox / file, "pension", language)
        return {failure["rule"]: failure for failure in told["failures"]}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    place = TimeHome(tmp_path_factory.mktemp("odd") / "home")
    place.deliver("pension/same-a.csv", *(row("pension", id=base(case)) for case in range(len(SAME))))
    place.deliver(
        "pension/same-b.csv",
        *(
            row("pension", id=spelled(base(case)), instansi_kode="\ufeff5600")
            for case, spelled in enumerate(SAME.values())
        ),
    )
    place.deliver("pension/unseen.csv", *(row("pension", id=text) for text in ("C06", *UNSEEN)))
    place.deliver("pension/words.csv", *(row("pension", id=word) for word in (*WORDS, "NULLABLE-1")))
    place.deliver(
        "pension/range.csv",
        *(row("pension", id=f"R{case}", **changed) for case, (changed, _) in enumerate(OUT_OF_RANGE.values())),
    )
    workbook(
        place.home.inbox / "pension/formulas.xlsx",
        *(row("pension", id=f"F{case}") for case in range(len(FORMULAS) + 1)),
        formulas={(line, column) for line, column in enumerate(FORMULAS, start=2)},
    )
    report = place.run("2024-02-01")
    held = {(line.file, line.row): line.reasons for line in read_held_rows(place.home, "pension", None)}
    return Night(place, report, held)


def test_marks_that_carry_nothing_make_no_other_proposal(night: Night) -> None:
    """See SAME."""
    assert night.counts("pension/same-a.csv") == (len(SAME), 0, 0)
    assert night.counts("pension/same-b.csv") == (0, 0, len(SAME))


@pytest.mark.parametrize("spelling", UNSEEN, ids=ascii)
def test_what_remains_unseen_in_an_id_is_held_and_named(night: Night, spelling: str) -> None:
    assert night.held["pension/unseen.csv", UNSEEN.index(spelling) + 2] == ["PEN-TYPE-ID"]


def test_what_remains_unseen_is_told_to_the_clerk(night: Night) -> None:
    assert night.counts("pension/unseen.csv") == (1, len(UNSEEN), 0)
    (failure,) = night.failures("pension/unseen.csv").values()
    assert (failure["column"], failure["rows"]) == ("id", len(UNSEEN))
    assert "karakter yang tidak terlihat" in failure["message"]


def test_an_id_that_reads_like_nothing_is_taken_and_warned_of(night: Night) -> None:
    """See WORDS; the last row only begins like one."""
    assert night.counts("pension/words.csv") == (len(WORDS) + 1, 0, 0)
    counted = night.place.ledger(
        "SELECT file, rows_failed FROM ledger.validation_results JOIN ledger.batches USING (batch_id) "
        "WHERE rule = 'PEN-NULL-ID' AND rows_failed > 0"
    )
    assert counted == [("pension/words.csv", len(WORDS))]
    assert "PEN-NULL-ID" in last_page(night.place.home).read_text(encoding="utf-8")


@pytest.mark.parametrize("case", OUT_OF_RANGE)
def test_a_value_out_of_all_range_is_held(night: Night, case: str) -> None:
    assert night.held["pension/range.csv", list(OUT_OF_RANGE).index(case) + 1] == [OUT_OF_RANGE[case][1]]


def test_a_value_out_of_all_range_is_told_with_the_range(night: Night) -> None:
    failures = night.failures("pension/range.csv", "en")
    assert failures.keys() == {rule for _, rule in OUT_OF_RANGE.values()}
    for rule, failure in failures.items():
        assert ("0 to 99" if rule == "PEN-LOG-4" else "years 1900 to 2100") in failure["message"]


def workbook(
    file: Path, *rows: dict[str, str], formulas: set[tuple[int, str]], hidden: int = 0, merged: str = ""
) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(file)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, list(rows[0]))
        for line, cells in enumerate(rows, start=1):
            for place, (name, text) in enumerate(cells.items()):
                if (line, name) in formulas:
                    # Without a result of our own the writer stores 0.
                    sheet.write_formula(line, place, "=1+1")
                else:
                    sheet.write_string(line, place, text)
        for line in range(1, hidden + 1):
            sheet.set_row(line, None, None, {"hidden": True})
        if merged:
            sheet.merge_range(merged, "")


@pytest.mark.parametrize("column", FORMULAS)
def test_a_formula_that_nobody_computed_holds_its_row(night: Night, column: str) -> None:
    assert night.held["pension/formulas.xlsx", list(FORMULAS).index(column) + 2] == [FORMULAS[column]]


def test_formulas_that_nobody_computed_are_noted_with_their_cells(night: Night) -> None:
    assert night.counts("pension/formulas.xlsx") == (1, len(FORMULAS), 0)
    (note,) = night.report.notes
    columns = [list(row("pension")).index(column) for column in FORMULAS]
    cells = ", ".join(f"{'ABCDEFGHIJKLMNOP'[column]}{line}" for line, column in enumerate(columns, start=3))
    assert (note.file, f"4 cells hold a formula without a stored result ({cells})" in note.message) == (
        "pension/formulas.xlsx",
        True,
    )


def test_what_is_counted_is_what_was_accepted(night: Night) -> None:
    accepted = sum(batch.accepted for batch in night.report.batches)
    assert int(night.place.service("pension", 2024)["received"]) == accepted == len(SAME) + 1 + len(WORDS) + 1 + 1


def test_what_a_person_does_not_see_is_noted_everywhere(place: TimeHome) -> None:
    file = place.home.inbox / "pension/a.xlsx"
    workbook(file, row("pension"), row("pension", id="S2"), formulas=set(), hidden=1, merged="R1:R2")
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


def test_a_folder_that_is_nearly_called_corrections_is_named(place: TimeHome) -> None:
    folders = ["CORRECTION", "Corrections", "c40 corrections", "koreksi"]
    place.deliver("pension/a.csv", *(row("pension", id=folder) for folder in folders))
    place.run("2024-02-01")
    for folder in folders:
        place.deliver(f"pension/{folder}/a.csv", row("pension", id=folder, instansi_kode="5601"))
    report = place.run("2024-02-02")
    assert [batch.quarantined for batch in report.batches] == [1] * 4, "ordinary deliveries"
    assert sorted(notice.file for notice in report.notices) == [f"pension/{folder}/a.csv" for folder in folders]
    assert all("did you mean the folder corrections/" in notice.message for notice in report.notices)
    assert len(place.run("2024-02-03").notices) == 4, "said until it is seen to"
