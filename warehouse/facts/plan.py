"""What must be derived: one partition an item (a service, an indicator, a table of results, the scores) and year, missing, stale or current.

A partition is stale where a delivery touched its year, its definition or the code changed, the clock moved on within it, or a printed
number contradicts it: what is held back is derived anew every night, until nothing contradicts any more.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import duckdb

from expectations.contract import load_contract
from expectations.identity import states_table
from transforms.definitions import load_indicators
from transforms.evidence import version_in_force
from transforms.facts import fact_table, result_tables
from transforms.periods import year_period
from transforms.services import load_services
from transforms.sql import load_sql
from warehouse.facts.agreed import SHARED_SOURCES
from warehouse.facts.derive import View, source_state
from warehouse.facts.digests import (
    code_digest,
    definition_digest,
    result_code_digest,
    result_digest,
    scoring_code_digest,
    scoring_digest,
    service_code_digest,
    service_digest,
)
from warehouse.facts.scores import BUDGET
from warehouse.store.queries import has_table, single_value

SCORES = "scores"
Kind = Literal["service", "indicator", "result", "scores"]
State = Literal["missing", "stale", "staged", "current"]
# Where several things changed, the first of these is the reason of a new version.
CAUSES = ("late_data", "correction", "definition", "code")
CLOCK, HELD = "clock", "contested"


@dataclass(frozen=True)
class Item:
    """``sources``: whose rows it counts; ``shared``: whose rows it reads besides. ``looks_back``: at the rows of earlier years too;
    ``looks_ahead``: at those of the next year."""

    name: str
    kind: Kind
    sources: tuple[str, ...]
    shared: tuple[str, ...] = ()
    looks_back: bool = False
    looks_ahead: bool = False


@dataclass(frozen=True)
class Basis:
    """What a partition was, or would be, derived from."""

    definition: str
    code: str
    source_state: str
    known_batch: int
    settled_at: datetime


@dataclass(frozen=True)
class Partition:
    """``why`` it is due (first, late_data, correction, definition, code, clock, contested), ``batches`` that came since, ``rows`` it reads.

    ``causes``: of a closed year's, all that came together since its facts were entered.
    """

    item: Item
    year: int
    state: State
    why: str | None
    basis: Basis
    batches: tuple[int, ...] = ()
    rows: int = 0
    causes: tuple[str, ...] = ()

    @property
    def cause(self) -> str:
        """The reason that a new version of its facts has."""
        return self.why if self.why in CAUSES else CAUSES[0]

    @property
    def is_due(self) -> bool:
        return self.state != "current"


@dataclass(frozen=True)
class Plan:
    """All partitions of the years asked for, in order; ``causes`` says of a delivery what it is besides late data."""

    partitions: list[Partition]
    view: View
    causes: Mapping[int, str] = field(default_factory=dict)
    new_batches: dict[tuple[str, int], tuple[int, ...]] = field(default_factory=dict)

    @property
    def due(self) -> list[Partition]:
        return [partition for partition in self.partitions if partition.is_due]

    def source_cause(self, source: str, year: int) -> str | None:
        """Why ``source`` concerns the year anew; None where nothing of it came."""
        batches = self.new_batches.get((source, year), ())
        return delivery_cause(batches, self.causes) if batches else None


def all_items() -> list[Item]:
    services = [Item(s.service, "service", (s.source,)) for s in load_services().services]
    indicators = [
        Item(i.id, "indicator", tuple(i.sources), SHARED_SOURCES, i.looks_back_at_earlier_years)
        for i in load_indicators()
    ]
    results = [
        Item(table.table, "result", d.sources, d.shared, d.looks_back_at_earlier_years, d.looks_ahead)
        for table in result_tables()
        if (d := table.derivation) is not None
    ]
    return [*services, *indicators, *results, Item(SCORES, "scores", (BUDGET,), SHARED_SOURCES)]


def plan_partitions(connection: duckdb.DuckDBPyConnection, clock: datetime, years: list[int] | None = None) -> Plan:
    """What is to do, as of ``clock``, in ``years`` (None: all that a delivery ever touched)."""
    return _Planner(connection, clock).plan(years)


class _Planner:
    def __init__(self, connection: duckdb.DuckDBPyConnection, clock: datetime) -> None:
        self.connection = connection
        last = single_value(connection, "SELECT coalesce(max(batch_id), 0) FROM ledger.batches")
        self.view = View(clock, int(last))
        self.touches: dict[tuple[str, int], list[int]] = defaultdict(list)
        for source, year, batch_id in connection.execute(
            "SELECT DISTINCT source, year, batch_id FROM ledger.touched_years ORDER BY batch_id"
        ).fetchall():
            self.touches[source, year].append(batch_id)
        self.causes: dict[int, str] = dict(
            connection.execute(
                "SELECT batch_id, coalesce(cause, 'correction') FROM ledger.batches LEFT JOIN ledger.reprocessed USING (batch_id) "
                "WHERE is_correction OR cause IS NOT NULL"
            ).fetchall()
        )
        self.waits = {
            (source, year): until
            for source, year, until in connection.execute(
                "SELECT source, year, waits_until FROM ledger.source_years WHERE waits_until IS NOT NULL"
            ).fetchall()
        }
        # By item and year: why it was derived since a number of it is held back.
        self.contested: dict[tuple[str, int], list[str]] = {
            (item, year): causes or []
            for item, year, causes in connection.execute(
                load_sql("warehouse.facts", "contested_partitions.sql")
            ).fetchall()
        }
        self.entered, self.staged = self._known("ledger.partitions"), self._known("ledger.staged_partitions")
        self.rows = self._row_counts()
        self.services = {service.service: service for service in load_services().services}
        self.indicators = {indicator.id: indicator for indicator in load_indicators()}
        # What is known of an indicator's sources concerns all of its years alike.
        self.source_states = {
            name: repr(source_state(connection, indicator, self.view)) for name, indicator in self.indicators.items()
        }

    def plan(self, years: list[int] | None) -> Plan:
        known = sorted({year for _, year in self.touches if year_period(year).has_begun(self.view.clock)})
        wanted = known if years is None else [year for year in known if year in years]
        partitions = [p for item in all_items() for year in wanted if (p := self._judged(item, year)) is not None]
        busy = {partition.year for partition in partitions if partition.is_due}
        partitions = [
            # Scores rest on everything else of their year.
            Partition(p.item, p.year, "stale", CAUSES[0], p.basis, p.batches, p.rows)
            if p.item.name == SCORES and not p.is_due and p.year in busy
            else p
            for p in partitions
        ]
        shared = {
            (source, year): tuple(b for b in batches if b > self._known_batch(SCORES, year))
            for (source, year), batches in self.touches.items()
        }
        return Plan(partitions, self.view, self.causes, shared)

    def _judged(self, item: Item, year: int) -> Partition | None:
        basis = self._basis(item, year)
        if basis is None:
            return None
        rows = sum(self.rows.get((source, year), 0) for source in item.sources)
        before = self.entered.get((item.name, year))
        why, batches = ("first", ()) if before is None else self._why(item, year, before, basis)
        if (held := self.contested.get((item.name, year))) is not None:
            # What made the difference may have come nights ago: it is the reason of the version that is released at last.
            why = min((cause for cause in (*held, why) if cause in CAUSES), key=CAUSES.index, default=HELD)
        if why is None:
            return Partition(item, year, "current", None, basis, (), rows)
        state: State = "missing" if before is None else "stale"
        half = self.staged.get((item.name, year))
        if half is not None and self._why(item, year, half, basis)[0] is None:
            state, basis = "staged", half
        return Partition(item, year, state, why, basis, batches, rows)

    def _basis(self, item: Item, year: int) -> Basis | None:
        """None where nothing can be said of the year: no row of the service, no definition in force."""
        clock, last = self.view.clock, self.view.known_batch
        match item.kind:
            case "service" | "result":
                if not any((source, year) in self.touches for source in item.sources):
                    return None
                if item.kind == "service":
                    return Basis(service_digest(), service_code_digest(self.services[item.name]), "", last, clock)
                table = fact_table(item.name)
                return Basis(result_digest(table, year), result_code_digest(table), "", last, clock)
            case "scores":
                return Basis(scoring_digest(), scoring_code_digest(), "", last, clock)
        indicator = self.indicators[item.name]
        version = version_in_force(indicator, year)
        if version is None:
            return None
        return Basis(
            definition_digest(indicator, version), code_digest(indicator), self.source_states[item.name], last, clock
        )

    def _why(self, item: Item, year: int, before: Basis, now: Basis) -> tuple[str | None, tuple[int, ...]]:
        """Why a partition that was derived from ``before`` is due again, and the deliveries that came since."""
        for sources in (item.sources, item.shared):
            if batches := self._new_batches(sources, _years(item, year), before.known_batch):
                return delivery_cause(batches, self.causes), batches
        if before.source_state != now.source_state:
            return CAUSES[0], ()
        if before.definition != now.definition:
            return "definition", ()
        if before.code != now.code:
            return "code", ()
        end = max([year_period(year).end, *(self.waits[s, year] for s in item.sources if (s, year) in self.waits)])
        return (CLOCK if before.settled_at < min(now.settled_at, end) else None), ()

    def _new_batches(self, sources: tuple[str, ...], years: range, since: int) -> tuple[int, ...]:
        touched = [
            batch
            for (source, touched_year), batches in self.touches.items()
            if source in sources and touched_year in years
            for batch in batches
            if batch > since
        ]
        return tuple(sorted(set(touched)))

    def _known_batch(self, item: str, year: int) -> int:
        before = self.entered.get((item, year))
        return 0 if before is None else before.known_batch

    def _known(self, table: str) -> dict[tuple[str, int], Basis]:
        rows = self.connection.execute(
            f"SELECT item, year, definition_digest, code_digest, source_state, known_batch, settled_at FROM {table}"
        ).fetchall()
        return {(item, year): Basis(*basis) for item, year, *basis in rows}

    def _row_counts(self) -> dict[tuple[str, int], int]:
        """States by source and year."""
        counts: dict[tuple[str, int], int] = {}
        for source in sorted({source for source, _ in self.touches}):
            if not has_table(self.connection, "states", source):
                continue
            contract = load_contract(source)
            query = f"SELECT {contract.year} AS year, count(*) FROM {states_table(contract)} GROUP BY 1"
            counts |= {(source, year): count for year, count in self.connection.execute(query).fetchall()}
        return counts


def delivery_cause(batches: Iterable[int], causes: Mapping[int, str]) -> str:
    """The first cause of these deliveries: one that is neither a correction nor judged again is late data."""
    return min((causes.get(batch, CAUSES[0]) for batch in batches), key=CAUSES.index)


def _years(item: Item, year: int) -> range:
    """The years whose rows concern the partition of ``year``."""
    return range(0 if item.looks_back else year, year + (2 if item.looks_ahead else 1))
