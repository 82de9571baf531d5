"""What is derived of the printed numbers of 2024, from facts and states, and how people read the lines."""

import json
from collections import Counter

import duckdb
import year_2024
from typer.testing import CliRunner
from year_2024 import (
    add_print,
    add_result,
    fill_2024,
    renewed,
)

from flows.app import app
from warehouse.publication.switch import publish

home, warehouse = year_2024.home, year_2024.warehouse
# What the report prints, and the checks of it
PRINTED = 757


def test_the_year_2024_reconciles(warehouse):
    fill_2024(warehouse)
    lines = renewed(warehouse)

    assert lines["07|IKU-04|2024|realisasi"] == ("93.36", "93.37", "known", "D08")
    assert lines["07|IKU-04|2024|realisasi@IKU 4 paragraph"] == ("93.36", "93.37", "known", "D08")
    assert lines["07|IKU-04|2024|capaian"] == ("98.27", "98.28", "known", "D09")
    assert lines["07|IKU-04|2024|efisiensi"] == ("-0.29", "-0.27", "known", "D09")
    assert lines["07|IKU-09|2024|capaian"] == ("101.2", "101.20", "equal", None)
    assert lines["07|IKU-07|2024|efisiensi"] == ("4.6", "4.60", "equal", None)
    assert lines["07|IKU-01|2024|realisasi"] == (None, None, "equal", None)
    assert lines["07|IKU-01|2024|serapan"] == ("99.99", "99.99", "equal", None)
    assert lines["07|IKU-02|2024|efisiensi"] == (None, None, "equal", None)
    assert lines["07|IKU-06|2024|pagu"] == ("72928000", "72928000", "equal", None)
    assert lines["07|programs|2024|pagu"] == ("29138596000", "29138596000", "equal", None)
    assert lines["07|IKU-03|2024-S1|realisasi"] == ("98.58", "98.58", "equal", None)
    assert lines["07|layanan|2024-S2|ikm|total"] == ("93.85", "93.85", "equal", None)
    assert lines["07|NPSS|2024|NPSS"] == ("99.27", "99.27", "equal", None)
    assert lines["07|NPSS|2024|category"] == ("Baik", "Baik", "equal", None)
    assert lines["07|customer|2024|score"] == ("101.25", "101.25", "equal", None)
    assert lines["07|internal_process|2024|NKP"] == ("24.78", "24.78", "equal", None)
    assert lines["07|SS7|2024|NSS"] == ("96.72", "96.72", "equal", None)
    assert lines["07|stakeholder|2024|weight"] == ("25", "25", "equal", None)
    assert lines["07|office|2024|agencies"] == ("49", "49", "equal", None)
    assert lines["07|learning_growth|2024|indicators"] == ("6", "6", "equal", None)
    assert lines["07|IKU-08|2024|pagu"] == (None, None, "no_counterpart", "D35")
    assert lines["07|promotion|2024|received"] == ("38950", None, "no_counterpart", None)
    assert lines["check|promotion-periods"] == ("38950", "38946", "known", "D02")
    assert Counter(verdict for _, _, verdict, _ in lines.values())["different"] == 0
    assert len(lines) == PRINTED


def test_the_services_reconcile(warehouse):
    columns = (
        "service, year, breakdown, group_name, office, received_count, ms_count, bts_count, tms_count, in_process_count, "
        "completion_percent, is_provisional"
    )
    rows = [
        ("promotion", 2024, "year", "2024", "07", 38950, 36674, 2208, 68, 0, "100.00", False),
        ("promotion", 2024, "period", "2024-04-01", "07", 9960, 9272, 655, 33, 0, "100.00", False),
        ("promotion", 2024, "region", "Kepulauan Bangka Belitung", "07", 4977, 4977, 0, 0, 0, "100.00", False),
        ("pension", 2024, "year", "2024", "07", 7615, 7605, 0, 0, 10, "99.87", False),
        ("nip", 2024, "year", "2024", "07", 38384, 38201, 0, 183, 0, "100.00", True),
    ]
    marks = ", ".join(f"${number + 1}" for number in range(12))
    warehouse.connection.executemany(f"INSERT INTO facts.service_summary ({columns}) VALUES ({marks})", rows)
    lines = renewed(warehouse)

    assert lines["07|promotion|2024|received"] == ("38950", "38950", "equal", None)
    assert lines["07|promotion|2024-04-01|ms"] == ("9274", "9272", "known", "D03")
    assert lines["07|promotion|2024-04-01|completion"] == ("100", "100.00", "equal", None)
    assert lines["07|promotion|2024|received|Kepulauan Bangka Belitung@Grafik 3.10"] == ("4977", "4977", "equal", None)
    assert lines["07|pension|2024|in_process"] == ("10", "10", "equal", None)
    assert lines["07|pension|2024|completion"] == ("99.87", "99.87", "equal", None)
    assert lines["07|nip|2024|tms"] == ("183", "183", "no_counterpart", None)


def test_the_channels_reconcile(warehouse):
    quarters = [
        (2023, "2023-Q4", True, "webservice", 16, 16, "100.00"),
        (2023, "2023-Q4", True, "simpegnas", 33, 33, "100.00"),
        (2024, "2024-Q1", False, "webservice", 17, 5, "29.41"),
        (2024, "2024-Q1", False, "simpegnas", 32, 0, "0.00"),
        (2024, "2024-Q4", True, "webservice", 17, 17, "100.00"),
        (2024, "2024-Q4", True, "simpegnas", 32, 32, "100.00"),
    ]
    for year, period, is_newest, channel, agencies, integrated, share in quarters:
        for history_type, count in (("jabatan", integrated), ("skp", 1)):
            add_result(
                warehouse.connection, "integration_channels", year, period=period, channel=channel, history_type=history_type,
                agency_count=agencies, integrated_count=count, share_percent=share, is_newest_quarter=is_newest,
            )  # fmt: skip
    lines = renewed(warehouse)

    assert lines["07|integration|2023|agencies|simpegnas"] == ("33", "33", "equal", None)
    assert lines["07|integration|2023|agencies"] == ("49", "49", "equal", None)
    assert lines["07|integration|2024|agencies|webservice"] == ("17", "17", "equal", None)
    assert lines["07|integration|2024-Q1|integrated|webservice"] == ("5", "5", "equal", None)
    assert lines["07|integration|2024-Q1|share|webservice"] == ("29.41", "29.41", "equal", None)
    assert lines["07|integration|2024-Q1|share|simpegnas"] == ("0.00", "0.00", "equal", None)
    assert lines["07|integration|2024|share|simpegnas"] == ("100.00", "100.00", "equal", None)
    assert lines["07|integration|2024-Q2|integrated|webservice"] == ("6", None, "no_counterpart", None)


def test_the_surveys_reconcile(warehouse):
    elements = [("pembinaan", "total", "U1", "3.97"), ("pembinaan", "total", "U3", "3.93")]
    elements += [("layanan", "MUTASI", "U1", "3.76"), ("layanan", "total", "U1", "3.38")]
    for survey, unit, element, mean_score in elements:
        add_result(
            warehouse.connection, "survey_elements", 2024, survey_code=survey, period="2024-S1", unit_code=unit, element_code=element,
            mean_score=mean_score, respondent_count=1, lowest_rank=1,
        )  # fmt: skip
    for unit, ikm in (("MUTASI", "99.33"), ("PENSIUN", None)):
        add_result(
            warehouse.connection, "survey_units", 2024, survey_code="layanan", period="2024-S1", unit_code=unit, ikm_value=ikm,
            respondent_count=1,
        )  # fmt: skip
    lines = renewed(warehouse)

    assert lines["07|pembinaan|2024-S1|element_mean|U1"] == ("3.97", "3.97", "equal", None)
    assert lines["07|pembinaan|2024-S1|element_mean|U3"] == ("3.95", "3.93", "different", None)
    assert lines["07|layanan|2024-S1|element_mean|MUTASI/U1"] == ("3.76", "3.76", "equal", None)
    assert lines["07|layanan|2024-S1|element_mean|total/U1"] == ("3.68", "3.38", "different", None)
    assert lines["07|layanan|2024-S1|ikm|MUTASI"] == ("93.50", "99.33", "different", None)
    assert lines["07|layanan|2024-S1|ikm|PENSIUN"] == ("93.48", None, "no_counterpart", None)


def test_first_budgets_and_results_of_agencies_reconcile(warehouse):
    for code, revision, allocated in (
        ("CO", 0, "652000000"),
        ("WA", 0, "14086808000"),
        ("CO", 1, "1"),
        ("IKU-01", 0, "5"),
    ):
        add_result(
            warehouse.connection, "budget_revisions", 2024, budget_code=code, revision_number=revision, revision_date="2024-01-02",
            data_date="2024-03-29", allocated_rupiah=allocated, spent_rupiah="0", is_in_force=False,
        )  # fmt: skip
    # 75.44 and 75.4699: a tie of two decimals, 75.45495, is below the half
    for indicator, year, agency, is_in, score in (
        ("IKU-02", 2024, "5500", True, "75.44"), ("IKU-02", 2024, "5501", True, "75.4699"), ("IKU-02", 2024, "5502", False, None),
        *(("IKU-01", 2023, str(agency), agency >= 15, None) for agency in range(49)),
    ):  # fmt: skip
        add_result(
            warehouse.connection, "agency_results", year, indicator=indicator, period=str(year), agency_code=agency, is_in_numerator=is_in,
            agency_score=score, numerator_count=1, record_count=1,
        )  # fmt: skip
    lines = renewed(warehouse)

    assert lines["07|CO|2024|pagu_awal"] == ("652000000", "652000000", "equal", None)
    assert lines["07|programs|2024|pagu_awal"] == ("14738808000", "14738808000", "equal", None)
    assert lines["07|region|2024|ip_asn"] == ("75.45", "75.45", "equal", None)
    assert lines["07|IKU-01|2023|not_a_or_b"] == ("13", "15", "known", "D17")


def test_the_lines_are_replaced_only_where_they_differ(warehouse):
    fill_2024(warehouse)
    renewed(warehouse)
    warehouse.connection.execute("DELETE FROM ledger.meta")
    renewed(warehouse)
    unchanged = warehouse.connection.execute("SELECT count(*) FROM ledger.meta").fetchall()
    add_print(warehouse.connection, "07|IKU-07|2024|realisasi", "91.67")
    renewed(warehouse)

    assert unchanged == [(0,)]
    assert warehouse.connection.execute("SELECT name, value FROM ledger.meta").fetchall() == [
        ("unpublished_changes", "yes")
    ]
    assert warehouse.connection.execute("SELECT item FROM facts.reconciliation WHERE is_delivered").fetchall() == [
        ("07|IKU-07|2024|realisasi",)
    ]


# What people read


def invoke(*arguments):
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_prints_every_line(warehouse, home):
    fill_2024(warehouse)
    renewed(warehouse)
    publish(warehouse, 1, "run-000001")
    lines = json.loads(invoke("reconcile", "--year", 2024, "--home", home.root, "--json"))
    text = invoke("reconcile", "--year", 2024, "--format", "table", "--home", home.root)
    of_2023 = {line["item"] for line in json.loads(invoke("reconcile", "--year", 2023, "--home", home.root, "--json"))}

    assert len(lines) == PRINTED
    assert {
        "item": "07|IKU-04|2024|realisasi", "published": "93.36", "derived": "93.37", "verdict": "known", "discrepancy": "D08",
    }.items() <= next(line for line in lines if line["item"] == "07|IKU-04|2024|realisasi").items()  # fmt: skip
    assert {tuple(line) for line in lines} == {("item", "published", "derived", "verdict", "discrepancy", "note")}
    assert {line["discrepancy"] for line in lines} >= {
        "D01", "D02", "D03", "D04", "D05", "D08", "D10", "D11", "D13", "D17",
    }  # fmt: skip
    assert f"{PRINTED} lines: 0 different" not in text and f"{PRINTED} lines: " in text
    assert (
        "46 discrepancies of the report: 34 found by this run, 6 that only a reader finds, 6 not there in this run"
        # Folded to the width of the terminal, which another process of tests may have otherwise.
        in " ".join(text.split())
    )
    assert {"07|IKU-01|2023|realisasi", "07|NPSS|2023|NPSS", "07|integration|2023|agencies"} <= of_2023
    assert "07|IKU-04|2024|realisasi" not in of_2023


def test_the_discrepancies_are_published_as_they_are_found(warehouse, home):
    """Those that are documented with the line that found them, and one that nobody has documented."""
    fill_2024(warehouse)
    warehouse.connection.execute(
        "UPDATE facts.kpi_values SET value = 90 WHERE indicator = 'IKU-05' AND period = '2024'"
    )
    renewed(warehouse)
    publish(warehouse, 1, "run-000001")
    with duckdb.connect(str(home.published.resolve() / "kpi.duckdb"), read_only=True) as reader:
        rows = reader.execute(
            "SELECT discrepancy, found_by, findings, report_year, stated, computed, discrepancy_severity FROM discrepancies ORDER BY discrepancy"
        ).fetchall()
    found = {discrepancy: tuple(rest) for discrepancy, *rest in rows}

    assert found["07|IKU-05|2024|realisasi"] == ("07|IKU-05|2024|realisasi", 1, 2024, "100", "90.00", None)
    assert found["D22"][:3] == ("check|lowest|pembinaan", 1, 2024)
    assert found["D12"][:2] == ("check|ikm|layanan|2024-S1|KEPEGAWAIAN", 13)
    assert found["D08"][:2] == ("check|semesters|IKU-04", 4)
    assert found["D09"][:2] == ("check|capaian-of-semesters|IKU-04", 3)
    assert (found["D43"][:2], found["D29"][:2], found["D37"][:2]) == (("text", 0), (None, 0), (None, 0))
    assert found["D34"][3:] == ("UU ASN No 5 Tahun 2014", found["D34"][4], "medium")
