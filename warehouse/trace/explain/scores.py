"""The explanation of a score: the numbers that it rests on, down to the indicators and their records."""

import json
from collections import Counter
from typing import Any

import duckdb

from transforms.definitions import Indicator, load_indicators
from transforms.exact import decimal_text
from transforms.reference import office
from transforms.scoring.definition import NPSS, load_scoring
from transforms.scoring.score import HAS_A_NUMBER
from warehouse.facts.agreed import AGREEMENTS
from warehouse.facts.versions import KPI_SCORES
from warehouse.store.failures import WrongUsage
from warehouse.trace.explain.indicators import explain_indicator
from warehouse.trace.explain.lineage import Fact, Question, deliveries_of_rows, described, find_fact, merged


def explain_score(connection: duckdb.DuckDBPyConnection, item: str, question: Question) -> dict[str, Any]:
    """NPSS, a perspective or an objective of a year. ``inputs`` are the explanations of its indicators, records and all."""
    if question.period.kind != "year":
        raise WrongUsage(f"a score is of a year, not of {question.period.id}")
    year = question.period.year
    measure = measure_of(item)
    fact = find_fact(connection, KPI_SCORES.name, {"measure": measure, "item": item, "year": year}, question, item)
    known, why = _numbers(connection, year, fact)
    objectives = _objectives(item)
    inputs = [
        _input(connection, indicator, question, fact)
        for indicator in load_indicators()
        if indicator.objective in objectives
    ]
    missing = {i["indicator"]: i["status"] for i in inputs if i["status"] not in HAS_A_NUMBER}
    return {
        "indicator": item,
        "period": question.period.id,
        "value": None if fact.row["value"] is None else decimal_text(fact.row["value"], 2),
        "status": fact.row["status"],
        "unit": fact.row["unit"],
        "title": {"npss": "score of the office", "nss": "score of a strategic objective"}.get(
            measure, "score of a perspective"
        ),
        "definition_version": fact.row["definition_version"],
        **load_scoring().grounds,
        "formula": _formula(item, measure, known, fact),
        "numerator": None,
        "denominator": None,
        "excluded": dict(sum((Counter(i["excluded"]) for i in inputs), Counter())),
        "missing": json.loads(fact.row["missing"]) | missing,
        **merged([*inputs, described(connection, _agreed(connection, year, [i["indicator"] for i in inputs], fact))]),
        "history": fact.history(connection),
        "records": {
            role: [f"{i['indicator']}|{key}" for i in inputs for key in i["records"][role]]
            for role in ("numerator", "denominator")
        }
        | {
            "excluded": [
                {"key": f"{i['indicator']}|{entry['key']}", "reason": entry["reason"]}
                for i in inputs
                for entry in i["records"]["excluded"]
            ]
        },
        "steps": [_with_reason(step, why) for step in _steps(item, known, inputs)],
        "inputs": inputs,
        # An input without a value leaves its mean: there is nothing of it to give again.
        "reproduced": None if fact.row["value"] is None else all(i["reproduced"] is not False for i in inputs),
    }


def _input(
    connection: duckdb.DuckDBPyConnection, indicator: Indicator, question: Question, fact: Fact
) -> dict[str, Any]:
    """The indicator as the score found it. What is missing may have come nearer since, without a value that changes the score."""
    found = explain_indicator(connection, indicator, Question(question.period, fact.origin["known_from"]))
    return found if found["gap"] is None else explain_indicator(connection, indicator, question)


def _agreed(
    connection: duckdb.DuckDBPyConnection, year: int, indicators: list[str], fact: Fact
) -> list[tuple[int, int]]:
    """The deliveries of the performance agreement: a capaian is of a value and its target."""
    condition, named = (
        "year = $year AND list_contains($indicators, indicator_id)",
        {"year": year, "indicators": indicators},
    )
    return deliveries_of_rows(connection, AGREEMENTS, condition, named, fact.view(connection))


def measure_of(item: str) -> str:
    """Under which measure the number of a score stands."""
    return "npss" if item == NPSS else "nss" if item in load_scoring().objectives else "perspective_score"


def _numbers(
    connection: duckdb.DuckDBPyConnection, year: int, fact: Fact
) -> tuple[dict[tuple[str, str], str | None], dict[str, str]]:
    """(measure, item) -> number with two decimals, of the versions that stood with this one; and by item why it has none."""
    rows = connection.execute(
        "SELECT measure, item, value, status FROM facts.kpi_scores WHERE year = $1 AND office = $2 "
        "AND version_is_known(known_from, known_to, $3)",
        [year, office().office_code, fact.origin["known_from"]],
    ).fetchall()
    numbers = {(measure, item): None if value is None else decimal_text(value, 2) for measure, item, value, _ in rows}
    ways_down = ("capaian", "nss", "nkp")
    return numbers, {item: status for measure, item, value, status in rows if measure in ways_down and value is None}


def _with_reason(step: dict[str, Any], why: dict[str, str]) -> dict[str, Any]:
    """Of a step without a number the status says why it has none: a value is there and its target is missing, for one."""
    return step if step["number"] is not None or step["id"] not in why else step | {"status": why[step["id"]]}


def _objectives(item: str) -> set[str]:
    scoring = load_scoring()
    if item in scoring.objectives:
        return {item}
    return {objective for p in scoring.perspectives if item in (NPSS, p.id) for objective in p.objectives}


def _formula(item: str, measure: str, known: dict[tuple[str, str], str | None], fact: Fact) -> str:
    scoring = load_scoring()
    value = "no value" if fact.row["value"] is None else decimal_text(fact.row["value"], 2)
    if measure == "npss":
        parts = [f"{p.id} {known.get(('nkp', p.id)) or '-'}" for p in scoring.perspectives]
        return f"NPSS = the sum of the NKP of the perspectives: {' + '.join(parts)} = {value}"
    if measure == "nss":
        members = [i.id for i in load_indicators() if i.objective == item]
        shown = [f"{member} {known.get(('capaian', member)) or '-'}" for member in members]
        return f"NSS = the mean of the capaian of its indicators that have a value: {', '.join(shown)} = {value}"
    objectives = next(p.objectives for p in scoring.perspectives if p.id == item)
    shown = [f"{objective} {known.get(('nss', objective)) or '-'}" for objective in objectives]
    return f"score = the mean of the NSS of its objectives: {', '.join(shown)} = {value}"


def _steps(item: str, known: dict[tuple[str, str], str | None], inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The way down: perspectives, their objectives, the indicators with capaian, value and number of records."""
    scoring = load_scoring()
    objectives = _objectives(item)
    steps = [
        {"level": "perspective", "id": p.id, "number": known.get(("nkp", p.id)), "of": NPSS}
        for p in scoring.perspectives
        if item in (NPSS, p.id)
    ]
    owner = {objective: p.id for p in scoring.perspectives for objective in p.objectives}
    steps += [
        {"level": "objective", "id": objective, "number": known.get(("nss", objective)), "of": owner[objective]}
        for objective in scoring.objectives
        if objective in objectives
    ]
    of = {i.id: i.objective for i in load_indicators()}
    return steps + [
        {
            "level": "indicator",
            "id": found["indicator"],
            "number": known.get(("capaian", found["indicator"])),
            "of": of[found["indicator"]],
            "value": found["value"],
            "status": found["status"],
            "records": len({*found["records"]["numerator"], *found["records"]["denominator"]}),
        }
        for found in inputs
    ]
