"""Writes the validation report of a run under ``reports/validation/``: a page of the run, one a delivery, and the history.

The pages stand outside the publication, so that a run that published nothing has one too; the publication's ``site/`` holds copies.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from expectations.contract import load_contract, source_names
from expectations.report import (
    BandLine,
    CheckLine,
    ContestedLine,
    DeliveryLine,
    DisabledLine,
    FreshnessLine,
    HeldLine,
    HistoryPage,
    RefusalLine,
    RuleLine,
    RunPage,
    render_history,
    render_run,
)
from expectations.rule import Rule
from transforms.definitions import load_indicators
from transforms.exact import decimal_text
from transforms.reference import office
from transforms.services.measures import a_row_each, load_measures
from transforms.sql import filled, load_sql
from warehouse.store.failures import EnvironmentProblem
from warehouse.store.home import Home, write_public
from warehouse.store.home_state import require_home
from warehouse.store.places import place
from warehouse.store.runs import Run

# Runs of which a history shows the counts, and quarantined rows that a delivery's page lists.
SHOWN_RUNS, SHOWN_ROWS = 14, 500
INDEX = "index.html"


def run_page(home: Home, run: str) -> Path:
    return home.validation_reports / f"{run}.html"


def last_page(home: Home) -> Path:
    """The page of the newest run. Raises EnvironmentProblem where no run has written one."""
    pages = sorted(home.validation_reports.glob("run-*.html"))
    if not pages:
        require_home(home)
        raise EnvironmentProblem(f"no run has left a report under {home.validation_reports}; `kpi run` writes one")
    return pages[-1]


def write_report(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    run: Run,
    status: str,
    message: str | None,
    notices: Sequence[tuple[str, str]] = (),
    contested: Sequence[ContestedLine] = (),
) -> Path:
    """Writes the pages of ``run`` and the history anew; gives the run's page. ``notices``: (English, Indonesian)."""
    collected = _Collector(connection, run)
    page = replace(collected.page(status, message, notices), contested=contested)
    for delivery in page.deliveries:
        write_public(
            home.validation_reports / f"{delivery.batch}.html", render_run(collected.batch_page(delivery, status))
        )
    target = run_page(home, run.name)
    write_public(target, render_run(page))
    write_public(home.validation_reports / INDEX, render_history(collected.history(home)))
    return target


class _Collector:
    def __init__(self, connection: duckdb.DuckDBPyConnection, run: Run) -> None:
        self.connection, self.run = connection, run
        self._rules_of: dict[str, dict[str, Rule]] = {}

    def page(self, status: str, message: str | None, notices: Sequence[tuple[str, str]]) -> RunPage:
        deliveries = list(self._deliveries())
        own = {delivery.source for delivery in deliveries}
        return RunPage(
            self.run.name, f"Validation of {self.run.name}", f"{self.run.clock:%Y-%m-%d %H:%M}", status, message, None,
            deliveries=deliveries,
            refusals=[RefusalLine(*row) for row in self._rows("report_refusals.sql", run_id=self.run.run_id)],
            notices=notices,
            rules=[line for line in self.lines if line.source in own],
            checks=[line for lines in self.checks.values() for line in lines],
            bands=list(self._bands()),
            freshness=list(self._freshness()),
            disabled=list(self._disabled(source_names())),
        )  # fmt: skip

    def batch_page(self, delivery: DeliveryLine, status: str) -> RunPage:
        batch_id = int(delivery.batch.removeprefix("batch-"))
        rows = self._rows("report_batch_rules.sql", batch_id=batch_id)
        held = [
            HeldLine(place(row, line, letters).text("en"), place(row, line, letters).text("id"), reasons)
            for row, line, letters, reasons in self._rows("report_held_rows.sql", batch_id=batch_id, shown=SHOWN_ROWS)
        ]
        return RunPage(
            self.run.name, f"Validation of {delivery.file}", f"{self.run.clock:%Y-%m-%d %H:%M}", status, None, None,
            deliveries=[delivery], rules=[self._line(delivery.source, rule, [counts], judged_by) for rule, *counts, judged_by in rows],
            checks=self.checks.get(batch_id, []), disabled=list(self._disabled([delivery.source])), held_rows=held, is_batch=True,
        )  # fmt: skip

    def history(self, home: Home) -> HistoryPage:
        runs = [
            (name, f"{clock:%Y-%m-%d %H:%M}", status if name != self.run.name else "done")
            for name, clock, status in self._rows("report_runs.sql")
            if run_page(home, name).exists()
        ]
        rules = sorted(self.lines, key=lambda line: (line.trend == "good", line.source, line.rule))
        return HistoryPage(runs, rules, list(self._disabled(source_names())))

    def _rows(self, name: str, **parameters: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(load_sql("warehouse.reports", name), parameters).fetchall()

    def _deliveries(self) -> Iterator[DeliveryLine]:
        for batch_id, *rest in self._rows("report_deliveries.sql", run_id=self.run.run_id):
            yield DeliveryLine(f"batch-{batch_id:06d}", *rest)

    @cached_property
    def checks(self) -> dict[int, list[CheckLine]]:
        """What is odd of the run's deliveries as a whole, by batch."""
        found: dict[int, list[CheckLine]] = defaultdict(list)
        for batch_id, *rest in self._rows("report_checks.sql", run_id=self.run.run_id):
            found[batch_id].append(CheckLine(*rest))
        return found

    @cached_property
    def lines(self) -> list[RuleLine]:
        """Every source and rule, with its counts in the runs that had the source."""
        counts: dict[tuple[str, str], list[list[int]]] = defaultdict(list)
        judged: dict[tuple[str, str], str | None] = {}
        for source, rule, *found, judged_by in self._rows("report_rules.sql", last=self.run.run_id):
            counts[source, rule].append(found)
            judged[source, rule] = judged_by
        return [self._line(*name, found, judged[name]) for name, found in sorted(counts.items())]

    def _line(self, source: str, rule_id: str, counts: list[list[int]], judged_by: str | None) -> RuleLine:
        """``counts``: rows checked, failed, and failed as the validator counted, of each run that had the source, oldest first."""
        checked, failed, validator_failed = counts[-1]
        earlier = tuple((before[0], before[1]) for before in counts[:-1][-SHOWN_RUNS:])
        if source not in self._rules_of:
            contract = load_contract(source)
            self._rules_of[source] = {rule.id: rule for rule in contract.on(self.run.clock.date()).all_rules}
        rule = self._rules_of[source].get(rule_id)
        if rule is None:
            return RuleLine(
                source,
                rule_id,
                "quarantine",
                "a rule of an earlier contract",
                "aturan kontrak terdahulu",
                checked,
                failed,
                earlier,
                validator_failed=validator_failed,
                judged_by=judged_by,
            )
        is_disabled = any(
            entry.rule == rule_id and entry.is_in_force(self.run.clock.date())
            for entry in load_contract(source).disabled
        )
        return RuleLine(
            source, rule_id, rule.severity, rule.message.en, rule.message.id, checked, failed, earlier, is_disabled,
            validator_failed=validator_failed, judged_by=judged_by,
        )  # fmt: skip

    def _disabled(self, sources: Iterable[str]) -> Iterator[DisabledLine]:
        day = self.run.clock.date()
        for source in sources:
            for entry in load_contract(source).disabled:
                yield DisabledLine(
                    source,
                    entry.rule,
                    entry.owner,
                    f"{entry.since}",
                    f"{entry.until}",
                    entry.reason.en,
                    entry.reason.id,
                    entry.state_on(day),
                )

    def _bands(self) -> Iterator[BandLine]:
        sources = {indicator.id: ", ".join(indicator.sources) for indicator in load_indicators()}
        banded = [measure for measure in load_measures() if measure.has_band]
        measures = a_row_each(
            banded,
            "value := {column}",
            "decimals := {decimals}",
            "band_low := {name}_band_low",
            "band_high := {name}_band_high",
        )
        query = filled(load_sql("warehouse.reports", "report_bands.sql"), measures=measures)
        found = self.connection.execute(query, {"office": office().office_code}).fetchall()
        for item, period, value, decimals, low, high in found:
            shown = [str(decimal_text(number, decimals)) for number in (value, low, high)]
            yield BandLine(item, period, shown[0], shown[1], shown[2], sources.get(item, item.partition(".")[0]))

    def _freshness(self) -> Iterator[FreshnessLine]:
        last = dict(self._rows("report_freshness.sql"))
        for source in source_names():
            clock = last.get(source)
            days = (self.run.clock - clock).days if clock else None
            yield FreshnessLine(
                source, f"{clock:%Y-%m-%d}" if clock else None, days, load_contract(source).cadence_days
            )
