"""What is derived of the items that a report prints: standing facts and figures beside them, by the name of the item."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import duckdb

from expectations.reconciliation import Derived
from transforms.definitions import load_indicators
from transforms.periods import year_period
from transforms.printed import year_of
from transforms.printed_tables import Figures, integration_figures, survey_figures
from transforms.reference import agencies, office
from transforms.scoring.definition import load_categories, load_scoring
from transforms.scoring.score import Score, score_year
from transforms.sql import load_sql
from warehouse.derivation import View
from warehouse.queries import has_table
from warehouse.scores import score_inputs

PROVISIONAL = "provisional: the period is still running"
WAITING = "rows that are dated after the clock of the run will still count: the value is not final"
REPORTED = "carried as reported: it is the printed number itself"
# The measures of the score that rest on several indicators, as a report names them.
COMPOSITES = {"NSS": "nss", "score": "perspective_score", "NKP": "nkp", "NPSS": "npss"}
CATEGORY = "category"

Items = dict[str, Derived]


@dataclass(frozen=True)
class Reader:
    """Reads on one connection, as of one view. ``waiting``: (source, year) of which rows are dated later than the clock.

    They matter where a year has a knowledge cut-off: what happened after an event cut-off never counts (ruling 2).
    """

    connection: duckdb.DuckDBPyConnection
    view: View
    waiting: frozenset[tuple[str, int]]

    def rows(self, name: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        return self.connection.execute(load_sql("warehouse.sql", name), dict(parameters)).fetchall()

    def is_waiting(self, sources: Iterable[str], year: int) -> bool:
        return any((source, year) in self.waiting for source in sources)

    @property
    def known(self) -> dict[str, object]:
        return {"clock": self.view.clock, "known_batch": self.view.known_batch}


def read_items(
    connection: duckdb.DuckDBPyConnection,
    view: View,
    printed: Mapping[int, frozenset[str]],
    report_years: Iterable[int],
) -> Items:
    """All derived items. ``printed``: by year the indicators that have a printed realization, for comparing scores alike."""
    found = connection.execute(load_sql("warehouse.sql", "waiting_years.sql"), {"clock": view.clock}).fetchall()
    reader = Reader(connection, view, frozenset(found))
    values = _values(reader)
    return {
        **values,
        **_scores(reader, printed),
        **_services(reader),
        **_figures(reader, "integration", "integrated_agencies.sql", integration_figures),
        **_figures(reader, "survey", "survey_elements.sql", survey_figures),
        **_survey_totals(values),
        **_structure(report_years),
    }


def _values(reader: Reader) -> Items:
    sources = _open_sources()
    items: Items = {}
    for indicator, period, measure, value, decimals, status, is_provisional, former in reader.rows(
        "reconciled_values.sql", {"office": office().office_code}
    ):
        unfit = None
        if value is None:
            unfit = f"no value: {status}"
        elif is_provisional:
            unfit = PROVISIONAL
        elif status == "reported":
            unfit = REPORTED
        elif reader.is_waiting(sources.get(indicator, []), int(period[:4])):
            unfit = WAITING
        items[_name(indicator, period, measure)] = Derived(value, decimals, unfit, earlier=tuple(former))
    return items


def _open_sources() -> dict[str, list[str]]:
    """The sources whose rows can still change a year that is over, by indicator."""
    return {indicator.id: indicator.sources for indicator in load_indicators() if indicator.cut_off == "knowledge"}


def _scores(reader: Reader, printed: Mapping[int, frozenset[str]]) -> Items:
    sources = {source for of_indicator in _open_sources().values() for source in of_indicator}
    items: Items = {}
    for item, period, measure, value, decimals, category, status, is_provisional, former in reader.rows(
        "reconciled_scores.sql", {"office": office().office_code}
    ):
        unfit = None
        if value is None:
            unfit = f"no value: {status}"
        elif is_provisional:
            unfit = PROVISIONAL
        elif reader.is_waiting(sources, int(period)):
            unfit = WAITING
        items[_name(item, period, measure)] = Derived(value, decimals, unfit, earlier=tuple(former))
        if category is not None:
            items[_name(item, period, CATEGORY)] = Derived(category, None, unfit)
    for year in {year_of(name) for name in items}:
        items |= _alike(reader, items, year, printed.get(year, frozenset()))
    return items


def _alike(reader: Reader, items: Items, year: int, printed: frozenset[str]) -> Items:
    """The scores of a year that rest on several indicators, each with what it would be on the printed ones alone.

    A score on fewer indicators than were printed cannot be compared at all.
    """
    results, budgets = score_inputs(reader.connection, year, reader.view)
    scoring, categories = load_scoring(), load_categories()
    scores = {(s.measure, s.item): s for s in score_year(results, budgets, scoring, categories)}
    only_printed = [result for result in results if result.indicator in printed]
    alike = {(s.measure, s.item): s for s in score_year(only_printed, budgets, scoring, categories)}
    with_value = {item for (measure, item), score in scores.items() if measure == "capaian" and score.exact is not None}
    compared: Items = {}
    for name, derived in items.items():
        _, item, period, measure = name.split("|")
        kind = "npss" if measure == CATEGORY else COMPOSITES.get(measure)
        if period != str(year) or kind is None or derived.unfit is not None:
            continue
        score = scores.get((kind, item))
        if score is not None:
            compared[name] = _compared_alike(derived, score, alike.get((kind, item)), with_value, printed, measure)
    return compared


def _compared_alike(
    derived: Derived, score: Score, alike: Score | None, with_value: set[str], printed: frozenset[str], measure: str
) -> Derived:
    lacking = sorted(score.inputs & printed - with_value)
    if lacking:
        return replace(derived, unfit=f"not comparable: {', '.join(lacking)} was printed and has no value here")
    beyond = tuple(sorted(score.inputs & with_value - printed))
    if not beyond:
        return derived
    if alike is None or alike.exact is None:
        return replace(derived, unfit=f"not comparable: it rests on {', '.join(beyond)}, which has no printed value")
    value: Decimal | str | None = alike.value(load_scoring().measures)
    return replace(derived, beyond=beyond, alike=alike.category if measure == CATEGORY else value)


def _services(reader: Reader) -> Items:
    items: Items = {}
    for service, period, region, is_provisional, measure, value, decimals in reader.rows(
        "reconciled_services.sql", {"office": office().office_code}
    ):
        items[_name(service, period, measure, region)] = Derived(
            value, decimals, PROVISIONAL if is_provisional else None
        )
    return items


def _figures(reader: Reader, source: str, query: str, figures: Callable[[Iterable[Any]], Figures]) -> Items:
    """Figures from the states of a source; of a source without a contract there are none."""
    if not has_table(reader.connection, "states", source):
        return {}
    items: Items = {}
    for suffix, (value, decimals) in figures(reader.rows(query, reader.known)).items():
        name = f"{office().office_code}|{suffix}"
        year = year_of(name)
        unfit = PROVISIONAL if year_period(year).is_running(reader.view.clock) else None
        items[name] = Derived(value, decimals, WAITING if reader.is_waiting([source], year) else unfit)
    return items


def _survey_totals(values: Items) -> Items:
    """The total of the services' survey is the indicator's own value of the semester."""
    prefix, suffix = f"{office().office_code}|IKU-04|", "|realisasi"
    return {
        name.replace("|IKU-04|", "|layanan|").replace(suffix, "|ikm|total"): derived
        for name, derived in values.items()
        if name.startswith(prefix) and name.endswith(suffix) and "-S" in name
    }


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
    return "|".join(filter(None, (office().office_code, subject, period, measure, group)))
