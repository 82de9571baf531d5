"""The explanation of a service's number: its proposals by role, as the run that entered it saw them."""

import json
from typing import Any

import duckdb

from transforms.exact import decimal_text
from transforms.names import did_you_mean
from transforms.reference import office, regions
from transforms.services import Service, load_services
from transforms.services.measures import Measure, is_in_group, load_breakdowns
from transforms.sql import filled, load_sql, names_parameter
from warehouse.facts.derive import derive_service, look_now
from warehouse.facts.versions import SERVICE_SUMMARY
from warehouse.store.failures import WrongUsage
from warehouse.trace.explain.lineage import Fact, Question, deliveries_of_rows, described, find_fact, reproduced

OF_PROPOSALS = "record_key IN (SELECT record_key FROM explained_proposals)"


def explain_service(
    connection: duckdb.DuckDBPyConnection, service: Service, measure: Measure, group: str, question: Question
) -> dict[str, Any]:
    """``group``: empty, a province, ``vertical``, an agency, or ``type=301``. Raises WrongUsage where the number is not known."""
    period, text = question.period, measure.formula
    breakdown, group_name = breakdown_of(service.service, group, question)
    name = f"{service.service}.{measure.measure}" + (f"|{group}" if group else "")
    key = {"service": service.service, "year": period.year, "breakdown": breakdown, "group_name": group_name}
    fact = find_fact(connection, SERVICE_SUMMARY.name, key, question, name)
    view = fact.view(connection)
    derive_service(connection, service, period.year, view)
    look_now(connection)
    query = filled(
        load_sql("warehouse.trace", "explained_proposals.sql"),
        counted=measure.counts, of=measure.of or "false", is_in_group=is_in_group("$breakdown", "$group_name"),
    )  # fmt: skip
    named = {"breakdown": breakdown, "group_name": group_name, "two_day_limit_days": office().two_day_limit_days}
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE explained_proposals AS {query}",
        {name: value for name, value in named.items() if names_parameter(query, name)},
    )
    rows = connection.execute("SELECT record_key, role, reason, decision_days FROM explained_proposals").fetchall()
    keys = {role: [key for key, found, _, _ in rows if found == role] for role in ("numerator", "denominator")}
    counts = {role: len(found) for role, found in keys.items()}
    total = counts["numerator"] + counts["denominator"]
    if measure.kind == "rate":
        keys["denominator"] = sorted(keys["numerator"] + keys["denominator"])
    decimals, found = measure.decimals, fact.row[measure.column]
    value = None if found is None else decimal_text(found, decimals)
    versions = [
        row | {"value": row[measure.column], "decimals": decimals, "status": "derived"} for row in fact.versions
    ]
    return {
        "indicator": name,
        "period": period.id,
        "value": value,
        "status": "derived",
        "unit": measure.unit,
        "title": f"{service.title.en}: {text}",
        "definition_version": fact.row["definition_version"],
        **service.grounds,
        "formula": f"{text}: " + _with_numbers(measure, counts["numerator"], total, value),
        "numerator": None if measure.kind == "days" else counts["numerator"],
        "denominator": None if measure.kind == "count" else total,
        "excluded": json.loads(fact.row["excluded"]),
        **described(connection, deliveries_of_rows(connection, service.source, OF_PROPOSALS, {}, view)),
        "history": Fact(fact.row, versions).history(connection),
        "records": keys
        | {"excluded": [{"key": key, "reason": reason} for key, role, reason, _ in rows if role == "excluded"]},
        "evidence": [
            {"period": period.id, "key": key, "role": role, "group": "", "amount": str(days)}
            for key, role, _, days in rows
            if measure.kind == "days" and role == "denominator"
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
    if "=" in group:
        name, _, value = group.partition("=")
        known = [b.breakdown for b in load_breakdowns()]
        if name not in known:
            raise WrongUsage(
                f"there is no breakdown {name!r}{did_you_mean(name, known) or ';'} breakdowns are {', '.join(known)}"
            )
        return name, value
    if group.isalnum() and any(letter.isdigit() for letter in group):
        return "agency", group
    if group not in regions():
        raise WrongUsage(
            f"there is no region {group!r}{did_you_mean(group, regions()) or ';'} "
            f"regions are {', '.join(regions())}; an agency is named by its code"
        )
    return "region", group


def _with_numbers(measure: Measure, numerator: int, total: int, value: str | None) -> str:
    if value is None:
        return "no value: no proposal has a first decision by the cut-off"
    if measure.kind == "rate":
        return f"{numerator:,} / {total:,} x 100 = {value}"
    if measure.kind == "days":
        return f"over {total:,} decided proposals = {value}"
    return f"{numerator:,}"


def _again(measure: Measure, numerator: int, total: int, rows: list[tuple[Any, ...]]) -> str | None:
    """The number of the listed proposals, counted anew."""
    if measure.kind == "rate":
        return None if total == 0 else _decimal((20000 * numerator + total) // (2 * total))
    if measure.quantile is None:
        return str(numerator)
    days = sorted(row[3] for row in rows if row[1] == "denominator")
    if not days:
        return None
    # position q (n - 1) in hundredths, between two neighbours
    position = (len(days) - 1) * measure.quantile
    below, above = days[position // 100], days[min(position // 100 + 1, len(days) - 1)]
    return _decimal(below * 100 + position % 100 * (above - below))


def _decimal(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}"
