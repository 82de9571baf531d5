"""``kpi explain`` for people: one screen from the number down to its records."""

from typing import Any

from flows.render import NO_VALUE, moment, table

SHOWN_KEYS, SHOWN_DELIVERIES = 8, 20


def print_explanation(found: dict[str, Any]) -> None:
    """Definition, formula with its numbers, records by role, deliveries, rules, history, keys."""
    value = found["value"] or NO_VALUE
    print(f"{found['indicator']} {found['period']} = {value} {found['unit']} ({found['status']})")
    print(f"  {found['title']}")
    print(
        f"  definition version {found['definition_version']}"
        + (f", {found['legal_basis']}" if found["legal_basis"] else "")
    )
    print(f"  {found['formula']}")
    for explanation in (found, *found.get("inputs", [])):
        if explanation.get("gap"):
            _gap(explanation)
    if "steps" in found:
        table(
            "The way down",
            ["level", "id", "of", "number", "value", "status", "records"],
            [
                [s["level"], s["id"], s["of"], s["number"], s.get("value"), s.get("status"), s.get("records")]
                for s in found["steps"]
            ],
            3,
        )
    records = found["records"]
    counted = set(records["numerator"])
    alone = [key for key in records["denominator"] if key not in counted]
    lines = [["numerator", "", len(records["numerator"])], ["denominator", "", len(records["denominator"])]]
    lines += [["excluded", reason, count] for reason, count in sorted(found["excluded"].items())]
    if records.get("held"):
        lines.append(["held back", "in quarantine: in the quality band alone", len(records["held"])])
    table("Records by role", ["role", "reason", "records"], lines, 2)
    deliveries = found["deliveries"]
    if deliveries:
        table(
            "Deliveries behind it",
            ["source", "file", "sha256", "rows"],
            [[d["source"], d["file"], d["sha256"][:12], d["rows"]] for d in deliveries[:SHOWN_DELIVERIES]],
            3,
        )
    _more(len(deliveries) - SHOWN_DELIVERIES, "deliveries")
    for source in sorted({rule["source"] for rule in found["rules"]}):
        rules = [rule for rule in found["rules"] if rule["source"] == source]
        held = ", ".join(
            f"{rule['rule']} held or noted {rule['rows_failed']:,}" for rule in rules if rule["rows_failed"]
        )
        checked = max(rule["rows_checked"] for rule in rules)
        print(
            f"Rules that let them in: {len(rules)} of contract {source} over {checked:,} rows; {held or 'no row failed one'}"
        )
    for entry in found["corrections"]:
        print(
            f"Corrected: {entry['source']} {entry['key']} column {entry['column']} ({entry['id']}: {entry['reason']}; {entry['owner']})"
        )
    table(
        "History of the value",
        ["known from", "known to", "reason", "approved by", "value"],
        [
            [
                moment(h["known_from"]),
                moment(h["known_to"]),
                h["reason"],
                h.get("approver"),
                h["value"] or h["status"],
            ]
            for h in found["history"]
        ],
        4,
    )
    _keys("numerator", records["numerator"])
    _keys("denominator, not in the numerator", alone)
    _keys("excluded", [f"{entry['key']} ({entry['reason']})" for entry in records["excluded"]])
    if found["reproduced"] is not None:
        print(
            "These records give the value again: "
            + ("yes" if found["reproduced"] else "NO; `kpi reproduce` says what differs")
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
        print("  The held rows could move the value further than its definition allows")
    for source in gap["sources"]:
        print(f"  {source['source']} ({source['title']['en']}): {_state_of(source, gap['status'], period)}")
    names = ", ".join(f"inbox/{source['source']}/" for source in gap["sources"])
    print(f"  Who delivers it: {gap['owner']}, into {names}")


def _state_of(source: dict[str, Any], status: str, period: str) -> str:
    if source["last_delivered"] is None:
        return "never delivered"
    said = [f"last delivered {moment(source['last_delivered'])} as {source['last_file']}"]
    if source["held"]:
        said.append(f"held rows of {period}: {source['held']:,} (`kpi quarantine --source {source['source']}`)")
    if source["held_without_period"]:
        said.append(f"held rows whose period cannot be read: {source['held_without_period']:,}")
    if status == "zero_denominator":
        said.append(f"nothing of {period} to divide by")
    elif not source["held"]:
        said.append(f"no row of {period}")
    return "; ".join(said)


def _keys(title: str, keys: list[str]) -> None:
    if keys:
        print(f"{title}: {', '.join(keys[:SHOWN_KEYS])}")
        _more(len(keys) - SHOWN_KEYS, "keys")


def _more(count: int, what: str) -> None:
    if count > 0:
        print(f"  and {count:,} more {what} (--json lists them)")


def print_reproduction(found: dict[str, Any]) -> None:
    """The number as published and as made again; of a difference every column."""
    print(
        f"{found['indicator']} {found['period']}, known from {moment(found['known_from'])}: {found['value'] or NO_VALUE}"
    )
    print(f"  again from {found['deliveries']} archived deliveries: {found['recomputed'] or NO_VALUE}")
    if found["equal"]:
        print("  equal, with all its components and the fingerprint of its records")
        return
    for column, (published, again) in found["differences"].items():
        print(f"  DIFFERS in {column}: published {published}, again {again}")
