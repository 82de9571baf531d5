"""Scores as facts: reads the values and the budget of a year, has them scored, and enters what differs. Bitemporal as the values."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import duckdb

from transforms.definitions import load_indicators
from transforms.periods import year_period
from transforms.reference import office
from transforms.reported import stand_in
from transforms.scoring.definition import load_categories, load_scoring
from transforms.scoring.score import Budget, Result, Score, score_year
from transforms.sql import load_sql
from warehouse.facts.agreed import PRINT, PrintedItem, read_printed
from warehouse.facts.derive import View
from warehouse.facts.versions import KPI_SCORES, add_fresh, enter_fresh, make_fresh_table
from warehouse.store.queries import has_table
from warehouse.store.runs import Run

BUDGET = "budget"
BUDGET_MEASURES = ("allocation", "spending", "absorption", "efficiency")
# Where the inputs of a number changed for several reasons, the first of these is the number's.
REASONS = ("late_data", "correction", "definition", "code")
Causes = Mapping[tuple[str, int], str]


def enter_scores(connection: duckdb.DuckDBPyConnection, years: list[int], causes: Causes, run: Run, view: View) -> None:
    """Scores these years from the standing values and enters what differs.

    ``causes`` says why an indicator, or the budget, of a year was derived again; a number inherits the reason of its inputs.
    """
    make_fresh_table(connection, KPI_SCORES)
    connection.execute(f"ALTER TABLE {KPI_SCORES.fresh} ADD COLUMN cause VARCHAR")
    changed = _changed_values(connection, run, causes)
    rows = [_printed_row(item, view, causes) for item in printed_scores(connection, years, view)]
    for year in years:
        cut_off = year_period(year).cut_off(view.clock)
        scores = score_year(*score_inputs(connection, year, view), load_scoring(), load_categories())
        rows += [_row(score, year, cut_off, view) | {"cause": _cause(score, year, changed, causes)} for score in scores]
    add_fresh(connection, KPI_SCORES, rows)
    enter_fresh(
        connection,
        KPI_SCORES,
        f"list_contains({years}, fact.year)",
        "CASE WHEN old_version <> definition_version THEN 'definition' ELSE cause END",
        run.clock,
        run.name,
    )


def score_inputs(connection: duckdb.DuckDBPyConnection, year: int, view: View) -> tuple[list[Result], list[Budget]]:
    """What a year is scored from: the standing value of each indicator, and the budget in force at the cut-off."""
    objectives = {indicator.id: indicator.objective for indicator in load_indicators()}
    values = connection.execute(
        load_sql("warehouse.facts", "year_values.sql"), {"year": year, "office": office().office_code}
    ).fetchall()
    results = [
        Result(indicator, objectives[indicator], status, value, target)
        for indicator, status, value, target in values
        if indicator in objectives
    ]
    if not has_table(connection, "states", BUDGET):
        return results, []
    rows = connection.execute(
        load_sql("warehouse.facts", "budget_in_force.sql"),
        {"year": year, "cut_off": year_period(year).cut_off(view.clock), "known_batch": view.known_batch},
    ).fetchall()
    return results, [Budget(code, allocated, spent) for code, _revision, allocated, spent in rows]


def printed_scores(connection: duckdb.DuckDBPyConnection, years: list[int], view: View) -> list[PrintedItem]:
    """The scores that offices have printed of these years: carried as reported, beside the derived ones."""
    found = read_printed(connection, None, list(load_scoring().printed_measures), view.known_batch)
    return [item for item in found if item.year in years]


def _printed_row(item: PrintedItem, view: View, causes: Causes) -> dict[str, Any]:
    scoring = load_scoring()
    outcome, _ = stand_in(item.readings, item.chosen)
    name = scoring.printed_measures[item.measure]
    measure = scoring.measures[name]
    decimals = measure.decimals if outcome.decimals is None else outcome.decimals
    return {
        "measure": f"printed_{name}",
        "item": item.item,
        "year": item.year,
        "office": item.office,
        "definition_version": scoring.version,
        "cut_off": year_period(item.year).cut_off(view.clock),
        "value": outcome.value(decimals),
        "decimals": decimals,
        "unit": measure.unit,
        "status": outcome.status,
        "missing": "{}",
        "category": None,
        "is_provisional": False,
        "cause": causes.get((PRINT, item.year), REASONS[0]),
    }


def _row(score: Score, year: int, cut_off: datetime, view: View) -> dict[str, Any]:
    scoring = load_scoring()
    measure = scoring.measures[score.measure]
    return {
        "measure": score.measure,
        "item": score.item,
        "year": year,
        "office": office().office_code,
        "definition_version": scoring.version,
        "cut_off": cut_off,
        "value": score.value(scoring.measures),
        "decimals": measure.decimals,
        "unit": measure.unit,
        "status": score.status,
        "missing": json.dumps(dict(score.missing), sort_keys=True),
        "category": score.category,
        "is_provisional": year_period(year).is_running(view.clock),
    }


def _changed_values(connection: duckdb.DuckDBPyConnection, run: Run, causes: Causes) -> dict[tuple[str, int], str]:
    """Why the value of an indicator and year changed in this run; of a first value, why it was derived."""
    rows = connection.execute(
        load_sql("warehouse.facts", "changed_values.sql"), {"run": run.name, "office": office().office_code}
    ).fetchall()
    return {(indicator, year): reason or causes.get((indicator, year), REASONS[0]) for indicator, year, reason in rows}


def _cause(score: Score, year: int, changed: Causes, causes: Causes) -> str:
    """The reason that a number has where it differs: that of its inputs; where none of them changed, our own code did."""
    found = {changed[indicator, year] for indicator in score.inputs if (indicator, year) in changed}
    if score.measure in BUDGET_MEASURES and (BUDGET, year) in causes:
        found.add(causes[BUDGET, year])
    return min(found, key=REASONS.index) if found else "code"
