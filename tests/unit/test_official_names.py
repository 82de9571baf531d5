"""Official names are what the report prints: each is looked up in the lines that it is cited from."""

import re
from pathlib import Path

import polars as pl
import pytest

from tests.unit.test_citations import report_lines
from transforms.reference.tables import (
    budget_programs,
    digital_service_names,
    indicator_names,
    nspk_grades,
    objectives,
    perspectives,
    survey_names,
)

NAMES = Path(__file__).parents[1] / "report_2024_names.txt"
TABLES = {
    "perspectives": perspectives(), "objectives": objectives(), "indicator_names": indicator_names(), "survey_names": survey_names(),
    "nspk_grades": nspk_grades(), "digital_service_names": digital_service_names(), "budget_programs": budget_programs(),
}  # fmt: skip


def squeezed(text: str) -> str:
    """Letters and digits alone: the report's text glues words together and tears others apart."""
    return re.sub(r"[^0-9a-z]", "", text.casefold())


def cited(places: str) -> str:
    lines = report_lines(NAMES)
    spans = [(int(first), int(last or first)) for first, last in re.findall(r"\[L(\d+)(?:-(\d+))?\]", places)]
    assert spans
    return squeezed("".join(lines[number] for first, last in spans for number in range(first, last + 1)))


@pytest.mark.parametrize("table", TABLES)
def test_the_cited_lines_have_the_name(table: str) -> None:
    for row in TABLES[table].iter_rows(named=True):
        found = cited(row["cited_at"])
        name = row.get("name_id") or row["name"]
        # A unit is named with the division that it belongs to, which stands in a line of its own.
        parts = name.split(", ") if row.get("kind") == "unit" else [name]
        said = [*parts, *filter(None, [row.get("scope"), row.get("printed")])]
        assert all(squeezed(part) in found for part in said), (table, name, row["cited_at"])


def test_the_scale_of_the_grades_is_that_printed() -> None:
    for grade, low, high, places in (
        nspk_grades().select("grade", "lowest_score", "highest_score", "cited_at").iter_rows()
    ):
        assert squeezed(f"{low}{high}") in cited(places) and cited(places).endswith(grade.lower())


def test_the_lines_are_the_report() -> None:
    """Wherever the report's text stands beside the project, the lines are compared with it."""
    root = Path(__file__).parents[2]
    for text in (file for near in (root.parent, root.parent.parent) for file in near.glob("shared/seed/*.txt")):
        whole = [" ".join(line.split()) for line in text.read_text(encoding="utf-8").split("\n") if line.strip()]
        assert {number: whole[number - 1] for number in report_lines(NAMES)} == report_lines(NAMES)


def test_a_name_that_the_lines_do_not_have_is_seen() -> None:
    assert squeezed("Ketepatan Waktu") not in cited("Tabel 3.10 [L1085]")
    assert TABLES["objectives"].filter(pl.col("perspective").is_null()).height == 0
