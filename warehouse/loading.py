"""Takes one delivery in: landing, typed rows, rules, validation, identity, states, quarantine. All in one transaction.

At any kill, the delivery is either in whole, with its counts, or not at all.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

import duckdb

from expectations.contract import Contract, load_contract
from expectations.identity import clean_rows, standing, state_columns, states_table
from expectations.rules import broken_rules
from expectations.suite import EngineError, RuleCount
from expectations.typed_read import FileTraits, mark, typed_rows
from transforms.sql import identifier, load_sql
from warehouse.connection import Warehouse
from warehouse.delivery import Landed, land_delivery
from warehouse.inbox import Delivery
from warehouse.ledger import UNPUBLISHED, write_meta
from warehouse.queries import first_row, single_value
from warehouse.refusal import DeliveryRefused

# A whole column that cannot be read is a changed type, not so many faulty rows; below this many rows nobody can tell.
LEAST_ROWS_OF_A_CHANGED_TYPE = 3


@dataclass(frozen=True)
class BatchCounts:
    """What became of a delivery's rows: landed = accepted + quarantined + duplicate."""

    source: str
    file: str
    landed: int
    accepted: int
    quarantined: int
    duplicate: int


@dataclass
class Stopwatch:
    """Seconds a step, summed over the deliveries of a run."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def is_known(connection: duckdb.DuckDBPyConnection, delivery: Delivery, sha256: str) -> bool:
    """Whether the same bytes were taken in for the same source with the same standing (ruling 22)."""
    query = "SELECT 1 FROM ledger.batches WHERE source = $1 AND sha256 = $2 AND is_correction = $3"
    return single_value(connection, query, [delivery.source, sha256, delivery.is_correction]) is not None


def load_delivery(warehouse: Warehouse, delivery: Delivery, sha256: str, run_id: int, watch: Stopwatch) -> BatchCounts:
    """Takes the delivery in. Raises DeliveryRefused (nothing of it stays) or EngineError (the run must stop)."""
    home, contract = warehouse.home, load_contract(delivery.source)
    target = home.landed_file(delivery.source, sha256)
    target.parent.mkdir(mode=0o700, exist_ok=True)
    with watch.step("landing"):
        landed = land_delivery(delivery.path(home), delivery.file, contract.delivered_names, target, home.spool)
    try:
        with warehouse.transaction() as connection:
            return _Load(warehouse, connection, contract, delivery, sha256, run_id, landed, watch).run()
    except BaseException:
        if not _is_archived(warehouse.connection, delivery.source, sha256):
            target.unlink(missing_ok=True)
        raise


def _is_archived(connection: duckdb.DuckDBPyConnection, source: str, sha256: str) -> bool:
    query = "SELECT 1 FROM ledger.batches WHERE source = $1 AND sha256 = $2"
    return single_value(connection, query, [source, sha256]) is not None


class _Load:
    """The steps of one delivery inside its transaction; each leaves a temporary table or rows in the warehouse."""

    def __init__(
        self,
        warehouse: Warehouse,
        connection: duckdb.DuckDBPyConnection,
        contract: Contract,
        delivery: Delivery,
        sha256: str,
        run_id: int,
        landed: Landed,
        watch: Stopwatch,
    ) -> None:
        self.warehouse, self.connection, self.contract, self.delivery = warehouse, connection, contract, delivery
        self.sha256, self.run_id, self.landed, self.watch = sha256, run_id, landed, watch
        self.batch_id = self._one("SELECT coalesce(max(batch_id), 0) + 1 FROM ledger.batches")

    def run(self) -> BatchCounts:
        with self.watch.step("typed rows"):
            self._read_typed_rows()
        with self.watch.step("row rules"):
            self._temporary("batch_broken", broken_rules(self.contract))
        with self.watch.step("identity"):
            self._decide_identity()
        with self.watch.step("validation"):
            counts = self.warehouse.validator.count_broken_rules(self.contract, self.landed.rows)
        self._compare_with_quarantine(counts)
        with self.watch.step("states"):
            accepted = self._keep_states()
            self._hold_broken_rows()
            self._close_mended_rows()
            self._mark_years()
        return self._enter_into_ledger(accepted, counts)

    def _one(self, query: str, *parameters: object) -> int:
        return int(single_value(self.connection, query, parameters))

    def _temporary(self, name: str, query: str, parameters: dict[str, object] | None = None) -> None:
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}", parameters or {})

    def _read_typed_rows(self) -> None:
        traits = FileTraits(self.landed.decimal_comma, self.landed.is_typed)
        landing = str(self.warehouse.home.landed_file(self.contract.source, self.sha256))
        self._temporary("batch_typed", typed_rows(self.contract, traits), {"landing": landing})
        columns = [column for column in self.contract.columns if column.can_be_unreadable and column.identity]
        sums = ", ".join(
            f"count(*) FILTER ({mark(c, 'unreadable')}), count(*) FILTER ({identifier(c.column)} IS NOT NULL OR {mark(c, 'unreadable')})"
            for c in columns
        )
        row = first_row(self.connection, f"SELECT {sums} FROM batch_typed") or ()
        for column, unreadable, given in zip(columns, row[::2], row[1::2], strict=True):
            if unreadable == given >= LEAST_ROWS_OF_A_CHANGED_TYPE:
                raise DeliveryRefused(
                    "changed_type",
                    f"{self.delivery.file}: column {column.name}: none of its {given} values can be read as {column.type}"
                    f"{f' ({column.format})' if column.format else ''}; deliver the column in its agreed type",
                    f"{self.delivery.file}: kolom {column.name}: tidak satu pun dari {given} nilainya terbaca sebagai {column.type}"
                    f"{f' ({column.format})' if column.format else ''}; kirim kolom ini dalam tipe yang disepakati",
                )

    def _decide_identity(self) -> None:
        self._temporary("batch_clean", clean_rows(self.contract))
        self._temporary("batch_standing", standing(self.contract, self.delivery.is_correction))
        self._temporary("batch_conflicts", "SELECT row_number FROM batch_standing WHERE standing = 'conflict'")
        self.connection.execute(
            "INSERT INTO batch_broken SELECT row_number, [$1] FROM batch_conflicts",
            [f"{self.contract.prefix}-CONFLICT"],
        )

    def _compare_with_quarantine(self, counts: list[RuleCount]) -> None:
        """Two engines judged the same rows by the same contract; where they differ, neither may be believed."""
        held = dict(
            self.connection.execute(
                "SELECT unnest(reasons) AS reason, count(*) FROM batch_broken GROUP BY reason"
            ).fetchall()
        )
        for count in counts:
            if count.severity == "quarantine" and count.rows_failed != held.get(count.rule, 0):
                raise EngineError(
                    f"{self.delivery.file}: rule {count.rule}: the validator counts {count.rows_failed} failing rows, "
                    f"the quarantine {held.get(count.rule, 0)}; nothing of this run is published"
                )

    def _keep_states(self) -> int:
        table, names = states_table(self.contract), [name for name, _, _ in state_columns(self.contract)][:-3]
        columns = ", ".join(map(identifier, names))
        if self.delivery.is_correction:
            keys = " AND ".join(
                f"known.{identifier(n)} = clean.{identifier(n)}" for n in ["record_key", *self.contract.order_columns]
            )
            self.connection.execute(
                f"UPDATE {table} AS known SET replaced_by_batch_id = $1 FROM batch_clean AS clean JOIN batch_standing USING (row_number) "
                f"WHERE standing = 'accepted' AND known.replaced_by_batch_id IS NULL AND {keys}",
                [self.batch_id],
            )
        self.connection.execute(
            f"INSERT INTO {table} SELECT {columns}, $1, row_number, CASE WHEN is_superseded THEN $1 END "
            "FROM batch_clean LEFT JOIN batch_standing USING (row_number) WHERE coalesce(standing, 'accepted') = 'accepted'",
            [self.batch_id],
        )
        return self._one(f"SELECT count(*) FROM {table} WHERE batch_id = $1", self.batch_id)

    def _hold_broken_rows(self) -> None:
        part = self.contract.part or "CAST(NULL AS VARCHAR)"
        self.connection.execute(
            f"INSERT INTO quarantine.held_rows SELECT $1, $2, row_number, list_sort(reasons), record_key, "
            f"try_cast({self.contract.year} AS INTEGER), {part}, NULL FROM batch_broken JOIN batch_typed USING (row_number)",
            [self.batch_id, self.contract.source],
        )
        if self._one("SELECT count(*) FROM batch_broken"):
            home = self.warehouse.home
            target = home.held_file(self.contract.source, self.batch_id)
            target.parent.mkdir(mode=0o700, exist_ok=True)
            landing = str(home.landed_file(self.contract.source, self.sha256))
            names = ", ".join(f"landed.{identifier(name)}" for name in self.contract.delivered_names)
            self.connection.execute(
                f"COPY (SELECT row_number, reasons, {names} FROM batch_broken JOIN read_parquet($1, file_row_number = true) AS landed "
                "ON landed.file_row_number + 1 = row_number ORDER BY row_number) TO $2 (FORMAT parquet, COMPRESSION zstd)",
                [landing, str(target)],
            )

    def _close_mended_rows(self) -> None:
        """A later accepted row of the same key closes a held one, of this delivery too (ruling 18)."""
        self.connection.execute(
            load_sql("warehouse.sql", "close_mended_rows.sql").format(states=states_table(self.contract)),
            {"batch_id": self.batch_id, "source": self.contract.source},
        )

    def _mark_years(self) -> None:
        self.connection.execute(
            load_sql("warehouse.sql", "mark_years.sql").format(
                states=states_table(self.contract), year=self.contract.year
            ),
            {"batch_id": self.batch_id, "source": self.contract.source},
        )

    def _enter_into_ledger(self, accepted: int, rules: list[RuleCount]) -> BatchCounts:
        counts = BatchCounts(
            self.contract.source,
            self.delivery.file,
            self.landed.rows,
            accepted,
            self._one("SELECT count(*) FROM batch_broken"),
            self._one("SELECT count(*) FROM batch_standing WHERE standing = 'duplicate'"),
        )
        typed = self._one("SELECT count(*) FROM batch_typed")
        if not typed == counts.landed == counts.accepted + counts.quarantined + counts.duplicate:
            raise DeliveryRefused(
                "identity",
                f"{counts.file}: {asdict(counts)} do not add up to the row; the delivery is refused, report this as a fault of the product",
                f"{counts.file}: {asdict(counts)} tidak cocok sampai ke baris; kiriman ditolak, laporkan sebagai kesalahan produk",
            )
        self.connection.execute(
            "INSERT INTO ledger.batches VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            [
                self.batch_id,
                self.run_id,
                counts.source,
                counts.file,
                self.sha256,
                self.delivery.is_correction,
                self.landed.format,
                self.landed.decimal_comma,
                self.landed.is_typed,
                counts.landed,
                counts.accepted,
                counts.quarantined,
                counts.duplicate,
            ],
        )
        self.connection.executemany(
            "INSERT INTO ledger.validation_results VALUES ($1, $2, $3, $4, $5, $6)",
            [
                [self.batch_id, counts.source, rule.rule, rule.severity, rule.rows_checked, rule.rows_failed]
                for rule in rules
            ],
        )
        write_meta(self.connection, UNPUBLISHED, "yes")
        return counts
