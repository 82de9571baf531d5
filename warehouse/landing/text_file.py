"""Delivered text, byte by byte: UTF-8, line ends, lengths; and the unpacking of gzip.

Lines are physical lines, counted from 1. Everything is read in pieces, so that memory does not grow with the file.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from warehouse.landing.refusal import refusal

BLOCK_BYTES = 1 << 20
MAX_LINE_BYTES = 10_000_000
MAX_EXPANDED_BYTES = 20 * 2**30
# Deflate cannot pack better than 1032 to 1, and no honest table comes near; small files may do as they like.
MAX_RATIO = 1000
RATIO_FROM_BYTES = 100_000_000

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


def first_line(path: Path, name: str) -> tuple[int, str]:
    """Number and text (no byte order mark, no line end) of the first line that is not blank.

    Raises DeliveryRefused: `empty_file`, `encoding`, `line_too_long`.
    """
    with path.open("rb") as stream:
        number = 0
        while line := stream.readline(MAX_LINE_BYTES + 1):
            number += 1
            if number == 1:
                _refuse_wide_text(line, name)
                line = line.removeprefix(BYTE_ORDER_MARK)
            if len(line) > MAX_LINE_BYTES:
                raise refusal("line_too_long", name, line=number, limit=MAX_LINE_BYTES)
            if line.strip():
                return number, _decoded(line, number, name).rstrip("\r\n")
    raise refusal("empty_file", name)


def checked_blocks(path: Path, name: str) -> Iterator[tuple[int, bytes]]:
    """The file as (offset in bytes, whole lines), without byte order mark; only the last may lack its line end.

    Raises DeliveryRefused: `encoding`, `nul_byte`, `line_too_long`, each with its line.
    """
    with path.open("rb") as stream:
        offset = len(BYTE_ORDER_MARK) if stream.read(3) == BYTE_ORDER_MARK else 0
        stream.seek(offset)
        rest = b""
        while piece := stream.read(BLOCK_BYTES):
            ends_at = piece.find(b"\n")
            if len(rest) + (len(piece) if ends_at < 0 else ends_at) > MAX_LINE_BYTES:
                raise refusal("line_too_long", name, line=line_at(path, offset), limit=MAX_LINE_BYTES)
            cut = piece.rfind(b"\n") + 1
            if not cut:
                rest += piece
                continue
            block = rest + piece[:cut]
            _check(path, offset, block, name)
            yield offset, block
            offset += len(block)
            rest = piece[cut:]
        if rest:
            _check(path, offset, rest, name)
            yield offset, rest


def line_at(path: Path, offset: int) -> int:
    """Number of the physical line in which the byte at `offset` stands."""
    line = 1
    with path.open("rb") as stream:
        while offset > 0 and (piece := stream.read(min(BLOCK_BYTES, offset))):
            line += piece.count(b"\n")
            offset -= len(piece)
    return line


def expand_gzip(path: Path, name: str, target: Path) -> None:
    """Unpacks `path` into `target`, checking length and checksum.

    Raises DeliveryRefused: `truncated`, `too_large`, `unreadable`.
    """
    written = read = 0
    with path.open("rb") as source, target.open("xb") as sink:
        unpacker = zlib.decompressobj(wbits=31)
        while waiting := source.read(BLOCK_BYTES):
            read += len(waiting)
            while waiting:
                if unpacker.eof:
                    waiting = waiting.lstrip(b"\0")
                    if not waiting:
                        break
                    unpacker = zlib.decompressobj(wbits=31)
                piece = _unpacked(unpacker, waiting, name)
                written += sink.write(piece)
                _refuse_bomb(written, read, name)
                waiting = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    if not unpacker.eof:
        raise refusal("truncated", name)


def _unpacked(unpacker: zlib._Decompress, packed: bytes, name: str) -> bytes:
    """The next piece, at most eight blocks: a bomb must not be held in memory before it is noticed."""
    try:
        return unpacker.decompress(packed, 8 * BLOCK_BYTES)
    except zlib.error:
        raise refusal("unreadable.damaged", name, format=".csv.gz") from None


def _refuse_bomb(written: int, read: int, name: str) -> None:
    if written > MAX_EXPANDED_BYTES or (written > RATIO_FROM_BYTES and written > MAX_RATIO * read):
        raise refusal("too_large", name, limit=f"{MAX_EXPANDED_BYTES} bytes, {MAX_RATIO}:1")


def _refuse_wide_text(head: bytes, name: str) -> None:
    """A NUL among the first letters is UTF-16 or UTF-32 without a mark."""
    if head.startswith(_UTF16_MARKS) or b"\0" in head[:4]:
        raise refusal("encoding.utf16", name)


def _decoded(line: bytes, number: int, name: str) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise refusal("encoding", name, line=number) from None


def _check(path: Path, offset: int, block: bytes, name: str) -> None:
    if not block.isascii():
        fault = _first_bad_byte(block)
        if fault >= 0:
            raise refusal("encoding", name, line=line_at(path, offset + fault))
    nul = block.find(b"\0")
    if nul >= 0:
        raise refusal("nul_byte", name, line=line_at(path, offset + nul))


def _first_bad_byte(block: bytes) -> int:
    """Position of the first byte that is no UTF-8, or -1."""
    try:
        block.decode()
    except UnicodeDecodeError as fault:
        return fault.start
    return -1
