"""Where a number comes from: from the published value to its formula, its records, the deliveries and the rules behind it."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from transforms.definitions import load_indicators
from transforms.names import did_you_mean
from transforms.periods import end_of_day, parse_period
from transforms.result_names import ResultName, parse_result, patterns, period_of
from transforms.scoring.definition import NPSS, load_scoring
from transforms.services import load_services
from transforms.services.measures import listed_measures
from warehouse.store.failures import WrongUsage
from warehouse.store.looking import look
from warehouse.trace.explain.indicators import explain_indicator
from warehouse.trace.explain.lineage import Question
from warehouse.trace.explain.printed import judged_by_prints
from warehouse.trace.explain.results import explain_result
from warehouse.trace.explain.scores import explain_score
from warehouse.trace.explain.services import explain_service

Explanation = dict[str, Any]


@dataclass(frozen=True)
class Named:
    """What an ID names: an indicator, a service with measure and group, a score, or a row of a table of results."""

    kind: str
    name: str
    measure: str = ""
    group: str = ""
    row: ResultName | None = None


def explain(root: Path, item: str, period: str | None = None, as_of: date | None = None) -> Explanation:
    """The shape of ``kpi explain --json``, for the number as known now or at the end of a day.

    ``item``: ``IKU-06``; ``promotion`` or ``promotion.two_day``, with ``|Sumatera Selatan`` or ``|5500`` for a region or an agency, ``|month=2024-03`` for a group of another
    breakdown;
    ``NPSS``, ``SS2``, ``customer``; ``survey|layanan|2024-S1|MUTASI|U3`` and other rows of tables of results, which say their period
    themselves. Raises WrongUsage or ValueError where nothing has that name or period.
    """
    question = question_of(item, period, as_of)
    with look(root) as warehouse:
        return explain_in(warehouse.connection, item, question)


def question_of(item: str, period: str | None, as_of: date | None) -> Question:
    """Raises ValueError where no period is said, or none that can be."""
    asked = parse_period(period_of(parse_result(item), period, item))
    return Question(asked, end_of_day(as_of) if as_of else None)


def explain_in(connection: duckdb.DuckDBPyConnection, item: str, question: Question) -> Explanation:
    """The same, on an open warehouse."""
    named = resolve(item)
    found = _explained(connection, named, question)
    names = [found["indicator"], *(i["indicator"] for i in found.get("inputs", []))]
    # What is printed is known as of now alone.
    judged = judged_by_prints(connection, names, question.period.id) if question.clock is None else {}
    return found | {"contested": [], "waived": []} | judged


def _explained(connection: duckdb.DuckDBPyConnection, named: Named, question: Question) -> Explanation:
    match named.kind:
        case "indicator":
            return explain_indicator(connection, next(i for i in load_indicators() if i.id == named.name), question)
        case "service":
            service = next(s for s in load_services().services if s.service == named.name)
            return explain_service(connection, service, listed_measures()[named.measure], named.group, question)
        case "result" if named.row is not None:
            return explain_result(connection, named.row, question)
        case _:
            return explain_score(connection, named.name, question)


def resolve(item: str) -> Named:
    """Raises WrongUsage that lists what can be explained."""
    if (row := parse_result(item)) is not None:
        return Named("result", row.table.table, row=row)
    name, _, group = item.partition("|")
    head, _, measure = name.partition(".")
    if name.upper() in {indicator.id for indicator in load_indicators()}:
        return Named("indicator", name.upper())
    if (
        head in {service.service for service in load_services().services}
        and (measure or "completion") in listed_measures()
    ):
        return Named("service", head, measure or "completion", group)
    scoring = load_scoring()
    scores = (NPSS, *scoring.objectives, *(perspective.id for perspective in scoring.perspectives))
    if found := next((score for score in scores if score.lower() == name.lower()), None):
        return Named("score", found)
    measures = [f"{service.service}.{measure}" for service in load_services().services for measure in listed_measures()]
    known = [*(indicator.id for indicator in load_indicators()), *scores, *measures]
    raise WrongUsage(
        f"nothing is called {item!r}{did_you_mean(name, known) or ':'} name an indicator (IKU-01 to IKU-14), a service (promotion, nip, pension; with a measure such as "
        f"promotion.two_day, one of {', '.join(listed_measures())}; with a group such as 'promotion|Sumatera Selatan'), a score ({', '.join(scores)}), or a row of a table ({', '.join(patterns())})"
    )
