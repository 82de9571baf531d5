"""What the commands print: tables for people, JSON for programs. Progress goes to standard error."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from flows.messages import held_counts, rule_message
from transforms.odd_text import printable
from warehouse.held_rows import HeldRow
from warehouse.home import Home
from warehouse.reading import ScoreSheet
from warehouse.stopwatch import START_UP

_out = Console(highlight=False)
SHOWN_ROWS = 50
NO_VALUE = "-"
# In the order of showing.
VERDICTS = ("different", "waived", "restated", "known", "rounding", "equal", "no_counterpart")
RECONCILED = ("item", "published", "derived", "verdict", "discrepancy")


def say(line: str) -> None:
    """One line of progress."""
    print(printable(line), file=sys.stderr, flush=True)


def print_json(data: Any) -> None:
    json.dump(data, sys.stdout, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write("\n")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], left: int = 1) -> None:
    """A table; the first ``left`` columns are text, the others numbers."""
    shown = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for number, column in enumerate(columns):
        shown.add_column(column, justify="left" if number < left else "right", overflow="fold")
    for row in rows:
        shown.add_row(*(_shown(cell) for cell in row))
    if not sys.stdout.isatty():
        # In a file or a pipe the terminal's width means nothing: no cell may be cut.
        Console(width=200, highlight=False).print(shown)
    else:
        _out.print(shown)


def _shown(cell: Any) -> str:
    if cell is None:
        return NO_VALUE
    return f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else printable(str(cell))


def print_report(report: dict[str, Any]) -> None:
    """The report of a run: deliveries, refusals, changed values, time of each step."""
    if report["batches"]:
        table(
            "Deliveries taken in",
            ["source", "file", "landed", "accepted", "quarantined", "duplicate"],
            [
                [b["source"], b["file"], b["landed"], b["accepted"], b["quarantined"], b["duplicate"]]
                for b in report["batches"]
            ],
            2,
        )
    for refused in report["refused"]:
        print(f"REFUSED {printable(refused['message'])}")
    for note in report["notes"]:
        print(f"NOTE {printable(note['file'])}: {note['message']}")
    for name in report["unknown"]:
        print(f"NOT A SOURCE inbox/{name}: no contract has this name; move it, or add a contract")
    if report["changed"]:
        # A first value that is none says nothing: `kpi values` has its status.
        numbers = [c for c in report["changed"] if c["old"] is not None or c["new"] is not None]
        indicators = [c for c in numbers if c["old"] is not None or "." not in c["indicator"]]
        table(
            "Values that changed",
            ["indicator", "period", "old", "new", "reason"],
            [
                [c["indicator"], c["period"], c["old"], c["new"], c["reason"] or "first value"]
                for c in indicators[:SHOWN_ROWS]
            ],
            2,
        )
    if report["pending"]:
        print(
            f"PENDING {len(report['pending'])} published values of closed years would change: nothing new is published of them; "
            "`kpi restate --plan` shows them and why"
        )
    if not report["batches"] and not report["changed"]:
        print(f"Nothing to do: {len(report['skipped'])} deliveries are known already, no value changes.")
    print(f"{report['run']}: " + ("published" if report["published"] else "nothing new was published"))
    total = sum(seconds for step, seconds in report["seconds"].items() if step != START_UP)
    print(
        "Time of our own work: "
        + ", ".join(f"{step} {seconds:.2f} s" for step, seconds in report["seconds"].items())
        + f"; together {total:.2f} s without the start-up"
    )


def print_values(rows: list[dict[str, Any]]) -> None:
    table(
        "KPI values",
        [
            "indicator",
            "period",
            "status",
            "value",
            "unit",
            "numerator",
            "denominator",
            "target",
            "version",
            "known from",
        ],
        [
            [
                r["indicator"],
                r["period"],
                r["status"] + (" (provisional)" if r["provisional"] else ""),
                r["value"],
                r["unit"],
                r["numerator"],
                r["denominator"],
                r["target"],
                r["definition_version"] + (" (break)" if r["definition_break"] else ""),
                moment(r["known_from"]),
            ]
            for r in rows
        ],
        3,
    )


def moment(iso: str | None) -> str:
    """A day and time to the second; nothing where there is none."""
    return "" if iso is None else iso[:19].replace("T", " ")


def print_scores(sheet: ScoreSheet) -> None:
    """Perspectives, objectives and indicators, then the NPSS, and what left a mean and why."""
    scores = sheet.shape
    table(
        "Perspectives",
        ["perspective", "score", "NKP"],
        [[p["id"], p["score"], p["nkp"]] for p in scores["perspectives"]],
    )
    table("Strategic objectives", ["objective", "NSS"], [[o["id"], o["nss"]] for o in scores["objectives"]])
    table(
        "Indicators",
        ["indicator", "status", "realization", "target", "capaian %", "efficiency %"],
        [
            [i["id"], i["status"], i["realization"], i["target"], i["capaian"], i["efficiency"]]
            for i in scores["indicators"]
        ],
        2,
    )
    print(f"NPSS {scores['year']}: {scores['npss'] or NO_VALUE} ({scores['category']})")
    if sheet.printed_npss is not None:
        print(f"  printed (reported): {sheet.printed_npss}")
    for gap in sheet.gaps:
        print(f"  {gap}")


def print_revisions(rows: list[dict[str, Any]]) -> None:
    """One line a period, one column a moment at which anything became known; a value stands until the next one in its line."""
    # By the exact moment: two versions of one second are two columns under one name.
    moments = sorted({row["known_from"] for row in rows})
    lines: dict[str, dict[str, str]] = {}
    for row in rows:
        shown = (row["value"] or row["status"]) + (f" ({row['reason']})" if row["reason"] else "")
        lines.setdefault(row["period"], {})[row["known_from"]] = shown
    table(
        f"{rows[0]['indicator']}: value by the moment from which it was known",
        ["period", *map(moment, moments)],
        [[period, *(cells.get(when, "") for when in moments)] for period, cells in lines.items()],
    )


def print_backfill_plan(plan: dict[str, Any]) -> None:
    """What a backfill would do, due partitions first; then how many are current."""
    due = [p for p in plan["partitions"] if p["state"] != "current"]
    if plan["new_files"]:
        print(
            f"{len(plan['new_files'])} deliveries in the inbox are new: they are taken in first, and may make more years due."
        )
    table(
        "Partitions to derive",
        ["item", "year", "state", "why", "new deliveries", "rows"],
        [
            [
                p["item"],
                f"{p['year']}{' closed: waits for kpi restate' if p['is_closed'] else ''}",
                p["state"],
                p["why"],
                p["deliveries"],
                p["rows"],
            ]
            for p in due
        ],
        4,
    )
    print(f"{len(due)} to derive, {len(plan['partitions']) - len(due)} current")


def print_plan(steps: list[dict[str, Any]]) -> None:
    """What a restatement would change, or has changed."""
    if not steps:
        print("No published value of a closed year would change.")
        return
    table(
        "Published values of closed years",
        ["item", "period", "cause", "deliveries", "old", "new"],
        [[s["item"], s["period"], s["cause"], ", ".join(s["deliveries"]), s["old"], s["new"]] for s in steps],
        4,
    )


def print_services(rows: list[dict[str, Any]]) -> None:
    table(
        "Services",
        [
            "service",
            "year",
            "group",
            "received",
            "MS",
            "BTS",
            "TMS",
            "in process",
            "completion %",
            "approval %",
            "ever returned",
            "two-day %",
            "median days",
            "p90 days",
        ],
        [
            [
                r["service"],
                str(r["year"]),
                r["group"],
                r["received"],
                r["ms"],
                r["bts"],
                r["tms"],
                r["in_process"],
                r["completion"],
                r["approval"],
                r["ever_returned"],
                r["two_day"],
                r["median_days"],
                r["p90_days"],
            ]
            for r in rows
        ],
        3,
    )


def print_reconciliation(rows: list[dict[str, Any]]) -> None:
    """Every line, those that need a look first; then how many there are of each verdict."""
    table(
        "Printed against derived",
        ["item", "verdict", "discrepancy", "note", "published", "derived"],
        [
            [r["item"], r["verdict"], r["discrepancy"], r["note"], r["published"], r["derived"]]
            for r in sorted(rows, key=lambda row: VERDICTS.index(row["verdict"]))
        ],
        4,
    )
    counts = Counter(row["verdict"] for row in rows)
    print(f"{len(rows)} lines: " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]))


def print_held_rows(home: Home, rows: list[HeldRow], source: str | None, reason: str | None) -> None:
    counts = held_counts(home, source, reason)
    if not counts:
        print("No row is held back.")
        return
    table(
        "Held back, by rule",
        ["source", "rule", "what it asks", "rows"],
        [[s, rule, rule_message(s, rule), count] for s, rule, count in counts],
        3,
    )
    table(
        f"Rows ({min(len(rows), SHOWN_ROWS)} of {len(rows):,})",
        ["file", "rules", "row"],
        [[row.file, ", ".join(row.reasons), row.row] for row in rows[:SHOWN_ROWS]],
        2,
    )


def print_validation(result: dict[str, Any]) -> None:
    if result["refused"]:
        print(result["refused"])
        return
    print(f"{result['file']}: {result['rows']:,} rows, {result['faulty_rows']:,} faulty")
    for note in result["notes"]:
        print(note)
    if result["marked_copy"]:
        print(f"marked copy / salinan bertanda: {result['marked_copy']}")
    table(
        "",
        ["column", "rule", "severity", "message", "rows", "row numbers"],
        [
            [f["column"], f["rule"], f["severity"], f["message"], f["rows"], ", ".join(map(str, f["first_rows"]))]
            for f in result["failures"]
        ],
        4,
    )


def print_purged(lines: list[dict[str, Any]], is_dry: bool) -> None:
    table(
        "Would be removed" if is_dry else "Removed from landing/ and quarantine/",
        ["source", "file", "taken in", "bytes"],
        [[line["source"], line["file"], line["taken_in"], line["bytes"]] for line in lines],
        3,
    )


def print_checks(checks: list[dict[str, Any]]) -> None:
    table("", ["check", "verdict", "finding"], [[c["check"], c["verdict"], c["finding"]] for c in checks], 3)
