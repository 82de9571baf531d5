"""Applies ``corrections.yml``: the standing row of an entry is taken in again with one value corrected, as a correction.

So it goes the way of every delivery: archived, checked by the rules, counted, explained, reproduced.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from expectations.contract import Contract, load_contract
from expectations.corrections import Correction, read_corrections
from expectations.identity import states_table
from expectations.layout import landed_rows
from expectations.typed_read import delivered_text, keyed_hash
from transforms.sql import identifier
from warehouse.landing.archive import absent_columns
from warehouse.landing.inbox import Delivery
from warehouse.landing.line_numbers import known_place
from warehouse.loading.batch import BatchCounts
from warehouse.loading.group import Refusal, Result, SourceLoad
from warehouse.store.connection import Warehouse
from warehouse.store.home import Home
from warehouse.store.queries import first_row, single_value
from warehouse.store.runs import Run
from warehouse.store.stopwatch import Stopwatch

FILE = "corrections.yml"


@dataclass(frozen=True)
class _Standing:
    """The row that stands for an entry: its delivery and row, its key in the warehouse, and what it delivers of the column."""

    batch_id: int
    file: str
    sha256: str
    layout: str | None
    row_number: int
    record_key: str
    delivered: str | None


def apply_corrections(
    warehouse: Warehouse, run: Run, watch: Stopwatch, tell: Callable[[Delivery, Result], None]
) -> list[Refusal]:
    """Takes in what is not applied yet; gives the entries that cannot hold, each with what to do; the file whole where it is at fault."""
    refused: list[Refusal] = []
    try:
        entries = read_corrections(warehouse.home.root / FILE)
    except ValueError as fault:
        # A slip in it must not stop the night: nothing of it is applied, and it is named until it is mended.
        remedy = (
            "; none of its entries is applied; mend the file",
            "; tidak ada entri yang diterapkan; perbaiki berkasnya",
        )
        return [Refusal(FILE, f"{fault}{remedy[0]}", f"{fault}{remedy[1]}")]
    for entry in entries:
        problem = _Application(warehouse, entry).apply(run, watch, tell)
        if problem:
            refused.append(
                Refusal(f"{FILE}: {entry.id}", f"{FILE}: {entry.id}: {problem[0]}", f"{FILE}: {entry.id}: {problem[1]}")
            )
    return refused


@dataclass(frozen=True)
class DueCorrections:
    """Ids of the entries that the next run will apply or refuse; ``problem``: what is wrong with the file, of which then none is applied."""

    entries: list[str]
    problem: str | None = None


def due_corrections(connection: duckdb.DuckDBPyConnection, home: Home) -> DueCorrections:
    """What of ``corrections.yml`` was not applied yet."""
    try:
        entries = read_corrections(home.root / FILE)
    except ValueError as fault:
        return DueCorrections([], str(fault))
    return DueCorrections([entry.id for entry in entries if _applied(connection, entry) is None])


def _applied(connection: duckdb.DuckDBPyConnection, entry: Correction) -> tuple[str, int] | None:
    """(digest, delivery) under which the entry was applied; None where it was not."""
    query = "SELECT digest, batch_id FROM ledger.corrections WHERE correction_id = $1"
    row = first_row(connection, query, [entry.id])
    return None if row is None else (row[0], row[1])


class _Application:
    def __init__(self, warehouse: Warehouse, entry: Correction) -> None:
        self.warehouse, self.connection, self.entry = warehouse, warehouse.connection, entry
        self.contract: Contract = load_contract(entry.source)
        self.delivery = Delivery(entry.source, f"{FILE}/{entry.id}.csv", True, str(self._spooled()))

    def apply(self, run: Run, watch: Stopwatch, tell: Callable[[Delivery, Result], None]) -> tuple[str, str] | None:
        """What is wrong with the entry, in both languages; None where it holds."""
        if (known := _applied(self.connection, self.entry)) is not None:
            return self._applied_before(*known)
        rows = self._standing_rows()
        if len(rows) != 1:
            return (
                f"{len(rows)} standing rows have this key; name the state time too, or remove the entry",
                f"{len(rows)} baris berlaku memiliki kunci ini; sebutkan juga waktu statusnya, atau hapus entri ini",
            )
        (row,) = rows
        if row.file == self.delivery.file:
            # A run that was killed after taking it in could not note it.
            self._note(row.record_key, row.batch_id)
            return None
        if row.delivered != self.entry.expected:
            where = known_place(self.connection, row.batch_id, row.row_number)
            return (
                f"column {self.entry.column} of {row.file} {where.text('en')} does not hold the expected value any more; "
                "look whether the source has mended it, then remove or renew the entry",
                f"kolom {self.entry.column} pada {row.file} {where.text('id')} tidak lagi berisi nilai yang diharapkan; "
                "periksa apakah sumber sudah memperbaikinya, lalu hapus atau perbarui entri ini",
            )
        return self._take_in(row, run, watch, tell)

    def _applied_before(self, digest: str, batch_id: int) -> tuple[str, str] | None:
        """An applied entry holds while it says the same and nothing has replaced the row that it made."""
        if digest != self._digest():
            return (
                "this entry was applied and has changed since; give the new one an id of its own",
                "entri ini sudah diterapkan lalu berubah; beri id tersendiri untuk yang baru",
            )
        replaced_by = single_value(
            self.connection,
            f"SELECT file FROM {states_table(self.contract)} AS states JOIN ledger.readings AS readings USING (batch_id) "
            "JOIN ledger.batches AS batches ON batches.batch_id = states.replaced_by_batch_id WHERE readings.first_batch_id = $1",
            [batch_id],
        )
        if replaced_by is None:
            return None
        return (
            f"{replaced_by} has replaced what this entry corrected; look which of the two is right, then remove the entry",
            f"{replaced_by} sudah menggantikan koreksi entri ini; periksa mana yang benar, lalu hapus entri ini",
        )

    def _take_in(
        self, row: _Standing, run: Run, watch: Stopwatch, tell: Callable[[Delivery, Result], None]
    ) -> tuple[str, str] | None:
        results: list[Result] = []

        def hear(delivery: Delivery, result: Result) -> None:
            results.append(result)
            tell(delivery, result)

        self._write(row)
        try:
            SourceLoad(self.warehouse, self.entry.source, run, watch).take_in([self.delivery], hear)
        finally:
            self._spooled().unlink(missing_ok=True)
        if any(isinstance(result, BatchCounts) and result.accepted == 1 for result in results):
            query = "SELECT max(batch_id) FROM ledger.batches WHERE source = $1 AND file = $2"
            batch_id = single_value(self.connection, query, [self.entry.source, self.delivery.file])
            self._note(row.record_key, batch_id)
            return None
        return (
            "the corrected row was not accepted; `kpi quarantine` says which rule it breaks",
            "baris yang dikoreksi tidak diterima; `kpi quarantine` menyebut aturan yang dilanggar",
        )

    def _standing_rows(self) -> list[_Standing]:
        """The accepted rows with the entry's key that nothing has replaced, wherever they were delivered."""
        batches = self.connection.execute(
            "SELECT batch_id, file, sha256, layout FROM ledger.batches WHERE source = $1 AND accepted > 0 ORDER BY batch_id",
            [self.entry.source],
        ).fetchall()
        found = []
        for batch_id, file, sha256, layout in batches:
            landed = self.warehouse.home.landed_file(self.entry.source, sha256)
            found += [
                _Standing(batch_id, file, sha256, layout, *row) for row in self._rows_of(batch_id, landed, layout)
            ]
        return found

    def _rows_of(self, batch_id: int, landed: Path, layout: str | None) -> list[tuple[int, str, str | None]]:
        if not landed.exists():
            return []
        names = list(self.entry.key)
        same = " AND ".join(
            f"{delivered_text(identifier(name))} IS NOT DISTINCT FROM ${number + 3}"
            for number, name in enumerate(names)
        )
        return self.connection.execute(
            f"SELECT states.row_number, states.record_key, {delivered_text(identifier(self.entry.column))} "
            f"FROM ({self._landed_rows(landed, layout)}) AS landed JOIN {states_table(self.contract)} AS states "
            f"ON states.batch_id = $2 AND states.row_number = landed.file_row_number + 1 AND replaced_by_batch_id IS NULL WHERE {same}",
            [str(landed), batch_id, *(self.entry.key[name] for name in names)],
        ).fetchall()

    def _write(self, row: _Standing) -> None:
        """The standing row as delivered, with the one value corrected."""
        columns = ", ".join(
            "$2 AS " + identifier(name) if name == self.entry.column else identifier(name)
            for name in self.contract.delivered_names
        )
        landed = self.warehouse.home.landed_file(self.entry.source, row.sha256)
        spooled = self._spooled()
        spooled.touch(mode=0o600)
        self.connection.execute(
            f"COPY (SELECT {columns} FROM ({self._landed_rows(landed, row.layout)}) WHERE file_row_number + 1 = $3) "
            f"TO '{str(spooled).replace(chr(39), chr(39) * 2)}' (HEADER)",
            [str(landed), self.entry.corrected, row.row_number],
        )

    def _landed_rows(self, landed: Path, layout: str | None) -> str:
        """SELECT of an archive; its path is the parameter $1."""
        return landed_rows(
            self.contract, layout, "$1", absent_columns(self.connection, self.contract, layout, [str(landed)])
        )

    def _digest(self) -> str:
        """Keyed hash of the entry: one that was applied must not change under its id."""
        return str(single_value(self.connection, f"SELECT {keyed_hash('$1::VARCHAR')}", [self.entry.content]))

    def _spooled(self) -> Path:
        return self.warehouse.home.spool / f"correction-{self.entry.id}.csv"

    def _note(self, record_key: str, batch_id: int) -> None:
        entry = self.entry
        self.connection.execute(
            "INSERT INTO ledger.corrections VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            [
                entry.id,
                entry.source,
                record_key,
                entry.column,
                self._digest(),
                entry.reason,
                entry.owner,
                batch_id,
            ],
        )
