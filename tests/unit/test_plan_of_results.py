"""Which rows make a table of results stale: those of its sources, in its year, and in the years that it looks at besides."""

from datetime import datetime

import duckdb
import pytest

from transforms.definitions import load_indicators
from transforms.facts import fact_table
from warehouse.facts.digests import result_code_digest, result_digest
from warehouse.facts.enter import settle
from warehouse.facts.plan import plan_partitions
from warehouse.store.runs import Run

CLOCK = datetime(2026, 3, 1, 12, 0)


def come(connection: duckdb.DuckDBPyConnection, batch: int, source: str, year: int) -> None:
    connection.execute(
        "INSERT INTO ledger.batches BY NAME SELECT $1 AS batch_id, $2 AS source, false AS is_correction",
        [batch, source],
    )
    connection.execute("INSERT INTO ledger.touched_years VALUES ($1, $2, $3)", [source, year, batch])


def due(connection: duckdb.DuckDBPyConnection, *tables: str) -> list[tuple[str, int, str, str | None]]:
    """(table, year, state, why) of these that are due, which are settled then."""
    plan = plan_partitions(connection, CLOCK)
    settle(connection, plan.due, Run(1, "run-000001", CLOCK), are_entered=True)
    return [(p.item.name, p.year, p.state, p.why) for p in plan.due if p.item.name in tables]


@pytest.mark.parametrize(
    ("source", "year", "stale"),
    [
        ("promotion", 2023, [2024]),
        ("promotion", 2024, [2024]),
        # received in the year before its TMT
        ("promotion", 2025, [2024]),
        ("promotion", 2026, []),
        ("survey", 2024, []),
    ],
)
def test_the_queue_looks_at_earlier_years_and_at_the_next_one(memory, source, year, stale):
    come(memory, 1, "pension", 2024)
    assert due(memory, "service_backlog") == [("service_backlog", 2024, "missing", "first")]
    come(memory, 2, source, year)
    found = due(memory, "service_backlog")
    assert [of_year for _, of_year, state, why in found if (state, why) == ("stale", "late_data")] == stale


def test_a_table_that_rests_on_an_indicator_has_its_sources(memory):
    come(memory, 1, "survey", 2024)
    assert due(memory, "survey_units", "survey_elements", "agency_results", "budget_revisions") == [
        ("survey_elements", 2024, "missing", "first"), ("survey_units", 2024, "missing", "first"),
    ]  # fmt: skip
    come(memory, 2, "nspk_assessment", 2024)
    assert due(memory, "survey_units", "agency_results") == [("agency_results", 2024, "missing", "first")]


def test_what_changes_an_indicator_makes_its_tables_stale(monkeypatch):
    """Its definition in force and its query; words and other versions do not."""
    table = fact_table("agency_results")
    before = (result_digest(table, 2024), result_digest(table, 2023), result_code_digest(table))

    def with_version(indicator):
        newest = indicator.versions[-1].model_copy(
            update={"parameters": {"by_channel": True, "history_types": ["skp"]}}
        )
        changed = {"versions": [*indicator.versions[:-1], newest], "owner": "somebody else"}
        return indicator.model_copy(update=changed) if indicator.id == "IKU-06" else indicator

    monkeypatch.setattr("warehouse.facts.digests.load_indicators", lambda: tuple(map(with_version, load_indicators())))
    after = (result_digest(table, 2024), result_digest(table, 2023), result_code_digest(table))
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, True, True]

    def with_query(indicator):
        return (
            indicator.model_copy(update={"sql": indicator.sql + "\n-- other"})
            if indicator.id == "IKU-06"
            else indicator
        )

    monkeypatch.setattr("warehouse.facts.digests.load_indicators", lambda: tuple(map(with_query, load_indicators())))
    assert result_code_digest(table) != before[2]
    assert result_digest(table, 2024) == before[0]
