"""Scores as facts: bitemporal like the values, each change with the reason of its inputs, the budget's revision in force."""

import json
from datetime import date, datetime
from decimal import Decimal

import pytest
import year_2024
from typer.testing import CliRunner
from year_2024 import FIRST, OBJECTIVES, SECOND, VALUES_2024, add_budget, enter_values

from flows.app import app
from transforms.scoring.definition import load_scoring
from warehouse.facts.changes import changes_of, told
from warehouse.facts.derive import View
from warehouse.facts.scores import enter_scores, score_inputs
from warehouse.facts.versions import Change
from warehouse.publication.switch import publish
from warehouse.reading.published_values import read_scores
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.runs import UNPUBLISHED, Run, read_meta, write_meta

home, warehouse = year_2024.home, year_2024.warehouse


def enter(warehouse, run, values=None, causes=None, reason="late_data", years=(2024,)):
    with warehouse.transaction() as connection:
        enter_values(connection, run, values or {}, reason) if values else None
        enter_scores(connection, list(years), causes or {}, run, View(run.clock))
        return changed_scores(connection, run)


def changed_scores(connection, run):
    """What a report tells of the scores."""
    return [change for change in told(changes_of(connection, run.name)) if change.indicator == "NPSS"]


def standing(connection, measure):
    rows = connection.execute(
        "SELECT item, value, status FROM facts.kpi_scores WHERE measure = $1 AND known_to IS NULL ORDER BY item",
        [measure],
    ).fetchall()
    return {item: status if value is None else f"{value:.2f}" for item, value, status in rows}


def versions(connection, measure, item):
    return [
        (None if value is None else f"{value:.2f}", reason, known_to is None)
        for value, reason, known_to in connection.execute(
            "SELECT value, reason, known_to FROM facts.kpi_scores WHERE measure = $1 AND item = $2 ORDER BY known_from, run",
            [measure, item],
        ).fetchall()
    ]


# What is entered


def test_the_score_of_2024_stands_as_facts(warehouse):
    add_budget(warehouse.connection, "IKU-04", "30400000", "29960485")
    add_budget(warehouse.connection, "IKU-01", "289971000", "289951706")
    add_budget(warehouse.connection, "088.01.CO", "15051788000", "15000000000")

    changed = enter(warehouse, FIRST, VALUES_2024)

    assert standing(warehouse.connection, "nss") == {
        "SS1": "100.00", "SS2": "101.25", "SS3": "100.00", "SS4": "100.00", "SS5": "96.49", "SS6": "100.00", "SS7": "96.72",
    }  # fmt: skip
    assert standing(warehouse.connection, "nkp") == {
        "customer": "25.31", "internal_process": "24.78", "learning_growth": "24.18", "stakeholder": "25.00",
    }  # fmt: skip
    assert standing(warehouse.connection, "npss") == {"NPSS": "99.27"}
    assert standing(warehouse.connection, "efficiency") | {"IKU-02": None} == dict.fromkeys(OBJECTIVES, "no_budget") | {
        "IKU-01": "no_capaian",
        "IKU-02": None,
        "IKU-04": "-0.27",
    }
    assert standing(warehouse.connection, "allocation") == {
        "088.01.CO": "15051788000.00", "IKU-01": "289971000.00", "IKU-04": "30400000.00",
    }  # fmt: skip
    assert standing(warehouse.connection, "capaian")["IKU-01"] == "not_yet_measured"
    assert changed == [Change("NPSS", "2024", None, "99.27", None)]


def test_the_same_again_adds_nothing(warehouse):
    enter(warehouse, FIRST, VALUES_2024)
    write_meta(warehouse.connection, UNPUBLISHED, "no")

    assert enter(warehouse, SECOND, VALUES_2024) == []
    assert versions(warehouse.connection, "npss", "NPSS") == [("99.27", None, True)]
    assert read_meta(warehouse.connection, UNPUBLISHED) == "no"


def test_the_late_assessment_changes_the_score_and_the_old_one_stays_known(warehouse, home):
    enter(warehouse, FIRST, VALUES_2024)
    changed = enter(warehouse, SECOND, VALUES_2024 | {"IKU-01": ("69.39", "100")})

    assert changed == [Change("NPSS", "2024", "99.27", "95.45", "late_data")]
    assert versions(warehouse.connection, "npss", "NPSS") == [("99.27", None, False), ("95.45", "late_data", True)]
    assert versions(warehouse.connection, "nss", "SS1") == [("100.00", None, False), ("84.70", "late_data", True)]
    assert versions(warehouse.connection, "nkp", "stakeholder") == [
        ("25.00", None, False),
        ("21.17", "late_data", True),
    ]
    assert versions(warehouse.connection, "capaian", "IKU-01") == [(None, None, False), ("69.39", "late_data", True)]
    assert versions(warehouse.connection, "nss", "SS2") == [("101.25", None, True)]
    publish(warehouse, 2, "run-000002")
    assert read_scores(home, 2024).shape["npss"] == "95.45"
    assert read_scores(home, 2024).shape["indicators"][0]["realization"] == "69.39"
    assert read_scores(home, 2024, date(2025, 1, 31)).shape["npss"] == "99.27"
    assert read_scores(home, 2024, date(2025, 1, 31)).shape["indicators"][0] == {
        "id": "IKU-01", "realization": None, "target": "100.00", "capaian": None, "efficiency": None,
        "status": "not_yet_measured",
    }  # fmt: skip
    assert read_scores(home, 2024, date(2025, 1, 9)).shape["npss"] is None


# Reasons


def test_a_number_inherits_the_reason_of_its_own_inputs(warehouse):
    enter(warehouse, FIRST, VALUES_2024)
    with warehouse.transaction() as connection:
        enter_values(connection, SECOND, {"IKU-07": ("100", "95")}, "correction")
        enter_values(connection, SECOND, {"IKU-14": ("50", "100")}, "late_data")
        enter_scores(connection, [2024], {}, SECOND, View(SECOND.clock))

    assert changed_scores(warehouse.connection, SECOND) == [Change("NPSS", "2024", "99.27", "97.74", "late_data")]
    newest = {
        (measure, item): versions(warehouse.connection, measure, item)[-1]
        for measure, item in (("nss", "SS5"), ("nss", "SS7"), ("nkp", "internal_process"), ("nkp", "learning_growth"))
    }
    assert newest == {
        ("nss", "SS5"): ("105.26", "correction", True),
        ("nss", "SS7"): ("88.38", "late_data", True),
        ("nkp", "internal_process"): ("25.33", "correction", True),
        ("nkp", "learning_growth"): ("22.10", "late_data", True),
    }


def test_a_first_value_changes_a_score_for_the_reason_that_it_was_derived(warehouse):
    enter(warehouse, FIRST, {k: v for k, v in VALUES_2024.items() if k != "IKU-07"})
    enter(warehouse, SECOND, {"IKU-07": ("91.67", "95")}, {("IKU-07", 2024): "code"})

    assert versions(warehouse.connection, "npss", "NPSS") == [("99.49", None, False), ("99.27", "code", True)]


def test_a_budget_gives_its_reason_to_the_budget_measures_only(warehouse):
    add_budget(warehouse.connection, "IKU-06", "72928000", "72000000")
    enter(warehouse, FIRST, VALUES_2024)
    add_budget(warehouse.connection, "IKU-06", "72928000", "72804577", revision=1, batch=2)
    changed = enter(warehouse, SECOND, None, {("budget", 2024): "correction"})

    assert changed == []
    assert versions(warehouse.connection, "efficiency", "IKU-06") == [
        ("1.27", None, False),
        ("0.17", "correction", True),
    ]
    assert versions(warehouse.connection, "spending", "IKU-06") == [
        ("72000000.00", None, False), ("72804577.00", "correction", True),
    ]  # fmt: skip
    assert versions(warehouse.connection, "allocation", "IKU-06") == [("72928000.00", None, True)]


@pytest.mark.parametrize(("version", "reason"), [("2025", "definition"), ("2024", "code")])
def test_other_rules_of_the_score_are_a_definition_or_code(warehouse, monkeypatch, version, reason):
    enter(warehouse, FIRST, VALUES_2024)
    weights = [40, 20, 20, 20]
    other = load_scoring().model_copy(
        update={
            "version": version,
            "perspectives": tuple(
                perspective.model_copy(update={"weight_percent": weight})
                for perspective, weight in zip(load_scoring().perspectives, weights, strict=True)
            ),
        }
    )
    monkeypatch.setattr("warehouse.facts.scores.load_scoring", lambda: other)
    enter(warehouse, SECOND)

    assert versions(warehouse.connection, "npss", "NPSS") == [("99.27", None, False), ("99.42", reason, True)]


def test_a_budget_line_that_is_taken_back_leaves_no_number(warehouse):
    add_budget(warehouse.connection, "088.01.WA", "100", "90")
    enter(warehouse, FIRST, VALUES_2024)
    warehouse.connection.execute("UPDATE states.budget SET budget_code = '088.01.CO'")
    enter(warehouse, SECOND, None, {("budget", 2024): "correction"})

    assert standing(warehouse.connection, "allocation") == {"088.01.CO": "100.00"}
    assert versions(warehouse.connection, "allocation", "088.01.WA") == [("100.00", None, False)]


def test_a_running_year_is_provisional(warehouse):
    running = Run(1, "run-000001", datetime(2024, 6, 30, 23, 59, 59, 999999))
    enter(warehouse, running, VALUES_2024)
    enter(warehouse, SECOND, VALUES_2024)

    rows = warehouse.connection.execute(
        "SELECT is_provisional, cut_off, reason FROM facts.kpi_scores WHERE measure = 'npss' ORDER BY known_from"
    ).fetchall()
    assert rows == [
        (True, running.clock, None),
        (False, datetime(2024, 12, 31, 23, 59, 59, 999999), "late_data"),
    ]


# The budget in force


def budget_at(warehouse, clock=SECOND.clock, known_batch=99):
    _, budgets = score_inputs(warehouse.connection, 2024, View(clock, known_batch))
    return {budget.code: (budget.allocation, budget.spending) for budget in budgets}


def test_the_highest_revision_decided_by_the_cut_off_is_the_truth(warehouse):
    for revision, decided, pagu in (
        (0, "2024-01-02", "100"),
        (1, "2024-07-01", "200"),
        (12, "2024-11-30", "300"),
        (13, "2025-01-02", "400"),
    ):
        add_budget(warehouse.connection, "IKU-04", pagu, "50", revision, decided, "2024-12-31")

    assert budget_at(warehouse) == {"IKU-04": (Decimal("300.00"), Decimal("50.00"))}
    assert budget_at(warehouse, datetime(2024, 12, 30, 23, 59)) == {}


def test_a_revision_is_read_in_its_newest_data_by_the_cut_off(warehouse):
    for of, spent in (("2024-12-15", "60"), ("2024-06-30", "20"), ("2025-01-15", "99"), ("2024-12-31", "70")):
        add_budget(warehouse.connection, "IKU-04", "100", spent, 1, "2024-03-01", of)

    assert budget_at(warehouse) == {"IKU-04": (Decimal("100.00"), Decimal("70.00"))}
    assert budget_at(warehouse, datetime(2024, 12, 20, 12)) == {"IKU-04": (Decimal("100.00"), Decimal("60.00"))}


def test_a_revision_with_data_only_after_the_cut_off_leaves_its_place(warehouse):
    add_budget(warehouse.connection, "IKU-04", "100", "70", 1, "2024-03-01", "2024-12-20")
    add_budget(warehouse.connection, "IKU-04", "150", "90", 2, "2024-12-30", "2025-01-05")

    assert budget_at(warehouse) == {"IKU-04": (Decimal("100.00"), Decimal("70.00"))}


def test_a_replaced_or_later_delivered_row_is_not_read(warehouse):
    add_budget(warehouse.connection, "IKU-04", "100", "70", batch=1)
    add_budget(warehouse.connection, "IKU-04", "100", "75", batch=3)
    warehouse.connection.execute("UPDATE states.budget SET replaced_by_batch_id = 3 WHERE batch_id = 1")

    assert budget_at(warehouse) == {"IKU-04": (Decimal("100.00"), Decimal("75.00"))}
    assert budget_at(warehouse, known_batch=2) == {"IKU-04": (Decimal("100.00"), Decimal("70.00"))}


def test_another_year_has_its_own_budget(warehouse):
    add_budget(warehouse.connection, "IKU-04", "100", "70")
    enter(warehouse, FIRST, VALUES_2024, years=[2023, 2024])

    years = warehouse.connection.execute("SELECT year FROM facts.kpi_scores WHERE measure = 'allocation'").fetchall()
    assert years == [(2024,)]


# What people read


def invoke(*arguments):
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_prints_the_agreed_shape(warehouse, home):
    add_budget(warehouse.connection, "IKU-07", "200000000", "184103028")
    enter(warehouse, FIRST, VALUES_2024)
    publish(warehouse, 1, "run-000001")

    shape = json.loads(invoke("scores", "--year", 2024, "--home", home.root, "--json"))

    assert list(shape) == [
        "year", "npss", "category", "reason", "perspectives", "objectives", "indicators", "contested", "missing_targets",
    ]  # fmt: skip
    assert (shape["year"], shape["npss"], shape["category"], shape["reason"]) == (2024, "99.27", "Baik", None)
    assert shape["perspectives"] == [
        {"id": "stakeholder", "score": "100.00", "nkp": "25.00"},
        {"id": "customer", "score": "101.25", "nkp": "25.31"},
        {"id": "internal_process", "score": "99.12", "nkp": "24.78"},
        {"id": "learning_growth", "score": "96.72", "nkp": "24.18"},
    ]
    assert shape["objectives"] == [
        {"id": "SS1", "nss": "100.00"}, {"id": "SS2", "nss": "101.25"}, {"id": "SS3", "nss": "100.00"},
        {"id": "SS4", "nss": "100.00"}, {"id": "SS5", "nss": "96.49"}, {"id": "SS6", "nss": "100.00"},
        {"id": "SS7", "nss": "96.72"},
    ]  # fmt: skip
    assert shape["indicators"][0] == {
        "id": "IKU-01", "realization": None, "target": "100.00", "capaian": None, "efficiency": None,
        "status": "not_yet_measured",
    }  # fmt: skip
    assert shape["indicators"][6] == {
        "id": "IKU-07", "realization": "91.67", "target": "95.00", "capaian": "96.49", "efficiency": "4.60",
        "status": "derived",
    }  # fmt: skip
    assert [indicator["id"] for indicator in shape["indicators"]] == sorted(OBJECTIVES)


def test_the_command_says_what_left_a_mean(warehouse, home):
    enter(warehouse, FIRST, VALUES_2024)
    publish(warehouse, 1, "run-000001")
    text = invoke("scores", "--year", 2024, "--format", "table", "--home", home.root)

    assert "NPSS 2024: 99.27 (Baik)" in text
    assert "IKU-01 is not_yet_measured: it leaves the mean of SS1" in text


def test_without_a_perspective_there_is_no_npss_and_the_reason_is_said(warehouse, home):
    enter(warehouse, FIRST, VALUES_2024 | {"IKU-03": (None, "95"), "IKU-04": ("93.37", None)})
    publish(warehouse, 1, "run-000001")
    sheet = read_scores(home, 2024)

    assert (sheet.shape["npss"], sheet.shape["category"]) == (None, None)
    assert sheet.shape["reason"] == (
        "no NPSS: no score for customer; no target of 2024 for IKU-04: performance_agreement brings them"
    )
    assert sheet.shape["missing_targets"] == ["IKU-04"]
    assert sheet.shape["perspectives"][1] == {"id": "customer", "score": None, "nkp": None}
    assert sheet.shape["indicators"][3]["status"] == "no_target"
    assert sheet.gaps == [
        "IKU-01 is not_yet_measured: it leaves the mean of SS1",
        "SS2 has no NSS: IKU-03 is not_yet_measured",
        "SS2 has no NSS: IKU-04 is no_target",
        "customer has no score: SS2 is no_capaian",
    ]


def test_a_year_that_nobody_knows(warehouse, home):
    publish(warehouse, 1, "run-000001")

    assert read_scores(home, 1999).shape == {
        "year": 1999,
        "npss": None,
        "category": None,
        "reason": "no NPSS: nothing is known of 1999",
        "perspectives": [
            {"id": name, "score": None, "nkp": None}
            for name in ("stakeholder", "customer", "internal_process", "learning_growth")
        ],
        "objectives": [{"id": f"SS{number}", "nss": None} for number in range(1, 8)],
        "indicators": [],
        "contested": [],
        "missing_targets": [],
    }


# Through the whole run

LETTER = """nomor_surat,tgl_surat,tw,tahun,instansi_kode,kanal,riwayat,terintegrasi
1/2024,2024-03-28,1,2024,5500,webservice,jabatan,true
1/2024,2024-03-28,1,2024,5502,simpegnas,jabatan,true
"""


def test_a_run_scores_what_it_derived(home):
    delivery = home.inbox / "integration" / "letter.csv"
    delivery.parent.mkdir(parents=True)
    delivery.write_text(LETTER)
    report = run_pipeline(home.root, date(2025, 1, 31))
    again = run_pipeline(home.root, date(2025, 2, 1))

    assert report.published
    assert not again.changed and not again.published
    shape = read_scores(home, 2024).shape
    integration = next(row for row in shape["indicators"] if row["id"] == "IKU-06")
    assert integration == {
        "id": "IKU-06", "realization": "100.00", "target": None, "capaian": None, "efficiency": None, "status": "no_target",
    }  # fmt: skip
    assert shape["category"] is None
    assert shape["reason"].startswith(
        "no NPSS: no score for customer, internal_process, learning_growth, stakeholder; no target of 2024 for IKU-01, "
    )
