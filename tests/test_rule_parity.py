"""Every rule of every source: hit by the faulty sample, held with all its reasons, counted alike by Great Expectations."""

from collections import Counter
from importlib.resources import files

import duckdb
import pytest
import yaml

from expectations.contract import Rule, load_contract, source_names
from expectations.suite import EngineError
from tests.conftest import RunHome
from tests.rows import csv, row
from warehouse.connection import open_warehouse
from warehouse.held_rows import read_held_rows
from warehouse.pipeline import run_pipeline
from warehouse.reading import published, read_services, read_values

ALL_RULES = [(source, rule) for source in source_names() for rule in load_contract(source).all_rules]


def _validated(home: RunHome) -> Counter[str]:
    with published(home.home) as connection:
        return Counter(
            dict(connection.execute("SELECT rule, sum(rows_failed) FROM validation_results GROUP BY rule").fetchall())
        )


@pytest.mark.parametrize(("source", "rule"), ALL_RULES, ids=[rule.id for _, rule in ALL_RULES])
def test_the_validator_counts_what_is_held(faulty_2024: RunHome, source: str, rule: Rule) -> None:
    counted = _validated(faulty_2024)[rule.id]
    assert counted >= 1
    if rule.severity == "quarantine":
        assert counted == len(read_held_rows(faulty_2024.home, source, rule.id))


@pytest.mark.parametrize("source", source_names())
def test_every_faulty_row_is_held_with_all_its_reasons_and_no_good_one(faulty_2024: RunHome, source: str) -> None:
    faults = yaml.safe_load(files("sample_data").joinpath("faults", f"{source}.yml").read_text("utf-8"))["faults"]
    declared = [set(fault["rules"]) for fault in faults for _ in fault["rows"]]
    warnings = {rule.id for rule in load_contract(source).all_rules if rule.severity == "warn"}
    conflict = f"{load_contract(source).prefix}-CONFLICT"
    expected = {number: rules - warnings for number, rules in enumerate(declared, start=1) if rules - warnings}
    # Of two rows that conflict the first one stands.
    first = next(number for number, rules in expected.items() if rules == {conflict})
    del expected[first]
    held = {(held.file, held.row): set(held.reasons) for held in read_held_rows(faulty_2024.home, source, None)}
    assert held == {(f"{source}/faults/{source}_2024_faults.csv", number): rules for number, rules in expected.items()}


def test_faults_change_no_fact(sample_2024: RunHome, faulty_2024: RunHome) -> None:
    def bare(rows: list[dict]) -> list[dict]:
        return [
            {name: value for name, value in row.items() if name not in ("known_from", "run", "cut_off", "band")}
            for row in rows
        ]

    assert bare(read_values(faulty_2024.home)) == bare(read_values(sample_2024.home))
    for by in ("year", "period", "region", "agency"):
        assert bare(read_services(faulty_2024.home, 2024, by)) == bare(read_services(sample_2024.home, 2024, by))


def test_held_rows_widen_the_quality_band(faulty_2024: RunHome) -> None:
    with published(faulty_2024.home) as connection:
        low, high = connection.execute(
            "SELECT completion_band_low, completion_band_high FROM service_summary "
            "WHERE service = 'pension' AND breakdown = 'year' AND year = 2024"
        ).fetchall()[0]
    assert low < high


def test_a_rule_that_the_validator_cannot_judge_stops_the_run(tmp_path, deliver, monkeypatch) -> None:
    """An exception inside the engine is neither good nor bad data: nothing is kept, nothing is published."""
    deliver("pension/a.csv", csv(row("pension")))
    contract = load_contract("pension")
    broken = contract.rules[2].model_copy(update={"sql": "no_such_column > 1"})
    monkeypatch.setattr("expectations.suite.condition", lambda c, r: broken.sql if r.id == "PEN-03" else "true")
    with pytest.raises(EngineError, match="PEN-03"):
        run_pipeline(tmp_path)
    assert not (tmp_path / "published").exists()
    with open_warehouse(tmp_path, "test") as warehouse:
        assert warehouse.connection.execute("SELECT count(*) FROM states.pension").fetchall() == [(0,)]
        assert warehouse.connection.execute("SELECT status FROM ledger.runs").fetchall() == [("failed",)]


def test_two_engines_that_differ_stop_the_run(tmp_path, deliver, monkeypatch) -> None:
    deliver("pension/a.csv", csv(row("pension", tmt_pensiun="2024-06-02 00:00:00")))
    monkeypatch.setattr("expectations.suite.condition", lambda c, r: "true")
    with pytest.raises(EngineError, match="PEN-03: the validator counts 0 failing rows, the row rules 1"):
        run_pipeline(tmp_path)


def test_results_hold_no_values(faulty_2024: RunHome) -> None:
    with duckdb.connect(str(faulty_2024.home.published.resolve() / "kpi.duckdb"), read_only=True) as connection:
        columns = {
            name
            for (name,) in connection.execute(
                "SELECT column_name FROM duckdb_columns() WHERE table_name = 'validation_results'"
            ).fetchall()
        }
    assert columns == {"source", "file", "rule", "severity", "rows_checked", "rows_failed", "run"}
