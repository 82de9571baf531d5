"""Reconciliation: every printed number has its verdict, the report is checked against itself, and the gate stops what contradicts."""

import json
from collections import Counter
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from typer.testing import CliRunner
from year_2024 import (
    BUDGET_2024,
    FIRST,
    PROGRAMS_2024,
    SECOND,
    VALUES_2024,
    add_budget,
    add_print,
    add_row,
    add_runs,
    enter_values,
    indicators,
    make_tables,
)

from expectations.printed_checks import check_report
from expectations.reconciliation import Derived, Knowledge, compare, gate, judge, reconcile
from flows.cli import app
from transforms.exact import round_half_up
from transforms.printed import (
    Explanation,
    PrintedItem,
    Report,
    load_checks,
    load_discrepancies,
    load_reports,
)
from transforms.printed_tables import survey_figures
from transforms.reference import Waiver, waived_values, waivers
from warehouse.connection import open_warehouse
from warehouse.derivation import View
from warehouse.failures import GateFailed
from warehouse.home import Home
from warehouse.pipeline import run_pipeline
from warehouse.publication import publish
from warehouse.reconciliation import renew_reconciliation
from warehouse.scores import enter_scores

KNOWLEDGE = Knowledge(load_discrepancies(), waivers())


def report_2024():
    return next(report for report in load_reports() if report.report_year == 2024)


# The report as data


def test_the_report_is_there_whole():
    items = report_2024().items
    sources = Counter(item.source.split(" [")[0] for item in items)

    assert len(items) == 527
    assert {place: sources[place] for place in ("Tabel 3.1", "Tabel 3.2", "Tabel 3.8", "Tabel 3.10", "Tabel 3.11")} == {
        "Tabel 3.1": 9, "Tabel 3.2": 42, "Tabel 3.8": 27, "Tabel 3.10": 70, "Tabel 3.11": 70,
    }  # fmt: skip
    assert {place: sources[place] for place in ("Tabel 3.14", "Tabel 3.15", "Tabel 3.4", "Tabel 3.16", "Tabel 2.3")} == {
        "Tabel 3.14": 6, "Tabel 3.15": 30, "Tabel 3.4": 3, "Tabel 3.16": 3, "Tabel 2.3": 3,
    }  # fmt: skip
    assert sum(1 for item in items if item.item.startswith("07|promotion|")) == 42
    by_name = {item.item: item for item in items}
    assert (by_name["07|IKU-04|2024|realisasi"].value, by_name["07|IKU-09|2024|capaian"].decimals) == ("93.36", 1)
    assert by_name["07|IKU-01|2024|realisasi"].model_dump() == {
        "item": "07|IKU-01|2024|realisasi", "value": None, "printed": "N/A", "unit": "percent", "source": "Tabel 3.2 [L506]",
        "none": None,
    }  # fmt: skip


def test_the_documented_discrepancies_are_all_there_and_name_lines_that_exist():
    report = report_2024()
    names = [item.item for item in report.items]
    names += [line.item for line in check_report(report, load_checks(2024), Knowledge())]
    explanations = [(d.id, e) for d in load_discrepancies() for e in d.explains]

    assert [d.id for d in load_discrepancies()] == [f"D{number:02d}" for number in range(1, 43)]
    dangling = [
        (identifier, pattern)
        for identifier, explanation in explanations
        for pattern in explanation.items
        if not any(Explanation(items=(pattern,), within="1").names(name) for name in names)
    ]
    assert dangling == []


def test_an_explanation_has_one_guard():
    with pytest.raises(ValidationError, match="exactly one"):
        Explanation(items=("07|IKU-04|2024|realisasi",))
    with pytest.raises(ValidationError, match="exactly one"):
        Explanation(items=("07|IKU-04|2024|realisasi",), derived=("93.37",), within="1")


def test_a_report_states_each_printing_once():
    content = report_2024().model_dump()
    content["tables"] = [*content["tables"], content["tables"][0]]

    with pytest.raises(ValidationError, match="stated twice"):
        Report.model_validate(content)


def test_a_waiver_decides_one_thing():
    reasons = {"item": "07|NPSS|2023|NPSS", "reason": "because", "owner": "somebody"}

    assert waived_values() == {"07|NPSS|2023|NPSS": Decimal("102.24")}
    with pytest.raises(ValidationError, match="either"):
        Waiver.model_validate(reasons)
    with pytest.raises(ValidationError, match="owner"):
        Waiver.model_validate(reasons | {"chosen": "102.24", "owner": ""})


# Printed parts against printed totals

# (published, computed, discrepancy) of all checks that do not come out even
FOUND = {
    "check|npss-change-from-chart": ("-2.97", "-3.13", "D01"),
    "check|twice|07|NPSS|2023|NPSS@Grafik 3.1": ("102.24", "102.40", "D01"),
    "check|promotion-periods": ("38950", "38946", "D02"),
    "check|promotion-outcomes|2024-04-01": ("9960", "9962", "D03"),
    "check|promotion-outcomes|2024-06-01": ("7181", "7173", "D04"),
    "check|promotion-outcomes|2024": ("38950", "38940", "D05"),
    "check|semesters|IKU-04": ("93.36", "93.37", "D08"),
    "check|ikm|layanan|2024-S1|INKA": ("93.17", "93.86", "D10"),
    "check|ikm-of-totals|2024-S1": ("92.88", "92.56", "D11"),
    "check|ikm-of-totals|2024-S2": ("93.85", "93.11", "D11"),
    "check|ikm|pembinaan|2024-S1": ("98.58", "98.56", "D12"),
    "check|ikm|pembinaan|2024-S2": ("99.44", "99.50", "D12"),
    "check|ikm|layanan|2024-S1|KEPEGAWAIAN": ("91.32", "91.36", "D12"),
    "check|ikm|layanan|2024-S1|RENKEU": ("91.38", "91.42", "D12"),
    "check|ikm|layanan|2024-S1|UMUM": ("91.46", "91.50", "D12"),
    "check|ikm|layanan|2024-S1|MUTASI": ("93.50", "93.56", "D12"),
    "check|ikm|layanan|2024-S1|PENSIUN": ("93.48", "93.56", "D12"),
    "check|ikm|layanan|2024-S2|INKA": ("95.85", "95.97", "D12"),
    "check|ikm|layanan|2024-S2|KEPEGAWAIAN": ("91.29", "91.39", "D12"),
    "check|ikm|layanan|2024-S2|RENKEU": ("91.23", "91.33", "D12"),
    "check|ikm|layanan|2024-S2|UMUM": ("90.86", "90.97", "D12"),
    "check|ikm|layanan|2024-S2|MUTASI": ("93.92", "94.00", "D12"),
    "check|ikm|layanan|2024-S2|PENSIUN": ("94.52", "94.61", "D12"),
    "check|share|IKU-01|2023": ("69.38", "69.39", "D13"),
    "check|share|IKU-06|2020": ("30.60", "30.61", "D14"),
    "check|share|IKU-01|2020": ("5", "4.08", "D16"),
    "check|not-a-or-b": ("13", "15", "D17"),
}


def test_the_report_is_checked_against_itself():
    lines = check_report(report_2024(), load_checks(2024), KNOWLEDGE)

    assert {
        line.item: (line.published, line.derived, line.discrepancy) for line in lines if line.verdict != "equal"
    } == FOUND
    assert {line.verdict for line in lines} == {"equal", "known"}
    assert len(lines) == 161
    assert gate(lines) == []


def test_the_checks_find_the_same_without_knowing_what_is_documented():
    lines = check_report(report_2024(), load_checks(2024), Knowledge())
    verdicts = {line.item: line.verdict for line in lines if line.verdict != "equal"}

    assert verdicts.keys() == FOUND.keys()
    assert {item for item, verdict in verdicts.items() if verdict == "rounding"} == {
        "check|semesters|IKU-04", "check|share|IKU-01|2023", "check|share|IKU-06|2020", "check|share|IKU-01|2020",
    }  # fmt: skip
    assert all(line.discrepancy is None for line in lines)


@pytest.mark.parametrize(
    ("check", "published", "computed"),
    [
        ("check|npss", "99.27", "99.27"), ("check|npss-change", "-2.97", "-2.97"), ("check|nkp|customer", "25.31", "25.31"),
        ("check|nss|SS2", "101.25", "101.25"), ("check|nss|SS7", "96.72", "96.72"),
        ("check|score|internal_process", "99.12", "99.12"), ("check|capaian|IKU-09", "101.2", "101.20"),
        ("check|efficiency|IKU-04", "-0.29", "-0.29"), ("check|efficiency|IKU-07", "4.6", "4.60"),
        ("check|absorption|IKU-01", "99.99", "99.99"), ("check|share|IKU-01|2022", "38.8", "38.78"),
        ("check|share|IKU-02|2020", "95.9", "95.92"), ("check|share|IKU-02|2021", "90", "89.80"),
        ("check|ikm-of-units|2024-S1", "92.88", "92.88"), ("check|ikm-of-units|2024-S2", "93.85", "93.85"),
        ("check|element-of-units|2024-S1|U4", "3.84", "3.84"), ("check|promotion-regions", "38950", "38950"),
        ("check|nip-kinds", "38384", "38384"), ("check|outcomes|nip", "38384", "38384"), ("check|outcomes|pension", "7615", "7615"),
        ("check|completion|pension|2024", "99.87", "99.87"), ("check|completion|promotion|2024-04-01", "100", "100.02"),
        ("check|agencies|2023", "49", "49"), ("check|integrated|2024-Q2|simpegnas", "9.38", "9.38"),
        ("check|budget|last", "29138596000", "29138596000"), ("check|staff|education", "97", "97"),
        ("check|staff-share|gender/pria", "54", "53.61"),
    ],
)  # fmt: skip
def test_what_adds_up(check, published, computed):
    line = next(line for line in check_report(report_2024(), load_checks(2024), KNOWLEDGE) if line.item == check)

    assert (line.published, line.derived, line.verdict) == (published, computed, "equal")


# Verdicts


def printed(item, value, unit="percent", text=None):
    return PrintedItem(item=item, value=value, printed=text, unit=unit, source="Tabel 3.2")


def of(value, **more):
    return Derived(Decimal(value) if value is not None else None, 2, **more)


@pytest.mark.parametrize(
    ("item", "value", "derived", "verdict", "discrepancy"),
    [
        ("07|IKU-03|2024|realisasi", "99.01", of("99.01"), "equal", None),
        ("07|IKU-02|2024|realisasi", "100", of("100.00"), "equal", None),
        ("07|IKU-02|2024|realisasi", "100", of("99.49"), "rounding", None),
        ("07|IKU-02|2024|realisasi", "100", of("98.49"), "different", None),
        ("07|IKU-01|2022|realisasi", "38.8", of("38.78"), "equal", None),
        ("07|IKU-07|2024|efisiensi", "4.6", of("4.60"), "equal", None),
        ("07|IKU-03|2024|realisasi", "99.01", of("99.02"), "rounding", None),
        ("07|IKU-03|2024|realisasi", "99.01", of("99.03"), "different", None),
        ("07|IKU-04|2024|realisasi", "93.36", of("93.36"), "equal", None),
        ("07|IKU-04|2024|realisasi", "93.36", of("93.37"), "known", "D08"),
        ("07|IKU-04|2024|realisasi@Grafik 3.8", "93.36", of("93.37"), "known", "D08"),
        ("07|IKU-04|2024|realisasi", "93.36", of("93.35"), "rounding", None),
        ("07|IKU-04|2024|realisasi", "93.36", of("93.46"), "different", None),
        ("07|IKU-04|2024|capaian", "98.27", of("98.28"), "known", "D09"),
        ("07|IKU-04|2024|efisiensi", "-0.29", of("-0.27"), "known", "D09"),
        ("07|IKU-01|2023|realisasi", "69.38", of("69.39"), "known", "D13"),
        ("07|IKU-06|2020|realisasi", "30.60", of("30.61"), "known", "D14"),
        ("07|IKU-01|2020|realisasi", "5", of("4.08"), "known", "D16"),
        ("07|IKU-01|2020|realisasi", "5", of("10.20"), "different", None),
        ("07|promotion|2024-04-01|ms", "9274", Derived(Decimal(9272), 0), "known", "D03"),
        ("07|promotion|2024-06-01|tms", "1", Derived(Decimal(9), 0), "known", "D04"),
        ("07|layanan|2024-S1|element_mean|INKA/U4", "3.90", of("3.65"), "known", "D10"),
        ("07|layanan|2024-S1|element_mean|INKA/U4", "3.90", of("3.60"), "different", None),
        ("07|layanan|2024-S1|element_mean|INKA/U3", "3.67", of("3.66"), "rounding", None),
        ("07|layanan|2024-S1|element_mean|total/U4", "3.84", of("3.80"), "known", "D10"),
        ("07|layanan|2024-S2|element_mean|INKA/U4", "3.90", of("3.65"), "different", None),
        ("07|NPSS|2023|NPSS", "102.24", of("102.24"), "equal", None),
        ("07|NPSS|2023|NPSS@Grafik 3.1", "102.40", of("102.24"), "known", "D01"),
        ("07|IKU-03|2024|realisasi", "99.01", None, "no_counterpart", None),
        ("07|IKU-03|2024|realisasi", "99.01", of(None, unfit="no value: source_missing"), "no_counterpart", None),
        ("07|IKU-03|2024|realisasi", "99.01", of("90", unfit="provisional"), "no_counterpart", None),
        ("07|IKU-01|2024|realisasi", None, of(None), "equal", None),
        ("07|IKU-01|2024|realisasi", None, of("83.67"), "known", "D29"),
        ("07|IKU-01|2024|realisasi", None, of("83.67", unfit="provisional"), "no_counterpart", None),
        ("07|IKU-02|2024|efisiensi", None, of("1.00"), "different", None),
    ],
)  # fmt: skip
def test_the_verdict_on_a_number(item, value, derived, verdict, discrepancy):
    judged = compare(printed(item, value), derived, KNOWLEDGE)

    assert (judged.verdict, judged.discrepancy) == (verdict, discrepancy)


def test_texts_are_equal_or_different():
    item = printed("07|NPSS|2024|category", "Baik", unit="text")

    assert compare(item, Derived("Baik"), KNOWLEDGE).verdict == "equal"
    assert compare(item, Derived("not configured"), KNOWLEDGE).verdict == "different"


@pytest.mark.parametrize(
    ("derived", "verdict", "discrepancy"),
    [
        (of("95.45", beyond=("IKU-01",), alike=Decimal("99.27")), "known", "D29"),
        (of("95.45", beyond=("IKU-01",), alike=Decimal("99.20")), "different", None),
        (of("95.45", beyond=("IKU-08",), alike=Decimal("99.27")), "restated", None),
        (of("95.45"), "different", None),
        (of("95.45", earlier=(Decimal("99.27"),)), "restated", None),
        (of("95.45", earlier=(Decimal("99.20"),)), "different", None),
    ],
)
def test_a_printed_score_is_compared_with_what_it_can_have_been(derived, verdict, discrepancy):
    judged = compare(printed("07|NPSS|2024|NPSS", "99.27"), derived, KNOWLEDGE)

    assert (judged.verdict, judged.discrepancy) == (verdict, discrepancy)


def waiver(item, **decision):
    return Waiver.model_validate({"item": item, "reason": "Letter 12/2025", "owner": "Bagian Tata Usaha"} | decision)


@pytest.mark.parametrize("item", ["07|IKU-07|2024|realisasi", "07|IKU-07|2024|realisasi@LKj 2024: Tabel 3.2"])
def test_a_difference_is_waived_by_name(item):
    knowledge = Knowledge(waivers=[waiver(item, verdict="different")])
    line = printed("07|IKU-07|2024|realisasi@LKj 2024: Tabel 3.2", "90.00")

    judged = compare(line, of("91.67"), knowledge)
    assert (judged.verdict, judged.note) == ("waived", "Letter 12/2025 (Bagian Tata Usaha)")
    assert compare(line, of("90.00"), knowledge).verdict == "equal"
    assert compare(printed("07|IKU-08|2024|realisasi", "90.00"), of("91.67"), knowledge).verdict == "different"


def test_of_two_readings_the_chosen_one_is_compared():
    knowledge = Knowledge(waivers=[waiver("07|IKU-07|2024|realisasi", chosen="91.67", discrepancy="D99")])

    assert compare(printed("07|IKU-07|2024|realisasi@A", "91.67"), of("91.67"), knowledge).verdict == "equal"
    assert compare(printed("07|IKU-07|2024|realisasi@A", "91.67"), of("50.00"), knowledge).verdict == "different"
    rejected = compare(printed("07|IKU-07|2024|realisasi@B", "90.00"), of("91.67"), knowledge)
    assert (rejected.verdict, rejected.discrepancy) == ("known", "D99")


def test_no_float_is_judged():
    with pytest.raises(TypeError, match="float"):
        judge("07|IKU-04|2024|realisasi", Decimal("93.36"), 2, 93.36, Knowledge())


@given(st.decimals(0, 200, places=4), st.integers(0, 3))
def test_what_is_printed_of_a_value_reconciles_with_it(value, decimals):
    text = f"{round_half_up(value, decimals):f}"

    assert compare(printed("07|IKU-03|2024|realisasi", text), Derived(value, 4), Knowledge()).verdict == "equal"
    off = f"{Decimal(text) + Decimal(2).scaleb(-decimals):f}"
    assert compare(printed("07|IKU-03|2024|realisasi", off), Derived(value, 4), Knowledge()).verdict == "different"


# Lines


def lines_of(delivered, derived, knowledge=KNOWLEDGE, office="07", reports=None):
    found = reconcile(load_reports() if reports is None else reports, delivered, derived, office, knowledge)
    return {line.item: line for line in found}


def delivered(item, value, place):
    return PrintedItem(item=f"{item}@{place}", value=value, unit="as delivered", source=place)


def test_a_delivered_number_that_the_report_prints_is_one_line():
    rows = [delivered("07|IKU-07|2024|realisasi", "91.67", "LKj 2024: Tabel 3.2")]
    lines = lines_of(rows, {"07|IKU-07|2024|realisasi": of("80.00")})

    assert len(lines) == 527
    assert [line.item for line in gate(list(lines.values()))] == ["07|IKU-07|2024|realisasi"]
    assert lines["07|IKU-07|2024|realisasi"].report_year == 2024


def test_another_delivered_number_is_a_line_of_its_own():
    rows = [
        delivered("07|IKU-07|2024|realisasi", "90.00", "Surat 7/2025"),
        delivered("07|NPSS|2023|NPSS", "102.30", "Grafik 3.1"),
    ]
    rows.append(delivered("07|IKU-08|2019|realisasi", "77", "LKj 2019"))
    lines = lines_of(rows, {"07|IKU-07|2024|realisasi": of("91.67"), "07|IKU-08|2019|realisasi": of("77.00")})

    assert len(lines) == 530
    assert (lines["07|IKU-07|2024|realisasi@Surat 7/2025"].verdict, lines["07|IKU-07|2024|realisasi"].verdict) == (
        "different",
        "equal",
    )
    assert lines["07|IKU-08|2019|realisasi@LKj 2019"].report_year is None
    # the report has a line of this name already
    assert lines["07|NPSS|2023|NPSS@Grafik 3.1 (delivered)"].published == "102.30"


def test_what_only_the_report_prints_stops_nothing():
    lines = lines_of([], {"07|IKU-07|2024|realisasi": of("10.00")})

    assert lines["07|IKU-07|2024|realisasi"].verdict == "different"
    assert gate(list(lines.values())) == []


def test_what_can_have_no_counterpart_is_listed_with_its_reason():
    lines = lines_of([delivered("09|IKU-04|2024|realisasi", "1", "LKj 2024")], {})

    assert (lines["03|IKU-04|2024|realisasi"].verdict, lines["03|IKU-04|2024|realisasi"].published) == (
        "no_counterpart",
        "95.58",
    )
    assert lines["03|IKU-04|2024|realisasi"].note.startswith("the number of another office")
    assert lines["09|IKU-04|2024|realisasi@LKj 2024"].note == "the number of another office"
    assert (lines["07|IKU-08|2024|pagu"].verdict, lines["07|IKU-08|2024|pagu"].discrepancy) == ("no_counterpart", "D35")
    assert lines["07|staff|2024|people"].note == "the office's staff list is no source"


def test_another_office_has_none_of_this_report():
    assert lines_of([], {}, office="03") == {}


# From the warehouse


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


@pytest.fixture
def places(monkeypatch):
    def place(**changed):
        for module in ("warehouse.scores", "warehouse.derived_items"):
            monkeypatch.setattr(f"{module}.load_indicators", lambda: indicators(**changed))

    place()
    return place


@pytest.fixture
def warehouse(home, places):
    with open_warehouse(home.root, "test") as opened:
        make_tables(opened.connection)
        add_runs(opened.connection)
        yield opened


def enter(warehouse, run=FIRST, values=None, **more):
    with warehouse.transaction() as connection:
        enter_values(connection, run, VALUES_2024 if values is None else values, **more)
        enter_scores(connection, [2024], {}, run, View(run.clock))


def renewed(warehouse, run=FIRST):
    with warehouse.transaction() as connection:
        renew_reconciliation(connection, View(run.clock))
    return kept(warehouse.connection)


def kept(connection):
    """{item: (published, derived, verdict, discrepancy)}"""
    rows = connection.execute(
        "SELECT item, published, derived, verdict, discrepancy FROM facts.reconciliation"
    ).fetchall()
    return {item: tuple(rest) for item, *rest in rows}


def fill_2024(warehouse):
    for code, (allocated, spent) in (BUDGET_2024 | PROGRAMS_2024).items():
        add_budget(warehouse.connection, code, allocated, spent)
    with warehouse.transaction() as connection:
        enter_values(connection, FIRST, {"IKU-03": ("98.58", None), "IKU-04": ("92.88", None)}, period="2024-S1")
        enter_values(connection, FIRST, {"IKU-03": ("99.44", None), "IKU-04": ("93.85", None)}, period="2024-S2")
    enter(warehouse)


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


# The gate


def stopped(warehouse, run=FIRST):
    """What stops the publication, or None."""
    try:
        renewed(warehouse, run)
    except GateFailed as failure:
        return str(failure)
    return None


def test_delivered_numbers_that_agree_or_are_documented_pass(warehouse):
    fill_2024(warehouse)
    for item, value in (
        ("07|IKU-04|2024|realisasi", "93.36"), ("07|IKU-04|2024|capaian", "98.27"), ("07|IKU-03|2024|target", "95"),
        ("07|NPSS|2024|NPSS", "99.27"), ("07|SS2|2024|NSS", "101.25"), ("07|customer|2024|NKP", "25.31"),
        ("03|IKU-04|2024|realisasi", "95.58"),
    ):  # fmt: skip
        add_print(warehouse.connection, item, value)

    assert stopped(warehouse) is None


def test_a_delivered_number_that_contradicts_stops_the_run_and_says_where(warehouse):
    fill_2024(warehouse)
    warehouse.connection.execute(
        "INSERT INTO ledger.batches BY NAME SELECT 1 AS batch_id, 'published_value' AS source, 'published_value/lkj.csv' AS file"
    )
    add_print(warehouse.connection, "07|IKU-07|2024|realisasi", "90.00", "Surat 7/2025", row=12)
    message = stopped(warehouse)

    assert "1 printed values are derived otherwise" in message
    assert (
        "07|IKU-07|2024|realisasi@Surat 7/2025: printed 90.00, derived 91.67 (published_value/lkj.csv, row 12, column nilai)"
        in message
    )
    assert "waivers.yml" in message and "`kpi run`" in message
    assert kept(warehouse.connection) == {}


def test_one_delivered_number_is_named_once_however_often_and_exactly_it_is_printed(warehouse):
    enter(warehouse, values={"IKU-04": ("80.00", "95"), "IKU-07": ("50.00", "95")})
    add_print(warehouse.connection, "07|IKU-04|2024|realisasi", "93.360", row=3)
    add_print(warehouse.connection, "07|IKU-07|2024|realisasi", "91.67", row=4)
    message = stopped(warehouse)

    assert "2 printed values are derived otherwise" in message
    assert message.count("07|IKU-04|2024|realisasi: printed 93.36, derived 80.00") == 1


def test_a_waiver_lets_it_pass_and_stays_visible(warehouse, monkeypatch):
    fill_2024(warehouse)
    add_print(warehouse.connection, "07|IKU-07|2024|realisasi", "90.00", "Surat 7/2025")
    decision = waiver("07|IKU-07|2024|realisasi@Surat 7/2025", verdict="different")
    monkeypatch.setattr("warehouse.reconciliation.waivers", lambda: (decision,))

    assert renewed(warehouse)["07|IKU-07|2024|realisasi@Surat 7/2025"] == ("90.00", "91.67", "waived", None)


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("07|IKU-01|2024|realisasi", "83.67"),  # nothing is derived of it
        ("07|IKU-07|2019|realisasi", "10.00"),  # of the whole year nothing is derived
        ("08|IKU-07|2024|realisasi", "10.00"),  # another office
        ("07|NPSS|2023|NPSS", "50.00"),  # no score of that year
    ],
)
def test_without_a_counterpart_nothing_is_stopped(warehouse, item, value):
    fill_2024(warehouse)
    add_print(warehouse.connection, item, value)

    assert stopped(warehouse) is None


def test_a_running_year_stops_nothing(warehouse):
    running = FIRST.__class__(1, "run-000001", datetime(2024, 6, 30, 23, 59, 59, 999999))
    enter(warehouse, running, VALUES_2024 | {"IKU-07": ("50.00", "95")})
    add_print(warehouse.connection, "07|IKU-07|2024|realisasi", "91.67")
    add_print(warehouse.connection, "07|NPSS|2024|NPSS", "99.27")

    assert stopped(warehouse, running) is None


@pytest.mark.parametrize(("cut_off", "stops"), [("knowledge", False), ("event", True)])
def test_a_value_that_known_rows_will_still_change_stops_nothing(warehouse, places, cut_off, stops):
    """A letter that is dated after the clock counts for the year once it is known; an event after the cut-off never does."""
    places(IKU_10={"cut_off": cut_off})
    enter(warehouse, FIRST, VALUES_2024 | {"IKU-10": ("93.70", "100")})
    add_print(warehouse.connection, "07|IKU-10|2024|realisasi", "96.24")
    add_print(warehouse.connection, "07|NPSS|2024|NPSS", "99.27")
    warehouse.connection.execute(
        "INSERT INTO ledger.source_years VALUES ('source_IKU-10', 2024, $1, '2025-02-03')", [FIRST.clock]
    )

    assert (stopped(warehouse) is not None) == stops
    assert stopped(warehouse, SECOND) is not None


def test_a_value_that_lacks_agencies_stops_nothing(warehouse):
    enter(warehouse, values=VALUES_2024)
    enter(warehouse, SECOND, {"IKU-02": ("2.04", "100")}, flags=["incomplete"], reason="code")
    for item, value in (("IKU-02|2024|realisasi", "100"), ("IKU-02|2024|capaian", "100"), ("SS1|2024|NSS", "100.00")):
        add_print(warehouse.connection, f"07|{item}", value)
    lines = renewed(warehouse, SECOND)

    assert lines["07|IKU-02|2024|realisasi"] == ("100", "2.04", "no_counterpart", None)
    assert lines["07|IKU-02|2024|capaian"] == ("100", "2.04", "no_counterpart", None)
    assert lines["07|SS1|2024|NSS"] == ("100.00", "2.04", "no_counterpart", None)
    assert lines["07|IKU-02|2024|target"][2] == lines["07|SS2|2024|NSS"][2] == "equal"


@pytest.mark.parametrize("last_quarter", [None, "71.88"])
def test_a_year_without_its_last_quarter_stops_nothing(warehouse, places, last_quarter):
    places(IKU_06={"year_from": "newest_part"})
    enter(warehouse, values=VALUES_2024 | {"IKU-06": ("71.88", "100")})
    with warehouse.transaction() as connection:
        enter_values(connection, FIRST, {"IKU-06": ("71.88", None)}, period="2024-Q3")
        enter_values(connection, FIRST, {"IKU-06": (last_quarter, None)}, period="2024-Q4")
    add_print(warehouse.connection, "07|IKU-06|2024|realisasi", "100")
    add_print(warehouse.connection, "07|NPSS|2024|NPSS", "99.27")

    assert (stopped(warehouse) is None) == (last_quarter is None)


def test_a_reported_value_is_not_compared_with_itself(warehouse):
    enter(warehouse, values={"IKU-07": ("91.67", "95")}, status="reported")
    add_print(warehouse.connection, "07|IKU-07|2024|realisasi", "91.67")
    add_print(warehouse.connection, "07|IKU-07|2024|realisasi", "90.00", "Grafik")

    assert renewed(warehouse)["07|IKU-07|2024|realisasi"] == ("91.67", "91.67", "no_counterpart", None)


def test_the_late_assessment_is_a_known_restatement(warehouse):
    fill_2024(warehouse)
    add_print(warehouse.connection, "07|NPSS|2024|NPSS", "99.27", "LKj 2024: Tabel 3.1")
    add_print(warehouse.connection, "07|SS1|2024|NSS", "100.00", "LKj 2024: Uraian SS1")
    enter(warehouse, SECOND, VALUES_2024 | {"IKU-01": ("83.67", "100")})
    lines = renewed(warehouse, SECOND)

    assert lines["07|NPSS|2024|NPSS"] == ("99.27", "97.23", "known", "D29")
    assert lines["07|SS1|2024|NSS"] == ("100.00", "91.84", "known", "D29")
    assert lines["07|stakeholder|2024|NKP"] == ("25.00", "22.96", "known", "D29")
    assert lines["07|NPSS|2024|category"] == ("Baik", "not configured", "known", "D29")
    assert lines["07|IKU-01|2024|realisasi"] == (None, "83.67", "known", "D29")
    assert lines["07|customer|2024|NKP"] == ("25.31", "25.31", "equal", None)


def test_the_late_assessment_hides_no_other_difference(warehouse):
    values = VALUES_2024 | {"IKU-01": ("83.67", "100"), "IKU-12": ("70.00", "85")}
    enter(warehouse, values=values)
    add_print(warehouse.connection, "07|NPSS|2024|NPSS", "99.27")

    assert "07|NPSS|2024|NPSS: printed 99.27, derived 97.08" in stopped(warehouse)


@pytest.mark.parametrize(
    ("reason", "stops"), [("late_data", False), ("correction", False), ("code", True), ("definition", True)]
)
def test_what_agreed_until_late_data_came_is_restated(warehouse, reason, stops):
    fill_2024(warehouse)
    add_print(warehouse.connection, "07|IKU-12|2024|realisasi", "73.05")
    enter(warehouse, SECOND, VALUES_2024 | {"IKU-12": ("70.00", "85")}, reason=reason)

    assert (stopped(warehouse, SECOND) is not None) == stops
    if not stops:
        assert kept(warehouse.connection)["07|IKU-12|2024|realisasi"] == ("73.05", "70.00", "restated", None)


def test_a_score_on_fewer_indicators_than_were_printed_is_not_compared(warehouse):
    """IKU-12 is delivered as printed, and its rows are all held back: the score is another one, but no contradiction."""
    enter(warehouse, values=VALUES_2024 | {"IKU-12": (None, "85")})
    add_print(warehouse.connection, "07|NPSS|2024|NPSS", "99.27")
    lines = renewed(warehouse)

    assert lines["07|NPSS|2024|NPSS"] == ("99.27", "99.81", "no_counterpart", None)
    assert lines["07|SS1|2024|NSS"][2] == "equal"


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
    text = invoke("reconcile", "--year", 2024, "--home", home.root)
    of_2023 = {line["item"] for line in json.loads(invoke("reconcile", "--year", 2023, "--home", home.root, "--json"))}

    assert len(lines) == 688
    assert {
        "item": "07|IKU-04|2024|realisasi", "published": "93.36", "derived": "93.37", "verdict": "known", "discrepancy": "D08",
    } in lines  # fmt: skip
    assert {tuple(line) for line in lines} == {("item", "published", "derived", "verdict", "discrepancy")}
    assert {line["discrepancy"] for line in lines} >= {
        "D01", "D02", "D03", "D04", "D05", "D08", "D10", "D11", "D13", "D17",
    }  # fmt: skip
    assert "688 lines: 0 different" not in text and "688 lines: " in text
    assert {"07|IKU-01|2023|realisasi", "07|NPSS|2023|NPSS", "07|integration|2023|agencies"} <= of_2023
    assert "07|IKU-04|2024|realisasi" not in of_2023


# Through the whole run

SERVICES = "tahun,layanan_id,nama,digital,dasar\n" + "".join(
    f"2024,{number},Layanan {number},{'true' if number < 12 else 'false'},SK 1/2024\n" for number in range(1, 13)
)
PRINTED = "kantor,indikator,tahun,ukuran,nilai,desimal,sumber\n07,IKU-07,2024,realisasi,90.00,2,Surat 7/2025\n"


def deliver(home, name, text):
    file = home.inbox / name
    file.parent.mkdir(parents=True)
    file.write_text(text)


def test_a_contradiction_leaves_no_fact_and_no_publication_until_it_is_waived(home, monkeypatch):
    deliver(home, "digital_service/list.csv", SERVICES)
    deliver(home, "published_value/letter.csv", PRINTED)

    with pytest.raises(
        GateFailed,
        match=r"07\|IKU-07\|2024\|realisasi@Surat 7/2025: printed 90.00, derived 91.67 \(published_value/letter.csv, row 1, column nilai\)",
    ):
        run_pipeline(home.root, date(2025, 1, 31))
    assert not home.published.exists()
    with open_warehouse(home.root, "test") as opened:
        assert opened.connection.execute("SELECT count(*) FROM facts.kpi_values").fetchall() == [(0,)]
        assert opened.connection.execute("SELECT accepted FROM ledger.batches ORDER BY 1").fetchall() == [(1,), (12,)]

    decision = waiver("07|IKU-07|2024|realisasi@Surat 7/2025", verdict="different")
    monkeypatch.setattr("warehouse.reconciliation.waivers", lambda: (decision,))
    report = run_pipeline(home.root, date(2025, 2, 1))
    assert report.published
    lines = json.loads(invoke("reconcile", "--year", 2024, "--home", home.root, "--json"))
    assert {line["verdict"] for line in lines if line["item"] == "07|IKU-07|2024|realisasi@Surat 7/2025"} == {"waived"}


def test_somebody_elses_deliveries_are_published(home):
    """The office's printed numbers are information: only what is delivered as printed can stop a publication."""
    deliver(home, "digital_service/list.csv", SERVICES.replace("true", "false"))

    report = run_pipeline(home.root, date(2025, 1, 31))

    assert report.published
    lines = json.loads(invoke("reconcile", "--year", 2024, "--home", home.root, "--json"))
    assert {
        "item": "07|IKU-07|2024|realisasi", "published": "91.67", "derived": "0.00", "verdict": "different", "discrepancy": None,
    } in lines  # fmt: skip
