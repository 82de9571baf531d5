"""What a workbook's archive and its XML say before the native reader sees them; a real parser reads them, in pieces.

The native reader asks for memory by the farthest cell, gives the last of two rows of one number, and reads a formula that was
never computed as nothing or as 0. So every member is read to its end here: sizes, checksums, and of each sheet the cells.
"""

from __future__ import annotations

import codecs
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.parsers import expat

from warehouse.landing import text_file
from warehouse.landing.refusal import refusal

MAX_UNPACKED_BYTES = 2**30
MAX_RATIO = 200
# calamine holds the whole rectangle around the cells, 24 bytes a cell: one stray cell could ask for 400 GB.
MAX_CELLS = 2**27

_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_TRUE: Final = frozenset({"1", "true", "on"})
_WIDE_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# A sheet under another root would be read by calamine and not by us.
_DISGUISED_SHEET: Final = re.compile(rb"<(?:[\w.-]+:)?sheetData")
_OVERLAP: Final = 64
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_BOOK: Final = "xl/workbook.xml"
# These may be anything: calamine reads nothing of them, and pictures bring a document type along.
_NOT_READ: Final = ("xl/media/", "xl/drawings/", "customxml/", "docprops/")

_Attributes = dict[str, str]


@dataclass
class Sheet:
    """One member with the root ``worksheet``. Rows and columns are counted from 1.

    ``uncomputed`` are the cells with a formula and no result, ``zeros`` those whose stored result is 0.
    """

    rows: int = 0
    columns: int = 0
    hidden_rows: int = 0
    merged_ranges: int = 0
    uncomputed: list[tuple[int, int]] = field(default_factory=list)
    zeros: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Package:
    """The first sheet of a workbook. ``uncomputed``: (row, column), from 1, of every cell whose formula was never computed."""

    counts_from_1904: bool
    hidden_rows: int
    merged_ranges: int
    uncomputed: tuple[tuple[int, int], ...]


class _Faulty(Exception):
    """The XML is not what a workbook may hold; ``key`` is that of the refusal."""

    def __init__(self, key: str = "unreadable.damaged", **facts: object) -> None:
        super().__init__(key)
        self.key, self.facts = key, facts


def examine_package(path: Path, name: str) -> Package:
    """Reads the whole archive once. Raises DeliveryRefused: `unreadable`, `password`, `too_large`, `double`."""
    try:
        with zipfile.ZipFile(path) as package:
            _check_sizes(package)
            members = [(member, _Member()) for member in package.infolist()]
            for member, found in members:
                _read_member(package, member, found)
        return _first_sheet({member.filename.lower().lstrip("/"): found for member, found in members})
    except _Faulty as fault:
        refused = refusal(fault.key, name, **({"format": ".xlsx"} | fault.facts))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError):
        refused = refusal("unreadable.damaged", name, format=".xlsx")
    except RuntimeError:
        # zipfile's only word for a member that is encrypted.
        refused = refusal("password", name)
    raise refused


def cell_name(row: int, column: int) -> str:
    """`C7` of a row and a column, counted from 1."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"


def _check_sizes(package: zipfile.ZipFile) -> None:
    names = [member.filename.lower().replace("\\", "/").lstrip("/") for member in package.infolist()]
    if len(set(names)) < len(names):
        raise _Faulty("double.member")
    unpacked = sum(member.file_size for member in package.infolist())
    packed = sum(member.compress_size for member in package.infolist())
    if unpacked > MAX_UNPACKED_BYTES or (unpacked > text_file.RATIO_FROM_BYTES and unpacked > MAX_RATIO * packed):
        raise _Faulty("too_large", limit=f"{MAX_UNPACKED_BYTES} bytes, {MAX_RATIO}:1")


def _read_member(package: zipfile.ZipFile, member: zipfile.ZipInfo, found: _Member) -> None:
    """Reading to the end checks size and checksum; on the way XML goes through the parser."""
    is_read = not member.filename.lower().startswith(_NOT_READ)
    with package.open(member) as stream:
        piece = stream.read(text_file.BLOCK_BYTES)
        # What is not XML (a picture, a macro) calamine cannot read as a sheet either.
        is_xml = is_read and (piece.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" or piece.startswith(_WIDE_MARKS))
        while piece:
            if is_xml:
                found.add(piece)
            piece = stream.read(text_file.BLOCK_BYTES)
    if is_xml:
        found.close()
    if (sheet := found.sheet) and sheet.rows * sheet.columns > MAX_CELLS:
        raise _Faulty("too_large.sheet", rows=sheet.rows, columns=sheet.columns)


def _first_sheet(members: dict[str, _Member]) -> Package:
    """What is known of the sheet that calamine reads as the first one."""
    relations, book = members.get(_RELATIONS), members.get(_BOOK)
    if relations is None or book is None or not book.sheets:
        raise _Faulty
    target = relations.targets.get(book.sheets[0], "").lower()
    place = target.lstrip("/") if target.startswith(("/", "xl/")) else f"xl/{target}"
    found = members.get(place)
    if found is None or found.sheet is None:
        raise _Faulty
    sheet = found.sheet
    # The writer computed nothing and asks Excel to do it: its zeros are no results.
    zeros = sheet.zeros if book.is_to_compute else []
    uncomputed = tuple(sorted({*sheet.uncomputed, *zeros}))
    return Package(book.counts_from_1904, sheet.hidden_rows, sheet.merged_ranges, uncomputed)


class _Member:
    """One XML member, read in pieces."""

    def __init__(self) -> None:
        self.sheet: Sheet | None = None
        self.sheets: list[str] = []
        self.targets: dict[str, str] = {}
        self.counts_from_1904 = self.is_to_compute = False
        self._rest = b""
        self._row = self._column = 0
        self._formula: tuple[int, int] | None = None
        self._row_text, self._digits, self._last_column = "0", 1, 0
        self._cell_type: str | None = None
        self._is_hidden = self._has_value_element = False
        self._value: list[str] = []
        self._known: dict[str, Callable[[_Attributes], None]] = {}
        self._parser: expat.XMLParserType | None = None
        # Prefixed or not, an element has one meaning; looked up once a name.
        self._meanings: dict[str, Callable[[_Attributes], None] | None] = {}

    def add(self, piece: bytes) -> None:
        """Raises _Faulty."""
        if self._parser is None:
            if piece.startswith(_WIDE_MARKS):
                raise _Faulty
            self._parser = expat.ParserCreate()
            self._parser.XmlDeclHandler = self._declaration
            self._parser.StartDoctypeDeclHandler = self._refused
            self._parser.EntityDeclHandler = self._refused
            self._parser.StartElementHandler = self._root
        self._parse(piece, False)
        if self.sheet is None:
            if _DISGUISED_SHEET.search(self._rest + piece):
                raise _Faulty
            self._rest = piece[-_OVERLAP:]

    def close(self) -> None:
        self._parse(b"", True)
        self._end_row()
        self._parser = None

    def _parse(self, piece: bytes, is_last: bool) -> None:
        try:
            if self._parser:
                self._parser.Parse(piece, is_last)
        except expat.ExpatError:
            raise _Faulty from None

    @staticmethod
    def _refused(*_: object) -> None:
        """A workbook has no document type: it is there to blow up what is small, or to read what is not of the file."""
        raise _Faulty

    @staticmethod
    def _declaration(_: str, encoding: str | None, __: int) -> None:
        if encoding and encoding.lower() not in ("utf-8", "us-ascii", "ascii"):
            raise _Faulty

    def _root(self, name: str, _: _Attributes) -> None:
        assert self._parser
        kind = name.rpartition(":")[2]
        handlers: dict[str, dict[str, Callable[[_Attributes], None]]] = {
            "worksheet": {
                "row": self._on_row,
                "c": self._on_cell,
                "f": self._on_formula,
                "v": self._on_value,
                "mergeCell": self._on_merged,
            },
            "workbook": {"workbookPr": self._on_book, "sheet": self._on_sheet, "calcPr": self._on_computing},
            "Relationships": {"Relationship": self._on_relation},
        }
        if kind == "worksheet":
            self.sheet = Sheet()
        self._known = handlers.get(kind, {})
        self._parser.StartElementHandler = self._start if self._known else None

    def _start(self, name: str, attributes: _Attributes) -> None:
        # `v` is nearly as frequent as `c`, and means something inside a formula alone.
        if name == "v" and self._formula is None:
            return
        try:
            meaning = self._meanings[name]
        except KeyError:
            meaning = self._meanings[name] = self._known.get(name.rpartition(":")[2])
        if meaning is not None:
            meaning(attributes)

    def _on_row(self, attributes: _Attributes) -> None:
        text = attributes.get("r")
        number = self._row + 1 if text is None else _whole(text)
        if number <= self._row:
            raise _Faulty("double.row", row=number)
        self._end_row()
        self._row, self._column, self._row_text = number, 0, str(number)
        self._digits = len(self._row_text)
        self._is_hidden = attributes.get("hidden") in _TRUE

    def _end_row(self) -> None:
        """Only rows with cells reach anywhere."""
        if self.sheet and self._column:
            self.sheet.rows, self.sheet.columns = self._row, self._last_column
            self.sheet.hidden_rows += self._is_hidden

    def _on_cell(self, attributes: _Attributes) -> None:
        reference = attributes.get("r")
        if reference is None:
            column = self._column + 1
        else:
            # Nearly every cell is the next one of its row, spelt as ever: what follows the letters is the row's number.
            column = _COLUMNS.get(reference[: -self._digits], 0)
            if not column or not reference.endswith(self._row_text):
                column = self._column_of(reference)
        if column <= self._column:
            raise _Faulty("double.cell", cell=cell_name(self._row, column))
        self._column = column
        self._last_column = max(self._last_column, column)
        self._cell_type = attributes.get("t")

    def _column_of(self, reference: str) -> int:
        parts = _REFERENCE.fullmatch(reference.upper())
        if not parts or int(parts[2]) != self._row:
            raise _Faulty
        return _COLUMNS.setdefault(parts[1], _column_number(parts[1]))

    def _on_formula(self, _: _Attributes) -> None:
        """Cells with a formula are few: only for them are texts and ends looked at."""
        assert self._parser
        self._formula, self._value, self._has_value_element = (self._row, self._column), [], False
        self._parser.EndElementHandler = self._end

    def _on_value(self, _: _Attributes) -> None:
        if self._formula and self._parser:
            self._has_value_element = True
            self._parser.CharacterDataHandler = self._value.append

    def _end(self, name: str) -> None:
        assert self._parser and self.sheet
        kind = name.rpartition(":")[2]
        if kind == "v":
            self._parser.CharacterDataHandler = None
        if kind != "c" or self._formula is None:
            return
        value = "".join(self._value).strip()
        # Excel writes the empty text that a formula gives as an empty value of the type `str`.
        if not value and not (self._cell_type == "str" and self._has_value_element):
            self.sheet.uncomputed.append(self._formula)
        elif value == "0":
            self.sheet.zeros.append(self._formula)
        self._formula = None
        self._parser.EndElementHandler = self._parser.CharacterDataHandler = None

    def _on_merged(self, _: _Attributes) -> None:
        assert self.sheet
        self.sheet.merged_ranges += 1

    def _on_book(self, attributes: _Attributes) -> None:
        self.counts_from_1904 |= attributes.get("date1904", "") in _TRUE

    def _on_computing(self, attributes: _Attributes) -> None:
        self.is_to_compute |= attributes.get("fullCalcOnLoad", "") in _TRUE

    def _on_sheet(self, attributes: _Attributes) -> None:
        self.sheets.append(next((text for key, text in attributes.items() if key.rpartition(":")[2] == "id"), ""))

    def _on_relation(self, attributes: _Attributes) -> None:
        self.targets[attributes.get("Id", "")] = attributes.get("Target", "")


_COLUMNS: dict[str, int] = {}


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 7:
        raise _Faulty
    return int(text)


def _column_number(letters: str) -> int:
    """Excel's column letters as a number from 1."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
