"""Takes deliveries of one source in: landing, typed rows, rules, identity, states, quarantine, validation.

Deliveries go through one by one, in order; a group of them is validated and committed together. Great Expectations costs a
quarter of a second a call whatever the rows, so a night of many small files asks it once a source. At any kill a group is in
whole, with its counts, or not at all.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import duckdb

from expectations.contract import Contract, load_contract
from expectations.identity import CONFLICTS, group_rows
from expectations.layout import layouts_of
from expectations.rules import validated_rows
from expectations.suite import EngineError, RuleCount
from warehouse.connection import Warehouse
from warehouse.delivery import Landed, land_delivery
from warehouse.delivery_load import BatchCounts, DeliveryLoad
from warehouse.file_fault import is_fault_of, unexpected
from warehouse.inbox import Delivery
from warehouse.ledger import UNPUBLISHED, Run, enter_refusal, write_meta
from warehouse.queries import single_value
from warehouse.refusal import DeliveryRefused
from warehouse.stopwatch import START_UP, Stopwatch
from warehouse.validation_report import write_raw

# A group is closed at this many rows, so that neither its transaction nor its table of rows grows with the history.
GROUP_ROWS = 250_000


@dataclass(frozen=True)
class Refusal:
    """A delivery that was refused whole, with the remedy in both languages."""

    file: str
    message: str
    message_id: str


Result = BatchCounts | Refusal | None


@dataclass
class _Group:
    """Deliveries that are loaded but not yet validated and committed; ``counts`` are the rows that break each rule.

    ``steps`` do again what was done of them, where a delivery that failed half-way takes the transaction along.
    """

    rows: int = 0
    batches: list[BatchCounts] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    landed: list[str] = field(default_factory=list)
    steps: list[Callable[[], object]] = field(default_factory=list)

    def add(self, batch: BatchCounts, rule_counts: dict[str, int]) -> None:
        self.batches.append(batch)
        self.rows += batch.landed
        self.counts.update(rule_counts)


class SourceLoad:
    """Takes in the deliveries of one source for a run."""

    def __init__(self, warehouse: Warehouse, source: str, run: Run, watch: Stopwatch) -> None:
        self.warehouse, self.connection = warehouse, warehouse.connection
        self.contract: Contract = load_contract(source).on(run.clock.date())
        self.run, self.watch = run, watch
        self._group: _Group | None = None

    def take_in(self, deliveries: list[Delivery], tell: Callable[[Delivery, Result], None]) -> None:
        """Takes them in, in order; ``tell`` hears of each: its counts, its refusal, or None where it is known already.

        Raises EngineError where the validator fails or differs from the quarantine: then nothing of the group stays.
        """
        try:
            for delivery in deliveries:
                tell(delivery, self._take_in(delivery))
                if self._group and self._group.rows >= GROUP_ROWS:
                    self._close_group()
            self._close_group()
        except BaseException:
            self._abandon_group()
            raise

    def _take_in(self, delivery: Delivery) -> Result:
        sha256 = None
        try:
            with self.watch.step("hashing"):
                sha256 = delivery.sha256(self.warehouse.home)
            if _is_known(self.connection, delivery, sha256):
                return None
            landed = self._land(delivery, sha256)
        except Exception as problem:
            return self._refuse_for(problem, delivery, sha256)
        if self._group and landed.rows >= GROUP_ROWS:
            self._group.landed.append(sha256)
            self._close_group()
        try:
            counts = self._join_group(delivery, sha256, landed)
        except Exception as problem:
            return self._refuse_for(problem, delivery, sha256)
        self._open_group().steps.append(partial(self._join_group, delivery, sha256, landed))
        return counts

    def _refuse_for(self, problem: Exception, delivery: Delivery, sha256: str | None) -> Refusal:
        """Refuses the delivery; raises the problem again where it is not the delivery's own."""
        if isinstance(problem, DeliveryRefused):
            # Refusals come before anything of the delivery is written, so the group goes on without it.
            return self._refuse(delivery, sha256, problem)
        if not is_fault_of(problem, delivery.path(self.warehouse.home)):
            raise problem
        self._begin_group_again()
        return self._refuse(delivery, sha256, unexpected(problem, delivery.file))

    def _refuse(self, delivery: Delivery, sha256: str | None, refused: DeliveryRefused) -> Refusal:
        if sha256 is not None:
            self._drop_landed(sha256)
        enter = partial(enter_refusal, self.connection, self.run, delivery, sha256, refused)
        enter()
        if self._group:
            self._group.steps.append(enter)
        return Refusal(delivery.file, refused.message, refused.message_id)

    def _land(self, delivery: Delivery, sha256: str) -> Landed:
        home = self.warehouse.home
        target = home.landed_file(delivery.source, sha256)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        with self.watch.step("landing"):
            return land_delivery(
                delivery.path(home),
                delivery.file,
                self.contract.delivered_names,
                target,
                home.spool,
                layouts=layouts_of(self.contract),
            )

    def _join_group(self, delivery: Delivery, sha256: str, landed: Landed) -> BatchCounts:
        """The landed delivery, loaded into the open group."""
        group = self._open_group()
        group.landed.append(sha256)
        load = DeliveryLoad(self.warehouse, self.contract, delivery, sha256, self.run, landed, self.watch)
        try:
            counts = load.run()
        except BaseException:
            self.warehouse.home.held_file(delivery.source, load.batch_id).unlink(missing_ok=True)
            raise
        with self.watch.step("validation"):
            self._show_to_validator(is_first=not group.batches, is_alone=landed.rows >= GROUP_ROWS)
        group.add(counts, load.rule_counts)
        return counts

    def _begin_group_again(self) -> None:
        """What the group held before the delivery that failed, in a new transaction: the old one may be broken."""
        group, self._group = self._group, None
        if group is not None:
            self.connection.execute("ROLLBACK")
            again = self._open_group()
            for step in group.steps:
                step()
            again.steps = group.steps

    def _open_group(self) -> _Group:
        if self._group is None:
            self.connection.execute("BEGIN")
            self._group = _Group()
        return self._group

    def _show_to_validator(self, is_first: bool, is_alone: bool) -> None:
        """The delivery's rows join those of the group; a large delivery is a group of its own and is not copied."""
        rows = group_rows(single_value(self.connection, f"SELECT 1 {CONFLICTS} LIMIT 1") is not None)
        if not is_first:
            self.connection.execute(f"INSERT INTO stacked_rows BY NAME {rows}")
            return
        self.connection.execute("DROP VIEW IF EXISTS validated_rows")
        if is_alone:
            self.connection.execute(f"CREATE OR REPLACE TEMP VIEW lone_rows AS {rows}")
        else:
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE stacked_rows AS {rows}")
        view = validated_rows(self.contract, "lone_rows" if is_alone else "stacked_rows")
        self.connection.execute(f"CREATE TEMP VIEW validated_rows AS {view}")

    def _close_group(self) -> None:
        """Validates what the group brought, compares the two engines, commits."""
        group, self._group = self._group, None
        if group is None:
            return
        try:
            if group.batches:
                with self.watch.step(START_UP):
                    self.warehouse.validator.start()
                with self.watch.step("validation"):
                    self._compare(group, self.warehouse.validator.count_broken_rules(self.contract, group.rows))
                with self.watch.step("report"):
                    write_raw(self.warehouse.home, self.run, self.contract.source, self.warehouse.validator.last_result)
                write_meta(self.connection, UNPUBLISHED, "yes")
            self.connection.execute("COMMIT")
        except BaseException:
            self._group = group
            raise

    def _compare(self, group: _Group, counts: list[RuleCount]) -> None:
        """Two engines judged the same rows by the same contract; where they differ, neither may be believed."""
        for count in counts:
            if count.rows_failed != (ours := group.counts.get(count.rule, 0)):
                files = ", ".join(batch.file for batch in group.batches)
                raise EngineError(
                    f"{files}: rule {count.rule}: the validator counts {count.rows_failed} failing rows, the row rules {ours}; "
                    "nothing of this run is published; report this as a fault of the product"
                )

    def _abandon_group(self) -> None:
        group, self._group = self._group, None
        if group is not None:
            self.connection.execute("ROLLBACK")
            for sha256 in group.landed:
                self._drop_landed(sha256)

    def _drop_landed(self, sha256: str) -> None:
        """The archive keeps what was taken in, nothing else; the same bytes may stand there from an earlier delivery."""
        query = "SELECT 1 FROM ledger.batches WHERE source = $1 AND sha256 = $2"
        if single_value(self.connection, query, [self.contract.source, sha256]) is None:
            self.warehouse.home.landed_file(self.contract.source, sha256).unlink(missing_ok=True)


def _is_known(connection: duckdb.DuckDBPyConnection, delivery: Delivery, sha256: str) -> bool:
    """Whether the same bytes were taken in for the same source with the same standing (ruling 22)."""
    query = "SELECT 1 FROM ledger.batches WHERE source = $1 AND sha256 = $2 AND is_correction = $3"
    return single_value(connection, query, [delivery.source, sha256, delivery.is_correction]) is not None
