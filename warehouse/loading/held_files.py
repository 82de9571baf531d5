"""The quarantined rows as they were delivered: a file a delivery in ``quarantine/``, made of the archive and of what the ledger holds back."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.store.home import Home


@dataclass(frozen=True)
class Rewritten:
    """A lost file of quarantined rows that was written anew: of which delivery, and where in ``quarantine/``."""

    delivery: str
    file: str


def write_held_file(connection: duckdb.DuckDBPyConnection, home: Home, source: str, batch_id: int, sha256: str) -> Path:
    """Row number, reasons and the delivered text of every quarantined row of the delivery. Grain: one row of it."""
    target = home.held_file(source, batch_id)
    target.parent.mkdir(mode=0o700, exist_ok=True)
    part = target.with_suffix(".part")
    try:
        connection.execute(
            "COPY (SELECT row_number, reasons, landed.* EXCLUDE (file_row_number) "
            "FROM (SELECT row_number, reasons FROM quarantine.held_rows WHERE batch_id = $1) AS held "
            "JOIN read_parquet($2, file_row_number = true) AS landed ON landed.file_row_number + 1 = row_number "
            "ORDER BY row_number) TO $3 (FORMAT parquet, COMPRESSION zstd)",
            [batch_id, str(home.landed_file(source, sha256)), str(part)],
        )
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def restore_held_files(connection: duckdb.DuckDBPyConnection, home: Home) -> list[Rewritten]:
    """Writes anew the files that are lost, where the archive has their rows; what was purged stays purged."""
    rows = connection.execute(
        "SELECT batch_id, source, file, sha256 FROM ledger.batches "
        "WHERE quarantined > 0 AND batch_id NOT IN (SELECT batch_id FROM ledger.purges) ORDER BY batch_id"
    ).fetchall()
    return [
        Rewritten(file, f"{source}/{write_held_file(connection, home, source, batch_id, sha256).name}")
        for batch_id, source, file, sha256 in rows
        if not home.held_file(source, batch_id).exists() and home.landed_file(source, sha256).exists()
    ]
