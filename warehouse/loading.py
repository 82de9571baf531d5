"""Takes deliveries of one source in: landing, typed rows, rules, identity, states, quarantine, validation.

Deliveries go through one by one, in order; a group of them is validated and committed together. Great Expectations costs a
quarter of a second a call whatever the rows, so a night of many small files asks it once a source. At any kill a group is in
whole, with its counts, or not at all.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from expectations.contract import Contract, load_contract
from expectations.identity import CONFLICTS, group_rows
from expectations.layout import layouts_of
from expectations.rules import validated_rows
from expectations.suite import EngineError, RuleCount
from warehouse.connection import Warehouse
from warehouse.delivery import land_delivery
from warehouse.delivery_load import BatchCounts, DeliveryLoad
from warehouse.inbox import Delivery
from warehouse.known import Known, known_as, note_repeat
from warehouse.ledger import UNPUBLISHED, Run, enter_refusal, write_meta
from warehouse.queries import roll_back, single_value
from warehouse.refusal import DeliveryRefused
from warehouse.stopping import check_stopped
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


Result = BatchCounts | Refusal | Known


@dataclass
class _Group:
    """Deliveries that are loaded but not yet validated and committed; ``counts`` are the rows that break each rule."""

    rows: int = 0
    batches: list[BatchCounts] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    landed: list[tuple[str, Path]] = field(default_factory=list)

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
        self._tell: Callable[[Delivery, Result], None] = lambda delivery, result: None
        self._unsettled: list[tuple[Delivery, Result]] = []

    def take_in(self, deliveries: list[Delivery], tell: Callable[[Delivery, Result], None]) -> None:
        """Takes them in, in order; ``tell`` hears of each: its counts once they are committed, its refusal, or what it repeats.

        Raises EngineError where the validator fails or differs from the quarantine: then nothing of the group stays.
        """
        self._tell = tell
        try:
            for delivery in deliveries:
                result = self._take_in(delivery)
                # Only now: a large delivery settles those before it.
                self._unsettled.append((delivery, result))
                if self._group is None or self._group.rows >= GROUP_ROWS:
                    self._close_group()
            self._close_group()
        except BaseException:
            self._abandon_group()
            raise

    def _settle(self) -> None:
        """Tells what stands from now on, whatever happens."""
        settled, self._unsettled = self._unsettled, []
        for delivery, result in settled:
            self._tell(delivery, result)

    def _take_in(self, delivery: Delivery) -> Result:
        sha256 = None
        try:
            with self.watch.step("hashing"):
                sha256 = delivery.sha256(self.warehouse.home)
            if (known := known_as(self.connection, delivery, sha256)) is not None:
                note_repeat(self.connection, self.run, delivery, sha256, known)
                return known
            return self._load(delivery, sha256)
        except DeliveryRefused as refused:
            # A read that a signal broke off looks like a damaged file.
            check_stopped()
            # Refusals come before anything of the delivery is written, so the group goes on without it.
            enter_refusal(self.connection, self.run, delivery, sha256, refused)
            return Refusal(delivery.file, refused.message, refused.message_id)

    def _load(self, delivery: Delivery, sha256: str) -> BatchCounts:
        home = self.warehouse.home
        target = home.landed_file(delivery.source, sha256)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            with self.watch.step("landing"):
                landed = land_delivery(
                    delivery.path(home),
                    delivery.file,
                    self.contract.delivered_names,
                    target,
                    home.spool,
                    layouts=layouts_of(self.contract),
                )
            if landed.rows >= GROUP_ROWS:
                self._close_group()
            group = self._open_group()
            load = DeliveryLoad(self.warehouse, self.contract, delivery, sha256, self.run, landed, self.watch)
            counts = load.run()
        except BaseException:
            self._drop_landed(sha256, target)
            raise
        group.landed.append((sha256, target))
        with self.watch.step("validation"):
            self._show_to_validator(is_first=not group.batches, is_alone=landed.rows >= GROUP_ROWS)
        group.add(counts, load.rule_counts)
        return counts

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
            self._settle()
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
        self._settle()

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
            roll_back(self.connection)
            for sha256, target in group.landed:
                self._drop_landed(sha256, target)

    def _drop_landed(self, sha256: str, target: Path) -> None:
        """The archive keeps what was taken in, nothing else; the same bytes may stand there from an earlier delivery."""
        query = "SELECT 1 FROM ledger.batches WHERE source = $1 AND sha256 = $2"
        if single_value(self.connection, query, [self.contract.source, sha256]) is None:
            target.unlink(missing_ok=True)
