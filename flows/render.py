"""What the commands print of a run, a plan and a check: tables for people, JSON for programs. Progress goes to standard error."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from flows.json_shapes import BackfillPlan, Check, Decision, PurgedDelivery, RestatedNumber
from flows.options import Format
from flows.tables import Column, Row, Table, show, write
from transforms.odd_text import printable
from warehouse.store.stopwatch import START_UP

SHOWN_ROWS = 50
IN_JSON = "--json has them"
NOTICED = {
    "known": "KNOWN",
    "not_a_source": "NOT A SOURCE",
    "folder": "LOOK AT",
    "judged_before": "NOT JUDGED AGAIN",
    "rewritten": "WRITTEN ANEW",
}

DELIVERIES = Table(
    "Deliveries taken in",
    (
        Column("source", "source", priority=2),
        Column("file", "file"),
        Column("landed", "landed", is_number=True),
        Column("accepted", "accepted", is_number=True),
        Column("quarantined", "quarantined", is_number=True),
        Column("duplicate", "duplicate", is_number=True),
    ),
)
CHANGES = Table(
    "Values that changed",
    (
        Column("indicator", "indicator"),
        Column("period", "period"),
        Column("old", "old", is_number=True),
        Column("new", "new", is_number=True),
        Column("reason", lambda row: row["reason"] or "first value"),
    ),
)
PARTITIONS = Table(
    "Partitions to derive",
    (
        Column("item", "item"),
        Column("year", lambda row: str(row["year"])),
        Column("state", "state"),
        Column("why", "why"),
        Column("new deliveries", "deliveries", is_number=True),
        Column("rows", "rows", is_number=True),
        Column("remarks", lambda row: "closed: waits for kpi restate" if row["is_closed"] else "", is_prose=True),
    ),
    BackfillPlan,
)
RESTATEMENT = Table(
    "Published values of closed years",
    (
        Column("item", "item"),
        Column("period", "period"),
        Column("cause", "cause"),
        Column("old", "old", is_number=True),
        Column("new", "new", is_number=True),
        Column("deliveries", "deliveries"),
    ),
    list[RestatedNumber],
)
_OF_ARCHIVE = (
    Column("source", "source", priority=2),
    Column("file", "file"),
    Column("taken in", "taken_in"),
    Column("bytes", "bytes", is_number=True),
)
WAIVERS = Table(
    "Accepted by name",
    (
        Column("item", "item"),
        Column("printed", "published", is_number=True),
        Column("derived", "derived", is_number=True),
        Column("state", "state"),
        Column("until", "until", priority=2),
        Column("owner", "owner", is_prose=True),
        Column("reason", "reason", is_prose=True),
        Column("since", lambda row: moment(row["waived_at"]), priority=3),
        Column("run", "run", priority=4),
    ),
    list[Decision],
)
TO_PURGE = Table("Would be removed", _OF_ARCHIVE, list[PurgedDelivery])
PURGED = Table("Removed from landing/ and quarantine/", _OF_ARCHIVE, list[PurgedDelivery])
CHECKS = Table(
    "",
    (Column("check", "check"), Column("verdict", "verdict"), Column("finding", "finding", is_prose=True)),
    list[Check],
)


def say(line: str) -> None:
    """One line of progress."""
    print(printable(line), file=sys.stderr, flush=True)


def print_json(data: Any, shape: Any) -> None:
    """The fields that ``shape`` declares (``json_shapes``), and no other."""
    json.dump(shaped(data, shape), sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def shaped(data: Any, shape: Any) -> Any:
    from pydantic import TypeAdapter  # noqa: PLC0415

    # What holds another type than declared is printed as it is: an answer is worth more than its form. The tests are strict.
    return TypeAdapter(shape).dump_python(data, mode="json", warnings="none")


def answer(table: Table, rows: Sequence[Row], form: Format, wide: bool, data: Any = None) -> None:
    """One table in the form that was asked for; ``data``: what JSON has instead of the rows."""
    match form:
        case Format.json:
            print_json(rows if data is None else data, table.shape)
        case Format.table:
            show(table, rows, wide)
        case _:
            write(table, rows, form)


def moment(iso: str | None) -> str:
    """A day and time to the second; nothing where there is none."""
    return "" if iso is None else iso[:19].replace("T", " ")


def print_report(report: dict[str, Any]) -> None:
    """The report of a run: deliveries, refusals, changed values, time of each step."""
    if report["batches"]:
        show(DELIVERIES, report["batches"], hint=IN_JSON)
    for judged in report["reprocessed"]:
        if judged["changed"]:
            files = printable(", ".join(judged["changed"]))
            print(f"JUDGED AGAIN by today's rules, and taken in otherwise: {files}")
    for refused in report["refused"]:
        print(f"REFUSED {printable(refused['message'])}")
    for note in report["notes"]:
        print(f"NOTE {printable(note['file'])}: {printable(note['message'])}")
    for notice in report["notices"]:
        print(f"{NOTICED[notice['kind']]} {printable(notice['message'])}")
    if report["changed"]:
        # A first value that is none says nothing: `kpi values` has its status.
        numbers = [c for c in report["changed"] if c["old"] is not None or c["new"] is not None]
        indicators = [c for c in numbers if c["old"] is not None or "." not in c["indicator"]]
        show(CHANGES, indicators[:SHOWN_ROWS], hint=IN_JSON)
        if left := len(report["changed"]) - len(indicators[:SHOWN_ROWS]):
            print(f"and {left:,} more: of services and of values that are none (--json lists them)")
    print_contested(report["contested"])
    if report["pending"]:
        print(
            f"PENDING {len(report['pending'])} published values of closed years would change: nothing new is published of them; "
            "`kpi restate --plan` shows them and why"
        )
    if not report["batches"] and not report["changed"]:
        print(f"Nothing to do: {len(report['skipped'])} deliveries are known already, no value changes.")
    known = sum(notice["kind"] == "known" for notice in report["notices"])
    print(
        f"Deliveries: {len(report['batches'])} taken in (rows quarantined: {sum(b['quarantined'] for b in report['batches']):,}), "
        f"{len(report['skipped'])} known already ({known} under another name), {len(report['refused'])} refused, "
        f"{len(report['unknown'])} not of a source"
        + (f"; printed numbers that contradict: {len(report['contested'])}" if report["contested"] else "")
    )
    print(f"{report['run']}: " + ("published" if report["published"] else "nothing new was published"))
    total = sum(seconds for step, seconds in report["seconds"].items() if step != START_UP)
    print(
        "Time of our own work: "
        + ", ".join(f"{step} {seconds:.2f} s" for step, seconds in report["seconds"].items())
        + f"; together {total:.2f} s without the start-up"
    )


def print_contested(contested: Sequence[Row]) -> None:
    """What printed numbers contradict, what that holds back, and what to do."""
    for contradiction in contested:
        print(f"CONTESTED {printable(contradiction['message'])}")
        print(f"  What to do: {printable(contradiction['what_to_do'])}")


def print_backfill_plan(plan: dict[str, Any], form: Format, wide: bool) -> None:
    """What a backfill would do, due partitions first; for people then how many are current."""
    due = [p for p in plan["partitions"] if p["state"] != "current"]
    if form is not Format.json and plan["new_files"]:
        say(
            f"{len(plan['new_files'])} deliveries in the inbox are new: they are taken in first, and may make more years due."
        )
    if form is not Format.json and plan["corrections"]:
        named = ", ".join(plan["corrections"][:SHOWN_ROWS])
        say(f"Entries of corrections.yml that are not applied yet, and may make more years due: {printable(named)}")
    if form is not Format.json and plan["corrections_problem"]:
        say(f"REFUSED {printable(plan['corrections_problem'])}")
    answer(PARTITIONS, due, form, wide, data=plan)
    if form is Format.table:
        print(f"{len(due)} to derive, {len(plan['partitions']) - len(due)} current")


def print_initialised(made: dict[str, Any]) -> None:
    what = "An installation for trials" if made["is_trial"] else "An installation"
    print(f"{what} {'is made' if made['is_new'] else 'was there already; nothing of it was changed'}: {made['home']}")
    for place in made["set_aside"]:
        print(f"  set aside: {place}")
    print("  deliveries go into inbox/<source>/, then `kpi run`; back up secret/ apart from the data")
