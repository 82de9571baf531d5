"""Takes deliveries of one source in: landing, typed rows, rules, identity, states, quarantine, validation.

Deliveries go through one by one, in order; a group of them is validated and committed together. Great Expectations costs a
quarter of a second a call whatever the rows, so a night of many small files asks it once a source. At any kill a group is in
whole, with its counts, or not at all.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from expectations.contract import Contract, load_contract
from expectations.identity import CONFLICTS, group_rows
from expectations.layout import layouts_of
from expectations.rules import validated_rows
from expectations.suite import EngineError, RuleCount
from transforms.sql import load_sql
from warehouse.landing.archive import Archived, readable
from warehouse.landing.delivery import Landed, land_delivery, sha256_of
from warehouse.landing.inbox import Delivery
from warehouse.landing.known import Known, known_as, note_repeat
from warehouse.landing.refusal import DeliveryRefused
from warehouse.loading.batch import BatchCounts, DeliveryLoad
from warehouse.loading.file_fault import is_fault_of, unexpected
from warehouse.loading.raw_results import write_raw
from warehouse.store.connection import Warehouse
from warehouse.store.queries import roll_back, single_value
from warehouse.store.runs import UNPUBLISHED, Run, write_meta
from warehouse.store.stopping import check_stopped
from warehouse.store.stopwatch import START_UP, Stopwatch

# A group is closed at this many rows, so that neither its transaction nor its table of rows grows with the history.
GROUP_ROWS = 250_000


@dataclass(frozen=True)
class Refusal:
    """A delivery that was refused whole, with the remedy in both languages."""

    file: str
    message: str
    message_id: str


@dataclass(frozen=True)
class Relanded:
    """A delivery that is known, and whose archive was lost: the inbox still had its bytes.

    ``is_restored`` is False where they give another archive than they gave: it is not kept.
    """

    file: str
    is_restored: bool


Result = BatchCounts | Refusal | Known | Relanded


@dataclass
class _Group:
    """Deliveries that are loaded but not yet validated and committed; ``counts`` are the rows that break each rule, by batch.

    ``steps`` do again what was done of them, where a delivery that failed half-way takes the transaction along.
    """

    rows: int = 0
    batches: list[BatchCounts] = field(default_factory=list)
    counts: dict[int, dict[str, int]] = field(default_factory=dict)
    landed: list[str] = field(default_factory=list)
    steps: list[Callable[[], object]] = field(default_factory=list)

    def add(self, batch: BatchCounts, load: DeliveryLoad) -> None:
        self.batches.append(batch)
        self.rows += batch.landed
        self.counts[load.batch_id] = load.rule_counts


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
        """Takes them in, in order; ``tell`` hears of each: its counts once they are committed, its refusal, what it repeats, or that a lost
        archive was landed again.

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

    def take_again(self, archived: list[Archived]) -> None:
        """Takes in, in order, what a warehouse has taken in before, from its archive and under the numbers that it had there.

        Raises ArchiveUnusable, DeliveryRefused where one of them cannot be taken in any more, EngineError: then the warehouse is of no use.
        """
        try:
            for one in archived:
                landed = readable(self.connection, self.warehouse.home, self.contract, one)
                self._load(one.delivery, one.sha256, landed, one.batch_id)
                if self._open_group().rows >= GROUP_ROWS:
                    self._close_group()
            self._close_group()
        except BaseException:
            # The archive is another home's: nothing of it goes.
            roll_back(self.connection)
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
                self._done(partial(note_repeat, self.connection, self.run, delivery, sha256, known))
                return self._restore_archive(delivery, sha256) or known
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

    def _done(self, step: Callable[[], object]) -> None:
        """Does a step, and again where the group begins anew."""
        step()
        if self._group:
            self._group.steps.append(step)

    def _refuse_for(self, problem: Exception, delivery: Delivery, sha256: str | None) -> Refusal:
        """Refuses the delivery; raises the problem again where it is not the delivery's own."""
        # A read that a signal broke off looks like a damaged file.
        check_stopped()
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
        self._done(partial(self._enter_refusal, delivery, sha256, refused))
        return Refusal(delivery.file, refused.message, refused.message_id)

    def _enter_refusal(self, delivery: Delivery, sha256: str | None, refused: DeliveryRefused) -> None:
        self.connection.execute(
            "INSERT INTO ledger.refusals VALUES ($1, $2, $3, $4, $5, $6, $7)",
            [
                self.run.run_id, delivery.source, delivery.file, sha256, refused.code, refused.message, refused.message_id,
            ],
        )  # fmt: skip

    def _join_group(self, delivery: Delivery, sha256: str, landed: Landed) -> BatchCounts:
        """The landed delivery, loaded into the open group."""
        self._open_group().landed.append(sha256)
        return self._load(delivery, sha256, landed)

    def _load(self, delivery: Delivery, sha256: str, landed: Landed, batch_id: int | None = None) -> BatchCounts:
        group = self._open_group()
        load = DeliveryLoad(self.warehouse, self.contract, delivery, sha256, self.run, landed, self.watch, batch_id)
        try:
            counts = load.run()
        except BaseException:
            self.warehouse.home.held_file(delivery.source, load.batch_id).unlink(missing_ok=True)
            raise
        with self.watch.step("validation"):
            self._show_to_validator(is_first=not group.batches, is_alone=landed.rows >= GROUP_ROWS)
        group.add(counts, load)
        return counts

    def _begin_group_again(self) -> None:
        """What the group held before the delivery that failed, in a new transaction: the old one may be broken."""
        group, self._group = self._group, None
        if group is not None:
            roll_back(self.connection)
            again = self._open_group()
            for step in group.steps:
                step()
            again.steps = group.steps

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

    def _restore_archive(self, delivery: Delivery, sha256: str) -> Relanded | None:
        """Lands a known delivery again where its archive is lost and not purged: without it no number of it can be made again."""
        target = self.warehouse.home.landed_file(delivery.source, sha256)
        if target.exists():
            return None
        query = (
            "SELECT archive_sha256 FROM ledger.batches WHERE source = $1 AND sha256 = $2 "
            "AND batch_id NOT IN (SELECT batch_id FROM ledger.purges) LIMIT 1"
        )
        archive_sha256 = single_value(self.connection, query, [delivery.source, sha256])
        if archive_sha256 is None:
            return None
        self._land(delivery, sha256)
        is_restored: bool = sha256_of(target) == archive_sha256
        if not is_restored:
            target.unlink()
        return Relanded(delivery.file, is_restored)

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
        """Two engines judged the same rows; where they differ, over all deliveries or in one, neither may be believed."""
        total: Counter[str] = sum((Counter(of_delivery) for of_delivery in group.counts.values()), Counter())
        require_equal({count.rule: count.rows_failed for count in counts}, total, [b.file for b in group.batches])
        broken = [count.rule for count in counts if count.rows_failed]
        batch_ids = list(group.counts)
        by_delivery = {batch_ids[0]: {rule: total[rule] for rule in broken}}
        if broken and len(batch_ids) > 1:
            by_delivery = self.warehouse.validator.count_by_delivery(self.contract, broken, batch_ids)
            for batch, batch_id in zip(group.batches, batch_ids, strict=True):
                require_equal(by_delivery[batch_id], group.counts[batch_id], [batch.file])
        counted = [(b, rule, rows) for b, of_delivery in by_delivery.items() for rule, rows in of_delivery.items()]
        batches, rules, rows = zip(*counted, strict=True) if counted else ((), (), ())
        self.connection.execute(
            load_sql("warehouse.loading", "note_validator_counts.sql"),
            {"batch_ids": batch_ids, "counted_batches": batches, "counted_rules": rules, "counts": rows},
        )

    def _abandon_group(self) -> None:
        group, self._group = self._group, None
        if group is not None:
            roll_back(self.connection)
            for sha256 in group.landed:
                self._drop_landed(sha256)

    def _drop_landed(self, sha256: str) -> None:
        """The archive keeps what was taken in, nothing else; the same bytes may stand there from an earlier delivery."""
        query = "SELECT 1 FROM ledger.batches WHERE source = $1 AND sha256 = $2"
        if single_value(self.connection, query, [self.contract.source, sha256]) is None:
            self.warehouse.home.landed_file(self.contract.source, sha256).unlink(missing_ok=True)


def require_equal(theirs: Mapping[str, int], ours: Mapping[str, int], files: list[str]) -> None:
    """Raises EngineError naming the first rule of which the validator counted other rows than the row rules."""
    for rule, count in theirs.items():
        if count != ours.get(rule, 0):
            raise EngineError(
                f"{', '.join(files)}: rule {rule}: the validator counts {count} failing rows, the row rules {ours.get(rule, 0)}; "
                "nothing of this run is published; report this as a fault of the product"
            )
