"""The explanation of a service's number: its proposals by role, as the run that entered it saw them."""

import json
from typing import Any

import duckdb

from transforms.exact import decimal_text
from transforms.names import did_you_mean
from transforms.reference import office, regions
from transforms.services import Service, load_services
from transforms.sql import load_sql
from warehouse.facts.derive import derive_service, look_now
from warehouse.facts.versions import SERVICE_SUMMARY
from warehouse.store.failures import WrongUsage
from warehouse.trace.explain.lineage import Fact, Question, deliveries_of_rows, described, find_fact, reproduced

# Measure -> (column of the facts, which proposals are the numerator, which are the denominator besides, formula in words).
# A proposal in scope has no reason of exclusion.
MEASURES: dict[str, tuple[str, str, str, str]] = {
    "received": ("received_count", "true", "false", "proposals received"),
    "ms": ("ms_count", "outcome = 'MS'", "false", "proposals with the outcome MS"),
    "bts": ("bts_count", "outcome = 'BTS'", "false", "proposals with the outcome BTS"),
    "tms": ("tms_count", "outcome = 'TMS'", "false", "proposals with the outcome TMS"),
    "in_process": ("in_process_count", "outcome = 'IN_PROCESS'", "false", "proposals in process"),
    "completion": ("completion_percent", "outcome <> 'IN_PROCESS'", "true", "(MS + BTS + TMS) / received x 100"),
    "approval": ("approval_percent", "outcome = 'MS'", "true", "MS / received x 100"),
    "ever_returned": ("ever_returned_count", "is_ever_returned", "false", "proposals ever returned"),
    "two_day": (
        "two_day_percent", "decision_days <= $limit", "decision_days IS NOT NULL", "decided within two working days / decided x 100",
    ),
    "median_days": ("median_days", "false", "decision_days IS NOT NULL", "median of the working days to the first decision"),
    "p90_days": ("p90_days", "false", "decision_days IS NOT NULL", "90th percentile of the working days to the first decision"),
}  # fmt: skip
OF_PROPOSALS = "record_key IN (SELECT record_key FROM explained_proposals)"
RATES = ("completion", "approval", "two_day")


def explain_service(
    connection: duckdb.DuckDBPyConnection, service: Service, measure: str, group: str, question: Question
) -> dict[str, Any]:
    """``group``: empty, a province, ``vertical`` or an agency. Raises WrongUsage where the number is not known."""
    period, (column, numerator, denominator, text) = question.period, MEASURES[measure]
    breakdown, group_name = breakdown_of(service.service, group, question)
    name = f"{service.service}.{measure}" + (f"|{group}" if group else "")
    key = {"service": service.service, "year": period.year, "breakdown": breakdown, "group_name": group_name}
    fact = find_fact(connection, SERVICE_SUMMARY.name, key, question, name)
    view = fact.view(connection)
    derive_service(connection, service, period.year, view)
    look_now(connection)
    query = load_sql("warehouse.trace", "explained_proposals.sql").format(numerator=numerator, denominator=denominator)
    named = {"breakdown": breakdown, "group_name": group_name, "limit": office().two_day_limit_days}
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE explained_proposals AS {query}",
        {name: value for name, value in named.items() if f"${name}" in query},
    )
    rows = connection.execute("SELECT record_key, role, reason, decision_days FROM explained_proposals").fetchall()
    keys = {role: [key for key, found, _, _ in rows if found == role] for role in ("numerator", "denominator")}
    counts = {role: len(found) for role, found in keys.items()}
    total = counts["numerator"] + counts["denominator"]
    if measure in RATES:
        keys["denominator"] = sorted(keys["numerator"] + keys["denominator"])
    decimals = 0 if column.endswith("_count") else 2
    value = None if fact.row[column] is None else decimal_text(fact.row[column], decimals)
    versions = [row | {"value": row[column], "decimals": decimals, "status": "derived"} for row in fact.versions]
    return {
        "indicator": name,
        "period": period.id,
        "value": value,
        "status": "derived",
        "unit": "percent" if measure in RATES else "working days" if measure.endswith("_days") else "proposals",
        "title": f"{service.title.en}: {text}",
        "definition_version": fact.row["definition_version"],
        **service.grounds,
        "formula": f"{text}: " + _with_numbers(measure, counts["numerator"], total, value),
        "numerator": None if measure.endswith("_days") else counts["numerator"],
        "denominator": total if measure in RATES or measure.endswith("_days") else None,
        "excluded": json.loads(fact.row["excluded"]),
        **described(connection, deliveries_of_rows(connection, service.source, OF_PROPOSALS, {}, view)),
        "history": Fact(fact.row, versions).history(connection),
        "records": keys
        | {"excluded": [{"key": key, "reason": reason} for key, role, reason, _ in rows if role == "excluded"]},
        "evidence": [
            {"period": period.id, "key": key, "role": role, "group": "", "amount": str(days)}
            for key, role, _, days in rows
            if measure.endswith("_days") and role == "denominator"
        ],
        "reproduced": reproduced(value, _again(measure, counts["numerator"], total, rows)),
    }


def breakdown_of(service_name: str, group: str, question: Question) -> tuple[str, str]:
    """(breakdown, group) of the summary in which the number stands. Raises WrongUsage where there is no such number."""
    service = next(service for service in load_services().services if service.service == service_name)
    if question.period.kind == "date":
        if group or not service.has_periods:
            raise WrongUsage(
                f"{service.service} has no numbers by {'period and group' if group else 'period'}; name the year"
            )
        return "period", question.period.id
    if question.period.kind != "year":
        raise WrongUsage(f"a service has numbers of a year, not of {question.period.id}")
    if not group:
        return "year", question.period.id
    if group.isalnum() and any(letter.isdigit() for letter in group):
        return "agency", group
    if group not in regions():
        raise WrongUsage(
            f"there is no region {group!r}{did_you_mean(group, regions()) or ';'} "
            f"regions are {', '.join(regions())}; an agency is named by its code"
        )
    return "region", group


def _with_numbers(measure: str, numerator: int, total: int, value: str | None) -> str:
    if value is None:
        return "no value: no proposal has a first decision by the cut-off"
    if measure in RATES:
        return f"{numerator:,} / {total:,} x 100 = {value}"
    if measure.endswith("_days"):
        return f"over {total:,} decided proposals = {value}"
    return f"{numerator:,}"


def _again(measure: str, numerator: int, total: int, rows: list[tuple[Any, ...]]) -> str | None:
    """The number of the listed proposals, counted anew."""
    if measure in RATES:
        return None if total == 0 else _decimal((20000 * numerator + total) // (2 * total))
    if not measure.endswith("_days"):
        return str(numerator)
    days = sorted(row[3] for row in rows if row[1] == "denominator")
    if not days:
        return None
    # position q (n - 1) in hundredths, between two neighbours
    position = (len(days) - 1) * (50 if measure == "median_days" else 90)
    below, above = days[position // 100], days[min(position // 100 + 1, len(days) - 1)]
    return _decimal(below * 100 + position % 100 * (above - below))


def _decimal(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}"
