"""Retention: removes archived and quarantined rows that are older than the office may keep them. Facts, counts and states stay.

What is purged cannot be reproduced any more; the ledger says so, so that it is not taken for lost.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from warehouse.runs.pipeline import Pipeline
from warehouse.store.home import Home
from warehouse.store.looking import look
from warehouse.store.runs import run_clock

# Each delivery with the clock on which it was first taken in: judged again, it is no younger.
_TAKEN_IN = (
    "SELECT batches.batch_id, batches.source, batches.file, batches.sha256, clock FROM ledger.batches AS batches "
    "LEFT JOIN ledger.reprocessed AS again ON again.batch_id = batches.batch_id "
    "JOIN ledger.batches AS first ON first.batch_id = coalesce(again.first_batch_id, batches.batch_id) "
    "JOIN ledger.runs AS runs ON runs.run_id = first.run_id"
)


@dataclass(frozen=True)
class Purged:
    """A delivery whose archive, or quarantined rows, were removed (or would be): ``bytes`` of both."""

    source: str
    file: str
    taken_in: str
    bytes: int


@dataclass(frozen=True)
class _Due:
    """What is over its retention: ``places`` of a delivery (None: of a marked copy, which no ledger knows)."""

    batch_id: int | None
    places: list[Path]
    purged: Purged


def plan_purge(root: Path, as_of: date | None, days: int) -> list[Purged]:
    """What ``purge`` would remove. Changes nothing."""
    with look(root) as warehouse:
        clock = run_clock(warehouse.connection, as_of)
        return [due.purged for due in _due(warehouse.connection, warehouse.home, clock, days)]


def purge(pipeline: Pipeline, days: int) -> list[Purged]:
    """Deliveries that a run took in more than ``days`` before the clock of this run, and marked copies as old."""
    connection, run = pipeline.warehouse.connection, pipeline.run
    found = _due(connection, pipeline.warehouse.home, run.clock, days)
    for due in found:
        if due.batch_id is not None:
            # The ledger first: what is gone without an entry would count as lost.
            connection.execute(
                "INSERT INTO ledger.purges SELECT $1, $2, $3 WHERE $1 NOT IN (SELECT batch_id FROM ledger.purges)",
                [due.batch_id, run.run_id, run.clock],
            )
        for place in due.places:
            # The same bytes may have come twice.
            place.unlink(missing_ok=True)
    return [due.purged for due in found]


def _due(connection: duckdb.DuckDBPyConnection, home: Home, clock: datetime, days: int) -> list[_Due]:
    limit = clock - timedelta(days=days)
    rows = connection.execute(f"{_TAKEN_IN} WHERE clock < $1 ORDER BY batches.batch_id", [limit]).fetchall()
    kept = {
        (source, sha256)
        for _, source, _, sha256, _ in connection.execute(f"{_TAKEN_IN} WHERE clock >= $1", [limit]).fetchall()
    }
    found = []
    for batch_id, source, file, sha256, taken_in in rows:
        places = [home.held_file(source, batch_id)]
        # The same bytes may have come again since, with another standing.
        if (source, sha256) not in kept:
            places.append(home.landed_file(source, sha256))
        if there := [place for place in places if place.exists()]:
            size = sum(place.stat().st_size for place in there)
            found.append(_Due(batch_id, there, Purged(source, file, f"{taken_in:%Y-%m-%d}", size)))
    for copy in sorted(home.marked.glob("*")):
        about = copy.stat()
        written = datetime.fromtimestamp(about.st_mtime)
        if written < limit:
            purged = Purged("-", f"quarantine/marked/{copy.name}", f"{written:%Y-%m-%d}", about.st_size)
            found.append(_Due(None, [copy], purged))
    return found
