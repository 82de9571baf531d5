"""One JSON Lines file to the Parquet of its text.

Python's json reads it, not DuckDB: DuckDB turns 1.98003E+17 into 198003000000000000.0 and 93.360 into 93.36, while
here every number keeps the letters it was delivered in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, NoReturn

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.landing import text_file
from warehouse.landing.columns import match_columns
from warehouse.landing.line_numbers import BlankLines, Places
from warehouse.landing.refusal import LINE, DeliveryRefused, at, listed, refusal, shown_name
from warehouse.landing.session import COMPRESSION_LEVEL

_TEXT_OR_NULL: Final = frozenset({str, type(None)})
# A file with ever new keys must not fill the memory.
_MAX_KEY_ORDERS: Final = 10_000
_MAX_UNKNOWN_KEYS: Final = 50
# Text that is held before a row group is written: about as many rows as the other formats give one.
_BATCH_BYTES = 16 * 2**20
_WHITE_SPACE: Final = " \t\r"

_Row = tuple[Any, ...]
_Pick = Callable[[_Row], _Row]


def land_jsonl(
    path: Path, name: str, columns: Sequence[str], part: Path, unit: tuple[str, str] = LINE
) -> tuple[int, Places]:
    """Writes `part`; returns the number of rows (lines that are not blank), and how they lie in the lines. ``unit`` is what a message calls a line.

    Raises DeliveryRefused: the text's faults, `invalid_json`, `nested_value`, and those of the columns.
    """
    text_file.first_line(path, name)
    reader = _Reader(name, columns, unit)
    schema = pa.schema([pa.field(column, pa.string()) for column in columns])
    waiting: list[pa.RecordBatch] = []
    rows = held_bytes = 0
    with pq.ParquetWriter(part, schema, compression="zstd", compression_level=COMPRESSION_LEVEL) as writer:
        for _, block in text_file.checked_blocks(path, name):
            # Block by block, while its texts are still in the processor's cache: by row group takes a fifth longer.
            waiting.append(pa.record_batch(reader.read(block), schema=schema))
            rows += waiting[-1].num_rows
            held_bytes += len(block)
            if held_bytes >= _BATCH_BYTES:
                writer.write_table(pa.Table.from_batches(waiting))
                waiting.clear()
                held_bytes = 0
        writer.write_table(pa.Table.from_batches(waiting, schema))
    reader.check_columns()
    return rows, Places(1, reader.blank_lines.frame())


class _Reader:
    """Turns lines into columns of text, block by block."""

    def __init__(self, name: str, columns: Sequence[str], unit: tuple[str, str]) -> None:
        self._name = name
        self._unit = unit
        self._columns = list(columns)
        self._line = self._rows_before = 0
        self._lines: list[int] = []
        self.blank_lines = BlankLines()
        self._keys_seen: dict[str, None] = {}
        self._picks: dict[tuple[str, ...], _Pick] = {}
        # Not `decode`, which looks for white space around every value and takes a fifth longer.
        self._scan = json.JSONDecoder(
            object_pairs_hook=tuple, parse_float=str, parse_int=str, parse_constant=no_constant
        ).raw_decode

    def read(self, block: bytes) -> list[pa.Array]:
        """The lines of a block as one array of text a column."""
        rows: list[_Row] = []
        self._lines = []
        for line in block.decode().removesuffix("\n").split("\n"):
            self._line += 1
            if text := line.strip(_WHITE_SPACE):
                rows.append(self._row(text))
                self._lines.append(self._line)
            else:
                self.blank_lines.add(self._rows_before + len(rows) + 1)
        self._rows_before += len(rows)
        by_column = list(zip(*rows, strict=True)) or [()] * len(self._columns)
        return [self._texts(i, values) for i, values in enumerate(by_column)]

    def check_columns(self) -> None:
        """A column that no line has, and a key that is no column, are breaches of the contract."""
        match_columns(list(self._keys_seen), self._columns, self._name)

    def _row(self, line: str) -> _Row:
        pairs = self._scanned(line)
        if not isinstance(pairs, tuple):
            raise refusal("invalid_json.object", self._name, at=at(self._unit, self._line))
        keys, values = zip(*pairs, strict=True) if pairs else ((), ())
        pick = self._picks.get(keys) or self._learn(keys)
        return pick((*values, None))

    def _scanned(self, text: str) -> object:
        """The line's value; the decoder's own error holds the line and must not travel on."""
        try:
            value, end = self._scan(text)
        except (ValueError, RecursionError):
            end = -1
        if end != len(text):
            raise refusal("invalid_json", self._name, at=at(self._unit, self._line))
        return value

    def _learn(self, keys: tuple[str, ...]) -> _Pick:
        """How to bring the values of an object with these keys into the order of the columns; -1 is the null."""
        trimmed = [key.strip() for key in keys]
        repeated = [key for i, key in enumerate(trimmed) if key in trimmed[:i]]
        if repeated:
            raise self._duplicate(repeated)
        self._keys_seen.update(dict.fromkeys(trimmed))
        if len(self._keys_seen) > len(self._columns) + _MAX_UNKNOWN_KEYS:
            self.check_columns()
        if len(self._picks) >= _MAX_KEY_ORDERS:
            self._picks.clear()
        order = [trimmed.index(column) if column in trimmed else -1 for column in self._columns]
        pick: _Pick = itemgetter(*order) if len(order) > 1 else lambda values: (values[order[0]],)
        self._picks[keys] = pick
        return pick

    def _duplicate(self, keys: list[str]) -> DeliveryRefused:
        shown = listed(shown_name(key, i) for i, key in enumerate(keys, start=1))
        return refusal("duplicate_column.line", self._name, at=at(self._unit, self._line), columns=shown)

    def _texts(self, position: int, values: _Row) -> pa.Array:
        if not _TEXT_OR_NULL.issuperset(map(type, values)):
            values = tuple(self._text(position, i, value) for i, value in enumerate(values))
        try:
            return pa.array(values, pa.string())
        except UnicodeEncodeError:
            raise self._broken_character(position, values) from None

    def _text(self, position: int, row: int, value: Any) -> str | None:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, list | tuple):
            column = self._columns[position]
            raise refusal("nested_value", self._name, at=at(self._unit, self._lines[row]), column=column)
        return value if value is None else str(value)

    def _broken_character(self, position: int, values: _Row) -> DeliveryRefused:
        """JSON can spell half of a surrogate pair, which no UTF-8 text can hold."""
        row = next(i for i, value in enumerate(values) if value and not _is_encodable(value))
        column = self._columns[position]
        return refusal("encoding.character", self._name, at=at(self._unit, self._lines[row]), column=column)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def no_constant(text: str) -> NoReturn:
    """NaN and Infinity are no JSON."""
    raise ValueError(text)
