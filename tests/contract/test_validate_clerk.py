"""What a clerk is told by ``kpi validate``: in Indonesian, with the remedy; and the marked copy that goes with it."""

import re
import zipfile
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from fastexcel import read_excel
from typer.testing import CliRunner

from expectations.contract import load_contract, source_names
from expectations.remedy import remedy_of
from flows.app import app
from tests.delivery_desk import workbook
from tests.rows import csv, row
from transforms.reference.tables import agencies
from warehouse.loading import marked_copy
from warehouse.loading.validate_file import validate_file

GOOD, BAD = row("pension"), row("pension", id="S2", tmt_pensiun="2024-06-02 00:00:00")
ENGLISH = re.compile(
    r"\b(the|row|rows|line|column|file|must|rule|remedy|allowed|quarantine|warn|unknown|missing|faulty)\b", re.I
)


def validate(file: Path, source: str, *more: str) -> tuple[int, str, str]:
    shown = CliRunner().invoke(app, ["validate", str(file), "--source", source, *more])
    return shown.exit_code, shown.stdout, shown.stderr


def saved(tmp_path: Path, *rows: dict[str, str], name: str = "a.csv") -> Path:
    file = tmp_path / name
    file.write_text(csv(*rows), encoding="utf-8")
    return file


def cells(copy: Path, sheet: int = 0) -> list[tuple[str | None, ...]]:
    return read_excel(copy).load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string").to_polars().rows()


def test_a_good_file_is_called_good(tmp_path: Path) -> None:
    code, said, _ = validate(saved(tmp_path, GOOD), "pension")
    assert (code, said) == (0, "a.csv: berkas baik. 1 baris, semuanya sesuai dengan kontrak pension; siap dikirim.\n")
    code, said, _ = validate(saved(tmp_path, GOOD | {"nip": "'" + GOOD["nip"]}), "pension")
    assert code == 0 and "berkas baik, dengan catatan" in said and "catatan saja (aturan PEN-NIP-8)" in said


def test_a_faulty_file_is_told_in_indonesian_with_place_and_remedy(tmp_path: Path) -> None:
    file = saved(tmp_path, row("promotion", jenis_kp_id="999", instansi_kode="9999", tgl_usulan="2024/01/01"))
    code, said, _ = validate(file, "promotion")
    assert code == 1
    assert "1 dari 1 baris akan dikarantina" in said
    assert "Perbaikan: Yang diizinkan: 101, 201, 202, 203," in said
    assert "Yang diizinkan: 5500-5509, 5571, 5572, 5600-5612," in said and "V001 sampai V999" in said
    assert "Tulis dd-mm-yyyy, misalnya 01-02-2024." in said
    assert "Letak: baris 2" in said
    assert not ENGLISH.search(said.replace(str(tmp_path), ""))
    english = validate(file, "promotion", "--lang", "en")[1]
    assert "Remedy: Allowed: 101, 201" in english and "baris" not in english


def test_every_rule_of_every_contract_has_words_and_most_a_remedy() -> None:
    """A remedy repeats no English in Indonesian; the rules whose message says all are few and named."""
    silent = set()
    for source in source_names():
        contract = load_contract(source)
        for rule in contract.all_rules:
            found = remedy_of(contract, rule, None, lambda name: [name])
            if found is None:
                silent.add(rule.id)
            else:
                assert not ENGLISH.search(found.id), rule.id
                assert found.id != found.en and "None" not in found.id
    assert silent == set()


def test_codes_of_the_rules_are_those_of_the_reference_tables(tmp_path: Path) -> None:
    told = validate_file(saved(tmp_path, row("integration", instansi_kode="9999")), "integration", "en")
    (failure,) = told["failures"]
    listed = re.sub(r"^Allowed: |\.$", "", failure["remedy"]).split(", ")
    spread = [str(code) for part in listed for code in range(int(part.split("-")[0]), int(part.split("-")[-1]) + 1)]
    assert spread == sorted(agencies()["agency_code"])


def test_headers_in_another_letter_case_are_named_beside_the_right_ones(tmp_path: Path) -> None:
    file = saved(tmp_path, GOOD)
    text = file.read_text()
    file.write_text(text.replace("nip,", "NIP,", 1).replace("no_pertek,", "No Pertek,", 1))
    code, said, _ = validate(file, "pension")
    assert code == 1 and "huruf besar/kecil atau ejaan lain: NIP = nip, No Pertek = no_pertek." in said
    file.write_text(text.upper())
    assert "ID = id, NIP = nip, NAMA = nama" in validate(file, "pension")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nofile.csv", "--source", "pension"], "tidak ada berkas nofile.csv"),
        (["nofile.csv", "--source", "pensiun"], "sumber 'pensiun' tidak dikenal (maksud Anda pension?)"),
        (["nofile.csv", "--source", "pensiun", "--lang", "en"], "unknown source 'pensiun' (did you mean pension?)"),
        ([], "sebutkan BERKAS dan --source"),
    ],
)
def test_wrong_usage_speaks_the_language_too(arguments: list[str], said: str) -> None:
    shown = CliRunner().invoke(app, ["validate", *arguments])
    assert shown.exit_code == 2 and said in shown.stderr


def test_refusals_have_no_english_in_indonesian(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"PK\x03\x04xxxx")
    assert "isinya buku kerja Excel atau zip." in validate(file, "pension")[1]
    file.write_text(csv(GOOD).replace("id,", "id,,", 1))
    assert "kolom yang tidak dikenal: #2 (tanpa nama)." in validate(file, "pension")[1]


def test_the_marked_copy_of_a_csv_names_the_line_and_computes_nothing(tmp_path: Path) -> None:
    file = saved(
        tmp_path, GOOD | {"nama": "A\nB"}, BAD | {"nama": "=1+1"}, BAD | {"id": "S3", "nama": "@SUM(A1)", "nip": "1"}
    )
    code, said, _ = validate(file, "pension")
    copy = tmp_path / "a.csv.diperiksa.xlsx"
    assert code == 1 and str(copy) in said and copy.stat().st_mode & 0o777 == 0o600
    found = cells(copy)
    assert found[0] == (*GOOD, "baris dalam berkas", "yang perlu diperbaiki")
    assert [line[len(GOOD)] for line in found[1:]] == ["2", "4", "5"]
    assert [line[2] for line in found[1:]] == ["A\nB", "=1+1", "@SUM(A1)"]
    reasons = [line[-1] for line in found[1:]]
    assert (
        reasons[0] is None
        and reasons[1]
        == "PEN-03: tmt_pensiun harus tanggal 1. Tulis tanggal 1 bulan TMT, misalnya 2024-06-01 00:00:00."
    )
    assert [reason.split(":")[0] for reason in reasons[2].split("\n")] == ["PEN-NIP-1", "PEN-03"]
    with zipfile.ZipFile(copy) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet and 'state="frozen"' in sheet and '<autoFilter ref="A1:R4"/>' in sheet


def test_the_marked_copy_keeps_every_sheet_and_every_place(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(file)) as book:
        first, hidden, notes = book.add_worksheet("Pensiun"), book.add_worksheet("kode"), book.add_worksheet("Catatan")
        book.add_chartsheet("Grafik")
        for column, name in enumerate(GOOD):
            first.write_string(1, column + 1, name)
            first.write_string(2, column + 1, GOOD[name])
            first.write_string(5, column + 1, BAD[name])
        hidden.write_string(3, 2, "=2+2")
        hidden.hide()
        notes.write_number(0, 0, 12.5)
        notes.write_formula(1, 0, "=A1*2", None, 25)
    told = validate_file(file, "pension")
    copy = Path(told["marked_copy"])
    opened = read_excel(copy)
    assert opened.sheet_names[:4] == ["Pensiun", "kode", "Catatan", "Grafik"]
    assert [opened.load_sheet(name).visible for name in ("kode", "Catatan")] == ["hidden", "visible"]
    original = read_excel(file).load_sheet(0, header_row=None, skip_rows=0, dtypes="string").to_polars().rows()
    marked = cells(copy)
    assert [line[: len(GOOD)] for line in marked[1:]] == original[1:]
    assert marked[1][-1] == "yang perlu diperbaiki" and marked[5][-1].startswith("PEN-03: ")
    assert cells(copy, 1)[3][-1] == "=2+2"
    assert cells(copy, 2) == [("12.5",), ("25",)]
    assert cells(copy, 4)[1][:2] == ("PEN-03", "1")
    with zipfile.ZipFile(copy) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert 'ySplit="2"' in sheet and '<autoFilter ref="A2:R6"/>' in sheet
    assert not any(b"<f>" in zipfile.ZipFile(copy).read(name) for name in zipfile.ZipFile(copy).namelist())


def test_the_marked_copy_of_a_long_csv_has_the_failing_rows_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marked_copy, "WHOLE_UP_TO_ROWS", 3)
    file = saved(tmp_path, *(GOOD | {"id": f"S{n}", "nip": "1" if n == 3 else GOOD["nip"]} for n in range(4)))
    found = cells(Path(validate_file(file, "pension")["marked_copy"]))
    assert [line[0] for line in found] == ["id", "S3"] and found[1][len(GOOD)] == "5"


def test_a_copy_that_cannot_be_written_hides_no_finding(tmp_path: Path) -> None:
    file = saved(tmp_path, BAD)
    (tmp_path / "a.csv.diperiksa.xlsx").mkdir()
    code, said, _ = validate(file, "pension")
    assert code == 1 and "PEN-03" in said and "Salinan bertanda tidak dapat dibuat" in said


def test_a_sheet_that_breaks_the_reader_hides_no_finding_of_the_first(tmp_path: Path) -> None:
    whole, file = tmp_path / "whole.xlsx", tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(whole)) as book:
        first = book.add_worksheet("log")
        first.write_row(0, 0, list(BAD))
        first.write_row(1, 0, list(BAD.values()))
        book.add_worksheet("notes").write(0, 0, "a text")
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/worksheets/sheet2.xml":
                # A text that no table of texts has.
                content = re.sub(rb"<v>[0-9]+</v>", b"<v>99999</v>", content)
                assert content != old.read(name)
            new.writestr(name, content)
    expected = validate_file(whole, "pension")
    found = validate_file(file, "pension")
    assert found["failures"] == expected["failures"] != []
    assert found["marked_copy"] is None and "a.xlsx" in found["marked_copy_problem"]
    assert not (tmp_path / "a.diperiksa.xlsx").exists(), "no half copy"


def test_formats_of_machines_get_no_copy(tmp_path: Path) -> None:
    pl.DataFrame([BAD]).write_parquet(tmp_path / "a.parquet")
    assert validate_file(tmp_path / "a.parquet", "pension")["marked_copy"] is None
    assert (
        validate_file(workbook(tmp_path / "a.xlsx", [list(GOOD), list(GOOD.values())]), "pension")["marked_copy"]
        is None
    )
