"""One page of a service's answers (JSON) to the Parquet of its text: the list is written out as JSON Lines, which is read as ever.

The page is held in memory as a whole, so its size is bounded; a service gives long lists in many pages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from expectations.layout import PagesLayout
from warehouse.landing import text_file
from warehouse.landing.jsonl_file import land_jsonl, no_constant
from warehouse.landing.refusal import ENTRY, at, listed, refusal

MAX_BYTES = 100_000_000
_MAX_DEPTH: Final = 3
# aB and ABc begin words: jenisKPId is jenis_kp_id.
_WORD_BEGINS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_LINES_NAME: Final = "entries.jsonl"

_Pairs = tuple[tuple[str, Any], ...]


def land_json(
    path: Path, name: str, columns: Sequence[str], part: Path, spool: Path, layouts: Mapping[str, PagesLayout]
) -> tuple[int, str]:
    """Writes `part`; returns the number of entries and the name of their layout. A refusal counts the entries of the list, from 1.

    Raises DeliveryRefused: `too_large`, the text's faults, `invalid_json`, `layout`, and those of JSON Lines.
    """
    if path.stat().st_size > MAX_BYTES:
        raise refusal("too_large", name, limit=f"{MAX_BYTES} bytes")
    content = b"".join(block for _, block in text_file.checked_blocks(path, name))
    page = _parsed(content.decode(), name, None)
    answer = dict(page) if isinstance(page, tuple) else {}
    lists = {key: value for key, value in answer.items() if isinstance(value, list)}
    fitting = [known for known, layout in layouts.items() if layout.entries in lists]
    if not fitting:
        wanted = [layout.entries for layout in layouts.values()]
        raise refusal("invalid_json.page", name, entries=("` or `".join(wanted), "` atau `".join(wanted)))
    if len(fitting) > 1:
        titles = [layouts[known].title for known in fitting]
        raise refusal("layout.several", name, layouts=(listed(t.en for t in titles), listed(t.id for t in titles)))
    layout = layouts[fitting[0]]
    entries = lists[layout.entries]
    if not entries:
        raise refusal("empty_file", name)
    lines = spool / _LINES_NAME
    with lines.open("x", encoding="utf-8", errors="surrogatepass") as sink:
        sink.writelines(_line(entry, name, number, layout) for number, entry in enumerate(entries, start=1))
    rows, _ = land_jsonl(lines, name, columns, part, ENTRY)
    return rows, fitting[0]


def _parsed(text: str, name: str, entry: int | None) -> object:
    """The value, objects as pairs, numbers as they are written; the decoder's own error holds the text and must not travel on."""
    try:
        return json.loads(text, object_pairs_hook=tuple, parse_float=str, parse_int=str, parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise (
            refusal("invalid_json", name, at=at(ENTRY, entry)) if entry else refusal("invalid_json.whole", name)
        ) from None


def _line(entry: object, name: str, number: int, layout: PagesLayout) -> str:
    """One entry as a line of JSON under our names. A column that stands twice stays so, for the reader of lines to refuse."""
    if not isinstance(entry, tuple):
        raise refusal("invalid_json.object", name, at=at(ENTRY, number))
    outside, inside = _columns(entry, name, number, layout, 0)
    held = {key for key, _ in outside}
    pairs = [*outside, *((key, value) for key, value in inside if key not in held)]
    return "{" + ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in pairs) + "}\n"


def _columns(
    pairs: _Pairs, name: str, number: int, layout: PagesLayout, depth: int
) -> tuple[list[tuple[str, Any]], list[tuple[str, Any]]]:
    """(columns of the object itself, columns of the objects that it nests), ignored keys left out."""
    outside: list[tuple[str, Any]] = []
    inside: list[tuple[str, Any]] = []
    for delivered, value in pairs:
        key = _WORD_BEGINS.sub("_", delivered.strip()).lower()
        if key in layout.nested and depth < _MAX_DEPTH:
            inside += _nested(value, name, number, layout, depth + 1)
        elif key not in layout.ignored:
            outside.append((layout.renamed.get(key, key), value))
    return outside, inside


def _nested(value: object, name: str, number: int, layout: PagesLayout, depth: int) -> Iterator[tuple[str, Any]]:
    """The columns of a nested object, or of the JSON text that stands for it; none where it is empty."""
    content = _parsed(value, name, number) if isinstance(value, str) and value.strip() else value
    if isinstance(content, tuple):
        outside, inside = _columns(content, name, number, layout, depth)
        held = {key for key, _ in outside}
        yield from outside
        yield from ((key, inner) for key, inner in inside if key not in held)
    elif content not in (None, ""):
        raise refusal("invalid_json.object", name, at=at(ENTRY, number))
