"""Broken and hostile files, each as it is written into an inbox, and what a run must say of it.

``says`` is a word of the refusal; None where the file is in order after all and loads ``rows`` rows, ``held`` of them held.
"""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import polars as pl
import xlsxwriter

from tests.rows import csv, row

SOURCE = "pension"
HEADER = list(row(SOURCE))


@dataclass(frozen=True)
class Hostile:
    """One file: its name, how it is written (into a path), and what becomes of it."""

    name: str
    write: Callable[[Path], object]
    says: str | None = None
    rows: int = 0
    held: int = 0


def _good(key: str, **changed: object) -> dict[str, str]:
    return row(SOURCE, id=key, **changed)


def _text(text: str, encoding: str = "utf-8") -> Callable[[Path], object]:
    return lambda path: path.write_bytes(text.encode(encoding))


def _bytes(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def _workbook(*rows: list[object], formulas: bool = False) -> bytes:
    content = BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for line, cells in enumerate([HEADER, *rows]):
            for place, cell in enumerate(cells):
                if formulas and line and cell == "UJI COBA":
                    sheet.write_formula(line, place, '=HYPERLINK("http://127.0.0.1/","x")', None, "UJI COBA")
                else:
                    sheet.write_string(line, place, str(cell))
    return content.getvalue()


def _with_member(name: str, content: bytes) -> bytes:
    """A good workbook with one member more, or with another content of one that it has."""
    target, source = BytesIO(), zipfile.ZipFile(BytesIO(_workbook(list(_good("ZIP").values()))))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for member in source.namelist():
            if member != name:
                package.writestr(member, source.read(member))
        package.writestr(name, content)
    return target.getvalue()


def _encrypted(content: bytes) -> bytes:
    """The flag of an encrypted member on every member."""
    marked = bytearray(content)
    for signature, flag_at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := marked.find(signature, at + 1)) >= 0:
            marked[at + flag_at] |= 1
    return bytes(marked)


def _parquet(**changed: object) -> Callable[[Path], object]:
    frame = pl.DataFrame([_good(f"PQ{number}") for number in range(3)])
    return lambda path: frame.with_columns(**changed).write_parquet(path)  # type: ignore[arg-type]


def _cut(content: bytes, share: float = 0.5) -> bytes:
    return content[: int(len(content) * share)]


def _parquet_bytes() -> bytes:
    content = BytesIO()
    pl.DataFrame([_good("PQ")]).write_parquet(content)
    return content.getvalue()


def _wrong_footer() -> bytes:
    """The length of the footer claims more than the file has."""
    content = bytearray(_parquet_bytes())
    content[-8:-4] = (2**31 - 1).to_bytes(4, "little")
    return bytes(content)


def _one_line_of(megabytes: int) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with path.open("wb") as stream:
            stream.write((",".join(HEADER) + "\n").encode())
            for _ in range(megabytes):
                stream.write(b"a" * 1_000_000)

    return write


def _link(path: Path) -> None:
    """A link out of the inbox, to a file that would be in order."""
    outside = path.parents[3] / "outside.csv"
    outside.write_text(csv(_good("OUTSIDE")))
    path.symlink_to(outside)


def _with_control(key: str, write: Callable[[Path], object]) -> Callable[[Path], object]:
    """A good file, and beside it a control file."""

    def both(path: Path) -> None:
        path.write_text(csv(_good(key)))
        write(path.with_name(path.name + ".control.json"))

    return both


def _gigabytes(path: Path) -> None:
    """As long as it says, though the disk holds nothing of it."""
    with path.open("wb") as stream:
        stream.truncate(5 * 10**9)


def _linked_control(path: Path) -> None:
    outside = path.parents[3] / "outside.json"
    outside.write_text('{"rows": 1}')
    path.symlink_to(outside)


def _linked_folder(path: Path) -> None:
    outside = path.parents[3] / "outside"
    outside.mkdir()
    (outside / "inside.csv").write_text(csv(_good("OUTSIDE")))
    path.symlink_to(outside)


def _sheet(data: str, *, member: str = "xl/worksheets/sheet1.xml") -> Callable[[Path], object]:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return _bytes(
        _with_member(member, f'<worksheet xmlns="{space}"><sheetData>{data}</sheetData></worksheet>'.encode())
    )


def _moved_sheet() -> bytes:
    """A far cell in a sheet that no guard would look for under this name."""
    moved = BytesIO()
    far = "<row r='1048576'><c r='xfd1048576'><v>1</v></c></row>"
    with zipfile.ZipFile(BytesIO(_workbook())) as source, zipfile.ZipFile(moved, "w") as package:
        for member in source.namelist():
            content = source.read(member).replace(b"worksheets/sheet1.xml", b"theme/colours.bin")
            content = content.replace(b"</sheetData>", far.encode() + b"</sheetData>")
            package.writestr(member.replace("worksheets/sheet1.xml", "theme/colours.bin"), content)
    return moved.getvalue()


LINES = csv(_good("L1"), _good("L2"))
HEAD, FIRST, SECOND = LINES.splitlines()
SQL = "x'; DROP TABLE states.pension; --"
BOMB = b"<a>" + b"0" * 120_000_000
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {new} "{"&" + old + ";" * 1}{("&" + old + ";") * 9}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True))
    + ']><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>&i;</t></si></sst>'
)  # fmt: skip

HOSTILE = [
    Hostile("empty.csv", _bytes(b""), "is empty"),
    Hostile("blank.csv", _text(" \n\n"), "is empty"),
    Hostile("header-only.csv", _text(HEAD + "\n"), rows=0),
    Hostile("nul.csv", _bytes(LINES.replace("UJI", "U\0I", 1).encode()), "line 2 holds a NUL byte"),
    Hostile("utf16.csv", _text(LINES, "utf-16"), "UTF-16"),
    Hostile("latin1.csv", _text(LINES.replace("UJI", "UJÏ"), "latin-1"), "line 2 is not UTF-8"),
    Hostile("bom.csv", _text("\ufeff" + csv(_good("BOM"))), rows=1),
    Hostile("mixed-line-ends.csv", _text(csv(_good("M1"), _good("M2")).replace("\n", "\r\n", 1)), rows=2),
    Hostile("old-mac.csv", _text(LINES.replace("\n", "\r")), "carriage return"),
    Hostile("missing.csv", _text("\n".join(line.partition(",")[2] for line in LINES.splitlines())), "columns missing: id"),
    Hostile("unknown.csv", _text(csv(_good("U") | {"gaji": "1"})), "unknown columns: gaji"),
    Hostile("twice.csv", _text(csv(_good("T") | {"id ": "1"})), "more than once"),
    Hostile("two-headers.csv", _text(f"{HEAD}\n{HEAD}\n{FIRST}\n"), "repeats the header"),
    Hostile("extra-field.csv", _text(f"{HEAD}\n{FIRST},x\n"), "line 2 has 17 fields"),
    Hostile("open-quote.csv", _text(f'{HEAD}\n{FIRST}\n"X,{SECOND}'), "double quote"),
    Hostile("hundred-thousand-columns.csv", _text(",".join(f"c{n}" for n in range(100_000)) + "\n1\n"), "none of the 100000 columns"),
    Hostile("cell-of-9-megabytes.csv", _text(csv(_good("BIG", alasan_tolak="a" * 9_000_000))), rows=1),
    Hostile("cell-of-11-megabytes.csv", _text(csv(_good("BIGGER", alasan_tolak="a" * 11_000_000))), "longer than"),
    Hostile("line-of-200-megabytes.csv", _one_line_of(200), "longer than"),
    Hostile("quoted-line-ends.csv", _text(csv(_good("Q", alasan_tolak="a\nb\r\nc"))), rows=1),
    Hostile("sql.csv", _text(csv(_good(SQL), _good("SQL", instansi_kode=SQL))), rows=2, held=1),
    Hostile("formulas.csv", _text(csv(_good("=1+1"), _good("@SUM(A1)"), _good("+1"), _good("-1"))), rows=4),
    Hostile("types.csv", _text(csv(*(_good(f"TY{n}", status_usulan="selesai") for n in range(4)))), "none of its 4 values"),
    Hostile("a;rm -rf $HOME'\"*?[x].csv", _text(csv(_good("NAME"))), rows=1),
    Hostile("a..%2f..%2fetc.csv", _text(csv(_good("DOTS"))), rows=1),
    Hostile("kata\u202egnp.csv", _text(csv(_good("RTL"))), rows=1),
    Hostile("note.pdf", _bytes(b"%PDF-1.7"), "the name ends in none of"),
    Hostile("cut.csv.gz", _bytes(_cut(gzip.compress(LINES.encode()))), "cut off"),
    Hostile("bomb.csv.gz", _bytes(gzip.compress(b"a" * 200_000_000, 9)), "larger than allowed"),
    Hostile("garbage-after.csv.gz", _bytes(gzip.compress(LINES.encode()) + b"garbage"), "damaged"),
    Hostile("no-gzip.csv.gz", _text(LINES), "not gzip"),
    Hostile("gzip-in-disguise.csv", _bytes(gzip.compress(LINES.encode())), "the content is gzip"),
    Hostile("workbook-in-disguise.csv", _bytes(_workbook(list(_good("W").values()))), "an Excel workbook"),
    Hostile("csv-in-disguise.xlsx", _text(LINES), "cannot be read as .xlsx"),
    Hostile("old.xlsx", _bytes(bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 1000), "Remove the password"),
    Hostile("locked.xlsx", _bytes(_encrypted(_workbook(list(_good("K").values())))), "Remove the password"),
    Hostile("cut.xlsx", _bytes(_cut(_workbook(list(_good("C").values())))), "damaged or incomplete"),
    Hostile("bomb.xlsx", _bytes(_with_member("xl/media/bomb.xml", BOMB)), "larger than allowed"),
    Hostile("entities.xlsx", _bytes(_with_member("xl/sharedStrings.xml", LAUGHS.encode())), "damaged or incomplete"),
    Hostile("climbing.xlsx", _bytes(_with_member("../../../climbed.txt", b"out")), rows=1),
    Hostile("far-cell.xlsx", _bytes(_with_member("xl/worksheets/sheet1.xml", (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
        b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'))), "reaches to row 1048576"),
    Hostile("formula-cells.xlsx", _bytes(_workbook(list(_good("F").values()), formulas=True)), rows=1),
    Hostile("lost-digits.xlsx", _bytes(_workbook(list(_good("D", nip="1.98003E+17").values()))), rows=1, held=1),
    Hostile("wrong-footer.parquet", _bytes(_wrong_footer()), "damaged or incomplete"),
    Hostile("cut.parquet", _bytes(_cut(_parquet_bytes())), "damaged or incomplete"),
    Hostile("nested.parquet", _parquet(nama=pl.lit([1, 2])), "column nama is of type"),
    Hostile("broken.jsonl", _text(json.dumps(_good("J")) + "\n{broken\n"), "line 2 is not valid JSON"),
    Hostile("nested.jsonl", _text(json.dumps(_good("J") | {"nama": {"a": 1}}) + "\n"), "column nama: an object or a list"),
    Hostile("deep.jsonl", _text("[" * 200_000), "line 1 is not valid JSON"),
    Hostile("nan.jsonl", _text('{"id": NaN}\n'), "line 1 is not valid JSON"),
    Hostile("page-without-list.json", _text('{"message": "Unauthorized"}'), "there is no list `data`"),
    Hostile("far-cell-lower-case.xlsx", _sheet("<row><c/></row><row r='1048576'><c r = 'xfd1048576'/></row>"), "reaches to row 1048576"),
    Hostile("far-cell-without-names.xlsx", _sheet("<row r='1048576'>" + "<c/>" * 16384 + "</row>"), "reaches to row 1048576"),
    Hostile("far-cell-elsewhere.xlsx", _bytes(_moved_sheet()), "reaches to row 1048576"),
    Hostile("row-twice.xlsx", _sheet("<row r='1'><c r='A1'/></row><row r='1'><c r='A1'/></row>"), "row 1 stands twice"),
    Hostile("name-twice.xlsx", _bytes(_with_member("XL/worksheets/sheet1.xml", b"<worksheet/>")), "have one name"),
    Hostile("n" * 246 + ".csv", _text(csv(_good("LONG"))), rows=1),
    Hostile(os.fsdecode(b"caf\xe9.csv"), _text(csv(_good("BYTES"))), rows=1),
    Hostile("red\n\x1b[31m.csv", _text(csv(_good("RED"))), rows=1),
    Hostile("red\n\x1b[31m.txt", _text("x"), "the name ends in none of"),
    Hostile("control-good.csv", _with_control("CG", _text('{"rows": 1}')), rows=1),
    Hostile("control-true.csv", _with_control("CT", _text('{"rows": true}')), "control file cannot be read"),
    Hostile("control-gigabytes.csv", _with_control("CB", _gigabytes), "control file is larger than"),
    Hostile("control-deep.csv", _with_control("CD", _text("[" * 60_000)), "control file cannot be read"),
    Hostile("control-link.csv", _with_control("CL", _linked_control), "control file is a link"),
    Hostile("control-pipe.csv", _with_control("CP", os.mkfifo), "control file is a link, a pipe or a folder"),
    Hostile("control-folder.csv", _with_control("CF", Path.mkdir), "control file is a link, a pipe or a folder"),
    Hostile("linked-folder", _linked_folder, "symbolic link"),
    Hostile("link.csv", _link, "symbolic link"),
    Hostile("pipe.csv", os.mkfifo, "no ordinary file"),
]  # fmt: skip
