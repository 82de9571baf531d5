"""What a newer release says of a closed year that none had said: a table, a grouping or a measure that is new in it.

No published number changes by it, so it needs no restatement. What a delivery brings that came after the year was closed does, also where it
is new; and so does what differs from anything that was ever said.
"""

from collections.abc import Sequence

import duckdb

from transforms.sql import load_sql
from warehouse.facts.enter import derive_partitions, enter_derived
from warehouse.facts.plan import Partition, Plan
from warehouse.store.runs import Run
from warehouse.store.stopwatch import Stopwatch

KINDS, CAUSES = ("service", "result"), ("first", "code")


def enter_additions(
    connection: duckdb.DuckDBPyConnection, plan: Plan, partitions: Sequence[Partition], run: Run, watch: Stopwatch
) -> None:
    """Enters of these partitions of closed years what is new by the release alone; the rest stays as it is."""
    years = sorted({partition.year for partition in partitions})
    rows = connection.execute(load_sql("warehouse.facts", "delivered_since.sql"), {"years": years}).fetchall()
    came_since = set(rows)
    by_release = [
        p for p in partitions
        if p.item.kind in KINDS and p.why in CAUSES
        and not any((source, p.year) in came_since for source in (*p.item.sources, *p.item.shared))
    ]  # fmt: skip
    if by_release:
        derive_partitions(connection, by_release, plan.view, watch)
        enter_derived(connection, plan, by_release, run, watch, additions_only=True)
