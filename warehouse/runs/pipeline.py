"""The way of the data, from the inbox to the publication, as plain functions: no Prefect, no command line.

``Pipeline`` has one method a step, so that a flow can run each as a task; ``run_pipeline`` runs them all in order.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from signal import Signals
from typing import Any

import duckdb

from transforms.sql import load_sql
from warehouse.facts.changes import NumberChange
from warehouse.facts.plan import Partition, Plan, plan_partitions
from warehouse.facts.versions import Change
from warehouse.landing.inbox import Delivery, Notice, deliveries, known_notice, notices, strangers
from warehouse.landing.known import Known
from warehouse.loading.batch import BatchCounts
from warehouse.loading.checks import OF_THE_FILE
from warehouse.loading.corrections import apply_corrections
from warehouse.loading.group import Refusal, Relanded, Result, SourceLoad
from warehouse.loading.held_files import Rewritten, restore_held_files
from warehouse.loading.reprocess import Reprocessed, outdated_sources, reprocess
from warehouse.loading.same_records import seek_earlier_ones
from warehouse.publication.switch import current_publication, publish, verify_publication
from warehouse.reading.held_rows import write_index
from warehouse.reconciliation.contested import Contradiction, contradictions, page_lines
from warehouse.reports.validation_pages import write_report
from warehouse.runs.backfill import fresh_from_staging, stage_partition
from warehouse.runs.derive_and_enter import Renewal, renew_facts
from warehouse.store.connection import Warehouse, open_warehouse
from warehouse.store.damage import WAREHOUSE, as_damaged, damage_is_said
from warehouse.store.disk import is_full
from warehouse.store.failures import EnvironmentProblem
from warehouse.store.queries import roll_back, single_value
from warehouse.store.runs import UNPUBLISHED, Run, begin_run, end_run, read_meta, write_meta
from warehouse.store.seal import seal_runs
from warehouse.store.stopping import NAMES, interruptible, leave_words, noticing, stoppable, stopped_by
from warehouse.store.stopwatch import Stopwatch

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Note:
    """What is odd of a delivery that was taken in all the same, in both languages."""

    file: str
    check: str
    message: str
    message_id: str


@dataclass
class RunReport:
    """What a run did, as ``kpi run --json`` prints it. ``seconds`` is our own work by step.

    ``relanded``: those of ``skipped`` whose lost archive was landed again. ``contested``: what contradicts printed numbers now, and
    what it holds back. ``reprocessed``: sources that were judged again, by other rules.
    """

    run: str
    published: bool = False
    batches: list[BatchCounts] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    relanded: list[str] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    pending: list[NumberChange] = field(default_factory=list)
    contested: list[Contradiction] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    reprocessed: list[Reprocessed] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        pending = [
            {"item": p.item, "period": p.period, "old": p.old, "new": p.new, "cause": p.reason} for p in self.pending
        ]
        seconds = {step: round(seconds, 3) for step, seconds in self.seconds.items()}
        return asdict(self) | {"pending": pending, "seconds": seconds}


class Pipeline:
    """One run on an open warehouse. Steps are called in order: ``reprocess``, ``find``, ``take_in`` each, ``correct``, ``renew``, ``publish``, ``end``."""

    def __init__(self, warehouse: Warehouse, as_of: date | None = None) -> None:
        self.warehouse = warehouse
        self.watch = Stopwatch()
        self.run: Run = begin_run(warehouse.connection, as_of)
        self.report = RunReport(self.run.name)
        self._plan: Plan | None = None
        self._is_reported = False
        self._told: set[str] = set()
        self._standing = current_publication(warehouse.home)

    def reprocess(self, progress: Progress) -> int:
        """Judges again, from the archive, the sources whose rows were taken in under other rules. Gives how many deliveries came out otherwise."""
        with self._step():
            with self.warehouse.transaction() as connection:
                seek_earlier_ones(connection, self.warehouse.home)
            done = {result.source for result in self.report.reprocessed}
            due = [found for found in outdated_sources(self.warehouse.connection) if found.source not in done]
            for result in reprocess(self.warehouse, due, self.run, self.watch):
                self.report.reprocessed.append(result)
                if result.problem is not None:
                    self.report.notices.append(judged_before(result))
                progress(describe_reprocessed(result))
        return sum(len(result.changed) for result in self.report.reprocessed)

    def find(self) -> list[tuple[str, list[Delivery]]]:
        """What lies in the inbox, by source, in the order of taking in."""
        self.report.unknown = strangers(self.warehouse.home)
        self.report.notices += notices(self.warehouse.home)
        by_source: dict[str, list[Delivery]] = {}
        for delivery in deliveries(self.warehouse.home):
            by_source.setdefault(delivery.source, []).append(delivery)
        return sorted(by_source.items())

    def take_in(self, source: str, found: list[Delivery], progress: Progress) -> None:
        """Takes in what is new of one source. Each delivery is in the report once it is committed."""

        def tell(delivery: Delivery, result: Result) -> None:
            self._told.add(delivery.file)
            match result:
                case BatchCounts():
                    self.report.batches.append(result)
                case Refusal():
                    self.report.refused.append(result)
                case Relanded():
                    self.report.skipped.append(result.file)
                    if result.is_restored:
                        self.report.relanded.append(result.file)
                case Known():
                    self.report.skipped.append(delivery.file)
                    if result.file == delivery.file:
                        return
                    self.report.notices.append(known_notice(delivery, result.file))
            progress(describe(result, delivery))

        with self._step():
            # A task that is tried again goes on where it was: what was committed is in the report already.
            due = [delivery for delivery in found if delivery.file not in self._told]
            SourceLoad(self.warehouse, source, self.run, self.watch).take_in(due, tell)

    def correct(self, progress: Progress) -> int:
        """Applies the entries of ``corrections.yml``; one that cannot hold is refused. Gives how many rows were corrected."""

        def tell(delivery: Delivery, result: Result) -> None:
            if isinstance(result, BatchCounts):
                self.report.batches.append(result)
                progress(describe(result, delivery))

        before = len(self.report.batches)
        with self._step():
            refused = apply_corrections(self.warehouse, self.run, self.watch, tell)
        self.report.refused += refused
        for refusal in refused:
            progress(f"REFUSED {refusal.message}")
        return len(self.report.batches) - before

    def renew(self) -> list[Change]:
        """Derives and enters what the deliveries and the clock may have changed; what concerns closed years is pending."""
        with self._step():
            return self._told_of(renew_facts(self.warehouse, self.run, self.watch))

    def plan(self, years: list[int]) -> list[Partition]:
        """What a backfill of ``years`` has to do, and what is done."""
        self._plan = plan_partitions(self.warehouse.connection, self.run.clock, years)
        return self._plan.partitions

    def stage(self, item: str, year: int) -> str:
        """Derives one planned partition and keeps it aside; several threads may do so at once. Gives a line of progress."""
        if self._plan is None:
            raise LookupError("nothing is planned yet")
        partition = next(p for p in self._plan.partitions if (p.item.name, p.year) == (item, year))
        with stoppable(), self.warehouse.connection.cursor() as cursor, interruptible(cursor), _full_disk_is_said():
            stage_partition(cursor, partition, self._plan.view, self.run)
        return f"{item} {year}: derived ({partition.state}, {partition.why}, {partition.rows:,} rows)"

    def enter_staged(self, years: list[int]) -> list[Change]:
        """Enters what was staged of ``years``, all or nothing."""
        with self._step():
            return self._told_of(renew_facts(self.warehouse, self.run, self.watch, years, fresh_from_staging))

    def _told_of(self, renewal: Renewal) -> list[Change]:
        self.report.changed, self.report.pending = renewal.changed, renewal.pending
        self.look_for_contradictions()
        return self.report.changed

    def look_for_contradictions(self) -> None:
        """Names in the report what contradicts now, whichever run found it."""
        self.report.contested = contradictions(self.warehouse.connection)

    def publish(self) -> bool:
        """Publishes where anything differs from the last publication, also what an interrupted run left unpublished."""
        with self._step():
            connection = self.warehouse.connection
            for lost in restore_held_files(connection, self.warehouse.home):
                self.report.notices.append(rewritten_notice(lost))
            write_index(connection, self.warehouse.home)
            standing = current_publication(self.warehouse.home)
            # What readers have must be whole too: a damaged publication is made anew.
            is_due = (
                read_meta(connection, UNPUBLISHED) == "yes" or standing is None or bool(verify_publication(standing))
            )
            if is_due:
                self._report("done", None)
                with self.watch.step("publication"):
                    publish(self.warehouse, self.run.run_id, self.run.name)
                    write_meta(connection, UNPUBLISHED, "no")
            self.report.published = is_due
            return is_due

    @contextmanager
    def _step(self) -> Iterator[None]:
        """One task at a time is on the warehouse; what breaks it off is told by what its user must do about it."""
        with self.warehouse.turn, stoppable(), _full_disk_is_said():
            yield

    def _report(self, status: str, message: str | None) -> None:
        with self.watch.step("report"):
            write_report(
                self.warehouse.connection, self.warehouse.home, self.run, status, message,
                [(notice.message, notice.message_id) for notice in self.report.notices], page_lines(self.warehouse.connection),
            )  # fmt: skip
        self._is_reported = True

    def _notes(self) -> list[Note]:
        rows = self.warehouse.connection.execute(
            load_sql("warehouse.reports", "report_checks.sql"), {"run_id": self.run.run_id}
        ).fetchall()
        return [Note(file, check, en, said_id) for _, _, file, check, _, en, said_id in rows if check in OF_THE_FILE]

    def end(self, status: str = "done", message: str | None = None) -> RunReport:
        if status != "done" or not self._is_reported:
            self._report(status, message)
        self.report.notes = self._notes()
        self.report.seconds = dict(self.watch.seconds)
        end_run(self.warehouse.connection, self.run, status, self.watch.seconds, message)
        seal_runs(self.warehouse.connection)
        return self.report

    def break_off(self, failure: BaseException) -> None:
        """Ends the run as failed, or as stopped. What cannot be written any more (a full disk) does not hide ``failure``."""
        connection, signal = self.warehouse.connection, stopped_by(failure)
        with suppress(duckdb.Error):
            # Of a step that was cut short in its clearing up; mostly there is none.
            roll_back(connection)
        message = f"stopped by {NAMES[Signals(signal)]}" if signal else f"{type(failure).__name__}: {failure}"
        if signal:
            leave_words(self._come_to(message))
        with suppress(duckdb.Error, OSError):
            end_run(connection, self.run, "stopped" if signal else "failed", self.watch.seconds, message)
            seal_runs(connection)
        with suppress(duckdb.Error, OSError):
            self._report("stopped" if signal else "failed", message)

    def _come_to(self, message: str) -> str:
        kept = 0
        with suppress(duckdb.Error):
            query = "SELECT count(*) FROM ledger.batches WHERE run_id = $1"
            kept = int(single_value(self.warehouse.connection, query, [self.run.run_id]))
        is_published = current_publication(self.warehouse.home) != self._standing
        return (
            f"{self.run.name} was {message}: {'it has published' if is_published else 'nothing was published'}, new deliveries "
            f"kept: {kept}; run the same again, and it goes on from there"
        )


@contextmanager
def a_run(root: Path, as_of: date | None, purpose: str = "kpi run") -> Iterator[Pipeline]:
    """A pipeline on the warehouse of ``root``; a failure inside the block is written into the ledger."""
    # Also what the page of a failed run comes upon: a flow is told of damage in one sentence, as its tasks are.
    with noticing(), open_warehouse(root, purpose) as warehouse, damage_is_said(*WAREHOUSE):
        pipeline = Pipeline(warehouse, as_of)
        try:
            yield pipeline
        except BaseException as failure:
            pipeline.break_off(failure)
            raise


def run_pipeline(root: Path, as_of: date | None = None, progress: Progress = lambda line: None) -> RunReport:
    """The whole run, without Prefect. Raises GateFailed, EngineError, EnvironmentProblem, WrongUsage."""
    with a_run(root, as_of) as pipeline:
        pipeline.reprocess(progress)
        for source, found in pipeline.find():
            pipeline.take_in(source, found, progress)
        pipeline.correct(progress)
        progress(f"facts: {len(pipeline.renew())} changed")
        progress("published" if pipeline.publish() else "nothing new to publish")
        return pipeline.end()


def describe(result: Result, delivery: Delivery) -> str:
    """One line of progress about a delivery."""
    if isinstance(result, Relanded):
        if result.is_restored:
            return f"{result.file}: its archive in landing/ was lost; it was landed again from the inbox"
        return (
            f"{result.file}: its archive in landing/ is lost, and this release lands the file in the inbox otherwise; "
            "restore the archive from a backup"
        )
    if isinstance(result, Refusal):
        return f"REFUSED {result.message}"
    if isinstance(result, Known):
        return f"KNOWN {known_notice(delivery, result.file).message}"
    return (
        f"{result.file}: {result.landed:,} rows = {result.accepted:,} accepted + {result.quarantined:,} quarantined "
        f"+ {result.duplicate:,} duplicate"
    )


def rewritten_notice(lost: Rewritten) -> Notice:
    return Notice(
        "rewritten",
        lost.delivery,
        f"quarantine/{lost.file} was lost, with the quarantined rows of {lost.delivery}; it was written anew from the archive",
        f"quarantine/{lost.file} hilang, dengan baris karantina dari {lost.delivery}; sudah ditulis ulang dari arsip",
    )


def judged_before(result: Reprocessed) -> Notice:
    """Of a source whose rows stand as other rules took them in."""
    return Notice(
        "judged_before",
        result.source,
        f"{result.source}: its {result.deliveries} deliveries stand as they were taken in, under other rules than today's: {result.problem}",
        f"{result.source}: {result.deliveries} kirimannya tetap seperti saat diterima, dengan aturan yang lain dari aturan hari ini: "
        f"{result.problem_id}",
    )


def describe_reprocessed(result: Reprocessed) -> str:
    if result.problem is not None:
        return f"NOT JUDGED AGAIN {judged_before(result).message}"
    files = f": {', '.join(result.changed)}" if result.changed else ""
    return f"{result.source}: {result.deliveries} deliveries judged again by today's rules, {len(result.changed)} came out otherwise{files}"


@contextmanager
def _full_disk_is_said() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise EnvironmentProblem(f"the disk or a file: {problem}; put it right, then run this again") from problem
    except duckdb.Error as problem:
        if (damaged := as_damaged(problem, *WAREHOUSE)) is not None:
            raise damaged from problem
        # A commit that finds the disk full says so in a transaction error, not in an I/O error.
        if not is_full(problem) and not isinstance(problem, (duckdb.IOException, duckdb.OutOfMemoryException)):
            raise
        raise EnvironmentProblem(
            f"the warehouse could not write: {problem}; make room, then run this again"
        ) from problem
