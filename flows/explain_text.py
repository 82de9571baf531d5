"""``kpi explain`` for people: one screen from the number down to its records."""

from typing import Any

from expectations.contested import CONTESTED, WAIVED
from flows.render import IN_JSON, moment
from flows.tables import NO_VALUE, Column, Table, show
from transforms.reference import agency_names

SHOWN_KEYS, SHOWN_DELIVERIES = 8, 20
# What a record is to most numbers; a row of a table of results may have roles of its own.
USUAL_ROLES = ("numerator", "denominator", "excluded", "held")

STEPS = Table(
    "The way down",
    (
        Column("level", "level"),
        Column("id", "id"),
        Column("of", "of"),
        Column("number", "number", is_number=True),
        Column("value", "value", is_number=True),
        Column("status", "status", priority=2),
        Column("records", "records", is_number=True, priority=2),
    ),
)
ROLES = Table(
    "Records by role",
    (Column("role", "role"), Column("reason", "reason", is_prose=True), Column("records", "records", is_number=True)),
)
BEHIND = Table(
    "Deliveries behind it",
    (
        Column("source", "source", priority=3),
        Column("file", "file"),
        Column("sha256", lambda row: row["sha256"][:12], priority=2),
        Column("rows", "rows", is_number=True),
    ),
)
HISTORY = Table(
    "History of the value",
    (
        Column("known from", lambda row: moment(row["known_from"])),
        Column("known to", lambda row: moment(row["known_to"])),
        Column("reason", "reason"),
        Column("approved by", "approver", is_prose=True),
        Column("value", lambda row: row["value"] or row["status"], is_number=True),
    ),
)


def print_explanation(found: dict[str, Any]) -> None:
    """Definition, formula with its numbers, records by role, deliveries, rules, history, keys."""
    judged = [flag for flag in found.get("flags", []) if found["value"] and flag in (CONTESTED, WAIVED)]
    print(f"{_named(found)} = {' '.join(_with_unit(found))} ({', '.join([found['status'], *judged])})")
    print(f"  {found['title']}")
    print(f"  definition version {found['definition_version']}")
    print(
        f"  legal basis: {found['legal_basis']}"
        + (f" ({found['cited_at']})" if found["cited_at"] else "")
        + ("; the formula is inferred" if found["inferred"] else "")
    )
    print(f"  {found['formula']}")
    _judged(found)
    for explanation in (found, *found.get("inputs", [])):
        if explanation.get("gap"):
            _gap(explanation)
    if "steps" in found:
        show(STEPS, found["steps"], hint=IN_JSON)
    records = found["records"]
    counted = set(records["numerator"])
    alone = [key for key in records["denominator"] if key not in counted]
    lines = [("numerator", "", len(records["numerator"])), ("denominator", "", len(records["denominator"]))]
    lines += [("excluded", reason, count) for reason, count in sorted(found["excluded"].items())]
    lines += [(role, "", len(keys)) for role, keys in records.items() if role not in USUAL_ROLES]
    if records.get("held"):
        lines.append(("quarantined", "in the quality band alone", len(records["held"])))
    show(ROLES, [{"role": role, "reason": reason, "records": count} for role, reason, count in lines])
    deliveries = found["deliveries"]
    if deliveries:
        show(BEHIND, deliveries[:SHOWN_DELIVERIES], hint=IN_JSON)
    _more(len(deliveries) - SHOWN_DELIVERIES, "deliveries")
    for source in sorted({rule["source"] for rule in found["rules"]}):
        rules = [rule for rule in found["rules"] if rule["source"] == source]
        held = ", ".join(
            f"{rule['rule']} quarantined or noted {rule['rows_failed']:,}" for rule in rules if rule["rows_failed"]
        )
        checked = max(rule["rows_checked"] for rule in rules)
        print(
            f"Rules that let them in: {len(rules)} of contract {source} over {checked:,} rows; {held or 'no row failed one'}"
        )
    for entry in found["corrections"]:
        print(
            f"Corrected: {entry['source']} {entry['key']} column {entry['column']} ({entry['id']}: {entry['reason']}; {entry['owner']})"
        )
    show(HISTORY, found["history"], hint=IN_JSON)
    _keys("numerator", records["numerator"])
    _keys("denominator, not in the numerator", alone)
    for role, keys in records.items():
        if role not in USUAL_ROLES:
            _keys(role, keys)
    _keys("excluded", [f"{entry['key']} ({entry['reason']})" for entry in records["excluded"]])
    if found["reproduced"] is not None:
        print(
            "These records give the value again: "
            + ("yes" if found["reproduced"] else "NO; `kpi reproduce` says what differs")
        )


def _named(found: dict[str, Any]) -> str:
    """With its period, unless the name says it itself."""
    says_it = found["period"] in found["indicator"].split("|")
    return found["indicator"] if says_it else f"{found['indicator']} {found['period']}"


def _with_unit(found: dict[str, Any]) -> list[str]:
    return [found["value"] or NO_VALUE, *([] if found["unit"] == "none" else [found["unit"]])]


def _judged(found: dict[str, Any]) -> None:
    """What is printed otherwise: it holds the number back, or somebody answers for it."""
    for printed in found["contested"]:
        print(f"CONTESTED {printed['message']}")
        print(f"  What to do: {printed['what_to_do']}")
    for entry in found["waived"]:
        end = f", until {entry['until']}" if entry["until"] else ""
        print(
            f"ACCEPTED by {entry['owner']}{end}: derived {entry['derived']} beside printed {entry['published']} ({entry['item']}): {entry['reason']}"
        )


def _gap(found: dict[str, Any]) -> None:
    """What is missing, since when, and who delivers it."""
    gap, period = found["gap"], found["period"]
    print(f"What is missing: {found['indicator']} {period} is {gap['status']} since {moment(gap['since'])}")
    for part in gap["parts"]:
        print(f"  {part['period']} is {part['status']}")
    if "printed_twice" in gap["flags"]:
        print("  Printed values contradict each other, and no waiver names the one that stands")
    if "band_too_wide" in gap["flags"]:
        print("  The quarantined rows could move the value further than its definition allows")
    for source in gap["sources"]:
        print(f"  {source['source']} ({source['title']['en']}): {_state_of(source, gap['status'], period)}")
    names = ", ".join(f"inbox/{source['source']}/" for source in gap["sources"])
    print(f"  Who delivers it: {gap['owner']}, into {names}")


def _state_of(source: dict[str, Any], status: str, period: str) -> str:
    if source["last_delivered"] is None:
        return "never delivered"
    said = [f"last delivered {moment(source['last_delivered'])} as {source['last_file']}"]
    if source["held"]:
        said.append(f"quarantined rows of {period}: {source['held']:,} (`kpi quarantine --source {source['source']}`)")
    if source["held_without_period"]:
        said.append(f"quarantined rows whose period cannot be read: {source['held_without_period']:,}")
    if status == "zero_denominator":
        said.append(f"nothing of {period} to divide by")
    elif not source["held"]:
        said.append(f"no row of {period}")
    return "; ".join(said)


def _keys(title: str, keys: list[str]) -> None:
    if keys:
        print(f"{title}: {', '.join(map(_with_name, keys[:SHOWN_KEYS]))}")
        _more(len(keys) - SHOWN_KEYS, "keys")


def _with_name(key: str) -> str:
    """An agency's code with its name; any other key as it is."""
    return f"{key} {agency_names()[key]}" if key in agency_names() else key


def _more(count: int, what: str) -> None:
    if count > 0:
        print(f"  and {count:,} more {what} (--json lists them)")


def print_reproduction(found: dict[str, Any]) -> None:
    """The number as published and as made again; of a difference every column."""
    print(f"{_named(found)}, known from {moment(found['known_from'])}: {found['value'] or NO_VALUE}")
    print(f"  again from {found['deliveries']} archived deliveries: {found['recomputed'] or NO_VALUE}")
    if found["equal"]:
        fingerprint = " and the fingerprint of its records" if found["has_fingerprint"] else ""
        print(f"  equal, with all its components{fingerprint}")
        return
    if sources := found["reprocessed_since"]:
        print(f"  judged again since, by other rules: {', '.join(sources)}")
    for column, (published, again) in found["differences"].items():
        print(f"  DIFFERS in {column}: published {published}, again {again}")
