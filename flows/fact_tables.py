"""What the reading commands print of the published facts. Each table is declared here once."""

import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import Any

from flows.json_shapes import ReconciledLine, Revision, Scores, Value, services_shape
from flows.options import Format, Verdict
from flows.render import answer, moment
from flows.tables import NO_VALUE, Column, Row, Table, show, terminal_width
from transforms.services.measures import listed_measures
from warehouse.reading.published_values import ScoreSheet

VERDICTS = list(Verdict)


def _remarks(row: Row) -> str:
    said = [("provisional", row["provisional"]), ("definition break", row["definition_break"])]
    return ", ".join([*(text for text, holds in said if holds), *row["flags"]])


def _known_from(row: Row) -> str:
    return moment(row["known_from"])


VALUES = Table(
    "KPI values",
    (
        Column("indicator", "indicator"),
        Column("period", "period"),
        Column("status", "status"),
        Column("value", "value", is_number=True),
        Column("unit", "unit"),
        Column("numerator", "numerator", is_number=True, priority=3),
        Column("denominator", "denominator", is_number=True, priority=3),
        Column("target", "target", is_number=True),
        Column("version", "definition_version", priority=4),
        Column("known from", _known_from, priority=4),
        Column("remarks", _remarks, is_prose=True, priority=2),
    ),
    list[Value],
)
_SERVICE = (
    Column("service", "service"),
    Column("year", lambda row: str(row["year"]), priority=4),
    Column("group", "group"),
)
PERSPECTIVES = Table(
    "Perspectives",
    (Column("perspective", "id"), Column("score", "score", is_number=True), Column("NKP", "nkp", is_number=True)),
)
OBJECTIVES = Table("Strategic objectives", (Column("objective", "id"), Column("NSS", "nss", is_number=True)))
SCORED_INDICATORS = Table(
    "Indicators",
    (
        Column("indicator", "id"),
        Column("status", "status"),
        Column("realization", "realization", is_number=True),
        Column("target", "target", is_number=True),
        Column("capaian %", "capaian", is_number=True),
        Column("efficiency %", "efficiency", is_number=True),
    ),
)
# The whole sheet in one table, for programs.
SCORES = Table(
    "Scores",
    (
        Column("year", lambda row: str(row["year"])),
        Column("level", "level"),
        Column("id", "id"),
        Column("status", "status"),
        Column("realization", "realization", is_number=True),
        Column("target", "target", is_number=True),
        Column("score", "number", is_number=True),
        Column("nkp", "nkp", is_number=True),
        Column("efficiency", "efficiency", is_number=True),
    ),
    Scores,
)
REVISIONS = Table(
    "Revisions",
    (
        Column("indicator", "indicator"),
        Column("period", "period"),
        Column("value", "value", is_number=True),
        Column("status", "status"),
        Column("reason", "reason"),
        Column("known from", "known_from", priority=2),
        Column("known to", "known_to", priority=3),
        Column("run", "run", priority=3),
    ),
    list[Revision],
)
RECONCILIATION = Table(
    "Printed against derived",
    (
        Column("item", "item"),
        Column("verdict", "verdict"),
        # Mostly numbers, which are one word; some of a report's are texts.
        Column("published", "published", is_number=True, is_prose=True),
        Column("derived", "derived", is_number=True, is_prose=True),
        Column("discrepancy", "discrepancy", priority=2),
        Column("note", "note", is_prose=True, priority=3),
    ),
    list[ReconciledLine],
)


def print_values(rows: Sequence[Row], form: Format, wide: bool) -> None:
    answer(VALUES, rows, form, wide)
    if form is Format.table:
        for row in rows:
            for printed in row["contested"]:
                print(f"{row['indicator']} {row['period']}: {_contradiction(printed)}")


def print_services(rows: Sequence[Row], by: str, form: Format, wide: bool) -> None:
    """``by``: the breakdown; a column says what its groups stand for where any is known."""
    stands_for = [Column(by, "group_name", is_prose=True)] if any(row["group_name"] for row in rows) else []
    numbers = [
        Column(measure.label or name, name, is_number=True, priority=measure.priority)
        for name, measure in listed_measures().items()
    ]
    answer(Table("Services", (*_SERVICE, *stands_for, *numbers), services_shape()), rows, form, wide)


def print_scores(sheet: ScoreSheet, form: Format, wide: bool) -> None:
    """For people perspectives, objectives and indicators, then the NPSS, and what left a mean and why; nothing of an empty year."""
    scores = sheet.shape
    if form is not Format.table:
        answer(SCORES, _score_lines(scores), form, wide, data=scores)
        return
    if not sheet.is_known:
        return
    show(PERSPECTIVES, scores["perspectives"], wide)
    print()
    show(OBJECTIVES, scores["objectives"], wide)
    print()
    show(SCORED_INDICATORS, scores["indicators"], wide)
    print()
    print(f"NPSS {scores['year']}: {scores['npss'] or NO_VALUE} ({scores['category'] or scores['reason']})")
    if sheet.printed_npss is not None:
        print(f"  printed (reported): {sheet.printed_npss}")
    for gap in sheet.gaps:
        print(f"  {gap}")
    for printed in scores["contested"]:
        print(f"  {_contradiction(printed)}; held back: {', '.join(printed['held'])}")


def _contradiction(printed: Row) -> str:
    return f"contested by {printed['item']}: printed {printed['published']}, derived {printed['derived']}"


def _score_lines(scores: dict[str, Any]) -> list[Row]:
    year = {"year": scores["year"]}
    return [
        *({**year, "level": "perspective", "number": row["score"], **row} for row in scores["perspectives"]),
        *({**year, "level": "objective", "number": row["nss"], **row} for row in scores["objectives"]),
        *({**year, "level": "indicator", "number": row["capaian"], **row} for row in scores["indicators"]),
        {
            **year,
            "level": "total",
            "id": "NPSS",
            "status": scores["category"] or scores["reason"],
            "number": scores["npss"],
        },
    ]


def print_revisions(rows: list[dict[str, Any]], form: Format, wide: bool) -> None:
    """For people one line a period, one column a moment at which anything became known; a value stands until the next one in its line."""
    if form is not Format.table or not rows:
        answer(REVISIONS, rows, form, wide)
        return
    # By the exact moment: two versions of one second are two columns under one name.
    moments = sorted({row["known_from"] for row in rows})
    lines: dict[str, dict[str, str]] = {}
    for row in rows:
        shown = (row["value"] or row["status"]) + (f" ({row['reason']})" if row["reason"] else "")
        lines.setdefault(row["period"], {"period": row["period"]})[row["known_from"]] = shown
    triangle = Table(
        f"{rows[0]['indicator']}: value by the moment from which it was known",
        (
            Column("period", "period"),
            *(
                # Where there is no room, what was known long ago goes first.
                Column(moment(when), _at(when), is_number=True, priority=len(moments) - number)
                for number, when in enumerate(moments)
            ),
        ),
    )
    show(triangle, list(lines.values()), wide)


def _at(when: str) -> Any:
    return lambda row: row.get(when, "")


def print_reconciliation(rows: list[dict[str, Any]], ways: dict[str, int], form: Format, wide: bool) -> None:
    """Every line, those that need a look first; for people then how many there are of each verdict, and by which way discrepancies are found."""
    shown = sorted(rows, key=lambda row: VERDICTS.index(row["verdict"]))
    answer(RECONCILIATION, shown, form, wide, data=rows)
    if form is Format.table and rows:
        counts = Counter(row["verdict"] for row in rows)
        print(
            f"{len(rows)} lines: "
            + ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
        )
        said = {"found": "found by this run", "text": "that only a reader finds", "not_found": "not there in this run"}
        if ways:
            each = ", ".join(f"{ways[way]} {text}" for way, text in said.items() if way in ways)
            line = f"{sum(ways.values())} discrepancies of the report: {each} (published table discrepancies)"
            print("\n".join(textwrap.wrap(line, terminal_width())))
