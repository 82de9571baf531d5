"""Tables of results: one declaration and one query; planned, staged, entered with their versions and published by the mechanism of all facts."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.in_memory import give_states, result_rows
from tests.publication_home import query
from tests.time_home import TimeHome
from transforms.facts import FactTable, fact_table
from warehouse.facts.versions import enter_fresh, make_fresh_table
from warehouse.runs.backfill import stageable
from warehouse.runs.initialise import initialise
from warehouse.runs.pipeline import a_run
from warehouse.store.fact_tables import install_fact_tables
from warehouse.store.seal import find_break

SURVEY = "survey_code,year,semester,unit_code,respondent_id,response_date,u1_score,u2_score,u3_score,u4_score,u5_score,u6_score,u7_score,u8_score,u9_score"


def derived(connection: duckdb.DuckDBPyConnection, columns: str, csv: str) -> list[tuple[object, ...]]:
    give_states(connection, "survey", f"{SURVEY}\n{csv}")
    return result_rows(connection, "survey_units", f"SELECT {columns} FROM {{rows}} WHERE unit_code = 'INKA'")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["4,4,4,4,4,4,4,4,4"], ("100.00", "A", 1)),
        # 25 x (8 x 4 + 3.5) / 9 = 98.611...; 25 x (8 x 3 + 3.5) / 9 = 76.388..., where the last element has two answers of three
        (["4,4,4,4,4,4,4,4,4", "4,4,4,4,4,4,4,4,3"], ("98.61", "A", 2)),
        (["3,3,3,3,3,3,3,3,3", "3,3,3,3,3,3,3,3,4", "3,3,3,3,3,3,3,3,"], ("76.39", "C", 3)),
        (["1,1,1,1,1,1,1,1,1"], ("25.00", "D", 1)),
        # an element that nobody answered leaves the unit without an index
        (["4,4,4,4,4,4,4,4,", ",,,,,,,,"], (None, None, 1)),
    ],
)
def test_an_index_of_a_unit(memory, answers, expected):
    csv = "\n".join(f"layanan,2024,1,INKA,r{n},2024-05-06,{scores}" for n, scores in enumerate(answers))
    assert derived(memory, "CAST(ikm_value AS VARCHAR), grade, respondent_count", csv) == [expected]


def test_a_tie_is_rounded_up(memory):
    """Eight elements of 4; the ninth 3.6274, of 5000 answers: 25 / 9 x 35.6274 is 98.965 exactly."""
    lines = [f"layanan,2024,1,INKA,r{n},2024-05-06,4,4,4,4,4,4,4,4,{3 if n < 1863 else 4}" for n in range(5000)]
    assert derived(memory, "ikm_value", "\n".join(lines)) == [(Decimal("98.97"),)]


def answers(respondent: str, score: int, day: str = "2023-05-06", year: int = 2023) -> dict[str, str]:
    about = {"survei": "layanan", "tahun": str(year), "semester": "1", "unit": "INKA", "responden_id": respondent}
    return about | {"tanggal": day} | {f"u{n}": str(score) for n in range(1, 10)}


@pytest.fixture
def place(tmp_path: Path) -> TimeHome:
    initialise(tmp_path / "home")
    return TimeHome(tmp_path / "home")


def published(place: TimeHome, table: str, columns: str) -> list[tuple[object, ...]]:
    """Of the one unit; its total stands beside it."""
    return query(place.root / "published", f"SELECT {columns} FROM {table} WHERE unit_code = 'INKA' ORDER BY ALL")


def test_a_table_of_results_is_derived_versioned_and_published(place: TimeHome) -> None:
    place.deliver("survey/a.csv", answers("r1", 4))
    place.run("2024-01-10")
    assert published(place, "survey_units", "year, unit_code, ikm_value, grade, respondent_count, is_provisional") == [
        (2023, "INKA", Decimal("100.00"), "A", 1, False)
    ]
    place.deliver("survey/b.csv", answers("r2", 3))
    report = place.run("2024-01-11")
    assert published(place, "survey_units_history", "ikm_value, grade, reason, run, known_to IS NULL") == [
        (Decimal("87.50"), "B", "late_data", "run-000002", True),
        (Decimal("100.00"), "A", None, "run-000001", False),
    ]
    assert [change.indicator for change in report.changed if change.indicator.startswith("survey")] == []
    assert place.run("2024-01-12").published is False


def test_a_table_that_is_new_is_missing_in_years_already_loaded_and_a_backfill_derives_it(
    place: TimeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = fact_table("survey_units")
    place.deliver("survey/a.csv", answers("r1", 4), answers("r1", 3, day="2022-05-06", year=2022))
    with monkeypatch.context() as before:
        before.setattr("warehouse.facts.plan.result_tables", lambda: ())
        place.run("2024-01-10")
    assert published(place, "survey_units", "year") == []
    with a_run(place.root, date(2024, 1, 11), "test") as pipeline:
        due = [p for p in stageable(pipeline.plan([2022, 2023])) if p.item.name == table.table]
        assert [(p.item.name, p.year, p.state) for p in due] == [
            (table.table, 2022, "missing"),
            (table.table, 2023, "missing"),
        ]
        pipeline.stage(table.table, 2022)
        staged = f"SELECT unit_code, year, partition_year, ikm_value FROM {table.staged} ORDER BY ALL"
        assert pipeline.warehouse.connection.execute(staged).fetchall() == [
            ("INKA", 2022, 2022, Decimal("75.00")),
            ("total", 2022, 2022, Decimal("75.00")),
        ]
        pipeline.enter_staged([2022, 2023])
        pipeline.publish()
        pipeline.end()
    assert published(place, "survey_units", "year, ikm_value, run") == [
        (2022, Decimal("75.00"), "run-000002"),
        (2023, Decimal("100.00"), "run-000002"),
    ]
    assert place.ledger(f"SELECT count(*) FROM {table.staged}") == [(0,)]


def test_what_a_closed_year_would_say_otherwise_waits_for_a_restatement(place: TimeHome) -> None:
    place.deliver("survey/a.csv", answers("r1", 4))
    place.run("2024-01-10")
    close(place, 2023, date(2024, 1, 11))
    place.deliver("survey/b.csv", answers("r2", 3))
    pending = [(p.item, p.period, p.old, p.new) for p in place.run("2024-01-12").pending if "survey_units" in p.item]
    assert [line for line in pending if "INKA" in line[0]] == [
        ("survey_units.grade|layanan|2023-S1|INKA", "2023", "A", "B"),
        ("survey_units.ikm_value|layanan|2023-S1|INKA", "2023", "100.00", "87.50"),
        ("survey_units.respondent_count|layanan|2023-S1|INKA", "2023", "1", "2"),
    ]
    assert published(place, "survey_units", "grade") == [("A",)]


def test_a_column_that_a_declaration_gets_comes_to_a_home_that_is_there_and_leaves_its_seals_whole(
    place: TimeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.deliver("survey/a.csv", answers("r1", 4))
    place.run("2024-01-10")
    wider = with_note(fact_table("survey_units"))
    monkeypatch.setattr("warehouse.store.fact_tables.fact_tables", lambda: (wider,))
    place.run("2024-01-11")
    columns = "SELECT table_name FROM duckdb_columns() WHERE column_name = 'note' AND schema_name = 'facts' AND table_name LIKE '%survey%' ORDER BY 1"
    assert place.ledger(columns) == [("staged_survey_units",), ("survey_units",)]
    assert place.ledger("FROM ledger.added_columns") == [("facts.survey_units", "note", 2)]
    with duckdb.connect(str(place.home.warehouse)) as connection:
        assert find_break(connection) is None
        connection.execute("UPDATE facts.survey_units SET ikm_value = 1 WHERE run = 'run-000001'")
        assert find_break(connection) == "run 1: facts.survey_units"


def with_note(table: FactTable) -> FactTable:
    note = {"type": "string", "unit": "none", "description": "a remark"}
    said = table.model_dump()
    return FactTable.model_validate(said | {"columns": said["columns"] | {"note": note}})


def close(place: TimeHome, year: int, day: date) -> None:
    """As `kpi close` does, without what it asks for."""
    with a_run(place.root, day, "test") as pipeline:
        run_id = pipeline.run.run_id
        pipeline.warehouse.connection.execute(
            "INSERT INTO ledger.closings VALUES ($1, $2, 1, $3)", [year, pipeline.run.clock, run_id]
        )
        pipeline.end()


def test_a_table_that_is_new_comes_to_a_closed_year_by_itself_and_what_a_later_delivery_brings_waits(
    place: TimeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.deliver("survey/a.csv", answers("r1", 4))
    with monkeypatch.context() as before:
        before.setattr("warehouse.facts.plan.result_tables", lambda: ())
        place.run("2024-01-10")
        close(place, 2023, date(2024, 1, 11))
    report = place.run("2024-01-12")
    assert (report.pending, report.published) == ([], True)
    assert published(place, "survey_units_history", "unit_code, ikm_value, reason, run") == [
        ("INKA", Decimal("100.00"), None, "run-000003")
    ]
    # MUTASI is as new to the table as INKA was, but it is a delivery that brings it.
    place.deliver("survey/b.csv", answers("r2", 3) | {"unit": "MUTASI"})
    pending = [(p.item, p.old, p.new) for p in place.run("2024-01-13").pending if "ikm_value" in p.item]
    assert pending == [
        ("survey_units.ikm_value|layanan|2023-S1|MUTASI", None, "75.00"),
        ("survey_units.ikm_value|layanan|2023-S1|total", "100.00", "87.50"),
    ]
    units = query(place.root / "published", "SELECT unit_code, ikm_value FROM survey_units ORDER BY ALL")
    assert units == [("INKA", Decimal("100.00")), ("total", Decimal("100.00"))]


@pytest.mark.parametrize(
    ("ikm", "entered"), [("100.00", ["new"]), ("99.00", [])], ids=["new column alone", "and an old one"]
)
def test_of_a_closed_year_a_new_column_is_an_addition_and_another_number_is_none(
    memory: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, ikm: str, entered: list[str]
) -> None:
    table, clock = fact_table("survey_units"), datetime(2024, 1, 10)
    memory.execute("INSERT INTO ledger.runs BY NAME SELECT 1 AS run_id, 'run-000001' AS run")
    said = "'07' AS office, 'layanan' AS survey_code, 2023 AS year, '2023-S1' AS period, 'INKA' AS unit_code, '2024' AS definition_version"
    said += ", TIMESTAMP '2023-12-31' AS cut_off, 'A' AS grade, 1 AS respondent_count, false AS is_provisional"
    make_fresh_table(memory, table)
    memory.execute(f"INSERT INTO {table.fresh} BY NAME SELECT {said}, 100 AS ikm_value")
    enter_fresh(memory, table, "true", "'code'", clock, "run-000001")
    wider = with_note(table)
    monkeypatch.setattr("warehouse.store.fact_tables.fact_tables", lambda: (wider,))
    install_fact_tables(memory)
    make_fresh_table(memory, wider)
    memory.execute(f"INSERT INTO {wider.fresh} BY NAME SELECT {said}, {ikm} AS ikm_value, 'new' AS note")
    enter_fresh(memory, wider, "true", "'code'", clock, "run-000002", additions_only=True)
    found = memory.execute("SELECT note FROM facts.survey_units WHERE run = 'run-000002' AND known_to IS NULL")
    assert [note for (note,) in found.fetchall()] == entered
