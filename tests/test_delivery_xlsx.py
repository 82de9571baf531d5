"""An Excel delivery: the first sheet's values as text; what is no plain workbook is refused."""

import datetime as dt
import re
import zipfile
from pathlib import Path

from tests import delivery_desk
from tests.delivery_desk import ABC, workbook
from warehouse.landing import text_file, xlsx_file
from warehouse.landing.delivery import Landed

desk = delivery_desk.desk


def with_sheet_xml(file: Path, cells: str) -> Path:
    """A workbook whose sheet data is written by hand; style 1 is a date."""
    workbook(file, [["x"], [dt.date(2024, 1, 1)]])
    with zipfile.ZipFile(file) as old:
        members = {name: old.read(name) for name in old.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    data = f"<sheetData>{cells}</sheetData>".encode()
    members[sheet] = re.sub(rb"<sheetData>.*</sheetData>", lambda _: data, members[sheet], flags=re.DOTALL)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in members.items():
            new.writestr(name, content)
    return file


def text_cell(reference: str, text: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


EXCEL_VALUES = [
    ("x", "x"),
    (" x ", " x "),
    ("198003012005011001", "198003012005011001"),
    ("0007", "0007"),
    ("5", "5"),
    ("2024-05-01 00:00:00", "2024-05-01 00:00:00"),
    ("TRUE", "TRUE"),
    (5, "5"),
    (-5, "-5"),
    (93.36, "93.36"),
    (0.5, "0.5"),
    (1e-7, "0.0000001"),
    (123456789012345, "123456789012345"),
    (2**53 - 1, "9007199254740991"),
    (2**53, "9.007199254740992E+15"),
    (198003012005011001, "1.98003012005011E+17"),
    (1.98003e17, "1.98003E+17"),
    (-(2.0**60), "-1.152921504606847E+18"),
    (True, "true"),
    (False, "false"),
    (dt.date(2024, 4, 1), "2024-04-01"),
    (dt.datetime(2024, 4, 1, 10, 20, 30), "2024-04-01 10:20:30"),
    (dt.datetime(2024, 4, 1, 23, 59, 59), "2024-04-01 23:59:59"),
    (dt.datetime(2024, 4, 1, 0, 0), "2024-04-01"),
    (("=A1", "calc"), "calc"),
    (("=1+1", 2), "2"),
    (("=1/0", "#DIV/0!"), "#DIV/0!"),
    (("=NA()", "#N/A"), "#N/A"),
    (None, None),
]


def test_excel_values_as_text_alone_and_among_others(desk):
    columns = [f"v{i}" for i in range(len(EXCEL_VALUES))]
    values = [value for value, _ in EXCEL_VALUES]
    texts = tuple(text for _, text in EXCEL_VALUES)
    alone = workbook(desk.root / "alone.xlsx", [["k", *columns], ["key", *values]])
    assert desk.rows(alone, ["k", *columns]) == [("key", *texts)]
    others = ["word", 7, 1.5, True, dt.date(2020, 2, 29), "198003012005011001", 1.98003e17]
    other_texts = ["word", "7", "1.5", "true", "2020-02-29", "198003012005011001", "1.98003E+17"]
    rows = [columns, *([other] * len(columns) for other in others), values]
    mixed = workbook(desk.root / "mixed.xlsx", rows)
    assert desk.rows(mixed, columns) == [*((text,) * len(columns) for text in other_texts), texts]
    mixed = workbook(desk.root / "mixed.xlsx", [columns, values, *rows[1:-1]])
    assert desk.rows(mixed, columns) == [texts, *((text,) * len(columns) for text in other_texts)]


def test_excel_dates_of_the_1904_calendar(desk):
    file = workbook(desk.root / "f.xlsx", [["a"], [dt.date(2024, 4, 1)]], date_1904=True)
    assert desk.rows(file, ("a",)) == [("2024-04-01",)]


def test_excel_numbers_as_the_file_spells_them(desk):
    values = ["93.359999999999999", "1.98003012005011E+17", "198003012005011001", "1E2", "0.1"]
    cells = "".join(f'<row r="{i}"><c r="A{i}"><v>{v}</v></c></row>' for i, v in enumerate(values, start=2))
    cells = f'<row r="1">{text_cell("A1", "a")}</row>' + cells
    cells += '<row r="7"><c r="A7" t="d"><v>2024-01-02T03:04:05</v></c></row>'
    cells += '<row r="8"><c r="A8" s="1"><v>1.98003012005011E+17</v></c></row>'
    assert desk.rows(with_sheet_xml(desk.root / "f.xlsx", cells), ("a",)) == [
        ("93.36",),
        ("1.98003012005011E+17",),
        ("1.98003012005011E+17",),
        ("100",),
        ("0.1",),
        ("2024-01-02T03:04:05",),
        ("1.98003012005011E+17",),
    ]


def test_excel_rows_without_content_are_no_rows(desk):
    rows = [["a", "b", "c"], ["1", "2", "3"], [], ["  ", None, ""], ["4", None, "6"], [None, None, None]]
    assert desk.rows(workbook(desk.root / "f.xlsx", rows)) == [("1", "2", "3"), ("4", None, "6")]
    assert desk.land(desk.root / "f.xlsx") == Landed(2, "xlsx", False, True)


def test_an_excel_table_that_does_not_begin_in_the_corner(desk):
    cells = f'<row r="3">{text_cell("B3", "b")}{text_cell("C3", "a")}</row>'
    cells += f'<row r="5">{text_cell("B5", "198003012005011001")}<c r="C5"><v>1.98003E+17</v></c></row>'
    cells += '<row r="6"><c r="B6" s="1"><v>45383</v></c><c r="C6" t="e"><v>#REF!</v></c></row>'
    assert desk.rows(with_sheet_xml(desk.root / "f.xlsx", cells), ("a", "b")) == [
        ("1.98003E+17", "198003012005011001"),
        ("#REF!", "2024-04-01"),
    ]


def test_the_header_alone_and_the_empty_sheet(desk):
    assert desk.rows(workbook(desk.root / "f.xlsx", [list(ABC)])) == []
    assert desk.refused(workbook(desk.root / "f.xlsx", [])).code == "empty_file"
    assert desk.refused(workbook(desk.root / "f.xlsx", [["  "], [None, " "]])).code == "empty_file"


def test_only_the_first_sheet_counts(desk):
    file = workbook(desk.root / "f.xlsx", [list(ABC), ["1", "2", "3"]], [["x"], ["y"]])
    assert desk.rows(file) == [("1", "2", "3")]


def test_excel_breaches_of_the_columns(desk):
    file = desk.root / "f.xlsx"
    refused = desk.refused(workbook(file, [["a", "x"], ["1", "2"]]))
    assert "columns missing: b, c; unknown columns: x." in refused.message
    refused = desk.refused(workbook(file, [["a", "b", "c", "a "], ["1", "2", "3", "4"]]))
    assert refused.code == "duplicate_column"
    refused = desk.refused(workbook(file, [["a", "b", "c", None], ["1", "2", "3", "4"]]))
    assert refused.code == "unknown_column"
    assert "#4 (no name" in refused.message
    assert desk.rows(workbook(file, [["a", None, "b", "c", None], ["1", None, "2", "3", " "]])) == [("1", "2", "3")]


def test_a_second_header_in_excel_is_refused(desk):
    rows = [["a", "b", "c"], ["1", "2", "3"], [], ["A", " b", "c"]]
    assert "line 4 repeats the header" in desk.refused(workbook(desk.root / "f.xlsx", rows)).message


def test_what_is_no_workbook_is_refused(desk):
    good = workbook(desk.root / "good.xlsx", [list(ABC), ["1", "2", "3"]]).read_bytes()
    assert desk.refused(desk.file("a.xlsx", b"a,b,c\n1,2,3\n")).code == "unreadable"
    assert desk.refused(desk.file("b.xlsx", good[: len(good) // 2])).code == "unreadable"
    assert desk.refused(desk.file("c.xlsx", good[:-1])).code == "unreadable"
    flipped = bytearray(good)
    flipped[good.index(b"sheet1.xml") + 60] ^= 0xFF
    assert desk.refused(desk.file("d.xlsx", bytes(flipped))).code == "unreadable"
    with zipfile.ZipFile(desk.root / "e.xlsx", "w") as other:
        other.writestr("a.txt", "no workbook")
    assert desk.refused(desk.root / "e.xlsx").code == "unreadable"
    with zipfile.ZipFile(desk.root / "f.xlsx", "w") as other:
        other.writestr("[Content_Types].xml", "<x")
        other.writestr("_rels/.rels", "<x")
    assert desk.refused(desk.root / "f.xlsx").code == "unreadable"


def test_a_password_is_refused(desk):
    refused = desk.refused(desk.file("f.xlsx", bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 1000))
    assert refused.code == "password"
    assert "Remove the password" in refused.message
    good = bytearray(workbook(desk.root / "good.xlsx", [list(ABC)]).read_bytes())
    for signature, flag_at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := good.find(signature, at + 1)) >= 0:
            good[at + flag_at] |= 1
    assert desk.refused(desk.file("g.xlsx", bytes(good))).code == "password"


def test_a_zip_bomb_is_refused_before_it_is_unpacked(desk, monkeypatch):
    file = workbook(desk.root / "f.xlsx", [list(ABC), *[["same", "same", "same"]] * 5000])
    monkeypatch.setattr(xlsx_file, "MAX_UNPACKED_BYTES", 100_000)
    assert desk.refused(file).code == "too_large"
    monkeypatch.setattr(xlsx_file, "MAX_UNPACKED_BYTES", 2**30)
    monkeypatch.setattr(text_file, "RATIO_FROM_BYTES", 100_000)
    monkeypatch.setattr(xlsx_file, "MAX_RATIO", 2)
    assert desk.refused(file).code == "too_large"


def test_a_stray_cell_far_away_is_refused_instead_of_asking_for_all_memory(desk):
    cells = f'<row r="1">{text_cell("A1", "a")}</row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    refused = desk.refused(with_sheet_xml(desk.root / "f.xlsx", cells), ("a",))
    assert refused.code == "too_large"
    assert "reaches to row 1048576 and column 16384" in refused.message
