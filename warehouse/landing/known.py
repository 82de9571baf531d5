"""Whether a delivery was taken in before: asked here alone (ruling 22)."""

from dataclasses import dataclass

import duckdb

from expectations.contract import load_contract
from expectations.identity import states_table
from warehouse.landing.inbox import Delivery, deliveries
from warehouse.landing.refusal import DeliveryRefused
from warehouse.store.home import Home
from warehouse.store.queries import first_row, has_table, single_value
from warehouse.store.runs import Run


@dataclass(frozen=True)
class Known:
    """The earlier delivery of the same source and bytes, a correction where this one is."""

    batch_id: int
    file: str


def known_as(connection: duckdb.DuckDBPyConnection, delivery: Delivery, sha256: str) -> Known | None:
    """What the delivery repeats; None where it is to be taken in.

    A correction under a new name whose bytes were applied before, and replaced since, is to be applied again: the last correction wins
    (ruling 6). One that came while they stood was a repeat, and stays one.
    """
    row = first_row(
        connection,
        "SELECT batch_id, file FROM ledger.batches WHERE source = $1 AND sha256 = $2 AND is_correction = $3 "
        "ORDER BY file <> $4, batch_id DESC LIMIT 1",
        [delivery.source, sha256, delivery.is_correction, delivery.file],
    )
    if row is None:
        return None
    known = Known(*row)
    if known.file == delivery.file or not delivery.is_correction or _was_repeat(connection, delivery, sha256):
        return known
    return None if _is_replaced(connection, delivery.source, known) else known


def note_repeat(connection: duckdb.DuckDBPyConnection, run: Run, delivery: Delivery, sha256: str, known: Known) -> None:
    """Enters a delivery that repeats another file's bytes, once."""
    if known.file != delivery.file and not _was_repeat(connection, delivery, sha256):
        connection.execute(
            "INSERT INTO ledger.repeats VALUES ($1, $2, $3, $4, $5, $6)",
            [run.run_id, delivery.source, delivery.file, sha256, delivery.is_correction, known.batch_id],
        )


def new_deliveries(connection: duckdb.DuckDBPyConnection, home: Home) -> list[Delivery]:
    """What the next run takes in, or refuses."""
    return [delivery for delivery, known in _examined(connection, home) if known is None]


def renamed(connection: duckdb.DuckDBPyConnection, home: Home) -> list[tuple[Delivery, Known]]:
    """Deliveries whose bytes were taken in under another name, and so are not taken in."""
    return [
        (delivery, known) for delivery, known in _examined(connection, home) if known and known.file != delivery.file
    ]


def _examined(connection: duckdb.DuckDBPyConnection, home: Home) -> list[tuple[Delivery, Known | None]]:
    found = []
    for delivery in deliveries(home):
        try:
            found.append((delivery, known_as(connection, delivery, delivery.sha256(home))))
        except DeliveryRefused:
            # A link or a pipe: the run says so.
            found.append((delivery, None))
    return found


def _was_repeat(connection: duckdb.DuckDBPyConnection, delivery: Delivery, sha256: str) -> bool:
    # A reader may open a warehouse that no run has migrated yet.
    if not has_table(connection, "ledger", "repeats"):
        return False
    query = "SELECT 1 FROM ledger.repeats WHERE source = $1 AND file = $2 AND sha256 = $3 AND is_correction = $4"
    return single_value(connection, query, [delivery.source, delivery.file, sha256, delivery.is_correction]) is not None


def _is_replaced(connection: duckdb.DuckDBPyConnection, source: str, known: Known) -> bool:
    if not has_table(connection, "states", source):
        return False
    table = states_table(load_contract(source))
    query = f"SELECT 1 FROM {table} WHERE batch_id = $1 AND replaced_by_batch_id IS NOT NULL LIMIT 1"
    return single_value(connection, query, [known.batch_id]) is not None
