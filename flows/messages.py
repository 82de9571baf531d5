"""What people read about a run, as plain rows and text: for artifacts and the terminal."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from expectations.contract import load_contract
from warehouse.reading.held_rows import read_held_rows
from warehouse.reading.published_values import read_values
from warehouse.store.failures import EnvironmentProblem
from warehouse.store.home import Home

if TYPE_CHECKING:
    from warehouse.runs.pipeline import RunReport


def value_rows(home: Home) -> list[dict[str, Any]]:
    """The standing KPI values, one row an indicator and period, as a reader sees them."""
    try:
        values = read_values(home)
    except EnvironmentProblem:
        return []
    return [
        {
            "indicator": v["indicator"],
            "period": v["period"],
            "value": v["value"],
            "unit": v["unit"],
            "status": v["status"],
            "flags": ", ".join(v["flags"]),
            "numerator": v["numerator"],
            "denominator": v["denominator"],
            "known from": v["known_from"],
        }
        for v in values
    ]


def contested_rows(contested: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a number that is held back, or a contradiction that holds none."""
    rows = []
    for found in contested:
        printed = {"printed": found["published"], "derived": found["derived"], "item": found["item"]}
        numbers = found["held"] or [{"item": "", "period": "", "status": "", "value": None}]
        rows += [
            {"held back": n["item"], "period": n["period"], "status": n["status"], "value": n["value"], **printed}
            for n in numbers
        ]
    return rows


def rule_message(source: str, rule_id: str, language: str = "en") -> str:
    """What a rule asks, in the clerk's words."""
    rule = next((rule for rule in load_contract(source).all_rules if rule.id == rule_id), None)
    return rule_id if rule is None else str(getattr(rule.message, language))


def held_counts(home: Home, source: str | None = None, reason: str | None = None) -> list[tuple[str, str, int]]:
    """(source, rule, open quarantined rows), most first."""
    counts = Counter((row.source, rule) for row in read_held_rows(home, source, reason) for rule in row.reasons)
    return [(held_source, rule, count) for (held_source, rule), count in counts.most_common() if reason in (None, rule)]


def failure_report(report: "RunReport", home: Home) -> str:
    """Markdown: refused deliveries and contradictions with their remedy, and the rules that hold rows back."""
    lines = [f"# What failed in {report.run}", ""]
    if report.refused:
        lines += ["## Refused deliveries", "", *(f"- {refused.message}" for refused in report.refused), ""]
    if report.contested:
        lines += ["## Printed numbers that contradict", ""]
        lines += [*(f"- {found.message}. What to do: {found.what_to_do}" for found in report.contested), ""]
    held = held_counts(home)
    if held:
        lines += ["## Rows in quarantine", "", "| source | rule | rows | what it asks |", "|---|---|---:|---|"]
        lines += [f"| {source} | {rule} | {count:,} | {rule_message(source, rule)} |" for source, rule, count in held]
    if not report.refused and not report.contested and not held:
        lines.append("Nothing.")
    return "\n".join(lines)


def outcome(report: dict[str, Any]) -> str:
    """One line about a run that ended: what it took in, refused and changed, and whether it published. ``report``: of ``kpi run --json``."""
    published = "published" if report["published"] else "nothing new to publish"
    counts = f"{len(report['batches'])} deliveries taken in, {len(report['refused'])} refused, {len(report['changed'])} values changed"
    if report["contested"]:
        counts += f", contested: {', '.join(found['item'] for found in report['contested'])}"
    return f"{report['run']}: {counts}; {published}"
