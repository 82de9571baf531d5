"""Archived deliveries as the ledger has them, to be taken in again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import duckdb

from expectations.contract import Contract
from expectations.layout import landed_names
from warehouse.landing.delivery import Landed, sha256_of
from warehouse.landing.inbox import Delivery
from warehouse.store.failures import EnvironmentProblem
from warehouse.store.home import Home


class ArchiveUnusable(EnvironmentProblem):
    """A delivery cannot be taken in again: its archive is gone, is not as it was written, or lacks what the contract requires."""


@dataclass(frozen=True)
class Archived:
    """A delivery that was taken in as ``batch_id``, by a run of that ``clock``."""

    batch_id: int
    delivery: Delivery
    sha256: str
    archive_sha256: str
    landed: Landed
    clock: datetime


def archived_deliveries(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[str], known_batch: int | None = None
) -> list[Archived]:
    """The deliveries of these sources (up to ``known_batch``) in the order in which they were taken in, each once."""
    rows = connection.execute(
        "SELECT batch_id, source, file, is_correction, sha256, archive_sha256, landed, format, decimal_comma, is_typed, layout, clock "
        "FROM ledger.batches JOIN ledger.runs USING (run_id) "
        "WHERE list_contains($1, source) AND batch_id <= coalesce($2, batch_id) AND batch_id NOT IN (SELECT batch_id FROM ledger.reprocessed) "
        "ORDER BY batch_id",
        [list(sources), known_batch],
    ).fetchall()
    return [Archived(row[0], Delivery(*row[1:4]), row[4], row[5], Landed(*row[6:11]), row[11]) for row in rows]


def require_archive(home: Home, archived: Archived) -> None:
    """Raises ArchiveUnusable where the archive is gone, or is not as it was written."""
    source, file = archived.delivery.source, archived.delivery.file
    archive = home.landed_file(source, archived.sha256)
    if not archive.exists():
        raise ArchiveUnusable(
            f"{file}: its archive landing/{source}/{archived.sha256[:12]}... is gone (kpi purge, or by hand): the number cannot be made again"
        )
    if sha256_of(archive) != archived.archive_sha256:
        raise ArchiveUnusable(
            f"{file}: its archive landing/{source}/{archive.name} is not as it was written; restore it from a backup, then try again"
        )


def readable(connection: duckdb.DuckDBPyConnection, home: Home, contract: Contract, archived: Archived) -> Landed:
    """What was landed, as today's contract reads it: a column that it has got since is not in the archive, and is empty.

    Raises ArchiveUnusable, naming contract and column, where that column is required.
    """
    archive = str(home.landed_file(contract.source, archived.sha256))
    absent = absent_columns(connection, contract, archived.landed.layout, [archive])
    if required := [column.name for column in contract.columns if column.required and column.name in absent]:
        raise ArchiveUnusable(
            f"{archived.delivery.file}: contract {contract.source} requires the column {', '.join(required)}, which its archive does not have: "
            "make the column optional, and let a rule ask for it from the day on which it is delivered"
        )
    return replace(archived.landed, absent=absent)


def absent_columns(
    connection: duckdb.DuckDBPyConnection, contract: Contract, layout: str | None, archives: Sequence[str]
) -> tuple[str, ...]:
    """The columns of the contract (or the layout) that none of the archives has."""
    found = connection.execute(
        "DESCRIBE SELECT * FROM read_parquet($1, union_by_name = true)", [list(archives)]
    ).fetchall()
    there = {name for name, *_ in found}
    return tuple(name for name in landed_names(contract, layout) if name not in there)
