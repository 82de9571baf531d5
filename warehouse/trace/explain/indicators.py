"""The explanation of an indicator's value: its evidence again, as the run that entered it saw the records."""

import json
from collections import defaultdict
from decimal import Decimal
from typing import Any

import duckdb

from expectations.contract import load_contract
from transforms.definitions import Indicator, Version
from transforms.evaluate import describe_fold
from transforms.exact import count_or_text, decimal_text
from transforms.periods import Period, parts
from transforms.sql import load_sql
from warehouse.facts.agreed import PRINT, REALIZATION
from warehouse.facts.derive import FreshValue, View, collect_evidence, derive_indicator, look_from, look_now
from warehouse.facts.versions import KPI_VALUES
from warehouse.store.failures import WrongUsage
from warehouse.trace.explain.gaps import gap_of
from warehouse.trace.explain.lineage import (
    Fact,
    Question,
    deliveries_of_rows,
    described,
    find_fact,
    is_held_back,
    reproduced,
)

Evidence = list[tuple[str, str, str, str | None, list[str], Decimal | None]]


def explain_indicator(
    connection: duckdb.DuckDBPyConnection, indicator: Indicator, question: Question
) -> dict[str, Any]:
    """Raises WrongUsage where the value is not known, or its definition is no longer in the files."""
    period = question.period
    fact = find_fact(
        connection, KPI_VALUES.name, {"indicator": indicator.id, "period": period.id}, question, indicator.id
    )
    version = _version(indicator, fact)
    view = fact.view(connection)
    again = derive_again(connection, indicator, period, view)
    evidence = _evidence(connection, indicator, version, period, view) if fact.row["status"] != "reported" else []
    behind = _parts_behind(indicator, period, evidence, view)
    used = [row for row in evidence if row[0] in behind]
    is_withheld = is_held_back(fact.row) and fact.value is None
    return {
        "indicator": indicator.id,
        "period": period.id,
        "value": fact.value,
        "status": fact.row["status"],
        "flags": fact.row["flags"],
        "unit": fact.row["unit"],
        "title": indicator.title.en,
        "definition_version": fact.row["definition_version"],
        **version.grounds,
        "formula": f"{version.formula.text}: {_with_numbers(indicator, version, again, used, period, fact)}",
        "numerator": count_or_text(fact.row["numerator"]),
        "denominator": count_or_text(fact.row["denominator"]),
        "excluded": json.loads(fact.row["excluded"]),
        **described(connection, _deliveries(connection, indicator, fact, behind, period, view)),
        "history": fact.history(connection),
        "records": {
            "numerator": _keys(used, "numerator"),
            # Where the denominator is a count of records, these are they: the numerator's among them.
            "denominator": _keys(used, "denominator", *(() if indicator.components == "none" else ("numerator",))),
            "excluded": [
                {"key": key, "reason": reason}
                for key, reason in sorted({(row[1], str(row[3])) for row in used if row[2] == "excluded"})
            ],
            "held": _keys(used, "held"),
        },
        "evidence": [
            {"period": found, "key": key, "role": role, "group": "/".join(path), "amount": decimal_text(amount)}
            for found, key, role, _, path, amount in used
            if role in ("numerator", "denominator")
        ],
        "gap": gap_of(connection, indicator, fact, question, view),
        # A value that is withheld is none to give again, though its records are there to be looked at.
        "reproduced": None if is_withheld else reproduced(fact.value, None if again is None else _shown(again)),
    }


def derive_again(
    connection: duckdb.DuckDBPyConnection, indicator: Indicator, period: Period, view: View
) -> FreshValue | None:
    """The value as today's code makes it of the records that the view sees."""
    try:
        fresh = derive_indicator(connection, indicator, [period.year], view)
    finally:
        look_now(connection)
    return next((value for value in fresh if value.period.id == period.id and value.office_code is None), None)


def _shown(value: FreshValue) -> str | None:
    decimals = value.indicator.decimals if value.outcome.decimals is None else value.outcome.decimals
    return decimal_text(value.outcome.value(decimals), decimals)


def _version(indicator: Indicator, fact: Fact) -> Version:
    name = fact.row["definition_version"]
    found = next((version for version in indicator.versions if version.version == name), None)
    if found is None:
        raise WrongUsage(
            f"{indicator.id}: its definition version {name} is no longer in the files; restore it to explain the value"
        )
    return found


def _evidence(
    connection: duckdb.DuckDBPyConnection, indicator: Indicator, version: Version, period: Period, view: View
) -> Evidence:
    look_from(connection, view)
    collect_evidence(connection, indicator, version, period.year, period.year, view)
    look_now(connection)
    return connection.execute(load_sql("warehouse.trace", "explained_evidence.sql")).fetchall()


def _parts_behind(indicator: Indicator, period: Period, evidence: Evidence, view: View) -> list[str]:
    """The periods of the evidence that make the value: itself, the newest part of the year that has begun, or all that have."""
    if period.kind != "year" or indicator.parts is None:
        return [period.id]
    begun = {part.id for part in parts(period.year, indicator.parts) if part.has_begun(view.clock)}
    with_rows = sorted({row[0] for row in evidence if row[2] != "held"} & begun)
    return with_rows[-1:] if indicator.year_from == "newest_part" else with_rows


def _with_numbers(
    indicator: Indicator, version: Version, again: FreshValue | None, used: Evidence, period: Period, fact: Fact
) -> str:
    if fact.row["status"] == "reported":
        return f"carried as printed, {fact.value}"
    if fact.value is None:
        return f"no value: {fact.row['status']}"
    by_period: dict[str, dict[tuple[str, ...], tuple[Decimal, int]]] = defaultdict(dict)
    for found, _, role, _, path, amount in used:
        if role in ("numerator", "denominator"):
            total, count = by_period[found].get(tuple(path), (Decimal(0), 0))
            by_period[found][tuple(path)] = (total + (amount or Decimal(0)), count + 1)
    texts = {
        found: describe_fold(version.formula, groups, indicator.decimals) for found, groups in sorted(by_period.items())
    }
    if len(texts) == 1:
        return next(iter(texts.values()))
    shown = "; ".join(f"{found}: {text}" for found, text in texts.items())
    return (
        f"mean of {len(texts)} {parts(period.year, indicator.parts)[0].kind}s = {fact.value} [{shown}]"
        if indicator.parts
        else shown
    )


def _deliveries(
    connection: duckdb.DuckDBPyConnection,
    indicator: Indicator,
    fact: Fact,
    behind: list[str],
    period: Period,
    view: View,
) -> list[tuple[int, int]]:
    if fact.row["status"] == "reported":
        condition = "item_code = $item AND measure_code = $measure AND year = $year AND office_code = $office"
        named = {"item": indicator.id, "measure": REALIZATION, "year": period.year, "office": fact.row["office"]}
        return deliveries_of_rows(connection, PRINT, condition, named, view)
    found: list[tuple[int, int]] = []
    for source in indicator.sources:
        contract = load_contract(source)
        condition, named = f"{contract.year} = $year", {"year": period.year}
        if indicator.parts and contract.part:
            condition, named = f"{condition} AND list_contains($parts, {contract.part})", named | {"parts": behind}
        if indicator.held_key_prefix:
            condition, named = (
                f"{condition} AND starts_with(record_key, $prefix)",
                named | {"prefix": indicator.held_key_prefix},
            )
        found += deliveries_of_rows(connection, source, condition, named, view)
    return found


def _keys(evidence: Evidence, *roles: str) -> list[str]:
    return sorted({key for _, key, role, *_ in evidence if role in roles})
