"""The file formats of deliveries, written so that the same rows are always the same bytes.

The formats differ on purpose in what the product has to cope with: separators, a BOM, the marks for null,
clock times with and without a zone, and typed against textual values. Clock times in a frame are naive
Asia/Jakarta.
"""

import gzip
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from pathlib import Path

import polars as pl
import xlsxwriter

# Sheets are slow to write and read, and people do not send large ones: more rows go into a CSV file.
WORKBOOK_ROWS = 1_000
_WORKBOOK_CREATED = datetime(2024, 1, 1)
_UTC_OFFSET_HOURS = 7

_LOCAL = "%Y-%m-%dT%H:%M:%S"


def _as_text(frame: pl.DataFrame, clock: Callable[[pl.Expr], pl.Expr]) -> pl.DataFrame:
    """Turn dates into ISO text, clock times into the given text, and decimals into exact text."""
    return frame.with_columns(
        pl.selectors.decimal().cast(pl.String),
        pl.selectors.date().dt.strftime("%Y-%m-%d"),
        clock(pl.selectors.datetime()),
    )


def _local_clock(moment: pl.Expr) -> pl.Expr:
    return moment.dt.strftime(_LOCAL)


def _zoned_clock(moment: pl.Expr) -> pl.Expr:
    return moment.dt.strftime(f"{_LOCAL}+07:00")


def _utc_clock(moment: pl.Expr) -> pl.Expr:
    return moment.dt.offset_by(f"-{_UTC_OFFSET_HOURS}h").dt.strftime(f"{_LOCAL}Z")


def _csv(frame: pl.DataFrame) -> bytes:
    return _csv_bytes(_as_text(frame, _local_clock))


def _csv_semicolon(frame: pl.DataFrame) -> bytes:
    """As a spreadsheet with Indonesian settings saves it: semicolons, a decimal comma, a BOM, a dash for nothing."""
    comma = pl.selectors.decimal().cast(pl.String).str.replace(".", ",", literal=True)
    text = _as_text(frame.with_columns(comma), _local_clock)
    return _csv_bytes(text, separator=";", include_bom=True, null_value="-")


def _csv_gz(frame: pl.DataFrame) -> bytes:
    """As the source system exports it: UTC, and the null of the language it is written in."""
    plain = _csv_bytes(_as_text(frame, _utc_clock), null_value="<nil>")
    # mtime 0: a gzip header otherwise holds the time of writing.
    return gzip.compress(plain, compresslevel=6, mtime=0)


def _csv_bytes(text: pl.DataFrame, *, separator: str = ",", include_bom: bool = False, null_value: str = "") -> bytes:
    buffer = BytesIO()
    text.write_csv(buffer, separator=separator, include_bom=include_bom, null_value=null_value)
    return buffer.getvalue()


def _jsonl(frame: pl.DataFrame) -> bytes:
    buffer = BytesIO()
    _as_text(frame, _zoned_clock).write_ndjson(buffer)
    return buffer.getvalue()


def _parquet(frame: pl.DataFrame) -> bytes:
    """Typed: dates, clock times, numbers and booleans stay what they are in the frame."""
    buffer = BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def _xlsx(frame: pl.DataFrame) -> bytes:
    buffer = BytesIO()
    options = {"in_memory": True, "strings_to_numbers": False, "strings_to_formulas": False}
    with xlsxwriter.Workbook(buffer, options) as workbook:
        # The properties otherwise hold the time of writing.
        workbook.set_properties({"created": _WORKBOOK_CREATED})
        sheet = workbook.add_worksheet("data")
        sheet.write_row(0, 0, frame.columns)
        for position, column in enumerate(_as_text(frame, _local_clock).iter_columns()):
            sheet.write_column(1, position, column.to_list())
    return buffer.getvalue()


_WRITERS: dict[str, tuple[str, Callable[[pl.DataFrame], bytes]]] = {
    "csv": (".csv", _csv),
    "csv_semicolon": (".csv", _csv_semicolon),
    "csv_gz": (".csv.gz", _csv_gz),
    "jsonl": (".jsonl", _jsonl),
    "parquet": (".parquet", _parquet),
    "xlsx": (".xlsx", _xlsx),
}


def write_delivery(frame: pl.DataFrame, stem: Path, kind: str) -> list[Path]:
    """Write one delivery and give the files made: `stem` plus the format's ending.

    What is too long for a workbook goes on in a CSV file beside it. Folders are made as needed.
    """
    if kind == "xlsx" and frame.height > WORKBOOK_ROWS:
        rest = stem.with_name(f"{stem.name}_rest")
        return [
            *write_delivery(frame.head(WORKBOOK_ROWS), stem, "xlsx"),
            *write_delivery(frame.slice(WORKBOOK_ROWS), rest, "csv"),
        ]
    ending, writer = _WRITERS[kind]
    # Not with_suffix: a stem may hold dots.
    path = stem.with_name(stem.name + ending)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(writer(frame))
    return [path]
