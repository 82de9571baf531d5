"""Derives what the states say: service summaries and indicator values, as fresh rows beside the facts. Writes no fact itself."""

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import duckdb

from expectations.contract import load_contract
from expectations.identity import states_table
from transforms.definitions import Indicator, Version
from transforms.evaluate import (
    BAND_TOO_WIDE,
    Node,
    Outcome,
    PeriodEvidence,
    SourceState,
    evaluate,
    withhold_uncertain,
    year_from_parts,
)
from transforms.evidence import EVIDENCE_COLUMNS, EXCLUDED, NODES, SUMMARY, evidence_sql, version_years
from transforms.exact import round_half_up
from transforms.facts import fact_table
from transforms.periods import Period, parts, year_period
from transforms.reference import office
from transforms.reference.tables import working_days
from transforms.reported import stand_in
from transforms.services import Service, load_services
from transforms.services.measures import summary_sql
from transforms.sql import identifier, names_parameter
from warehouse.facts.agreed import Agreed, read_agreed
from warehouse.store.queries import first_row, single_value

EVERYTHING = 2**31 - 1
FIRST_CALENDAR_YEAR = 1950


@dataclass(frozen=True)
class View:
    """From when a derivation looks: ``clock`` is its now, ``known_batch`` the last delivery that it may use."""

    clock: datetime
    known_batch: int = EVERYTHING


@dataclass(frozen=True)
class FreshValue:
    """A value as derived now, before it is compared with what is known."""

    indicator: Indicator
    version: Version
    period: Period
    outcome: Outcome
    evidence: PeriodEvidence
    is_provisional: bool
    target: Decimal | None = None
    office_code: str | None = None

    def row(self, cut_off: datetime) -> dict[str, Any]:
        """By the columns of facts.kpi_values."""
        outcome = self.outcome
        decimals = self.indicator.decimals if outcome.decimals is None else outcome.decimals
        return {
            "indicator": self.indicator.id,
            "period": self.period.id,
            "office": self.office_code or office().office_code,
            "definition_version": self.version.version,
            "cut_off": cut_off,
            "value": outcome.value(decimals),
            "decimals": decimals,
            "unit": self.indicator.unit,
            "target": self.target,
            "status": outcome.status,
            "numerator": outcome.numerator,
            "denominator": outcome.denominator,
            "excluded": json.dumps(self.evidence.excluded, sort_keys=True),
            "band_low": None if outcome.low is None else round_half_up(outcome.low, decimals),
            "band_high": None if outcome.high is None else round_half_up(outcome.high, decimals),
            "is_provisional": self.is_provisional,
            "flags": self.evidence.flags,
            "evidence_hash": self.evidence.evidence_hash,
        }


def derive_service(connection: duckdb.DuckDBPyConnection, service: Service, year: int, view: View) -> None:
    """(Re)creates the temporary table ``service_records`` for one service and year. Grain: one proposal."""
    look_from(connection, view)
    _install_calendar(connection, [service], year)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE service_records AS {service.records_sql}",
        _of_service(service, year, view) | {"first_year": year, "last_year": year},
    )


def derive_proposals(connection: duckdb.DuckDBPyConnection, year: int, view: View) -> None:
    """(Re)creates the temporary table ``proposals``: of all services and of every year up to the next one, as the cut-off of ``year`` found them.

    The next one too: a promotion may be received in the year before its TMT. Grain: one proposal of one service.
    """
    services = load_services().services
    look_from(connection, view)
    _install_calendar(connection, services, year)
    for number, service in enumerate(services):
        opening = "INSERT INTO proposals BY NAME" if number else "CREATE OR REPLACE TEMP TABLE proposals AS"
        named = _of_service(service, year, view) | {"first_year": office().first_year, "last_year": year + 1}
        connection.execute(f"{opening} {service.records_sql}", named)


def _of_service(service: Service, year: int, view: View) -> dict[str, Any]:
    return {
        "service": service.service,
        "clock": view.clock,
        "cut_off": year_period(year).cut_off(view.clock),
        "known_batch": view.known_batch,
        "office_code": office().office_code,
        "highest_grade_code": load_services().highest_grade_code,
    }


def summarise_service(connection: duckdb.DuckDBPyConnection, year: int, view: View) -> None:
    """Adds the summary of ``service_records`` to the fresh rows of facts.service_summary."""
    period = year_period(year)
    connection.execute(
        f"INSERT INTO {fact_table('service_summary').fresh} BY NAME SELECT *, $office AS office, $version AS definition_version, $cut_off AS cut_off, "
        f"$is_provisional AS is_provisional FROM ({summary_sql()})",
        {
            "two_day_limit_days": office().two_day_limit_days,
            "office": office().office_code,
            "version": load_services().definition_version,
            "cut_off": period.cut_off(view.clock),
            "is_provisional": period.is_running(view.clock),
        },
    )


def derive_indicator(
    connection: duckdb.DuckDBPyConnection, indicator: Indicator, years: list[int], view: View
) -> list[FreshValue]:
    """The values of one indicator for these years: of each part that has begun, of the year, and what peers have printed."""
    fresh: list[FreshValue] = []
    look_from(connection, view)
    source, agreed = source_state(connection, indicator, view), read_agreed(connection, indicator, view.known_batch)
    for version, first_year, last_year in version_years(indicator, years):
        evidence: dict[str, PeriodEvidence] = {}
        # A source that never came has no evidence; looking for it would cost every night.
        if source.is_delivered:
            collect_evidence(connection, indicator, version, first_year, last_year, view)
            evidence = _summed_evidence(connection, indicator, version)
        for year in range(first_year, last_year + 1):
            parts_of_year, whole = _year_values(indicator, version, year, evidence, source, view)
            fresh += parts_of_year
            if whole is not None:
                fresh.append(_with_agreed(whole, [whole, *parts_of_year], agreed, view))
        for item in agreed.of_peers(list(range(first_year, last_year + 1))):
            fresh.append(
                FreshValue(
                    indicator, version, year_period(item.year), *stand_in(item.readings, item.chosen), False,
                    office_code=item.office,
                )
            )  # fmt: skip
    return fresh


def collect_evidence(
    connection: duckdb.DuckDBPyConnection,
    indicator: Indicator,
    version: Version,
    first_year: int,
    last_year: int,
    view: View,
) -> None:
    """(Re)creates the temporary table ``indicator_evidence``: one row a record, period and group."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE indicator_evidence ({EVIDENCE_COLUMNS})")
    common = {
        "indicator": indicator.id,
        "first_year": first_year,
        "last_year": last_year,
        "clock": view.clock,
        "known_batch": view.known_batch,
    }
    query = evidence_sql(indicator)
    bound = indicator.bound(version)
    named = {name: value for name, value in common.items() if names_parameter(query, name)} | bound
    connection.execute(query, named)


def _year_values(
    indicator: Indicator,
    version: Version,
    year: int,
    evidence: dict[str, PeriodEvidence],
    source: SourceState,
    view: View,
) -> tuple[list[FreshValue], FreshValue | None]:
    """The values of the year's parts that have begun, and of the year; none of a year that has not."""

    def own_value(period: Period) -> FreshValue:
        found = evidence.get(period.id, PeriodEvidence([]))
        outcome = evaluate(indicator, version.formula, found, source)
        return _judged(indicator, version, period, outcome, found, view)

    whole = year_period(year)
    if not whole.has_begun(view.clock):
        return [], None
    if indicator.parts is None:
        return [], own_value(whole)
    fresh = [own_value(part) for part in parts(year, indicator.parts) if part.has_begun(view.clock)]
    outcomes, found = [f.outcome for f in fresh], [f.evidence for f in fresh]
    outcome = year_from_parts(indicator, outcomes, found, whole.is_running(view.clock))
    behind = _year_evidence(indicator, found)
    return fresh, _judged(indicator, version, whole, outcome, behind, view)


def _judged(
    indicator: Indicator, version: Version, period: Period, outcome: Outcome, evidence: PeriodEvidence, view: View
) -> FreshValue:
    """The value, or, flagged, that it is withheld because its quality band is too wide."""
    judged = withhold_uncertain(version, outcome)
    if judged is not outcome:
        evidence = replace(evidence, flags=sorted({*evidence.flags, BAND_TOO_WIDE}))
    return FreshValue(indicator, version, period, judged, evidence, period.is_running(view.clock))


def _with_agreed(whole: FreshValue, values: list[FreshValue], agreed: Agreed, view: View) -> FreshValue:
    """The year's value with its target; the printed value instead, where the year is over and has no row (ruling 27)."""
    year = whole.period.year
    whole = replace(whole, target=agreed.targets.get(year))
    has_rows = any(value.evidence.has_accepted or value.evidence.has_quarantined for value in values)
    printed = agreed.of_own_office(year)
    if has_rows or printed is None or whole.period.is_running(view.clock):
        return whole
    outcome, evidence = stand_in(printed.readings, printed.chosen)
    return replace(whole, outcome=outcome, evidence=evidence)


def _year_evidence(indicator: Indicator, part_evidence: list[PeriodEvidence]) -> PeriodEvidence:
    """The evidence behind a year that comes from its parts: the newest part's, or all of it."""
    with_rows = [evidence for evidence in part_evidence if evidence.has_accepted]
    if not with_rows:
        return PeriodEvidence([])
    if indicator.year_from == "newest_part":
        return with_rows[-1]
    excluded: dict[str, int] = defaultdict(int)
    for evidence in with_rows:
        for reason, count in evidence.excluded.items():
            excluded[reason] += count
    return PeriodEvidence(
        [],
        excluded=dict(excluded),
        flags=sorted({flag for e in with_rows for flag in e.flags}),
        evidence_hash="+".join(str(e.evidence_hash)[:32] for e in with_rows),
        has_accepted=True,
    )


def _summed_evidence(
    connection: duckdb.DuckDBPyConnection, indicator: Indicator, version: Version
) -> dict[str, PeriodEvidence]:
    bounds = {"amount_min": version.formula.amount_min, "amount_max": version.formula.amount_max}
    nodes: dict[str, list[Node]] = defaultdict(list)
    for period, path, amount, records, low, high, with_held in connection.execute(NODES, bounds).fetchall():
        nodes[period].append(Node(tuple(path), amount, records, Decimal(low), Decimal(high), with_held))
    excluded: dict[str, dict[str, int]] = defaultdict(dict)
    for period, reason, records in connection.execute(EXCLUDED).fetchall():
        excluded[period][reason] = records
    held = _held_periods(connection, indicator)
    summed = {
        period: PeriodEvidence(
            nodes[period], records, excluded[period], flags or [], evidence_hash, has_accepted, period in held
        )
        for period, has_accepted, records, flags, evidence_hash in connection.execute(SUMMARY).fetchall()
    }
    return summed | {period: PeriodEvidence([], has_quarantined=True) for period in held if period not in summed}


def _held_periods(connection: duckdb.DuckDBPyConnection, indicator: Indicator) -> set[str]:
    """Periods with open quarantined rows that concern the indicator, or whose key cannot be read and may do so."""
    query = (
        "SELECT DISTINCT coalesce(part, CAST(year AS VARCHAR)) FROM quarantine.open_rows "
        "WHERE source IN (SELECT unnest($1::VARCHAR[])) AND coalesce(starts_with(record_key, $2), true)"
    )
    found = connection.execute(query, [indicator.sources, indicator.held_key_prefix]).fetchall()
    return {period for (period,) in found}


def look_from(connection: duckdb.DuckDBPyConnection, view: View) -> None:
    """The quarantined rows too are seen as the last delivery of the view found them."""
    connection.execute(f"SET VARIABLE known_batch = {int(view.known_batch)}")


def look_now(connection: duckdb.DuckDBPyConnection) -> None:
    """Ends ``look_from``: the quarantined rows are seen as they are."""
    connection.execute("RESET VARIABLE known_batch")


def source_state(connection: duckdb.DuckDBPyConnection, indicator: Indicator, view: View) -> SourceState:
    query = "SELECT 1 FROM ledger.batches WHERE source IN (SELECT unnest($1::VARCHAR[])) AND batch_id <= $2"
    is_delivered = single_value(connection, query, [indicator.sources, view.known_batch]) is not None
    return SourceState(is_delivered, any(_has_accepted(connection, source, view) for source in indicator.sources))


def _has_accepted(connection: duckdb.DuckDBPyConnection, source: str, view: View) -> bool:
    """Whether any row of the source was accepted that is not dated later than the clock (ruling 3)."""
    contract = load_contract(source)
    is_dated = f"CAST({identifier(contract.state.time)} AS TIMESTAMP) <= $2" if contract.state else "$2 IS NOT NULL"
    query = f"SELECT 1 FROM {states_table(contract)} WHERE batch_id <= $1 AND {is_dated} LIMIT 1"
    return single_value(connection, query, [view.known_batch, view.clock]) is not None


def _install_calendar(connection: duckdb.DuckDBPyConnection, services: list[Service], last_year: int) -> None:
    """The temporary table ``working_days`` from the earliest receipt of the services to after the year."""
    queries = [f"SELECT min(year(received_at)), max(year(state_at)) FROM states.{s.source}" for s in services]
    rows = [first_row(connection, query) or (None, None) for query in queries]
    first = max(FIRST_CALENDAR_YEAR, min([last_year, *(row[0] for row in rows if row[0])]))
    last = max(last_year, min(max([last_year, *(row[1] for row in rows if row[1])]), last_year + 2))
    connection.register("calendar_frame", working_days(first, last).to_arrow())
    connection.execute("CREATE OR REPLACE TEMP TABLE working_days AS SELECT * FROM calendar_frame")
    connection.unregister("calendar_frame")
