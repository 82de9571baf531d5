"""Reconciles what is printed with what is derived, in the run that derives it, and holds back what is contradicted."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from decimal import Decimal
from operator import itemgetter

import duckdb
import polars as pl

from expectations.contested import Fact, held_back
from expectations.printed_checks import check_report
from expectations.reconciliation import WAIVED, Derived, Knowledge, Line, gate, reconcile
from transforms.definitions import load_indicators
from transforms.exact import round_half_up
from transforms.printed import PrintedItem, base_of, load_checks, load_discrepancies, load_reports
from transforms.reference import office, waivers
from transforms.scoring.definition import load_scoring
from transforms.sql import load_sql
from warehouse.facts.agreed import PRINT
from warehouse.facts.derive import View
from warehouse.facts.hold import hold
from warehouse.reconciliation.derived_items import read_items
from warehouse.reconciliation.waivers import in_force
from warehouse.store.queries import has_table
from warehouse.store.runs import UNPUBLISHED, Run, write_meta

HELD_BACK = "contested: held back: {}"
NOTHING_HELD = "contested: no published number is its own, so nothing is held back"
CLOSED = "contested: the year is closed, and what is published of it stands"
# The columns of facts.contested, in the order of its table.
HELD_COLUMNS = ("item", "measure", "held_item", "period", "held_name")
# The columns of facts.reconciliation, in the order of a line's fields.
STORED = {
    "item": pl.String,
    "year": pl.Int32,
    "report_year": pl.Int32,
    "published": pl.String,
    "derived": pl.String,
    "verdict": pl.String,
    "discrepancy": pl.String,
    "note": pl.String,
    "printed_in": pl.String,
    "is_delivered": pl.Boolean,
}


@dataclass(frozen=True)
class Delivered:
    """A printed number as delivered, and the row that delivered it."""

    item: PrintedItem
    file: str
    batch_id: int
    row: int


def renew_reconciliation(
    connection: duckdb.DuckDBPyConnection, view: View, run: Run, frozen: Collection[int] = ()
) -> None:
    """Compares everything printed with the standing facts, holds back what a delivered number contradicts, and keeps the lines.

    ``frozen``: closed years, whose facts change by a restatement alone: a contradiction there is named and holds nothing back.
    """
    derived, lines = reconciled_lines(
        connection, view, [row.item for row in read_delivered(connection, view.known_batch)]
    )
    held = {line.item: _concerned(line, derived) for line in gate(lines)}
    waived = [
        fact
        for line in lines
        if line.is_delivered and line.verdict == WAIVED and (fact := derived[base_of(line.item)].fact) is not None
    ]
    standing = hold(connection, [fact for facts in held.values() for fact in facts], waived, frozen, run)
    now = {item: [fact for fact in facts if fact in standing] for item, facts in held.items()}
    _keep_held(connection, now)
    _keep(connection, [replace(line, note=_note(line, now, held)) if line.item in now else line for line in lines])


def reconciled_lines(
    connection: duckdb.DuckDBPyConnection, view: View, delivered: Sequence[PrintedItem]
) -> tuple[Mapping[str, Derived], list[Line]]:
    """The derived items, and the lines of all reports and deliveries with the checks of each report's numbers among themselves."""
    code = office().office_code
    reports = [report for report in load_reports() if report.office == code]
    knowledge = Knowledge(load_discrepancies(), waivers(), in_force(connection, view.clock.date()))
    printed = _with_realization([*delivered, *(item for report in reports for item in report.items)], code)
    derived = _as_derived(connection, read_items(connection, view, printed, [report.report_year for report in reports]))
    lines = reconcile(reports, delivered, derived, code, knowledge)
    for report in reports:
        lines += check_report(report, load_checks(report.report_year), knowledge)
    return derived, lines


def _as_derived(connection: duckdb.DuckDBPyConnection, items: Mapping[str, Derived]) -> dict[str, Derived]:
    """Of a number that is held back and not derived anew by this run: what was derived of it last, as its line says."""
    if not any(derived.is_held for derived in items.values()):
        return dict(items)
    last = dict(
        connection.execute(
            "SELECT item, derived FROM facts.reconciliation WHERE is_delivered AND derived IS NOT NULL"
        ).fetchall()
    )
    known = {base_of(item): Decimal(number) for item, number in last.items() if _is_number(number)}
    return {
        name: replace(derived, value=known[name], unfit=None) if derived.is_held and name in known else derived
        for name, derived in items.items()
    }


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).lstrip("-").isdigit()


def _concerned(line: Line, derived: Mapping[str, Derived]) -> list[Fact]:
    """What the contradiction of a line holds back."""
    fact = derived[base_of(line.item)].fact
    if fact is None:
        return []
    newest: dict[tuple[str, int], str] = {}
    for number in sorted({d.fact for d in derived.values() if d.fact is not None and d.value is not None}):
        if number.measure == fact.measure and len(number.period) > len(str(number.year)):
            newest[number.item, number.year] = number.period
    return held_back(fact, load_indicators(), load_scoring(), newest)


def _note(line: Line, now: Mapping[str, list[Fact]], held: Mapping[str, list[Fact]]) -> str:
    if now[line.item]:
        return HELD_BACK.format(", ".join(f"{fact.name} {fact.period}" for fact in now[line.item]))
    return CLOSED if held[line.item] else NOTHING_HELD


def read_delivered(connection: duckdb.DuckDBPyConnection, known_batch: int) -> list[Delivered]:
    """What has been delivered as printed, up to the delivery ``known_batch``."""
    if not has_table(connection, "states", PRINT):
        return []
    rows = connection.execute(
        load_sql("warehouse.reconciliation", "delivered_prints.sql"), {"known_batch": known_batch}
    ).fetchall()
    return [
        Delivered(
            PrintedItem(
                item=f"{item}@{printed_in}",
                value=f"{round_half_up(value, decimals):f}",
                unit="as delivered",
                source=printed_in,
            ),
            file,
            batch_id,
            row,
        )
        for item, value, decimals, printed_in, file, batch_id, row in rows
    ]


def _with_realization(items: Sequence[PrintedItem], code: str) -> dict[int, frozenset[str]]:
    """By year: the office's indicators of which a realization of the whole year is printed."""
    found: dict[int, set[str]] = defaultdict(set)
    for item in items:
        key = item.key
        if key.office == code and key.measure == "realisasi" and key.is_of_year and item.number is not None:
            found[key.year].add(key.subject)
    return {year: frozenset(indicators) for year, indicators in found.items()}


def _keep(connection: duckdb.DuckDBPyConnection, lines: Sequence[Line]) -> None:
    """Replaces the kept lines where they differ: readers must get the new ones then."""
    columns = list(STORED)
    rows = sorted((astuple(line) for line in lines), key=itemgetter(0))
    kept = connection.execute(f"SELECT {', '.join(columns)} FROM facts.reconciliation ORDER BY item COLLATE C")
    if rows == kept.fetchall():
        return
    connection.execute("DELETE FROM facts.reconciliation")
    connection.register("reconciled_frame", pl.DataFrame(rows, schema=STORED, orient="row").to_arrow())
    connection.execute(f"INSERT INTO facts.reconciliation BY NAME SELECT {', '.join(columns)} FROM reconciled_frame")
    connection.unregister("reconciled_frame")
    write_meta(connection, UNPUBLISHED, "yes")


def _keep_held(connection: duckdb.DuckDBPyConnection, held: Mapping[str, list[Fact]]) -> None:
    """Replaces what is known of the numbers that are held back."""
    rows = [[item, f.measure, f.item, f.period, f.name] for item, facts in held.items() for f in facts]
    connection.execute("DELETE FROM facts.contested")
    if rows:
        marks = ", ".join(f"${number + 1}" for number in range(len(HELD_COLUMNS)))
        connection.executemany(f"INSERT INTO facts.contested ({', '.join(HELD_COLUMNS)}) VALUES ({marks})", rows)
