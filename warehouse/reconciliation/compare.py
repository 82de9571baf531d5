"""Reconciles what is printed with what is derived, in the run that derives it, and stops a publication that contradicts it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from decimal import Decimal
from operator import itemgetter

import duckdb
import polars as pl

from expectations.printed_checks import check_report
from expectations.reconciliation import Knowledge, Line, gate, reconcile
from transforms.exact import round_half_up
from transforms.printed import PrintedItem, base_of, load_checks, load_discrepancies, load_reports
from transforms.reference import office, waivers
from transforms.sql import load_sql
from warehouse.facts.derive import View
from warehouse.landing.line_numbers import known_place
from warehouse.reconciliation.derived_items import read_items
from warehouse.store.failures import GateFailed
from warehouse.store.queries import has_table
from warehouse.store.runs import UNPUBLISHED, write_meta

PRINT = "published_value"
# After a stop nothing else shows the lines: the message has them, up to a screenful.
SHOWN = 40
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


def renew_reconciliation(connection: duckdb.DuckDBPyConnection, view: View) -> None:
    """Compares everything printed with the standing facts and keeps the lines. Raises GateFailed for a contradiction."""
    delivered = _delivered(connection, view)
    lines = reconciled_lines(connection, view, [row.item for row in delivered])
    _keep(connection, lines)
    if stopping := gate(lines):
        raise GateFailed(_message(connection, stopping, delivered))


def reconciled_lines(connection: duckdb.DuckDBPyConnection, view: View, delivered: Sequence[PrintedItem]) -> list[Line]:
    """The lines of all reports and deliveries, and of the checks of each report's numbers among themselves."""
    code = office().office_code
    reports = [report for report in load_reports() if report.office == code]
    knowledge = Knowledge(load_discrepancies(), waivers())
    printed = _with_realization([*delivered, *(item for report in reports for item in report.items)], code)
    derived = read_items(connection, view, printed, [report.report_year for report in reports])
    lines = reconcile(reports, delivered, derived, code, knowledge)
    for report in reports:
        lines += check_report(report, load_checks(report.report_year), knowledge)
    return lines


def _delivered(connection: duckdb.DuckDBPyConnection, view: View) -> list[Delivered]:
    if not has_table(connection, "states", PRINT):
        return []
    rows = connection.execute(
        load_sql("warehouse.reconciliation", "delivered_prints.sql"), {"known_batch": view.known_batch}
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


def _message(connection: duckdb.DuckDBPyConnection, stopping: Sequence[Line], delivered: Sequence[Delivered]) -> str:
    """What contradicts what, where it was delivered, and what to do. One delivered number may be printed in several places."""
    by_number = {(base_of(line.item), Decimal(line.published or 0)): line for line in reversed(stopping)}
    found = [
        (line, row)
        for row in delivered
        if row.item.number is not None and (line := by_number.get((row.item.base, row.item.number)))
    ]
    shown = [
        f"{line.item}: printed {line.published}, derived {line.derived} "
        f"({row.file}, {known_place(connection, row.batch_id, row.row).text('en')}, column nilai)"
        for line, row in found[:SHOWN]
    ]
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return (
        f"reconciliation: {len(found)} printed values are derived otherwise: {'; '.join(shown)}{more}. No fact was entered "
        "and nothing was published. Deliver the mended rows in corrections/, or accept the difference by name in "
        "transforms/reference/waivers.yml (item, verdict: different, reason, owner); then `kpi run`"
    )
