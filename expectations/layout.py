"""Layouts: other shapes than the agreed one in which a source is really delivered, each a declared mapping to the agreed columns.

A contract names its layouts; each is one YAML file under ``contracts/layouts/``. A delivery is landed as it is; the mapping is
applied when its rows are read, so that the archive keeps what came and a row is explained down to the delivered cell.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, model_validator
from xlsxwriter.utility import xl_col_to_name

from expectations.columns import Bilingual, Column, Identifier, Strict
from expectations.contract import CONTRACTS, Contract
from expectations.typed_read import cleaned_number, delivered_text, keyed_hash
from transforms.sql import identifier
from transforms.yaml_text import read_yaml

Position = Annotated[int, Field(ge=0)]
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


class WorkbookLayout(Strict):
    """A workbook whose columns are known by position (from 0), below ``header_rows`` rows of titles. ``width`` columns."""

    format: Literal["xlsx"]
    title: Bilingual
    description: Bilingual
    header_rows: Annotated[int, Field(ge=1)]
    width: Annotated[int, Field(ge=1)]
    columns: dict[Identifier, Cell]

    @property
    def landed_names(self) -> list[str]:
        """The names under which the cells are landed: Excel's letters."""
        return [xl_col_to_name(position) for position in range(self.width)]

    @property
    def last_used(self) -> int:
        return max(position for cell in self.columns.values() for position in cell.at)


class PagesLayout(Strict):
    """Answers of a service: an object whose list ``entries`` holds one object a row, with keys in camelCase or snake_case.

    ``nested`` keys hold more columns, as an object or as a JSON text; a column that stands outside goes before one inside.
    ``empty`` are texts that stand for nothing, besides those of every source. ``renamed`` and ``ignored`` are the service's own keys, in snake_case; any other unknown key is a breach of the contract.
    """

    format: Literal["json"]
    title: Bilingual
    description: Bilingual
    entries: str
    nested: tuple[Identifier, ...] = ()
    empty: tuple[str, ...] = ()
    renamed: dict[Identifier, Identifier] = Field(default_factory=dict)
    ignored: tuple[Identifier, ...] = ()


Layout = Annotated[WorkbookLayout | PagesLayout, Field(discriminator="format")]
# File format -> name and layout.
Layouts = Mapping[str, tuple[str, WorkbookLayout | PagesLayout]]


@cache
def load_layout(name: str) -> WorkbookLayout | PagesLayout:
    """The layout ``name``. Raises ValidationError for one that is not well formed."""
    text = files(CONTRACTS).joinpath("layouts", f"{name}.yml").read_text(encoding="utf-8")
    layout: WorkbookLayout | PagesLayout = TypeAdapter(Layout).validate_python(read_yaml(text))
    return layout


def layouts_of(contract: Contract) -> Layouts:
    """The contract's layouts, by the format of the file. Raises ValueError where two are of one format: nothing tells their files apart."""
    found: dict[str, tuple[str, WorkbookLayout | PagesLayout]] = {}
    for name in contract.layouts:
        layout = load_layout(name)
        if (other := found.setdefault(layout.format, (name, layout))[0]) != name:
            raise ValueError(
                f"contract {contract.source}: the layouts {other} and {name} are both of .{layout.format} files; a contract takes one a format"
            )
    return found


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
