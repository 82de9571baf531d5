"""Every rule of every source: hit by the faulty sample, held with all its reasons, counted alike by Great Expectations."""

from collections import Counter
from dataclasses import replace
from importlib.resources import files

import duckdb
import pytest
import yaml

from expectations.columns import Column
from expectations.contract import load_contract, source_names
from expectations.kinds import Kind, Told
from expectations.kinds.lookup import Lookup
from expectations.kinds.measure import Measure
from expectations.kinds.order import Order
from expectations.kinds.required import Required
from expectations.kinds.sql import Sql
from expectations.rule import Rule
from expectations.suite import EngineError
from tests.conftest import RunHome
from tests.rows import csv, row
from warehouse.reading.held_rows import read_held_rows
from warehouse.reading.published_values import published, read_services, read_values
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.connection import open_warehouse
from warehouse.store.home import Home

ALL_RULES = [(source, rule) for source in source_names() for rule in load_contract(source).all_rules]


@pytest.fixture(scope="module")
def validated(faulty_2024: RunHome) -> Counter[str]:
    """What Great Expectations itself counted, by rule."""
    query = "SELECT rule, sum(validator_rows_failed) FROM validation_results GROUP BY rule"
    with published(faulty_2024.home) as connection:
        return Counter(dict(connection.execute(query).fetchall()))


@pytest.fixture(scope="module")
def held(faulty_2024: RunHome) -> Counter[tuple[str, str]]:
    """Rows that are held, by source and rule."""
    rows = read_held_rows(faulty_2024.home, None, None)
    return Counter((row.source, reason) for row in rows for reason in row.reasons)


@pytest.mark.parametrize(("source", "rule"), ALL_RULES, ids=[rule.id for _, rule in ALL_RULES])
def test_the_validator_counts_what_is_held(
    validated: Counter[str], held: Counter[tuple[str, str]], source: str, rule: Rule
) -> None:
    assert validated[rule.id] >= 1
    if rule.severity == "quarantine":
        assert validated[rule.id] == held[source, rule.id]


@pytest.mark.parametrize("source", source_names())
def test_every_faulty_row_is_held_with_all_its_reasons_and_no_good_one(faulty_2024: RunHome, source: str) -> None:
    faults = yaml.safe_load(files("sample_data").joinpath("faults", f"{source}.yml").read_text("utf-8"))["faults"]
    declared = [set(fault["rules"]) for fault in faults for _ in fault["rows"]]
    warnings = {rule.id for rule in load_contract(source).all_rules if rule.severity == "warn"}
    conflict = f"{load_contract(source).prefix}-CONFLICT"
    expected = {number: broken - warnings for number, broken in enumerate(declared, start=1) if broken - warnings}
    # Of two rows that conflict with each other the first one stands.
    if len(pair := [number for number, broken in expected.items() if broken == {conflict}]) == 2:
        del expected[pair[0]]
    held = {(held.file, held.row): set(held.reasons) for held in read_held_rows(faulty_2024.home, source, None)}
    assert held == {
        (f"{source}/faults/{source}_2024_faults.csv", number): broken for number, broken in expected.items()
    }


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
    told = Measure.told

    def broken(self: Measure, rule_id: str, column: Column) -> Told:
        stated = told(self, rule_id, column)
        values = dict.fromkeys(stated.values, "CAST(error('broken on purpose') AS BOOLEAN)")
        return replace(stated, values=values) if rule_id == "PEN-03" else stated

    deliver("pension/a.csv", csv(row("pension")))
    monkeypatch.setattr(Measure, "told", broken)
    with pytest.raises(EngineError, match=r"the validator failed at .*PEN-03"):
        run_pipeline(tmp_path)
    assert not (tmp_path / "published").exists()
    with open_warehouse(tmp_path, "test") as warehouse:
        assert warehouse.connection.execute("SELECT count(*) FROM states.pension").fetchall() == [(0,)]
        assert warehouse.connection.execute("SELECT status FROM ledger.runs").fetchall() == [("failed",)]


@pytest.mark.parametrize(
    ("kind", "rule_id", "changed"),
    [
        (Measure, "PEN-03", {"tmt_pensiun": "2024-06-02 00:00:00"}),
        (Required, "PEN-REQ-TMT_PENSIUN", {"tmt_pensiun": ""}),
        (Lookup, "PEN-LOG-5", {"kanreg_id_pengusul": "77"}),
        (Order, "PEN-LOG-3", {"tgl_pertek": "01-01-2024"}),
        (Sql, "PEN-NIP-2", {"nip": "196613151990011001"}),
    ],
)
def test_a_quarantine_that_lets_a_broken_row_pass_stops_the_run(
    tmp_path, deliver, monkeypatch, kind: type[Kind], rule_id: str, changed: dict[str, str]
) -> None:
    """Of two deliveries in one group the one at fault is named."""
    deliver("pension/a.csv", csv(row("pension")))
    deliver("pension/b.csv", csv(row("pension", id="S2", **changed)))
    condition = kind.condition
    monkeypatch.setattr(
        kind, "condition", lambda self, id_, column: "true" if id_ == rule_id else condition(self, id_, column)
    )
    with pytest.raises(EngineError, match=f"rule {rule_id}: the validator counts 1 failing rows, the row rules 0"):
        run_pipeline(tmp_path)


def test_two_errors_that_cancel_out_over_the_group_are_found_in_the_deliveries(tmp_path, deliver, monkeypatch) -> None:
    """The row rules blame the good row of one delivery in place of the broken one of another: the totals agree."""
    deliver("pension/a.csv", csv(row("pension")))
    deliver("pension/b.csv", csv(row("pension", id="S2", tmt_pensiun="2024-06-02 00:00:00")))
    condition = Measure.condition
    wrong = "record_key <> 'S1'"
    monkeypatch.setattr(
        Measure, "condition", lambda self, id_, column: wrong if id_ == "PEN-03" else condition(self, id_, column)
    )
    with pytest.raises(
        EngineError, match=r"pension/a\.csv: rule PEN-03: the validator counts 0 failing rows, the row rules 1"
    ):
        run_pipeline(tmp_path)


def test_the_count_of_the_validator_stands_beside_ours_delivery_by_delivery(tmp_path, deliver) -> None:
    deliver("pension/a.csv", csv(row("pension")))
    broken = [row("pension", id=f"B{n}", tmt_pensiun="2024-06-02 00:00:00") for n in range(3)]
    deliver("pension/b.csv", csv(row("pension", id="S2"), *broken))
    run_pipeline(tmp_path)
    with published(Home(tmp_path)) as connection:
        rows = connection.execute(
            "SELECT file, rows_failed, validator_rows_failed, judged_by FROM validation_results WHERE rule = 'PEN-03' ORDER BY file"
        ).fetchall()
        told_apart = connection.execute(
            "SELECT rule FROM validation_results WHERE judged_by = 'own condition'"
        ).fetchall()
        differing = "SELECT count(*) FROM validation_results WHERE rows_failed IS DISTINCT FROM validator_rows_failed"
        assert connection.execute(differing).fetchall() == [(0,)]
    assert rows == [
        ("pension/a.csv", 0, 0, "native on a taken value"),
        ("pension/b.csv", 3, 3, "native on a taken value"),
    ]
    assert set(told_apart) == {("PEN-CONFLICT",)}


def test_results_hold_no_values(faulty_2024: RunHome) -> None:
    with duckdb.connect(str(faulty_2024.home.published.resolve() / "kpi.duckdb"), read_only=True) as connection:
        columns = {
            name
            for (name,) in connection.execute(
                "SELECT column_name FROM duckdb_columns() WHERE table_name = 'validation_results'"
            ).fetchall()
        }
    assert columns == {
        "source",
        "file",
        "rule",
        "severity",
        "rows_checked",
        "rows_failed",
        "validator_rows_failed",
        "judged_by",
        "run",
    }
