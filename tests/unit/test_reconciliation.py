"""Reconciliation in itself: the report as data, its checks, the verdict on every number. No warehouse."""

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from year_2024 import waiver

from expectations.contested import Fact, held_back
from expectations.printed_checks import check_report
from expectations.reconciliation import Acceptance, Derived, Knowledge, compare, gate, judge, reconcile
from transforms.definitions import load_indicators
from transforms.exact import round_half_up
from transforms.printed import Explanation, PrintedItem, Report, load_checks, load_discrepancies, load_reports
from transforms.reference import Waiver, waived_values, waivers
from transforms.scoring.definition import load_scoring

KNOWLEDGE = Knowledge(load_discrepancies(), waivers())


def report_2024():
    return next(report for report in load_reports() if report.report_year == 2024)


# The report as data


def test_the_report_is_there_whole():
    items = report_2024().items
    sources = Counter(item.source.split(" [")[0] for item in items)

    assert len(items) == 530
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

    assert [d.id for d in load_discrepancies()] == [f"D{number:02d}" for number in range(1, 47)]
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


def test_a_shipped_waiver_chooses_among_printings_and_accepts_no_difference():
    reasons = {"item": "07|NPSS|2023|NPSS", "reason": "because", "owner": "somebody"}

    assert waived_values() == {"07|NPSS|2023|NPSS": Decimal("102.24")}
    with pytest.raises(ValidationError, match="chosen"):
        Waiver.model_validate(reasons)
    with pytest.raises(ValidationError, match="verdict"):
        Waiver.model_validate(reasons | {"chosen": "102.24", "verdict": "different"})
    with pytest.raises(ValidationError, match="owner"):
        Waiver.model_validate(reasons | {"chosen": "102.24", "owner": ""})


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
        ("07|IKU-02|2021|realisasi", "90", of("89.80"), "equal", None),
        ("07|IKU-02|2021|realisasi", "90", of("91.84"), "known", "D16"),
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


PRINTED = "07|IKU-07|2024|realisasi@LKj 2024: Tabel 3.2"


def accepted(published="90.00", derived="91.67", until=None):
    return Acceptance(PRINTED, published, derived, "Letter 12/2025", "Bagian Tata Usaha", until)


def test_a_difference_is_accepted_by_name():
    knowledge = Knowledge(accepted=[accepted(), accepted("80.00", "81.00", date(2025, 3, 31))])

    judged = compare(printed(PRINTED, "90.0"), of("91.67"), knowledge)
    assert (judged.verdict, judged.note) == ("waived", "Letter 12/2025 (Bagian Tata Usaha)")
    ending = compare(printed(PRINTED, "80.00"), of("81.00"), knowledge)
    assert (ending.verdict, ending.note) == ("waived", "Letter 12/2025 (Bagian Tata Usaha, until 2025-03-31)")
    assert compare(printed(PRINTED, "90.00"), of("90.00"), knowledge).verdict == "equal"


@pytest.mark.parametrize(
    ("item", "value", "derived"),
    [
        (PRINTED, "90.00", "91.68"),  # another derived value
        (PRINTED, "89.00", "91.67"),  # another printed one
        ("07|IKU-07|2024|realisasi@Surat 7/2025", "90.00", "91.67"),  # printed in another place
        ("07|IKU-08|2024|realisasi", "90.00", "91.67"),
    ],
)
def test_what_is_accepted_is_these_two_numbers_and_no_others(item, value, derived):
    assert compare(printed(item, value), of(derived), Knowledge(accepted=[accepted()])).verdict == "different"


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


# What a contradiction holds back


def resting_on(measure, item, period, newest=None):
    held = held_back(Fact(measure, item, period), load_indicators(), load_scoring(), newest or {})
    return [f"{fact.name} {fact.period}" for fact in held]


def test_a_quarter_holds_back_the_year_that_comes_from_it_and_no_other():
    above = ["IKU-06.capaian 2024", "IKU-06.efficiency 2024", "SS4.nss 2024", "internal_process.perspective_score 2024",
             "internal_process.nkp 2024", "NPSS 2024"]  # fmt: skip
    newest = {("IKU-06", 2024): "2024-Q4"}

    assert resting_on("value", "IKU-06", "2024-Q4", newest) == ["IKU-06 2024-Q4", "IKU-06 2024", *above]
    assert resting_on("value", "IKU-06", "2024-Q1", newest) == ["IKU-06 2024-Q1"]


def test_a_semester_holds_back_the_year_that_is_the_mean_of_both():
    assert resting_on("value", "IKU-03", "2024-S1")[:4] == [
        "IKU-03 2024-S1", "IKU-03 2024", "IKU-03.capaian 2024", "IKU-03.efficiency 2024",
    ]  # fmt: skip


# Lines


def lines_of(delivered, derived, knowledge=KNOWLEDGE, office="07", reports=None):
    found = reconcile(load_reports() if reports is None else reports, delivered, derived, office, knowledge)
    return {line.item: line for line in found}


def delivered(item, value, place):
    return PrintedItem(item=f"{item}@{place}", value=value, unit="as delivered", source=place)


def test_a_delivered_number_that_the_report_prints_is_one_line():
    rows = [delivered("07|IKU-07|2024|realisasi", "91.67", "LKj 2024: Tabel 3.2")]
    lines = lines_of(rows, {"07|IKU-07|2024|realisasi": of("80.00")})

    assert len(lines) == len(report_2024().items)
    assert [line.item for line in gate(list(lines.values()))] == ["07|IKU-07|2024|realisasi"]
    assert lines["07|IKU-07|2024|realisasi"].report_year == 2024


def test_another_delivered_number_is_a_line_of_its_own():
    rows = [
        delivered("07|IKU-07|2024|realisasi", "90.00", "Surat 7/2025"),
        delivered("07|NPSS|2023|NPSS", "102.30", "Grafik 3.1"),
    ]
    rows.append(delivered("07|IKU-08|2019|realisasi", "77", "LKj 2019"))
    lines = lines_of(rows, {"07|IKU-07|2024|realisasi": of("91.67"), "07|IKU-08|2019|realisasi": of("77.00")})

    assert len(lines) == len(report_2024().items) + 3
    assert (lines["07|IKU-07|2024|realisasi@Surat 7/2025"].verdict, lines["07|IKU-07|2024|realisasi"].verdict) == (
        "different",
        "equal",
    )
    assert lines["07|IKU-08|2019|realisasi@LKj 2019"].report_year is None
    # the report has a line of this name already
    assert lines["07|NPSS|2023|NPSS@Grafik 3.1 (delivered)"].published == "102.30"


def test_what_only_the_report_prints_holds_nothing_back():
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
