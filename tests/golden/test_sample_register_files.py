"""The files of the sample's registers: the same bytes each time, of every format, and faults that break their rules alone."""

from fractions import Fraction

import polars as pl
import pytest

from expectations.contract import load_contract
from tests import sample_registers
from tests.sample_figures import (
    BUDGET_2024,
    CLOSED,
    PRINTED,
    SCORES_2024,
    budget,
    element_means,
    employees_index,
    fractions,
    graded,
    half_up,
    indices,
    mean,
    registers,
    scores,
    services_year,
)
from tests.sample_files import broken, fault_file, faults_of, good_files, hashes, judged_faults, rule_judge
from tests.sample_registers import KEYS, REGISTERS, newest, read, states, write_registers

inbox = sample_registers.inbox


# --- the deliveries ---


def test_the_same_order_gives_the_same_bytes(inbox, tmp_path):
    write_registers(tmp_path)

    assert hashes(tmp_path) == hashes(inbox, with_faults=False)


def test_a_year_is_the_same_whatever_else_is_ordered(inbox, tmp_path):
    write_registers(tmp_path, years=[2022])

    assert hashes(tmp_path).items() <= hashes(inbox, with_faults=False).items()
    assert {path.name for path in tmp_path.iterdir()} == set(REGISTERS)


def test_another_seed_gives_other_rows_and_the_same_figures(inbox, tmp_path):
    write_registers(tmp_path, years=[2024], seed=7)
    ikm = indices(states(tmp_path, "survey"))

    assert hashes(tmp_path).items() != hashes(inbox, with_faults=False).items()
    assert {(semester, unit): half_up(value) for (_, semester, unit), value in ikm.items()} == {
        place: index for place, (index, _) in PRINTED.items()
    }
    assert half_up(services_year(ikm, 2024)) == "93.37"
    assert graded(states(tmp_path, "nspk_assessment")) == {2023: (49, 34)}
    assert employees_index(states(tmp_path, "ip_asn_employee"), 2024) == (97, Fraction("85.01"))
    assert registers(lambda source: states(tmp_path, source)) == {
        source: {2024: CLOSED[source][2024]} for source in CLOSED
    }


def test_files_are_few_and_small_and_of_every_format(inbox):
    paths = [path for source in REGISTERS for path in good_files(inbox, source)]
    endings = {".csv.gz" if path.suffix == ".gz" else path.suffix for path in paths}

    assert len(paths) <= 102
    assert sum(path.stat().st_size for path in paths) < 2_000_000
    assert endings == {".csv", ".csv.gz", ".parquet", ".jsonl", ".xlsx"}
    for source in REGISTERS:
        assert len({path.suffix for path in good_files(inbox, source)}) >= 3


def test_rows_arrive_twice(inbox):
    for source in ("survey", "regulation", "supervision_recommendation", "budget"):
        rows = pl.concat([read(path) for path in good_files(inbox, source)])
        assert rows.is_duplicated().sum() > 0


# --- the contracts ---


@pytest.fixture(scope="module")
def judge():
    con = rule_judge("agencies", "budget_programs")
    con.execute(
        "CREATE TABLE reference.indicators AS SELECT format('IKU-{:02d}', n) AS indicator_id, "
        "'SS' || CASE WHEN n <= 2 THEN 1 WHEN n <= 4 THEN 2 WHEN n >= 9 THEN 7 ELSE n - 2 END AS objective_code, "
        "CASE WHEN n <= 2 THEN 'stakeholder' WHEN n <= 4 THEN 'customer' WHEN n >= 9 THEN 'learning_growth' "
        "ELSE 'internal_process' END AS perspective_code FROM range(1, 15) t(n)"
    )
    return con


@pytest.mark.parametrize("source", REGISTERS)
def test_good_deliveries_break_no_rule(inbox, judge, source, tmp_path):
    names = load_contract(source).delivered_names
    for path in good_files(inbox, source):
        text = read(path)
        assert text.columns == names, path
        assert broken(judge, source, path, text, tmp_path) == {}, path


@pytest.mark.parametrize("source", REGISTERS)
def test_faults_break_every_rule_and_only_those_declared(inbox, judge, source, tmp_path):
    contract = load_contract(source)
    declared, found = judged_faults(inbox, judge, source, read, tmp_path)

    assert set().union(*faults_of(source)) == {rule.id for rule in contract.all_rules}
    assert found == declared


@pytest.mark.parametrize("source", REGISTERS)
def test_what_conflicts_has_a_state_to_conflict_with(inbox, source):
    key, _ = KEYS[source]
    rows = read(fault_file(inbox, source)).filter(
        pl.Series(["CONFLICT" in " ".join(rules) for rules in faults_of(source)])
    )

    if rows.height == 1:
        known = states(inbox, source).join(rows, on=key, how="semi", nulls_equal=True)
        assert known.height == 1
        assert known.select(rows.columns).rows() != rows.rows()
    else:
        assert rows.height == 2
        assert rows.select(key).unique().height == 1
        assert rows.unique().height == 2


def accepted_faults(inbox, source):
    """The fault rows that no rule keeps out: the first of two that conflict."""
    rows = read(fault_file(inbox, source))
    conflicting = [number for number, rules in enumerate(faults_of(source)) if "CONFLICT" in " ".join(rules)]
    return rows[conflicting[:1]] if len(conflicting) == 2 else rows.clear()


def test_faults_change_no_value(inbox):
    def rows_of(source):
        return states(inbox, source, accepted_faults(inbox, source))

    # The accepted row of a conflicting pair is of a year that has not begun.
    survey = rows_of("survey").filter(pl.col("tahun") != "2099")
    ikm = indices(survey)
    assert ikm == indices(states(inbox, "survey"))
    counted = {key: count for key, (count, _) in element_means(survey).items()}
    assert counted == {key: count for key, (count, _) in element_means(states(inbox, "survey")).items()}
    assert graded(rows_of("nspk_assessment")) == {2020: (49, 2), 2021: (49, 10), 2022: (49, 19), 2023: (49, 34)}
    measured = newest(rows_of("ip_asn_measurement"), "ip_asn_measurement").filter(pl.col("tahun") == "2024")
    assert (measured.height, mean(fractions(measured, "nilai"))) == (49, Fraction("75.45"))
    assert registers(rows_of) == CLOSED
    assert scores(rows_of("external_score"), 2024) == SCORES_2024
    final = budget(rows_of("budget"), 2024)
    assert {code: amounts for code, amounts in final.items() if code.startswith("IKU")} == BUDGET_2024
    for source in ("ip_asn_employee", "digital_service", "performance_agreement"):
        assert accepted_faults(inbox, source).height == 0
    other = accepted_faults(inbox, "published_value").select("kantor", "ukuran").rows()
    assert other == [("03", "target")]
