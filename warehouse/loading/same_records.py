"""Records that came with a key and in a layout without one too: which state is of which, for whoever counts records (ruling 40)."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from expectations.contract import Contract
from expectations.identity import states_table
from expectations.layout import key_made_by, landed_rows, layouts_of
from expectations.typed_read import FileTraits, typed_rows
from transforms.sql import load_sql
from warehouse.loading.checks import SHOWN_KEYS, Finding
from warehouse.store.home import Home

FOUND = """SELECT DISTINCT record_key FROM ledger.same_records AS noted
  JOIN {states} AS states ON states.batch_id = noted.batch_id AND states.row_number = noted.row_number
  WHERE noted.source = $1 AND noted.known_batch = $2 ORDER BY record_key"""


@dataclass(frozen=True)
class _Rows:
    """Typed rows of one delivery that came with keys: a relation in SQL, and its parameters."""

    batch_id: int
    relation: str
    parameters: dict[str, object]


def note_same_records(
    connection: duckdb.DuckDBPyConnection, home: Home, contract: Contract, batch_id: int, layout: str | None
) -> list[Finding]:
    """Notes them for the delivery, which stands in ``batch_typed`` and in the ledger; says how many, and some of their keys."""
    findings = []
    for name in layouts_of(contract):
        made_key = key_made_by(contract, name)
        if made_key is None or not _has_layout(connection, contract, name):
            continue
        for rows in _keyed_rows(connection, home, contract, batch_id, name, layout == name):
            query = load_sql("warehouse.loading", "same_records.sql").format(
                states=states_table(contract), rows=rows.relation, made_key=made_key
            )
            named = {"source": contract.source, "rows_batch": rows.batch_id, "known_batch": batch_id, "layout": name}
            connection.execute(query, named | rows.parameters)
        found = FOUND.format(states=states_table(contract))
        keys = [key for (key,) in connection.execute(found, [contract.source, batch_id]).fetchall()]
        if keys:
            findings.append(_finding(contract, name, keys))
    return findings


def _has_layout(connection: duckdb.DuckDBPyConnection, contract: Contract, name: str) -> bool:
    query = "SELECT 1 FROM ledger.batches WHERE source = $1 AND layout = $2 LIMIT 1"
    return connection.execute(query, [contract.source, name]).fetchone() is not None


def _keyed_rows(
    connection: duckdb.DuckDBPyConnection, home: Home, contract: Contract, batch_id: int, name: str, is_made: bool
) -> Iterator[_Rows]:
    """The delivery's own rows; for one in the layout itself, those of the archive: of people the warehouse knows nothing."""
    if not is_made:
        yield _Rows(batch_id, "batch_typed", {})
        return
    earlier = connection.execute(
        "SELECT batch_id, sha256, layout, decimal_comma, is_typed FROM ledger.batches "
        "WHERE source = $1 AND layout IS DISTINCT FROM $2 AND batch_id < $3 ORDER BY batch_id",
        [contract.source, name, batch_id],
    ).fetchall()
    for number, sha256, layout, decimal_comma, is_typed in earlier:
        archive = home.landed_file(contract.source, sha256)
        if archive.exists():
            typed = typed_rows(contract, FileTraits(decimal_comma, is_typed), landed_rows(contract, layout))
            yield _Rows(number, f"({typed})", {"landing": str(archive), "batch_id": number})


def _finding(contract: Contract, layout: str, keys: list[str]) -> Finding:
    shown = ", ".join(keys[:SHOWN_KEYS]) + (", ..." if len(keys) > SHOWN_KEYS else "")
    return Finding(
        "same record", False,
        f"{len(keys):,} of {contract.source} came both with an id and in the layout {layout}, which has none; the row with an id counts: {shown}",
        f"{len(keys):,} usulan {contract.source} datang dengan nomor usulan dan juga dalam tata letak {layout} yang tanpa nomor; "
        f"yang dihitung baris dengan nomor usulan: {shown}",
    )  # fmt: skip
