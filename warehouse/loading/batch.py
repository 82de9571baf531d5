"""The steps of one delivery inside its transaction; each leaves a temporary table, or rows in the warehouse.

Everything that can refuse the delivery comes before the first row is written.
"""

from dataclasses import asdict, dataclass

from expectations.contract import Contract
from expectations.identity import (
    CONTESTED,
    repeated_states,
    state_at,
    state_columns,
    states_table,
)
from expectations.layout import delivered_place, landed_names
from expectations.rule import Rule
from expectations.rules import condition, known_categories, told, warning_counts
from transforms.sql import identifier, load_sql
from warehouse.facts.digests import intake_of
from warehouse.landing.delivery import Landed, sha256_of
from warehouse.landing.inbox import Delivery
from warehouse.landing.line_numbers import keep_shifts, letter_of, line_of
from warehouse.landing.refusal import DeliveryRefused
from warehouse.loading.checks import (
    check_file,
    check_history,
    check_totals,
    keep_findings,
)
from warehouse.loading.held_files import write_held_file
from warehouse.loading.judged_rows import decide_identity, judge_rows, read_rows
from warehouse.loading.same_records import note_same_records
from warehouse.store.connection import Warehouse
from warehouse.store.failures import GateFailed
from warehouse.store.places import place
from warehouse.store.queries import first_row, single_value
from warehouse.store.runs import Run
from warehouse.store.stopwatch import Stopwatch


@dataclass(frozen=True)
class BatchCounts:
    """What became of a delivery's rows: landed = accepted + quarantined + duplicate."""

    source: str
    file: str
    landed: int
    accepted: int
    quarantined: int
    duplicate: int


class DeliveryLoad:
    """One delivery, from its landed text to states and quarantine. ``rule_counts``: rows that break each rule.

    ``batch_id`` is given where a recorded delivery is taken in again; else it is the next one.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        contract: Contract,
        delivery: Delivery,
        sha256: str,
        run: Run,
        landed: Landed,
        watch: Stopwatch,
        batch_id: int | None = None,
    ) -> None:
        self.warehouse, self.connection, self.contract, self.delivery = (
            warehouse,
            warehouse.connection,
            contract,
            delivery,
        )
        self.sha256, self.ledger_run, self.landed, self.watch = sha256, run, landed, watch
        self.batch_id = batch_id or self._one("SELECT coalesce(max(batch_id), 0) + 1 FROM ledger.batches")
        self.rule_counts: dict[str, int] = {}
        self.place = delivery.path(warehouse.home)

    def run(self) -> BatchCounts:
        """Raises DeliveryRefused before anything is written, GateFailed where the written rows do not add up."""
        with self.watch.step("typed rows"):
            self._read_typed_rows()
        with self.watch.step("row rules"):
            findings = check_totals(self.connection, self.contract, self.delivery.file, self.place)
            findings += check_file(self.landed)
            self._refuse_by_rule()
            judge_rows(self.connection, self.contract)
        with self.watch.step("identity"):
            counts = self._decide_identity()
        with self.watch.step("states"):
            self._count_rules()
            self._keep_states(counts)
            self._hold_broken_rows(counts)
            self._keep_places()
            self._update("close_mended_rows.sql")
            self._update("mark_years.sql")
            findings += check_history(self.connection, self.contract, self.batch_id, self.ledger_run.clock)
            self._enter_into_ledger(counts)
            findings += note_same_records(
                self.connection, self.warehouse.home, self.contract, self.batch_id, self.landed.layout
            )
            keep_findings(self.connection, self.batch_id, findings)
        return counts

    def _one(self, query: str, *parameters: object) -> int:
        return int(single_value(self.connection, query, parameters))

    def _update(self, name: str) -> None:
        query = load_sql("warehouse.loading", name).format(
            states=states_table(self.contract), year=self.contract.year, state_at=state_at(self.contract)
        )
        self.connection.execute(query, {"batch_id": self.batch_id, "source": self.contract.source})

    def _read_typed_rows(self) -> None:
        archive = self.warehouse.home.landed_file(self.contract.source, self.sha256)
        read_rows(self.connection, self.contract, self.landed, archive, self.batch_id, self.delivery.file)

    def _refuse_by_rule(self) -> None:
        """Rules of severity ``refuse`` judge the delivery: one row that breaks one, and none of its rows is taken in."""
        for rule in self.contract.all_rules:
            if rule.severity != "refuse":
                continue
            row = first_row(
                self.connection,
                f"SELECT count(*), min(row_number) FROM batch_typed WHERE ({condition(self.contract, rule)}) IS FALSE",
            )
            if row and row[0]:
                column = delivered_place(self.contract, self.contract.column_named(rule.column), self.landed.layout)
                self._keep_shifts()
                line = line_of(self.connection, self.landed.places, "batch_shifts", row[1])
                letter = self._letter_of(rule)
                where = place(row[1], line, [letter] if letter else None)
                raise DeliveryRefused(
                    "rule",
                    f"{self.delivery.file}: {where.text('en')}, column {column}: {rule.id}: {rule.message.en} "
                    f"({row[0]} rows); mend the file and deliver it again",
                    f"{self.delivery.file}: {where.text('id')}, kolom {column}: {rule.id}: {rule.message.id} "
                    f"({row[0]} baris); perbaiki berkas lalu kirim ulang",
                )

    def _decide_identity(self) -> BatchCounts:
        decide_identity(self.connection, self.contract, self.delivery.is_correction)
        faulty = self._one("SELECT count(*) FROM batch_broken")
        duplicates = self._one("SELECT count(*) FROM batch_decisions WHERE decision = 'duplicate'")
        accepted = self._one("SELECT count(*) FROM batch_typed") - faulty - duplicates
        counts = BatchCounts(self.contract.source, self.delivery.file, self.landed.rows, accepted, faulty, duplicates)
        if counts.landed != counts.accepted + counts.quarantined + counts.duplicate:
            raise DeliveryRefused(
                "identity",
                f"{counts.file}: {asdict(counts)} do not add up to the row; report this as a fault of the product",
                f"{counts.file}: {asdict(counts)} tidak cocok sampai ke baris; laporkan sebagai kesalahan produk",
            )
        return counts

    def _count_rules(self) -> None:
        held = "SELECT unnest(reasons) AS rule, count(*) FROM batch_broken GROUP BY rule"
        self.rule_counts = dict(self.connection.execute(held).fetchall())
        if query := warning_counts(self.contract):
            warnings = [rule.id for rule in self.contract.all_rules if rule.severity == "warn"]
            self.rule_counts |= dict(zip(warnings, first_row(self.connection, query) or (), strict=True))

    def _keep_states(self, counts: BatchCounts) -> None:
        table, names = states_table(self.contract), [name for name, _, _ in state_columns(self.contract)][:-3]
        columns = ", ".join(map(identifier, names))
        if self.delivery.is_correction:
            same_state = " AND ".join(
                f"known.{identifier(n)} = clean.{identifier(n)}" for n in ["record_key", *self.contract.order_columns]
            )
            self.connection.execute(
                f"UPDATE {table} AS known SET replaced_by_batch_id = $1 "
                "FROM batch_clean AS clean JOIN batch_decisions USING (row_number) "
                f"WHERE decision = 'accepted' AND known.replaced_by_batch_id IS NULL AND {same_state}",
                [self.batch_id],
            )
        self.connection.execute(
            f"INSERT INTO {table} BY NAME SELECT {columns}, $1 AS batch_id, row_number, CASE WHEN is_superseded THEN $1 END AS replaced_by_batch_id "
            "FROM batch_clean LEFT JOIN batch_decisions USING (row_number) WHERE coalesce(decision, 'accepted') = 'accepted'",
            [self.batch_id],
        )
        kept = self._one(f"SELECT count(*) FROM {table} WHERE batch_id = $1", self.batch_id)
        if kept != counts.accepted:
            raise GateFailed(
                f"{counts.file}: {kept} states were kept of {counts.accepted} accepted rows; nothing is published"
            )
        if doubles := self._one(f"SELECT count(*) FROM ({repeated_states(self.contract, CONTESTED)})"):
            raise GateFailed(
                f"{counts.file}: {doubles} keys stand more than once with one state time over all deliveries; nothing is published; "
                "report this as a fault of the product"
            )

    def _hold_broken_rows(self, counts: BatchCounts) -> None:
        if not counts.quarantined:
            return
        part = self.contract.part or "CAST(NULL AS VARCHAR)"
        self.connection.execute(
            "INSERT INTO quarantine.held_rows BY NAME SELECT $1 AS batch_id, $2 AS source, row_number, list_sort(reasons) AS reasons, "
            f"record_key, try_cast({self.contract.year} AS INTEGER) AS year, {part} AS part, {state_at(self.contract)} AS state_at, "
            f"{known_categories(self.contract)} AS categories FROM batch_broken JOIN batch_typed USING (row_number)",
            [self.batch_id, self.contract.source],
        )
        write_held_file(self.connection, self.warehouse.home, self.contract.source, self.batch_id, self.sha256)

    def _keep_shifts(self) -> None:
        landed = self.warehouse.home.landed_file(self.contract.source, self.sha256)
        keep_shifts(
            self.connection, self.landed.places, landed, landed_names(self.contract, self.landed.layout), "batch_shifts"
        )

    def _letter_of(self, rule: Rule) -> str | None:
        column = self.contract.column_named(rule.column)
        return letter_of(self.contract, column, self.landed.layout, self.landed.places)

    def _keep_places(self) -> None:
        """Where the rows stand in the file, for all that names one of them later."""
        places = self.landed.places
        if places.first_line is None:
            return
        letters = {rule.id: letter for rule in self.contract.all_rules if (letter := self._letter_of(rule))}
        self.connection.execute(
            "INSERT INTO ledger.places SELECT $1, $2, map($3::VARCHAR[], $4::VARCHAR[])",
            [self.batch_id, places.first_line, list(letters), list(letters.values())],
        )
        if not places.is_regular:
            self._keep_shifts()
            self.connection.execute(
                "INSERT INTO ledger.line_shifts SELECT $1, row_number, shift FROM batch_shifts", [self.batch_id]
            )

    def _enter_into_ledger(self, counts: BatchCounts) -> None:
        entry = {
            "batch_id": self.batch_id, "run_id": self.ledger_run.run_id, "source": counts.source, "file": counts.file,
            "sha256": self.sha256, "is_correction": self.delivery.is_correction, "format": self.landed.format,
            "decimal_comma": self.landed.decimal_comma, "is_typed": self.landed.is_typed, "landed": counts.landed,
            "accepted": counts.accepted, "quarantined": counts.quarantined, "duplicate": counts.duplicate,
            "archive_sha256": sha256_of(self.warehouse.home.landed_file(self.contract.source, self.sha256)),
            "layout": self.landed.layout,
        }  # fmt: skip
        self.connection.execute(
            f"INSERT INTO ledger.batches ({', '.join(entry)}) VALUES ({', '.join(f'${name}' for name in entry)})", entry
        )
        judged_by = intake_of(self.contract.source)
        self.connection.execute(
            "INSERT INTO ledger.intakes VALUES ($1, $2, $3, $4)",
            [self.ledger_run.run_id, self.batch_id, judged_by.contract, judged_by.code],
        )
        rules = self.contract.all_rules
        # One statement: a statement a rule takes longer than all else of a small delivery.
        self.connection.execute(
            "INSERT INTO ledger.validation_results (batch_id, source, rule, severity, rows_checked, rows_failed, judged_by) "
            "SELECT $1, $2, unnest($3), unnest($4), $5, unnest($6), unnest($7)",
            [
                self.batch_id, counts.source, [rule.id for rule in rules], [rule.severity for rule in rules], counts.landed,
                [self.rule_counts.get(rule.id, 0) for rule in rules],
                [told(self.contract, rule).judgement for rule in rules],
            ],
        )  # fmt: skip
