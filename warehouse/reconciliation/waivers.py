"""What is accepted by name (`kpi waive`): derived values that stand beside printed ones which contradict them."""

import hashlib
from collections.abc import Sequence
from datetime import date

import duckdb

from expectations.reconciliation import Acceptance
from transforms.sql import load_sql
from warehouse.facts.agreed import PRINT
from warehouse.store.queries import single_value


def read_waivers(connection: duckdb.DuckDBPyConnection) -> list[Acceptance]:
    """The newest decision of every item, also one that has ended."""
    rows = connection.execute(load_sql("warehouse.reconciliation", "waivers.sql")).fetchall()
    return [Acceptance(*row) for row in rows]


def in_force(connection: duckdb.DuckDBPyConnection, day: date) -> list[Acceptance]:
    """Those that have not ended on ``day``: the last day of one is its own."""
    return [entry for entry in read_waivers(connection) if entry.until is None or day <= entry.until]


def decided_digest(connection: duckdb.DuckDBPyConnection, day: date) -> str:
    """Fingerprint of what is in force on ``day``, and of what has been delivered as printed: both can change a verdict alone."""
    last = single_value(connection, "SELECT max(batch_id) FROM ledger.batches WHERE source = $1", [PRINT])
    return hashlib.sha256(repr((in_force(connection, day), last)).encode()).hexdigest()


def keep_waivers(
    connection: duckdb.DuckDBPyConnection, run_id: int, entries: Sequence[Acceptance], clock: object
) -> None:
    """Adds decisions to the ledger, as the work of a run."""
    connection.executemany(
        "INSERT INTO ledger.waivers (run_id, item, published, derived, reason, owner, until, waived_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [[run_id, e.item, e.published, e.derived, e.reason, e.owner, e.until, clock] for e in entries],
    )
