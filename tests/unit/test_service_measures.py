"""A measure and a breakdown of the services are declared once: what is made of them, and that nobody else names them."""

import re
from pathlib import Path

import pytest

from flows.commands.services import By
from transforms.facts import fact_table
from transforms.services.measures import Measure, listed_measures, load_breakdowns, load_measures, summary_sql

ROOT = Path(__file__).parents[2]
# The first schema keeps its own words; the band's query is written for the one measure that has one.
DECLARED = {"transforms/services/measures.yml", "warehouse/store/ledger.sql"}


def test_the_column_of_a_measure_is_named_in_its_declaration_alone() -> None:
    columns = [measure.column for measure in load_measures()]
    named = re.compile(rf"\b({'|'.join(columns)})\b")
    found = {
        str(file.relative_to(ROOT))
        for room in ("flows", "warehouse", "expectations", "transforms")
        for file in (ROOT / room).rglob("*")
        if file.suffix in (".py", ".sql", ".yml") and named.search(file.read_text("utf-8"))
    }
    assert found == DECLARED


def test_the_table_and_the_query_have_every_measure_and_band() -> None:
    table, query = fact_table("service_summary"), summary_sql()
    wanted = [m.column for m in load_measures()]
    assert [name for name in table.kept if name in wanted] == wanted
    assert all(f'AS "{column}"' in query for column in wanted)
    bands = [f"{m.measure}_band_{end}" for m in load_measures() if m.has_band for end in ("low", "high")]
    assert bands == ["completion_band_low", "completion_band_high"]
    assert set(bands) <= set(table.compared) and all(f"AS {band}" in query for band in bands)
    assert "{" not in query.split("WITH", 1)[1].replace("'{'", "").replace("'{}'", "")


def test_what_is_listed_keeps_the_names_that_scripts_read() -> None:
    assert list(listed_measures()) == [
        "received", "ms", "bts", "tms", "in_process", "completion", "approval", "ever_returned", "two_day", "median_days", "p90_days",
    ]  # fmt: skip


def test_the_command_takes_every_breakdown() -> None:
    assert {by.value for by in By} == {breakdown.breakdown for breakdown in load_breakdowns()}


@pytest.mark.parametrize(
    ("said", "kind", "unit", "decimals"),
    [
        ({"counts": "true"}, "count", "proposals", 0),
        ({"counts": "outcome = 'MS'", "of": "true"}, "rate", "percent", 2),
        ({"of": "true", "quantile": 75}, "days", "working days", 2),
    ],
)
def test_a_measure_is_of_one_kind(said: dict[str, object], kind: str, unit: str, decimals: int) -> None:
    about = {"measure": "m", "column": "m", "title": {"id": "m", "en": "m"}, "description": "m", "formula": "m"}
    measure = Measure.model_validate(about | said)
    assert (measure.kind, measure.unit, measure.decimals) == (kind, unit, decimals)


@pytest.mark.parametrize("said", [{}, {"counts": "true", "of": "true", "quantile": 50}, {"quantile": 50}])
def test_a_measure_of_no_kind_is_an_error(said: dict[str, object]) -> None:
    about = {"measure": "m", "column": "m", "title": {"id": "m", "en": "m"}, "description": "m", "formula": "m"}
    with pytest.raises(ValueError, match="counts something, or is a quantile of something"):
        Measure.model_validate(about | said)
