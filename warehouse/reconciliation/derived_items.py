"""What is derived of the items that a report prints: standing facts, by the name of the item."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import duckdb

from expectations.contested import CONTESTED, VALUE, WITHHELD_CONTESTED, Fact
from expectations.reconciliation import Derived
from transforms.definitions import Indicator, load_indicators
from transforms.item_key import ItemKey
from transforms.reference import office
from transforms.reference.tables import agencies
from transforms.scoring.definition import load_categories, load_scoring
from transforms.scoring.score import Score, score_year
from transforms.services.measures import a_row_each, group_names, load_measures
from transforms.sql import filled, load_sql
from warehouse.facts.derive import View
from warehouse.facts.scores import score_inputs

PROVISIONAL = "provisional: the period is still running"
WAITING = "not final: rows that are dated after the clock of the run will still count"
INCOMPLETE = "incomplete: not every agency has a row"
UNFINISHED = "incomplete: its last quarter has no value"
REPORTED = "carried as reported: it is the printed number itself"
CATEGORY, TARGET = "category", "target"

Items = dict[str, Derived]


@dataclass(frozen=True)
class Reader:
    """Reads on one connection, as of one view. ``waiting``: (source, year) of which rows are dated later than the clock.

    They matter where a year has a knowledge cut-off: what happened after an event cut-off never counts (ruling 2).
    """

    connection: duckdb.DuckDBPyConnection
    view: View
    waiting: frozenset[tuple[str, int]]

    def rows(self, name: str, parameters: Mapping[str, object], **parts: str) -> list[tuple[Any, ...]]:
        query = filled(load_sql("warehouse.reconciliation", name), **parts)
        return self.connection.execute(query, dict(parameters)).fetchall()

    def is_waiting(self, indicator: Indicator, year: int) -> bool:
        return indicator.cut_off == "knowledge" and any((source, year) in self.waiting for source in indicator.sources)


def read_items(
    connection: duckdb.DuckDBPyConnection,
    view: View,
    printed: Mapping[int, frozenset[str]],
    report_years: Iterable[int],
) -> Items:
    """All derived items. ``printed``: by year the indicators that have a printed realization, for comparing scores alike."""
    found = connection.execute(
        load_sql("warehouse.reconciliation", "waiting_years.sql"), {"clock": view.clock}
    ).fetchall()
    reader = Reader(connection, view, frozenset(found))
    values = _values(reader)
    return {
        **values,
        **_scores(reader, values, printed),
        **_services(reader),
        **_results(reader),
        **_structure(report_years),
    }


def _values(reader: Reader) -> Items:
    """The values that stand. One whose evidence is visibly not whole cannot be held against a printed one."""
    known = {indicator.id: indicator for indicator in load_indicators()}
    items: Items = {}
    for indicator, period, measure, value, decimals, status, flags, is_provisional, former in reader.rows(
        "reconciled_values.sql", {"office": office().office_code}
    ):
        unfit = None
        if value is None:
            unfit = f"no value: {status}"
        elif is_provisional:
            unfit = PROVISIONAL
        elif status == "reported":
            unfit = REPORTED
        elif "incomplete" in flags and not (indicator in known and known[indicator].compares_incomplete):
            unfit = INCOMPLETE
        elif measure != TARGET and indicator in known and reader.is_waiting(known[indicator], int(period[:4])):
            unfit = WAITING
        items[_name(indicator, period, measure)] = Derived(
            value,
            decimals,
            unfit,
            earlier=tuple(former),
            fact=Fact(VALUE, indicator, period),
            is_held=CONTESTED in flags,
        )
    return items | _unfinished(items, [i.id for i in known.values() if i.year_from == "newest_part"])


def _unfinished(items: Items, indicators: Iterable[str]) -> Items:
    """The values of years that come from their newest quarter, where that is not the last one."""
    found: Items = {}
    for name, derived in items.items():
        key = ItemKey.parse(name)
        if key.subject in indicators and key.is_of_year and key.measure != TARGET and derived.unfit is None:
            last = items.get(_name(key.subject, f"{key.period}-Q4", "realisasi"))
            if last is None or last.value is None:
                found[name] = replace(derived, unfit=UNFINISHED)
    return found


def _scores(reader: Reader, values: Items, printed: Mapping[int, frozenset[str]]) -> Items:
    items: Items = {}
    measures = load_scoring().printed_measures
    for item, period, measure, value, decimals, category, status, is_provisional, former in reader.rows(
        "reconciled_scores.sql",
        {"office": office().office_code, "measures": list(measures.values()), "printed": list(measures)},
    ):
        unfit = f"no value: {status}" if value is None else PROVISIONAL if is_provisional else None
        fact = Fact(measures[measure], item, period)
        is_held = status in (CONTESTED, WITHHELD_CONTESTED)
        items[_name(item, period, measure)] = Derived(
            value, decimals, unfit, earlier=tuple(former), fact=fact, is_held=is_held
        )
        if category is not None:
            items[_name(item, period, CATEGORY)] = Derived(category, None, unfit, fact=fact, is_held=is_held)
    for year in {ItemKey.parse(name).year for name in items}:
        items |= _comparable(reader, items, values, year, printed.get(year, frozenset()))
    return items


def _comparable(reader: Reader, items: Items, values: Items, year: int, printed: frozenset[str]) -> Items:
    """The scores of a year that rest on indicators, with what each would be on the printed ones alone."""
    results, budgets = score_inputs(reader.connection, year, reader.view)
    scoring, categories = load_scoring(), load_categories()
    scores = {(s.measure, s.item): s for s in score_year(results, budgets, scoring, categories)}
    only_printed = [result for result in results if result.indicator in printed]
    alike = {(s.measure, s.item): s for s in score_year(only_printed, budgets, scoring, categories)}
    with_value = frozenset(item for (kind, item), s in scores.items() if kind == "capaian" and s.exact is not None)
    found: Items = {}
    for name, derived in items.items():
        named = ItemKey.parse(name)
        ours = "npss" if named.measure == CATEGORY else scoring.printed_measures.get(named.measure, "")
        key = (ours, named.subject)
        if named.period == str(year) and derived.unfit is None and key in scores:
            unfit = _unfit(scores[key], values, year, with_value, printed)
            beside = alike.get(key)
            found[name] = (
                replace(derived, unfit=unfit) if unfit else _beside(derived, scores[key], beside, with_value - printed)
            )
    return found


def _unfit(score: Score, values: Items, year: int, with_value: frozenset[str], printed: frozenset[str]) -> str | None:
    """Why a score cannot be held against a printed one: an input that is not whole, or that only one of the two has."""
    for indicator in sorted(score.inputs):
        value = values.get(_name(indicator, str(year), "realisasi"))
        if value is not None and value.unfit in (WAITING, INCOMPLETE, UNFINISHED):
            return f"{indicator} is {value.unfit}"
    if len(score.inputs) > 1 and (lacking := sorted(score.inputs & printed - with_value)):
        return f"not comparable: {', '.join(lacking)} was printed and has no value here"
    return None


def _beside(derived: Derived, score: Score, alike: Score | None, not_printed: frozenset[str]) -> Derived:
    """With the score on the printed indicators alone, where it rests on others too; without one it cannot be compared."""
    beyond = tuple(sorted(score.inputs & not_printed))
    if len(score.inputs) == 1 or not beyond:
        return derived
    if alike is None or alike.exact is None:
        return replace(derived, unfit=f"not comparable: it rests on {', '.join(beyond)}, which has no printed value")
    is_category = isinstance(derived.value, str)
    return replace(
        derived, beyond=beyond, alike=alike.category if is_category else alike.value(load_scoring().measures)
    )


def _services(reader: Reader) -> Items:
    items: Items = {}
    printed = [measure for measure in load_measures() if measure.is_printed_by_reports]
    measures = a_row_each(printed, "value := CAST({column} AS DECIMAL(18, 2))", "decimals := {decimals}")
    # A report names a kind of recruitment, and does not print its code; no region is called as a code.
    kinds = group_names("kind", "id")
    for service, period, group, is_provisional, measure, value, decimals in reader.rows(
        "reconciled_services.sql", {"office": office().office_code}, measures=measures
    ):
        items[_name(service, period, measure, kinds.get(group, group))] = Derived(
            value, decimals, PROVISIONAL if is_provisional else None
        )
    return items


def _results(reader: Reader) -> Items:
    """The figures that stand in tables of results. One of which rows wait, or of a running year, cannot be held against a printed one."""
    items: Items = {}
    for source, subject, period, measure, group, value, decimals, is_provisional in reader.rows(
        "reconciled_results.sql", {"office": office().office_code}
    ):
        is_waiting = (source, int(period[:4])) in reader.waiting
        unfit = WAITING if is_waiting else PROVISIONAL if is_provisional else None
        items[_name(subject, period, measure, group)] = Derived(value, decimals, unfit)
    return items


def _structure(report_years: Iterable[int]) -> Items:
    """How many objectives, indicators and agencies there are, and the weights."""
    indicators, scoring = load_indicators(), load_scoring()
    counts: list[tuple[str, str, int]] = [
        ("office", "agencies", agencies().height),
        ("office", "indicators", len(indicators)),
        ("office", "objectives", len(scoring.objectives)),
        ("office", "perspectives", len(scoring.perspectives)),
    ]
    for perspective in scoring.perspectives:
        members = [indicator for indicator in indicators if indicator.objective in perspective.objectives]
        counts += [
            (perspective.id, "indicators", len(members)),
            (perspective.id, "objectives", len(perspective.objectives)),
            (perspective.id, "weight", perspective.weight_percent),
        ]
    return {
        _name(subject, str(year), measure): Derived(Decimal(count), 0)
        for year in report_years
        for subject, measure, count in counts
    }


def _name(subject: str, period: str, measure: str, group: str | None = None) -> str:
    return ItemKey(office().office_code, subject, period, measure, group).text
