"""Retention: removes archived and held rows that are older than the office may keep them. Facts, counts and states stay.

What is purged cannot be reproduced any more; the ledger says so, so that it is not taken for lost.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from warehouse.ledger import Run
from warehouse.pipeline import Pipeline


@dataclass(frozen=True)
class Purged:
    """A delivery whose archive, or held rows, were removed (or would be): ``bytes`` of both."""

    source: str
    file: str
    taken_in: str
    bytes: int


def purge(pipeline: Pipeline, days: int, *, is_dry: bool) -> list[Purged]:
    """Deliveries that a run took in more than ``days`` before the clock of this run, and marked copies as old."""
    connection, home, run = pipeline.warehouse.connection, pipeline.warehouse.home, pipeline.run
    rows = connection.execute(
        "SELECT batch_id, source, file, sha256, clock FROM ledger.batches JOIN ledger.runs USING (run_id) "
        "WHERE clock < $1 ORDER BY batch_id",
        [_limit(run, days)],
    ).fetchall()
    kept = {
        (source, sha256)
        for source, sha256 in connection.execute(
            "SELECT source, sha256 FROM ledger.batches JOIN ledger.runs USING (run_id) WHERE clock >= $1",
            [_limit(run, days)],
        ).fetchall()
    }
    found = []
    for batch_id, source, file, sha256, clock in rows:
        places = [home.held_file(source, batch_id)]
        # The same bytes may have come again since, with another standing.
        if (source, sha256) not in kept:
            places.append(home.landed_file(source, sha256))
        there = [place for place in places if place.exists()]
        if not there:
            continue
        found.append(Purged(source, file, f"{clock:%Y-%m-%d}", sum(place.stat().st_size for place in there)))
        if not is_dry:
            # The ledger first: what is gone without an entry would count as lost.
            connection.execute("INSERT INTO ledger.purges VALUES ($1, $2, $3)", [batch_id, run.run_id, run.clock])
            for place in there:
                place.unlink()
    for copy in sorted(home.marked.glob("*")):
        written = datetime.fromtimestamp(copy.stat().st_mtime)
        if written < _limit(run, days):
            found.append(Purged("-", f"quarantine/marked/{copy.name}", f"{written:%Y-%m-%d}", copy.stat().st_size))
            if not is_dry:
                copy.unlink()
    return found


def _limit(run: Run, days: int) -> datetime:
    return run.clock - timedelta(days=days)
