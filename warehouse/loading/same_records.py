"""Records that came with a key and in a layout without one too: which state is of which, for whoever counts records (ruling 40)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import duckdb

from expectations.contract import Contract, load_contract, source_names
from expectations.identity import states_table
from expectations.layout import key_made_by, landed_rows, layouts_of
from expectations.typed_read import FileTraits, typed_rows
from transforms.sql import load_sql
from warehouse.landing.archive import absent_columns
from warehouse.loading.checks import SHOWN_KEYS, Finding
from warehouse.store.home import Home
from warehouse.store.runs import read_meta

# In ledger.meta while what came before there were notes has not been sought.
MARK = "same_records"
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
    for name, made_key in _layouts_without_key(connection, contract):
        # Of people the warehouse knows nothing: rows that came with a key before are read from the archive once more.
        own = [_Rows(batch_id, "batch_typed", {})]
        _note(
            connection, contract, name, made_key, _archived(connection, home, contract, name) if layout == name else own
        )
        found = FOUND.format(states=states_table(contract))
        keys = [key for (key,) in connection.execute(found, [contract.source, batch_id]).fetchall()]
        if keys:
            findings.append(_finding(contract, name, keys))
    return findings


def seek_earlier_ones(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Notes what came in both before there were notes: once, in a warehouse of an earlier release."""
    if read_meta(connection, MARK) is None:
        return
    for contract in map(load_contract, source_names()):
        for name, made_key in _layouts_without_key(connection, contract):
            _note(connection, contract, name, made_key, _archived(connection, home, contract, name))
    connection.execute("DELETE FROM ledger.meta WHERE name = $1", [MARK])


def _layouts_without_key(connection: duckdb.DuckDBPyConnection, contract: Contract) -> Iterator[tuple[str, str]]:
    """Layouts in which the source came, with SQL of the key that each makes of a row."""
    for name in layouts_of(contract):
        made_key = key_made_by(contract, name)
        query = "SELECT 1 FROM ledger.batches WHERE source = $1 AND layout = $2 LIMIT 1"
        if made_key is not None and connection.execute(query, [contract.source, name]).fetchone() is not None:
            yield name, made_key


def _note(
    connection: duckdb.DuckDBPyConnection, contract: Contract, name: str, made_key: str, keyed: Iterable[_Rows]
) -> None:
    for rows in keyed:
        query = load_sql("warehouse.loading", "same_records.sql").format(
            states=states_table(contract), rows=rows.relation, made_key=made_key
        )
        named = {"source": contract.source, "rows_batch": rows.batch_id, "layout": name}
        connection.execute(query, named | rows.parameters)


def _archived(connection: duckdb.DuckDBPyConnection, home: Home, contract: Contract, name: str) -> Iterator[_Rows]:
    """What came with keys, delivery by delivery, as far as the archive still has it."""
    keyed = connection.execute(
        "SELECT batch_id, sha256, layout, decimal_comma, is_typed FROM ledger.batches "
        "WHERE source = $1 AND layout IS DISTINCT FROM $2 ORDER BY batch_id",
        [contract.source, name],
    ).fetchall()
    for number, sha256, layout, decimal_comma, is_typed in keyed:
        archive = home.landed_file(contract.source, sha256)
        if archive.exists():
            absent = absent_columns(connection, contract, layout, [str(archive)])
            typed = typed_rows(
                contract, FileTraits(decimal_comma, is_typed), landed_rows(contract, layout, absent=absent)
            )
            yield _Rows(number, f"({typed})", {"landing": str(archive), "batch_id": number})


def _finding(contract: Contract, layout: str, keys: list[str]) -> Finding:
    shown = ", ".join(keys[:SHOWN_KEYS]) + (", ..." if len(keys) > SHOWN_KEYS else "")
    return Finding(
        "same record", False,
        f"{len(keys):,} of {contract.source} came both with an id and in the layout {layout}, which has none; the row with an id counts: {shown}",
        f"{len(keys):,} usulan {contract.source} datang dengan nomor usulan dan juga dalam tata letak {layout} yang tanpa nomor; "
        f"yang dihitung baris dengan nomor usulan: {shown}",
    )  # fmt: skip
