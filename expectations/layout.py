"""Layouts: other shapes than the agreed one in which a source is really delivered, each a declared mapping to the agreed columns.

Each is one YAML file under ``contracts/layouts/``, which names the sources it delivers and says how its files are known: by what
their sheet or their object says, not by their format. A delivery is landed as it is; the mapping is applied when its rows are read, so
that the archive keeps what came and a row is explained down to the delivered cell.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter, model_validator
from xlsxwriter.utility import xl_cell_to_rowcol, xl_col_to_name

from expectations.columns import Bilingual, Column, Identifier, Strict
from expectations.contract import CONTRACTS, Contract
from expectations.typed_read import cleaned_number, delivered_text, keyed_hash
from transforms.sql import identifier
from transforms.yaml_text import read_yaml

Position = Annotated[int, Field(ge=0)]
# As Excel names it: M2.
CellName = Annotated[str, Field(pattern=r"^[A-Z]{1,3}[1-9][0-9]*$")]
_FOLDER: Final = files(CONTRACTS).joinpath("layouts")
# Where an undated cell of a workbook stands for a day: Excel counts days from here.
_SERIAL_ZERO = "TIMESTAMP '1899-12-30'"
_DAYS = ("%d-%m-%Y", "%d/%m/%Y", "%Y-%m-%d")
_TIMES = ("", " %H:%M", " %H:%M:%S", "T%H:%M:%S")
# What people and programs write for a dash.
_DASHES = "[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]"


class Cell(Strict):
    """How one agreed column is read. Either ``at`` or ``hash_of``.

    ``at`` the first of these cells that holds anything; ``kind`` how its text is read (``day``: a date as text or as Excel's
    number, written as the column wants it); ``lookup`` a reference table of spellings, compared by ``compare``: ``dashes`` is exact but for
    the kinds of dash and the spaces around and between, ``letters`` looks at letters and digits alone. A text that the table does not have
    stays as it is: the rules hold it. ``newest`` the newest day in these columns of the whole file, where ``at`` holds nothing.
    ``hash_of`` a keyed hash of these agreed columns.
    """

    at: tuple[Position, ...] = ()
    kind: Literal["text", "day"] = "text"
    lookup: Identifier | None = None
    compare: Literal["dashes", "letters"] = "letters"
    newest: tuple[Position, ...] = ()
    hash_of: tuple[Identifier, ...] = ()

    @model_validator(mode="after")
    def _one_way(self) -> "Cell":
        if bool(self.at) == bool(self.hash_of):
            raise ValueError("a cell states either at or hash_of")
        return self


class _AnyLayout(Strict):
    """What every layout states: its words, and the sources that are delivered in it."""

    title: Bilingual
    description: Bilingual
    sources: Annotated[tuple[Identifier, ...], Field(min_length=1)]


class Marks(Strict):
    """What the first sheet of a workbook in this layout says, all of it.

    ``sheet`` a pattern of its whole name, in any letter case; ``titles`` texts of cells of the rows of titles (``M2: NIP``), compared without
    regard to letter case and spaces.
    """

    sheet: str | None = None
    titles: dict[CellName, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_something(self) -> "Marks":
        if self.sheet is None and not self.titles:
            raise ValueError("known_by states a sheet or titles")
        if self.sheet is not None:
            re.compile(self.sheet)
        return self


class WorkbookLayout(_AnyLayout):
    """A workbook whose columns are known by position (from 0), below ``header_rows`` rows of titles. ``width`` columns.

    Without ``known_by`` it is known by its width alone, and only where no agreed name stands in the header and no other layout comes near.
    """

    format: Literal["xlsx"]
    header_rows: Annotated[int, Field(ge=1)]
    width: Annotated[int, Field(ge=1)]
    known_by: Marks | None = None
    columns: dict[Identifier, Cell]

    @model_validator(mode="after")
    def _stands_within_the_sheet(self) -> "WorkbookLayout":
        for cell in self.titles:
            row, at = xl_cell_to_rowcol(cell)
            if row >= self.header_rows or at >= self.width:
                raise ValueError(f"known_by: cell {cell} is not within the rows of titles and the width")
        if self.last_used >= self.width:
            raise ValueError(f"columns: position {self.last_used} is not within the width of {self.width}")
        return self

    @property
    def mark(self) -> str:
        return self.known_by.model_dump_json() if self.known_by else f"width {self.width}"

    @property
    def titles(self) -> dict[str, str]:
        return self.known_by.titles if self.known_by else {}

    @property
    def landed_names(self) -> list[str]:
        """The names under which the cells are landed: Excel's letters."""
        return [xl_col_to_name(position) for position in range(self.width)]

    @property
    def last_used(self) -> int:
        return max(position for cell in self.columns.values() for position in cell.at)


class PagesLayout(_AnyLayout):
    """Answers of a service: an object whose list ``entries`` holds one object a row, with keys in camelCase or snake_case. It is known by that list.

    ``nested`` keys hold more columns, as an object or as a JSON text; a column that stands outside goes before one inside.
    ``empty`` are texts that stand for nothing, besides those of every source. ``renamed`` and ``ignored`` are the service's own keys, in snake_case; any other unknown key is a breach of the contract.
    """

    format: Literal["json"]
    entries: str
    nested: tuple[Identifier, ...] = ()
    empty: tuple[str, ...] = ()
    renamed: dict[Identifier, Identifier] = Field(default_factory=dict)
    ignored: tuple[Identifier, ...] = ()

    @property
    def mark(self) -> str:
        return self.entries


Layout = WorkbookLayout | PagesLayout
# Name -> layout, of one source.
Layouts = Mapping[str, Layout]
_LAYOUT: TypeAdapter[Layout] = TypeAdapter(Annotated[Layout, Field(discriminator="format")])


def layout_schema() -> dict[str, object]:
    """The JSON Schema of a layout's file."""
    return _LAYOUT.json_schema()


@cache
def load_layout(name: str) -> Layout:
    """The layout ``name``. Raises ValidationError for one that is not well formed."""
    return _LAYOUT.validate_python(read_yaml(_FOLDER.joinpath(f"{name}.yml").read_text(encoding="utf-8")))


def layouts_of(contract: Contract) -> Layouts:
    """The layouts whose files name the contract's source, by name. Raises ValueError where nothing tells two of them apart, or one reads a column that the contract does not have."""
    names = sorted(file.name.removesuffix(".yml") for file in _FOLDER.iterdir() if file.name.endswith(".yml"))
    found = {name: layout for name in names if contract.source in (layout := load_layout(name)).sources}
    check_layouts(contract, found)
    return found


def check_layouts(contract: Contract, layouts: Layouts) -> None:
    """Raises ValueError as ``layouts_of``."""
    known: dict[str, str] = {}
    for name, layout in layouts.items():
        if isinstance(layout, WorkbookLayout):
            named = {*layout.columns, *(column for cell in layout.columns.values() for column in cell.hash_of)}
            if unknown := named - set(contract.delivered_names):
                raise ValueError(f"layout {name}: {contract.source} has no column {', '.join(sorted(unknown))}")
        if (other := known.setdefault(layout.mark, name)) != name:
            raise ValueError(
                f"the layouts {other} and {name} of {contract.source} are known by the same: nothing tells their files apart"
            )


def landed_names(contract: Contract, layout: str | None) -> list[str]:
    """The columns under which a delivery was landed: the agreed ones, or the cells of a workbook."""
    found = load_layout(layout) if layout else None
    return found.landed_names if isinstance(found, WorkbookLayout) else contract.delivered_names


def key_made_by(contract: Contract, layout: str) -> str | None:
    """SQL over typed rows of the key that the layout makes of one, since it delivers none; None where it delivers the key."""
    found = load_layout(layout)
    cells = found.columns if isinstance(found, WorkbookLayout) else {}
    made = [c.hash_of for name, c in cells.items() if c.hash_of and [_named(contract, name).column] == contract.key]
    if not made:
        return None
    columns = [_named(contract, name) for name in made[0]]
    # As the layout reads them: a date is the text that its column wants.
    return keyed_hash(
        " || '|' || ".join(
            f"strftime({identifier(c.column)}, '{c.format}')" if c.type == "date" else identifier(c.column)
            for c in columns
        )
    )


def delivered_place(contract: Contract, column: Column, layout: str | None) -> str:
    """What the sender calls the column: its name, in a workbook by position the letters of its first cell."""
    names = landed_names(contract, layout)
    if not layout or column.name in names:
        return column.name
    workbook = load_layout(layout)
    cells = workbook.columns if isinstance(workbook, WorkbookLayout) else {}
    cell = cells.get(column.name)
    if cell is None:
        return column.name
    return names[cell.at[0]] if cell.at else delivered_place(contract, _named(contract, cell.hash_of[0]), layout)


def lookup_hint(column: Column, layout: str | None) -> Bilingual | None:
    """What a clerk must know of a cell whose text is looked up: that there is a list of what it may say."""
    kind = looked_up(column, layout)
    if kind is None:
        return None
    return Bilingual(
        id=f"Teks sel ini tidak ada dalam daftar ejaan ({kind}): tulis seperti dalam daftar, atau minta ejaan ini ditambahkan.",
        en=f"The text of this cell is not in the list of spellings ({kind}): write it as the list does, or ask for the spelling to be added.",
    )


def looked_up(column: Column, layout: str | None) -> str | None:
    """The kind of spelling by which the cell of a workbook by position is read; None where its text is taken as it stands."""
    found = load_layout(layout) if layout else None
    cell = found.columns.get(column.name) if isinstance(found, WorkbookLayout) else None
    return cell.lookup if cell else None


def landed_rows(contract: Contract, layout: str | None, landing: str = "$landing", absent: Sequence[str] = ()) -> str:
    """SELECT of the landed rows under the agreed names, all text, with file_row_number. ``landing`` is the parameter of the file.

    ``absent``: names that were agreed after it was landed; they are empty.
    """
    rows = f"read_parquet({landing}, file_row_number = true)"
    if absent:
        rows = f"(SELECT *{as_empty(absent)} FROM {rows})"
    workbook = load_layout(layout) if layout else None
    if isinstance(workbook, PagesLayout) and workbook.empty:
        empty = ", ".join(f"'{text}'" for text in workbook.empty)
        return f"SELECT file_row_number, CASE WHEN COLUMNS(* EXCLUDE (file_row_number)) NOT IN ({empty}) THEN COLUMNS(* EXCLUDE (file_row_number)) END FROM {rows}"
    if not isinstance(workbook, WorkbookLayout):
        return f"SELECT * FROM {rows}"
    names = workbook.landed_names
    cells = ", ".join(f"{delivered_text(identifier(name))} AS {identifier(name)}" for name in names)
    plain = {name: cell for name, cell in workbook.columns.items() if cell.at}
    read = ", ".join(f"{_read(cell, names, _named(contract, n))} AS {identifier(n)}" for n, cell in plain.items())
    unknown = as_empty([name for name in contract.delivered_names if name not in workbook.columns])
    hashes = "".join(
        f", {_hash(contract, cell)} AS {identifier(n)}" for n, cell in workbook.columns.items() if cell.hash_of
    )
    return f"SELECT *{hashes}{unknown} FROM (SELECT file_row_number, {read} FROM (SELECT file_row_number, {cells} FROM {rows}))"


def as_empty(names: Sequence[str]) -> str:
    """More columns of a SELECT that has others: text without any value."""
    return "".join(f", CAST(NULL AS VARCHAR) AS {identifier(name)}" for name in names)


def _named(contract: Contract, name: str) -> Column:
    return next(column for column in contract.columns if column.name == name)


def _read(cell: Cell, names: list[str], column: Column) -> str:
    """SQL of the agreed text of one column over the trimmed cells of its row."""
    texts = [identifier(names[position]) for position in cell.at]
    if cell.kind == "text":
        text = f"coalesce({', '.join(texts)})" if len(texts) > 1 else texts[0]
        return _looked_up(text, cell) if cell.lookup else text
    written = column.format or "%Y-%m-%d %H:%M:%S"
    # What is no day stays as it was delivered, and the rules say so.
    days = [f"coalesce(strftime({_day(text)}, '{written}'), {text})" for text in texts]
    if cell.newest:
        newest = ", ".join(_day(identifier(names[position])) for position in cell.newest)
        days.append(f"strftime(max(greatest({newest})) OVER (), '{written}')")
    return f"coalesce({', '.join(days)})"


def _day(text: str) -> str:
    """SQL of the moment that a cell states, as text or as Excel's number of days; NULL where it states none."""
    formats = ", ".join(f"'{day}{time}'" for day in _DAYS for time in _TIMES)
    # A year of two digits would be read as one of the first century.
    written = (
        f"CASE WHEN regexp_matches({text}, '(^|[-/])[0-9]{{4}}([-/ T]|$)') THEN try_strptime({text}, [{formats}]) END"
    )
    serial = f"{_SERIAL_ZERO} + to_seconds(CAST(round(CAST({text} AS DOUBLE) * 86400) AS BIGINT))"
    return f"coalesce({written}, CASE WHEN regexp_full_match({text}, '[1-9][0-9]{{4}}([.][0-9]+)?') THEN {serial} END)"


def spelling_key(text: str, compare: str) -> str:
    """SQL of what two spellings must share; see ``Cell``."""
    if compare == "letters":
        return f"regexp_replace(lower({text}), '[^a-z0-9]', '', 'g')"
    dashed = f"regexp_replace({text}, '\\s*(?:-|{_DASHES})\\s*', '-', 'g')"
    return f"trim(regexp_replace({dashed}, '\\s+', ' ', 'g'))"


def _looked_up(text: str, cell: Cell) -> str:
    same = f"{spelling_key('spelling', cell.compare)} = {spelling_key(text, cell.compare)}"
    # min: two codes for one spelling are no answer, and the table has none (a test).
    return f"coalesce((SELECT min(code) FROM reference.spellings WHERE kind = '{cell.lookup}' AND {same}), {text})"


def _hash(contract: Contract, cell: Cell) -> str:
    parts = [
        cleaned_number(identifier(name)) if _named(contract, name).type == "nip" else identifier(name)
        for name in cell.hash_of
    ]
    return keyed_hash(" || '|' || ".join(parts))
