"""What ``kpi quarantine`` prints of the quarantined rows."""

from flows.json_shapes import QuarantinedRow
from flows.messages import held_counts, rule_message
from flows.options import Format
from flows.render import SHOWN_ROWS, answer
from flows.tables import Column, Table, show
from warehouse.reading.held_rows import HeldRow
from warehouse.store.home import Home

HELD_BY_RULE = Table(
    "Quarantined, by rule",
    (
        Column("source", "source"),
        Column("rule", "rule"),
        Column("rows", "rows", is_number=True),
        Column("what it asks", "message", is_prose=True),
    ),
)
HELD_ROWS = Table(
    "Quarantined rows",
    (
        Column("source", "source", priority=2),
        Column("file", "file"),
        Column("where", "where", is_prose=True),
        Column("rules", "reasons"),
    ),
    list[QuarantinedRow],
)


def print_held_rows(
    home: Home, rows: list[HeldRow], source: str | None, reason: str | None, form: Format, wide: bool
) -> None:
    """For people the counts by rule, then the first rows; for programs every row."""
    lines = [vars(row) | {"where": row.place.text("en")} for row in rows]
    if form is not Format.table:
        answer(HELD_ROWS, lines, form, wide)
        return
    counts = [
        {"source": held, "rule": rule, "rows": count, "message": rule_message(held, rule)}
        for held, rule, count in held_counts(home, source, reason)
    ]
    show(HELD_BY_RULE, counts, wide)
    show(HELD_ROWS, lines[:SHOWN_ROWS], wide)
    if len(rows) > SHOWN_ROWS:
        print(f"({SHOWN_ROWS} of {len(rows):,} rows; --format csv gives all)")
