"""Tables: each declared once with its columns, then fitted to a terminal, or written as a program reads it.

On a terminal no number and no id is ever wrapped or cut. What has no room goes in this order: the columns of the lowest
priority, together (``--wide`` shows them); then prose is folded at words; then the longest texts stand on lines of their own.
"""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from shutil import get_terminal_size
from typing import Any

from flows.options import Format
from transforms.odd_text import printable

Row = Mapping[str, Any]
NO_VALUE = "-"
GAP = "  "
# Prose is folded to this before a column is left out for it, and to less where no other column can go.
COMFORTABLE_PROSE, NARROWEST_PROSE = 40, 20
# Nothing else than a terminal has a width.
UNLIMITED = 1_000_000


@dataclass(frozen=True)
class Column:
    """``cell``: the field of a row, or what is made of the row. ``is_number``: right-aligned, thousands set off for people.

    ``priority``: 1 is always shown, the others where there is room, 2 before 3. ``is_prose``: may be folded at words.
    """

    title: str
    cell: str | Callable[[Row], Any]
    is_number: bool = False
    priority: int = 1
    is_prose: bool = False

    def of(self, row: Row) -> Any:
        return row.get(self.cell) if isinstance(self.cell, str) else self.cell(row)


@dataclass(frozen=True)
class Table:
    """``shape``: what JSON has of it, a declaration of ``json_shapes``; None where it is for people alone."""

    title: str
    columns: tuple[Column, ...]
    shape: Any = None


def show(table: Table, rows: Sequence[Row], wide: bool = False, hint: str = "--wide shows them") -> None:
    """For people: nothing of an empty table. What had no room is named under it, with the ``hint`` where to find it."""
    if not rows:
        return
    columns, lines = fitted(table, rows, UNLIMITED if wide else terminal_width())
    if table.title:
        print(table.title)
    print("\n".join(lines))
    if left_out := [column.title for column in table.columns if column not in columns]:
        print(f"({', '.join(left_out)}: {hint})")


def write(table: Table, rows: Sequence[Row], form: Format) -> None:
    """For programs: every column, numbers plain, a missing value empty."""
    from flows.table_files import WRITERS  # noqa: PLC0415

    WRITERS[form](table, rows)


def terminal_width() -> int:
    """What ``COLUMNS`` says, else of the terminal; in a pipe or a file nothing limits a line."""
    return get_terminal_size((UNLIMITED, 24)).columns


def fitted(table: Table, rows: Sequence[Row], width: int) -> tuple[list[Column], list[str]]:
    """The columns that have room in ``width``, and the lines of the table."""
    columns = list(table.columns)
    cells = {id(column): [_for_people(column, row) for row in rows] for column in columns}
    widths = {id(column): max(map(len, [*_words(column.title), *cells[id(column)]])) for column in columns}

    def needed(most_prose: int = UNLIMITED) -> int:
        sizes = [min(widths[id(column)], most_prose) if column.is_prose else widths[id(column)] for column in columns]
        return sum(sizes) + len(GAP) * (len(columns) - 1)

    while needed(COMFORTABLE_PROSE) > width and (lowest := max(column.priority for column in columns)) > 1:
        columns = [column for column in columns if column.priority < lowest]
    # What a short text leaves of its share goes to the longer ones.
    prose = sorted((column for column in columns if column.is_prose), key=lambda column: widths[id(column)])
    room = width - needed() + sum(widths[id(column)] for column in prose)
    for number, column in enumerate(prose):
        share = max(room // (len(prose) - number), NARROWEST_PROSE)
        widths[id(column)] = min(widths[id(column)], share)
        room -= widths[id(column)]
    # The widest text keeps what room there is; a cell with more stands on a line of its own, above its row where it names it.
    texts = [column for column in columns if not column.is_number and not column.is_prose]
    for column in sorted(texts, key=lambda column: widths[id(column)], reverse=True):
        spared = max(needed() - width, 0)
        widths[id(column)] = max(widths[id(column)] - spared, min(widths[id(column)], len(column.title)))
    shape = [(column, widths[id(column)]) for column in columns]
    lines = _lines([_folded(column.title, size) for column, size in shape], shape, is_head=True)
    lines.append(GAP.join("─" * size for _, size in shape))
    for number in range(len(rows)):
        row = [(column, size, cells[id(column)][number]) for column, size in shape]
        apart = [(column, text) for column, size, text in row if len(text) > size and not column.is_prose]
        lines += [text for column, text in apart if column is columns[0]]
        parts = [
            _folded(text, size) if column.is_prose else [text if len(text) <= size else ""]
            for column, size, text in row
        ]
        lines += _lines(parts, shape)
        lines += [f"    {text}" for column, text in apart if column is not columns[0]]
    return columns, lines


def _lines(parts: list[list[str]], shape: list[tuple[Column, int]], is_head: bool = False) -> list[str]:
    """One row: as many lines as its longest folded cell; a title stands at the foot of its lines."""
    height = max(map(len, parts))
    filled = [[""] * (height - len(part)) + part if is_head else part + [""] * (height - len(part)) for part in parts]
    return [
        GAP.join(
            part[number].rjust(size) if column.is_number else part[number].ljust(size)
            for (column, size), part in zip(shape, filled, strict=True)
        ).rstrip()
        for number in range(height)
    ]


def _folded(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def _words(title: str) -> list[str]:
    """Where a title may be folded; one with figures, such as a moment, is not."""
    return [title] if any(map(str.isdigit, title)) else title.split()


def _for_people(column: Column, row: Row) -> str:
    value = column.of(row)
    if column.is_number and isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return NO_VALUE if value is None else plain(value)


def plain(value: Any) -> str:
    """A cell as text of one line: what would move the cursor or turn the direction of writing is escaped."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return ", ".join(map(plain, value))
    return printable(str(value))
