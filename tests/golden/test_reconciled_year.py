"""What is derived of the printed numbers of 2024, from facts and states, and how people read the lines."""

import json
from collections import Counter
from decimal import Decimal

import year_2024
from typer.testing import CliRunner
from year_2024 import (
    add_print,
    add_row,
    fill_2024,
    renewed,
)

from flows.app import app
from transforms.printed_tables import survey_figures
from warehouse.publication.switch import publish

home, warehouse = year_2024.home, year_2024.warehouse


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
    assert len(lines) == 688


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
    letters = [
        (2023, 4, "2023-12-28", 16, 33, 49),
        (2024, 1, "2024-03-28", 17, 32, 5),
        (2024, 4, "2024-12-30", 17, 32, 49),
    ]
    for year, quarter, day, webservice, simpegnas, integrated in letters:
        for number in range(webservice + simpegnas):
            add_row(
                warehouse.connection, "integration", record_key=f"{year}|{quarter}|{number}|jabatan", letter_number="1",
                letter_date=day, quarter=quarter, year=year, agency_code=str(5500 + number), history_type="jabatan",
                channel="webservice" if number < webservice else "simpegnas", is_integrated=number < integrated,
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


def add_answers(connection, survey, semester, unit, respondent, scores, day="2024-05-06"):
    names = {f"u{number}_score": score for number, score in enumerate(scores, start=1)}
    add_row(
        connection, "survey", record_key=f"{survey}|{semester}|{unit}|{respondent}", survey_code=survey, year=2024,
        semester=semester, unit_code=unit, response_date=day, **names,
    )  # fmt: skip


def test_the_elements_of_the_surveys_reconcile(warehouse):
    """100 answers with the mean 3.97 for U1, 3.93 for the others; of the services, one unit with nine elements."""
    for respondent in range(100):
        add_answers(
            warehouse.connection,
            "pembinaan",
            1,
            None,
            respondent,
            [3 if respondent < 3 else 4, *[3 if respondent < 7 else 4] * 8],
        )
        add_answers(warehouse.connection, "layanan", 1, "MUTASI", respondent, [3 if respondent < 24 else 4, *[4] * 8])
    add_answers(warehouse.connection, "layanan", 1, "PENSIUN", 1, [3, *[None] * 8])
    # the newest state of a respondent counts, and none that is dated after the clock
    add_answers(warehouse.connection, "pembinaan", 1, None, 99, [4] * 9, "2024-05-07")
    add_answers(warehouse.connection, "pembinaan", 1, None, 0, [1] * 9, "2025-05-07")
    lines = renewed(warehouse)

    assert lines["07|pembinaan|2024-S1|element_mean|U1"] == ("3.97", "3.97", "equal", None)
    assert lines["07|pembinaan|2024-S1|element_mean|U3"] == ("3.95", "3.93", "different", None)
    assert lines["07|layanan|2024-S1|element_mean|MUTASI/U1"] == ("3.76", "3.76", "equal", None)
    assert lines["07|layanan|2024-S1|element_mean|MUTASI/U4"] == ("3.97", "4.00", "different", None)
    # 25 / 9 x (3.76 + 8 x 4) = 99.33
    assert lines["07|layanan|2024-S1|ikm|MUTASI"] == ("93.50", "99.33", "different", None)
    assert lines["07|layanan|2024-S1|ikm|PENSIUN"] == ("93.48", None, "no_counterpart", None)
    # the mean of MUTASI 3.76 and PENSIUN 3.00
    assert lines["07|layanan|2024-S1|element_mean|total/U1"] == ("3.68", "3.38", "different", None)


def test_the_index_of_a_unit_is_exact():
    """Three scores of 3, 3 and 4 in each element: 25 x 10 / 3 = 83.333..., no weight of 0.11."""
    figures = survey_figures([("layanan", 2024, 1, "INKA", element, 10, 3) for element in range(1, 10)])

    assert figures["layanan|2024-S1|ikm|INKA"] == (Decimal("83.33"), 2)
    assert figures["layanan|2024-S1|element_mean|total/U9"] == (Decimal("3.33"), 2)


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

    assert len(lines) == 688
    assert {
        "item": "07|IKU-04|2024|realisasi", "published": "93.36", "derived": "93.37", "verdict": "known", "discrepancy": "D08",
    }.items() <= next(line for line in lines if line["item"] == "07|IKU-04|2024|realisasi").items()  # fmt: skip
    assert {tuple(line) for line in lines} == {("item", "published", "derived", "verdict", "discrepancy", "note")}
    assert {line["discrepancy"] for line in lines} >= {
        "D01", "D02", "D03", "D04", "D05", "D08", "D10", "D11", "D13", "D17",
    }  # fmt: skip
    assert "688 lines: 0 different" not in text and "688 lines: " in text
    assert {"07|IKU-01|2023|realisasi", "07|NPSS|2023|NPSS", "07|integration|2023|agencies"} <= of_2023
    assert "07|IKU-04|2024|realisasi" not in of_2023
