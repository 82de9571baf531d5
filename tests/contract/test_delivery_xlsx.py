"""An Excel delivery: the first sheet's values as text; what is no plain workbook is refused."""

import datetime as dt
import re
import warnings
import zipfile
from pathlib import Path

import pytest

from tests import delivery_desk
from tests.delivery_desk import ABC, workbook
from transforms.odd_text import UNCOMPUTED
from warehouse.landing import text_file, workbook_package
from warehouse.landing.delivery import Landed
from warehouse.landing.refusal import DeliveryRefused

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

    def examined() -> None:
        with pytest.raises(DeliveryRefused, match="larger than allowed"):
            workbook_package.examine_package(file, "f.xlsx")

    monkeypatch.setattr(workbook_package, "MAX_UNPACKED_BYTES", 100_000)
    examined()
    monkeypatch.setattr(workbook_package, "MAX_UNPACKED_BYTES", 2**30)
    monkeypatch.setattr(text_file, "RATIO_FROM_BYTES", 100_000)
    monkeypatch.setattr(workbook_package, "MAX_RATIO", 2)
    examined()


FAR = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
SPELLINGS = {
    "as ever": FAR,
    "lower case": FAR.replace("XFD", "xfd"),
    "single quotes": FAR.replace('"', "'"),
    "spaces": FAR.replace("r=", "r \n = "),
    "an entity": FAR.replace("XFD", "&#88;FD"),
    "no column": FAR.replace('<c r="XFD1048576">', "<c/>" * 16383 + "<c>"),
    "attributes before": FAR.replace("<c r", '<c x="&gt; r=" s="0" r'),
}


@pytest.mark.parametrize("cells", SPELLINGS.values(), ids=SPELLINGS)
def test_a_stray_cell_far_away_is_refused_however_it_is_spelt(desk, cells):
    sheet = with_sheet_xml(desk.root / "f.xlsx", f'<row r="1">{text_cell("A1", "a")}</row>{cells}')
    refused = desk.refused(sheet, ("a",))
    assert refused.code == "too_large"
    assert "reaches to row 1048576 and column 16384" in refused.message


def rewritten(file: Path, *changes: tuple[str, bytes, bytes], renamed: dict[str, str] | None = None) -> Path:
    """The package with texts of its members replaced, and members under another name."""
    with zipfile.ZipFile(file) as old:
        members = {name: old.read(name) for name in old.namelist()}
    for name, text, other in changes:
        assert text in members[name]
        members[name] = members[name].replace(text, other)
    with zipfile.ZipFile(file, "w") as new:
        for name, content in members.items():
            new.writestr((renamed or {}).get(name, name), content)
    return file


SHEET, BOOK, RELATIONS = "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"


def test_a_sheet_that_stands_elsewhere_is_measured_too(desk):
    file = with_sheet_xml(desk.root / "f.xlsx", f'<row r="1">{text_cell("A1", "a")}</row>{FAR}')
    moved = (RELATIONS, b"worksheets/sheet1.xml", b"theme/picture.png")
    refused = desk.refused(rewritten(file, moved, renamed={SHEET: "xl/theme/picture.png"}), ("a",))
    assert "reaches to row 1048576" in refused.message


@pytest.mark.parametrize(
    "change",
    [
        (SHEET, b"worksheet", b"sst"),
        (SHEET, b"<sheetData>", b"<!DOCTYPE a [<!ENTITY x 'y'>]><sheetData>"),
        (SHEET, b"<?xml version", b"<!DOCTYPE worksheet><?xml version"),
        (SHEET, b'r="A1"', b'r="A7"'),
        (SHEET, b'r="A1"', b'r="AAAA1"'),
        (SHEET, b'row r="1"', b'row r="x"'),
        (RELATIONS, b"worksheets/sheet1.xml", b"nowhere.xml"),
    ],
)
def test_what_could_be_read_otherwise_than_it_was_measured_is_refused(desk, change):
    file = with_sheet_xml(desk.root / "f.xlsx", f'<row r="1">{text_cell("A1", "a")}</row>')
    assert desk.rows(file, ("a",)) == []
    desk.target.unlink()
    assert desk.refused(rewritten(file, change), ("a",)).code == "unreadable"


def test_what_stands_twice_is_refused_and_named(desk):
    head = f'<row r="1">{text_cell("A1", "a")}</row>'
    one, two = f'<row r="2">{text_cell("A2", "1")}</row>', f'<row r="3">{text_cell("A3", "2")}</row>'
    refused = desk.refused(with_sheet_xml(desk.root / "f.xlsx", head + one + one), ("a",))
    assert refused.code == "double" and "row 2 stands twice" in refused.message
    assert desk.refused(with_sheet_xml(desk.root / "f.xlsx", head + two + one), ("a",)).code == "double"
    cells = f'<row r="2">{text_cell("A2", "1")}{text_cell("A2", "2")}</row>'
    assert "cell A2 stands twice" in desk.refused(with_sheet_xml(desk.root / "f.xlsx", head + cells), ("a",)).message


@pytest.mark.parametrize("name", [SHEET, SHEET.upper(), SHEET.replace("/", "\\")])
def test_two_members_of_one_name_are_refused(desk, name):
    file = with_sheet_xml(desk.root / "f.xlsx", f'<row r="1">{text_cell("A1", "a")}</row>')
    with warnings.catch_warnings(), zipfile.ZipFile(file, "a") as package:
        warnings.simplefilter("ignore")
        package.writestr(name, package.read(SHEET))
    assert "two parts inside the workbook have one name" in desk.refused(file, ("a",)).message


def test_a_formula_that_nobody_computed_is_no_value(desk):
    head = f'<row r="1">{text_cell("A1", "a")}{text_cell("B1", "b")}</row>'
    cells = (
        '<row r="2"><c r="A2"><f>1+1</f></c><c r="B2"><f>1+1</f><v>5</v></c></row>'
        '<row r="3"><c r="A3"><f>1+1</f><v></v></c><c r="B3" t="str"><f>""</f><v></v></c></row>'
        '<row r="4"><c r="A4"><f>1-1</f><v>0</v></c><c r="B4"><v>0</v></c></row>'
        '<row r="5"><c r="B5"><f>1+1</f></c></row>'
    )
    file = with_sheet_xml(desk.root / "f.xlsx", head + cells)
    # xlsxwriter asks Excel to compute at the first opening, and writes 0 where it was told no result.
    assert desk.rows(file, ("a", "b")) == [
        (UNCOMPUTED, "5"), (UNCOMPUTED, ""), (UNCOMPUTED, "0"), (None, UNCOMPUTED)
    ]  # fmt: skip
    ((what, said, said_id),) = desk.land(file, ("a", "b")).oddities
    assert what == "formulas" and "4 cells hold a formula without a stored result (A2, A3, A4, B5)" in said
    assert "4 sel berisi rumus" in said_id
    saved = rewritten(file, (BOOK, b'fullCalcOnLoad="1"', b""))
    assert desk.rows(saved, ("a", "b"))[2] == ("0", "0"), "Excel has computed this one"


def test_hidden_rows_and_merged_cells_are_counted(desk):
    rows = "".join(f'<row r="{n}" hidden="{n % 2}">{text_cell(f"A{n}", "x")}</row>' for n in range(2, 6))
    file = with_sheet_xml(desk.root / "f.xlsx", f'<row r="1">{text_cell("A1", "a")}</row>{rows}')
    merged = (SHEET, b"</sheetData>", b'</sheetData><mergeCells><mergeCell ref="A2:A3"/></mergeCells>')
    landed = desk.land(rewritten(file, merged), ("a",))
    assert landed.rows == 4, "they are taken in"
    assert [what for what, _, _ in landed.oddities] == ["hidden rows", "merged cells"]
    assert landed.oddities[0][1].startswith("2 rows are hidden") and landed.oddities[1][2].startswith("1 kelompok")
