"""Backfill: derives past years partition by partition, each kept as soon as it is done, and enters them all at the end.

What is staged survives a kill: a later backfill goes on from there. A nightly run in between derives what it needs by itself,
and what was staged of it counts as done then.
"""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import duckdb

from transforms.facts import tables_of
from transforms.sql import identifier
from warehouse.facts.derive import View
from warehouse.facts.enter import derive_partitions
from warehouse.facts.plan import SCORES, Partition
from warehouse.store.connection import configure
from warehouse.store.runs import Run
from warehouse.store.stopwatch import Stopwatch


def stageable(partitions: Sequence[Partition]) -> list[Partition]:
    """What is still to derive: scores are made of the entered values, and what an earlier backfill has staged is done."""
    return [p for p in partitions if p.state in ("missing", "stale") and p.item.name != SCORES]


def plan_rows(partitions: Sequence[Partition], closed: frozenset[int]) -> list[dict[str, Any]]:
    """``kpi backfill --dry-run --json``: each partition, why it is due, and how many rows it reads.

    ``is_closed``: what it changes of a closed year waits for a restatement.
    """
    return [
        {
            "item": p.item.name,
            "year": p.year,
            "state": p.state,
            "why": p.why,
            "deliveries": len(p.batches),
            "rows": p.rows,
            "is_closed": p.year in closed,
        }
        for p in partitions
    ]


def summary(partitions: Sequence[Partition]) -> str:
    """One line: how many are missing, stale and why, staged by an earlier backfill, current."""
    counts = Counter(p.state if p.state != "stale" else f"stale ({p.why})" for p in partitions)
    return f"plan: {len(partitions)} partitions: " + ", ".join(
        f"{count} {state}" for state, count in sorted(counts.items())
    )


def stage_partition(cursor: duckdb.DuckDBPyConnection, partition: Partition, view: View, run: Run) -> None:
    """Derives one partition on a cursor of its own (several at once may do so) and keeps it, in one transaction."""
    start = time.perf_counter()
    configure(cursor)
    derive_partitions(cursor, [partition], view, Stopwatch())
    cursor.execute("BEGIN")
    name, basis = [partition.item.name, partition.year], partition.basis
    for table in tables_of([partition.item.name]):
        columns, item = ", ".join(map(identifier, table.kept)), table.partition_of(table.staged)["item"]
        cursor.execute(f"DELETE FROM {table.staged} WHERE {item} = $1 AND partition_year = $2", name)
        cursor.execute(
            f"INSERT INTO {table.staged} ({columns}, partition_year) SELECT {columns}, $1 FROM {table.fresh}",
            [partition.year],
        )
    cursor.execute("DELETE FROM ledger.staged_partitions WHERE item = $1 AND year = $2", name)
    cursor.execute(
        "INSERT INTO ledger.staged_partitions VALUES ($1, $2, $3, $4, $5, $6, NULL, $7, $8)",
        [*name, basis.definition, basis.code, basis.source_state, basis.known_batch, basis.settled_at, run.run_id],
    )
    cursor.execute(
        "INSERT INTO ledger.derivations VALUES ($1, $2, $3, 'staged', $4, $5, $6)",
        [run.run_id, *name, partition.why, partition.rows, round(time.perf_counter() - start, 3)],
    )
    cursor.execute("COMMIT")


def fresh_from_staging(
    connection: duckdb.DuckDBPyConnection, partitions: Sequence[Partition], view: View, watch: Stopwatch
) -> None:
    """The fresh rows of these partitions: those that are staged from there, the others derived now."""
    derive_partitions(connection, [p for p in partitions if p.state != "staged"], view, watch)
    staged = [[p.item.name, p.year] for p in partitions if p.state == "staged"]
    if not staged:
        return
    connection.execute("CREATE OR REPLACE TEMP TABLE taken_from_staging (item VARCHAR, year INTEGER)")
    connection.executemany("INSERT INTO taken_from_staging VALUES ($1, $2)", staged)
    for table in tables_of(p.item.name for p in partitions if p.state == "staged"):
        columns, item = ", ".join(map(identifier, table.kept)), table.partition_of("staged")["item"]
        connection.execute(
            f"INSERT INTO {table.fresh} ({columns}) SELECT {columns} FROM {table.staged} AS staged "
            f"WHERE ({item}, partition_year) IN (SELECT (item, year) FROM taken_from_staging)"
        )
