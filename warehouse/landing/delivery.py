"""The door of the warehouse: one delivered file of any format becomes an immutable Parquet of the delivered text.

Nothing is interpreted here: every value is landed as it was written, and what it means is the contract's matter.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from types import MappingProxyType
from typing import Final

import duckdb

from expectations.layout import Layouts, PagesLayout, WorkbookLayout
from transforms.sql import identifier
from warehouse.landing import csv_file, json_file, jsonl_file, reader, text_file
from warehouse.landing.line_numbers import Places, blank_lines_of, keep_shifts, line_of
from warehouse.landing.refusal import refusal
from warehouse.landing.session import MEMORY_LIMIT, one_path, open_session
from warehouse.landing.workbook_facts import oddities_of
from warehouse.store.disk import digest_of, sync
from warehouse.store.stopping import interruptible

# The longer ending first: `.csv.gz` is no `.gz`.
_FORMATS: Final = ("csv.gz", "csv", "parquet", "jsonl", "json", "xlsx")
_TYPED: Final = frozenset({"parquet", "jsonl", "json", "xlsx"})
_TEXT: Final = frozenset({"csv", "jsonl", "json"})
NO_LAYOUTS: Final[Layouts] = MappingProxyType({})
# First bytes -> the formats they belong to, and what a message calls them.
_MAGIC: Final = (
    (b"PK\x03\x04", "xlsx", ("an Excel workbook or zip", "buku kerja Excel atau zip")),
    (b"PAR1", "parquet", ("Parquet", "Parquet")),
    (b"\x1f\x8b", "csv.gz", ("gzip", "gzip")),
    (b"\xd0\xcf\x11\xe0", "xls", ("an old Excel workbook", "buku kerja Excel lama")),
)
_LANDED_MODE: Final = 0o400


@dataclass(frozen=True)
class Landed:
    """What was landed: `rows` data rows; `is_typed` formats may have held real dates, numbers and booleans.

    `layout` is that of the contract in which the file came, None for the agreed one. `places` says where its rows stand; `oddities` what
    is odd of a workbook, each as (what, English, Indonesian); `absent` of an old archive, the columns that were agreed since.
    """

    rows: int
    format: str
    decimal_comma: bool
    is_typed: bool
    layout: str | None = None
    places: Places = field(default_factory=Places, compare=False)
    oddities: tuple[tuple[str, str, str], ...] = ()
    absent: tuple[str, ...] = ()


def land_delivery(
    file: Path,
    display_name: str,
    columns: Sequence[str],
    target: Path,
    spool: Path,
    threads: int = 2,
    layouts: Layouts = NO_LAYOUTS,
) -> Landed:
    """Writes `target`, a Parquet of `columns` (all VARCHAR) in the file's row order, whole or not at all.

    A workbook in a layout by position is landed under the layout's names instead. `columns` are the delivered names of the contract; `display_name` is what messages call the file. Temporary files
    stand in `spool` (created, mode 0700, if missing) and are gone afterwards. The folder of `target` must exist.
    Raises DeliveryRefused if the file is at fault; OSError or duckdb.Error if the machine is (a full disk).
    """
    before = _identity(file, display_name)
    file_format = _format_of(display_name, file, layouts)
    _check_head(file, display_name, file_format)
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=spool, prefix="land-") as folder, _part_beside(target) as part:
        try:
            landed = _read(file, display_name, file_format, columns, part, Path(folder), threads, layouts)
        except Exception:
            # Whatever went wrong, a file that is still being copied is the likelier reason.
            if _has_changed(file, before):
                raise refusal("changing", display_name) from None
            raise
        if _has_changed(file, before):
            raise refusal("changing", display_name)
        _publish(part, target)
    return landed


def sha256_of(file: Path, display_name: str | None = None) -> str:
    """Hexadecimal SHA-256 of the file's bytes, read in pieces. ``display_name``: what messages call it, else its own name.

    Raises DeliveryRefused if there is no ordinary file to read: a pipe would be waited for without end.
    """
    name = display_name or file.name
    _identity(file, name)
    with _opened(file, name) as stream:
        return digest_of(stream)


def _identity(file: Path, name: str) -> tuple[int, int, int]:
    """Inode, size in bytes and time of change in nanoseconds; refuses what is not an ordinary file."""
    try:
        status = file.lstat()
    except FileNotFoundError:
        raise refusal("changing", name) from None
    if stat.S_ISLNK(status.st_mode):
        raise refusal("symlink", name)
    if not stat.S_ISREG(status.st_mode):
        raise refusal("not_a_file", name)
    return status.st_ino, status.st_size, status.st_mtime_ns


def _opened(file: Path, name: str) -> BufferedReader:
    try:
        return file.open("rb")
    except OSError as error:
        raise refusal("unreadable.open", name, reason=error.strerror) from None


def _has_changed(file: Path, before: tuple[int, int, int]) -> bool:
    try:
        status = file.lstat()
    except FileNotFoundError:
        return True
    return (status.st_ino, status.st_size, status.st_mtime_ns) != before


def _format_of(name: str, file: Path, layouts: Layouts) -> str:
    lowered = file.name.lower()
    for file_format in _FORMATS:
        if lowered.endswith(f".{file_format}") and (file_format != "json" or _pages(layouts)):
            return file_format
    raise refusal("format", name)


def _pages(layouts: Layouts) -> dict[str, PagesLayout]:
    return {name: layout for name, layout in layouts.items() if isinstance(layout, PagesLayout)}


def _check_head(file: Path, name: str, file_format: str) -> None:
    """An empty file, and one whose first bytes belie its name, is refused with a word of its own."""
    with _opened(file, name) as stream:
        head = stream.read(8)
    if not head:
        raise refusal("empty_file", name)
    found = next(((known, word) for magic, known, word in _MAGIC if head.startswith(magic)), None)
    if file_format == "xlsx" and found and found[0] == "xls":
        raise refusal("password", name)
    if found and found[0] != file_format:
        raise refusal("changed_type", name, expected=f".{file_format}", found=found[1])
    if not found and file_format == "csv.gz":
        raise refusal("changed_type", name, expected=".csv.gz", found=("not gzip", "bukan gzip"))
    if not found and file_format not in _TEXT:
        raise refusal("unreadable.damaged", name, format=f".{file_format}")


def _read(
    file: Path,
    name: str,
    file_format: str,
    columns: Sequence[str],
    part: Path,
    folder: Path,
    threads: int,
    layouts: Layouts,
) -> Landed:
    """Writes `part`."""
    # Under a name of ours: a delivery's own name may hold what DuckDB takes for a pattern.
    source = folder / "delivery"
    source.symlink_to(file.absolute())
    try:
        with open_session(folder, threads) as con, interruptible(con):
            landed = _read_as(con, source, name, file_format, columns, part, folder, threads, layouts)
            if landed.layout is None:
                _refuse_second_header(con, part, name, columns, landed.places)
    except duckdb.OutOfMemoryException:
        # The limit is ours and all else is streamed, so it is the file that asks for too much.
        raise refusal("too_large.memory", name, limit=MEMORY_LIMIT) from None
    return landed


def _read_as(
    con: duckdb.DuckDBPyConnection,
    source: Path,
    name: str,
    file_format: str,
    columns: Sequence[str],
    part: Path,
    folder: Path,
    threads: int,
    layouts: Layouts,
) -> Landed:
    is_typed = file_format in _TYPED
    if file_format == "csv.gz":
        expanded = folder / "expanded.csv"
        text_file.expand_gzip(source, name, expanded)
        source = expanded
    if file_format in ("csv", "csv.gz"):
        rows, decimal_comma, places = csv_file.land_csv(con, source, name, columns, part, folder)
        return Landed(rows, file_format, decimal_comma, is_typed, places=places)
    if file_format == "jsonl":
        rows, places = jsonl_file.land_jsonl(source, name, columns, part)
        return Landed(rows, file_format, False, is_typed, places=places)
    if file_format == "json":
        rows, layout = json_file.land_json(source, name, columns, part, folder, _pages(layouts))
        return Landed(rows, file_format, False, is_typed, layout)
    if file_format == "parquet":
        rows = reader.land_parquet(source, name, columns, part, folder, threads)
        return Landed(rows, file_format, False, is_typed)
    workbooks = {known: layout for known, layout in layouts.items() if isinstance(layout, WorkbookLayout)}
    found = reader.land_xlsx(source, name, columns, part, workbooks)
    places = Places(found.first_line, blank_lines_of(found.blank_lines), letters=found.letters)
    return Landed(found.rows, file_format, False, is_typed, found.layout, places, tuple(oddities_of(found)))


def _refuse_second_header(
    con: duckdb.DuckDBPyConnection, part: Path, name: str, columns: Sequence[str], places: Places
) -> None:
    """Files put together by hand hold the header again: a row whose every value is its column's name."""
    repeats = " AND ".join(f"lower(trim({identifier(column)})) = lower(?)" for column in columns)
    query = f"SELECT min(file_row_number) FROM read_parquet(?, file_row_number=true) WHERE {repeats}"
    row = con.execute(query, [one_path(part), *columns]).fetchall()[0][0]
    if row is not None:
        keep_shifts(con, places, part, columns, "shifts")
        line = line_of(con, places, "shifts", row + 1)
        raise refusal("two_headers", name, line=line) if line else refusal("two_headers.row", name, row=row + 1)


@contextmanager
def _part_beside(target: Path) -> Iterator[Path]:
    """An empty file (mode 0600) in the folder of `target`; gone afterwards, unless it was published."""
    descriptor, path = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    os.close(descriptor)
    part = Path(path)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _publish(part: Path, target: Path) -> None:
    """The rename comes after the data is on disk, and is itself put on disk."""
    part.chmod(_LANDED_MODE)
    sync(part)
    part.replace(target)
    sync(target.parent)
