"""Judges the deliveries of a source again, from the archive, where what they were judged by has changed.

Nothing is overwritten. A delivery of which anything comes out otherwise is entered once more, as a new reading; from now on its states and
quarantined rows replace those of the reading before, and every earlier version of a value keeps the records that it was made from.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import duckdb

from expectations.contract import load_contract, source_names
from expectations.identity import repeated_states, state_columns, states_table
from transforms.sql import identifier, load_sql
from warehouse.facts.digests import Intake, intake_of
from warehouse.landing.archive import Archived, ArchiveUnusable, archived_deliveries, require_archive
from warehouse.landing.refusal import DeliveryRefused
from warehouse.loading.group import SourceLoad
from warehouse.loading.held_files import write_held_file
from warehouse.store.connection import Warehouse
from warehouse.store.failures import GateFailed
from warehouse.store.looking import scratch_warehouse
from warehouse.store.queries import single_value
from warehouse.store.runs import UNPUBLISHED, Run, write_meta
from warehouse.store.stopwatch import Stopwatch

ROOM = "warehouse.loading"
# What a judging leaves besides states: under which name it is compared or entered, and the table of the scratch warehouse.
_LEFT = {
    "again_held": "quarantine.held_rows",
    "again_same": "ledger.same_records",
    "again_batches": "ledger.batches",
    "again_results": "ledger.validation_results",
}


@dataclass(frozen=True)
class Outdated:
    """A source of which ``deliveries`` were judged by something else than today; ``cause``: definition (its contract is another), code."""

    source: str
    deliveries: int
    cause: str


@dataclass(frozen=True)
class Reprocessed:
    """What became of it: the files of which anything came out otherwise, or why nothing could be judged again (in both languages)."""

    source: str
    deliveries: int
    changed: list[str]
    problem: str | None = None
    problem_id: str | None = None


def outdated_sources(connection: duckdb.DuckDBPyConnection) -> list[Outdated]:
    """Sources with deliveries whose rows were taken in under other rules or by other code."""
    found: dict[str, Outdated] = {}
    rows = connection.execute(load_sql(ROOM, "judged_intakes.sql")).fetchall()
    for source, contract, code, deliveries in rows:
        if source not in source_names() or Intake(contract, code) == (now := intake_of(source)):
            continue
        is_other_contract = contract is not None and contract != now.contract
        before = found.get(source, Outdated(source, 0, "code"))
        cause = "definition" if is_other_contract else before.cause
        found[source] = Outdated(source, before.deliveries + deliveries, cause)
    return list(found.values())


def reprocess(warehouse: Warehouse, outdated: Sequence[Outdated], run: Run, watch: Stopwatch) -> Iterator[Reprocessed]:
    """Judges all deliveries of these sources again, in order, and enters what came out otherwise; of a source all or nothing.

    What came up to the last delivery that was purged stays as it is; the others are judged beside it. Where one of them cannot be
    read or would be refused now, the source stays as it was taken in, and the problem says why.
    """
    if not outdated:
        return
    with scratch_warehouse(warehouse) as scratch:
        for found in outdated:
            with watch.step("reprocessing"):
                result = _Judging(warehouse, scratch, found).run(run)
            yield result


class _Judging:
    """One source: ``archived`` are judged again in the scratch warehouse, beside what stays of those up to ``kept``."""

    def __init__(self, warehouse: Warehouse, scratch: Warehouse, outdated: Outdated) -> None:
        self.warehouse, self.scratch, self.outdated = warehouse, scratch, outdated
        self.contract = load_contract(outdated.source)
        self.table = states_table(self.contract)
        self.recorded = archived_deliveries(warehouse.connection, [outdated.source])
        self.kept = self._last_purged()
        self.archived = [delivery for delivery in self.recorded if delivery.batch_id > self.kept]

    def run(self, run: Run) -> Reprocessed:
        source = self.outdated.source
        try:
            self._judge()
            return Reprocessed(source, len(self.archived), self._enter(run))
        except ArchiveUnusable as unusable:
            problem = problem_id = str(unusable)
        except DeliveryRefused as refused:
            problem, problem_id = refused.message, refused.message_id
        return Reprocessed(source, self.outdated.deliveries, [], problem, problem_id)

    def _last_purged(self) -> int:
        query = "SELECT batch_id FROM ledger.purges"
        purged = {batch for (batch,) in self.warehouse.connection.execute(query).fetchall()}
        gone = [d.batch_id for d in self.recorded if d.batch_id in purged and not self._archive_of(d).exists()]
        return max(gone, default=0)

    def _archive_of(self, delivery: Archived) -> Path:
        return self.warehouse.home.landed_file(self.outdated.source, delivery.sha256)

    def _judge(self) -> None:
        """Leaves in the scratch warehouse what comes out today."""
        # What is gone is found without reading the others.
        for delivery in sorted(self.archived, key=lambda one: self._archive_of(one).exists()):
            require_archive(self.warehouse.home, delivery)
        names = [name for name, *_ in state_columns(self.contract)][:-3]
        columns = ", ".join(f"states.{identifier(name)}" for name in names)
        query = load_sql(ROOM, "known_readings.sql").format(
            states=self.table, columns=columns, source=self.contract.source
        )
        self.warehouse.connection.execute(query)
        if self.kept:
            same = f"FROM known_same WHERE batch_id <= {self.kept:d} AND known_batch <= {self.kept:d}"
            self._give("known_states", self.table, self._known("known_states", "replaced_by_batch_id"))
            self._give("known_held", "quarantine.held_rows", self._known("known_held", "closed_by_batch_id"))
            self._give("known_same", "ledger.same_records", same)
        # The rules of the day on which each was taken in.
        for _, together in groupby(self.archived, key=lambda one: self.contract.disabled_on(one.clock.date())):
            group = list(together)
            run = Run(1, "reprocessing", group[0].clock)
            SourceLoad(self.scratch, self.contract.source, run, Stopwatch()).take_again(group)

    def _give(self, known: str, target: str, query: str) -> None:
        """Copies what came up to the delivery ``kept``."""
        copy = self._copy(self.warehouse, known, query)
        self.scratch.connection.execute(f"INSERT INTO {target} BY NAME FROM read_parquet($1)", [copy])

    def _known(self, relation: str, ended_by: str) -> str:
        """As it was before anything of the later ones ended it."""
        as_then = f"* REPLACE (CASE WHEN {ended_by} <= {self.kept:d} THEN {ended_by} END AS {ended_by})"
        return f"SELECT {as_then} FROM {relation} WHERE batch_id <= {self.kept:d}"

    def _copy(self, warehouse: Warehouse, name: str, query: str) -> str:
        """The answer of one of the two warehouses, as a file that the other reads."""
        copy = str(self.scratch.home.spool / f"{name}.parquet")
        warehouse.connection.execute(f"COPY ({query}) TO '{copy.replace(chr(39), chr(39) * 2)}' (FORMAT parquet)")
        return copy

    def _enter(self, run: Run) -> list[str]:
        """Gives the files of which anything came out otherwise."""
        now, source = intake_of(self.contract.source), self.contract.source
        left = {name: f"FROM {table} WHERE source = '{source}'" for name, table in _LEFT.items()}
        copies = {
            name: self._copy(self.scratch, name, query)
            for name, query in {"again_states": f"FROM {self.table}", **left}.items()
        }
        with self.warehouse.transaction() as connection:
            for name, copy in copies.items():
                connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM read_parquet($1)", [copy])
            named = {"run_id": run.run_id, "cause": self.outdated.cause}
            connection.execute(load_sql(ROOM, "changed_readings.sql"), named)
            connection.execute(load_sql(ROOM, "enter_readings.sql").format(states=self.table))
            changed = connection.execute(
                "SELECT batch_id, file, sha256, quarantined FROM changed_readings JOIN ledger.batches USING (batch_id) ORDER BY batch_id"
            ).fetchall()
            self._mark_years([batch_id for batch_id, *_ in changed])
            connection.executemany(
                "INSERT INTO ledger.intakes VALUES ($1, $2, $3, $4)",
                [[run.run_id, delivery.batch_id, now.contract, now.code] for delivery in self.recorded],
            )
            if changed:
                write_meta(connection, UNPUBLISHED, "yes")
        for batch_id, _, sha256, quarantined in changed:
            if quarantined and self.warehouse.home.landed_file(source, sha256).exists():
                write_held_file(connection, self.warehouse.home, source, batch_id, sha256)
        return [file for _, file, *_ in changed]

    def _mark_years(self, batch_ids: list[int]) -> None:
        connection = self.warehouse.connection
        query = load_sql(ROOM, "mark_years.sql").format(states=self.table, year=self.contract.year)
        for batch_id in batch_ids:
            connection.execute(query, {"batch_id": batch_id, "source": self.contract.source})
        if doubles := single_value(connection, f"SELECT count(*) FROM ({repeated_states(self.contract)})"):
            raise GateFailed(
                f"{self.contract.source}: judged again, {doubles} keys stand more than once with one state time; nothing is published; "
                "report this as a fault of the product"
            )
