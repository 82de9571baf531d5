"""Why a value is missing, and how far quarantined rows could move it: of the derived values, in memory."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from in_memory import derive, give_states, hold_row, indicator_named, shown

from expectations.contract import load_contract
from transforms.definitions import NOT_STATED, Formula, Level, Version
from transforms.evaluate import fold
from transforms.exact import round_half_up
from transforms.reported import PrintedValue, stand_in

SURVEY = "survey_code,year,semester,unit_code,respondent_id,response_date," + ",".join(
    f"u{n}_score" for n in range(1, 10)
)
PRINT = "office_code,item_code,year,measure_code,printed_value,printed_decimals,printed_in"


def band(value):
    return [str(round_half_up(bound, 2)) for bound in (value.outcome.low, value.outcome.high)]


def survey_rows(survey: str, unit: str, respondents: int, score: int, semester: int = 1) -> str:
    answers = ",".join([str(score)] * 9)
    return "\n".join(
        f"{survey},2024,{semester},{unit},{unit}{number},2024-0{semester * 4}-06,{answers}"
        for number in range(respondents)
    )


@pytest.mark.parametrize("number", range(1, 15))
def test_a_source_that_was_never_delivered_is_missing(memory, number):
    found = derive(memory, indicator_named(f"IKU-{number:02}"), "2024")
    assert (found.outcome.status, shown(found)) == ("source_missing", None)


@pytest.mark.parametrize(
    ("indicator", "source", "key", "part"),
    [
        ("IKU-01", "nspk_assessment", "5500|2024", None),
        ("IKU-02", "ip_asn_measurement", "5500|2024", None),
        ("IKU-03", "survey", "pembinaan|2024|1|none|r", "2024-S1"),
        ("IKU-04", "survey", "layanan|2024|1|INKA|r", "2024-S1"),
        ("IKU-05", "regulation", "D1", None),
        ("IKU-07", "digital_service", "2024|1", None),
        ("IKU-08", "supervision_recommendation", "S1", None),
        ("IKU-09", "ip_asn_employee", "2024|pseudonym", None),
        ("IKU-10", "external_score", "IKU-10|2024|S/1", None),
        ("IKU-14", "audit_finding", "T1", None),
    ],
)
def test_a_period_with_quarantined_rows_only_is_withheld(memory, indicator, source, key, part):
    hold_row(memory, source, key, 2024, part)
    found = derive(memory, indicator_named(indicator), part or "2024")
    assert (found.outcome.status, shown(found)) == ("withheld_quality", None)


def test_rows_of_another_indicator_of_the_source_withhold_nothing(memory):
    hold_row(memory, "external_score", "IKU-11|2024|S/1", 2024)
    assert derive(memory, indicator_named("IKU-10"), "2024").outcome.status == "not_yet_measured"
    hold_row(memory, "survey", "layanan|2024|1|INKA|r", 2024, "2024-S1")
    assert derive(memory, indicator_named("IKU-03"), "2024-S1").outcome.status == "not_yet_measured"


def test_a_row_whose_key_cannot_be_read_may_concern_any_of_them(memory):
    hold_row(memory, "external_score", None, 2024)
    assert derive(memory, indicator_named("IKU-10"), "2024").outcome.status == "withheld_quality"


def test_a_register_without_any_accepted_row_says_nothing_about_a_year(memory):
    hold_row(memory, "audit_finding", "T1", 2023)
    assert derive(memory, indicator_named("IKU-14"), "2024").outcome.status == "not_yet_measured"


def test_a_held_record_counts_once_against_and_once_for_the_value(memory):
    drafts = "\n".join(f"D{n},2024,,2024-03-01,,2024-04-01" for n in range(11))
    give_states(memory, "regulation", f"draft_id,year,title,proposed_date,regulation_number,issued_date\n{drafts}\n")
    hold_row(memory, "regulation", "D99", 2024)
    hold_row(memory, "regulation", "D99", 2024)
    found = derive(memory, indicator_named("IKU-05"), "2024")
    assert (shown(found), found.outcome.denominator, band(found)) == ("100.00", Decimal(11), ["91.67", "100.00"])


def test_a_held_state_of_an_accepted_record_makes_that_record_doubtful(memory):
    drafts = "\n".join(f"D{n},2024,,2024-03-01,," for n in range(4))
    give_states(memory, "regulation", f"draft_id,year,title,proposed_date,regulation_number,issued_date\n{drafts}\n")
    hold_row(memory, "regulation", "D2", 2024)
    assert band(derive(memory, indicator_named("IKU-05"), "2024")) == ["0.00", "25.00"]


def test_the_49_stay_49_whatever_is_held(memory):
    give_states(memory, "nspk_assessment", "agency_code,year,score,assessed_date\n5500,2023,80,2024-03-18\n")
    hold_row(memory, "nspk_assessment", "5500|2023", 2023)
    hold_row(memory, "nspk_assessment", "5501|2023", 2023)
    hold_row(memory, "nspk_assessment", "9999|2023", 2023)
    found = derive(memory, indicator_named("IKU-01"), "2023")
    assert (shown(found), found.outcome.denominator, band(found)) == ("2.04", Decimal(49), ["0.00", "4.08"])


def test_a_held_respondent_is_worth_the_least_or_the_most_score(memory):
    give_states(memory, "survey", f"{SURVEY}\n{survey_rows('pembinaan', '', 3, 3)}\n")
    hold_row(memory, "survey", "pembinaan|2024|1|none|other", 2024, "2024-S1")
    found = derive(memory, indicator_named("IKU-03"), "2024-S1")
    # (3 x 75 + 25) / 4 and (3 x 75 + 100) / 4
    assert (shown(found), found.outcome.denominator, band(found)) == ("75.00", Decimal(3), ["62.50", "81.25"])


def test_the_band_holds_the_value_also_where_a_held_row_completes_a_unit(memory):
    incomplete = "layanan,2024,1,MUTASI,m1,2024-04-06,4,4,4,4,4,4,4,4,"
    give_states(memory, "survey", f"{SURVEY}\n{survey_rows('layanan', 'INKA', 2, 1)}\n{incomplete}\n")
    hold_row(memory, "survey", "layanan|2024|1|MUTASI|other", 2024, "2024-S1")
    found = derive(memory, indicator_named("IKU-04"), "2024-S1")
    low, high = found.outcome.low, found.outcome.high
    assert (shown(found), low <= found.outcome.exact <= high) == ("25.00", True)


def test_a_held_letter_may_be_the_newest(memory):
    give_states(
        memory,
        "external_score",
        "indicator_id,year,score,letter_number,letter_date\nIKU-10,2024,96.24,S/1,2024-12-16\n",
    )
    hold_row(memory, "external_score", "IKU-10|2024|S/2", 2024)
    found = derive(memory, indicator_named("IKU-10"), "2024")
    assert (shown(found), band(found)) == ("96.24", ["0.00", "100.00"])


def test_the_surveyed_units_are_those_that_the_contract_allows():
    paths = indicator_named("IKU-04").versions[0].parameters["unit_paths"]
    allowed = next(rule.kind.root for rule in load_contract("survey").rules if rule.id == "SVY-03")
    assert {unit for _, unit in paths} == set(allowed)


def test_nine_ninths_are_one():
    members = [f"u{n}" for n in range(1, 10)]
    formula = Formula(scale=25, text="", levels=[Level(name="element", members=members, missing="zero_denominator")])
    scores = ["3.75", "3.75", "3.67", "3.90", "3.76", "3.73", "3.79", "3.73", "3.71"]
    groups = {(member,): (Decimal(score), 1) for member, score in zip(members, scores, strict=True)}
    assert fold(formula, groups) == Fraction(3379, 36)  # 93.8611...; with 0.11 instead of 1/9 it would be 92.92


def test_the_target_is_that_of_the_year_and_of_no_part(memory):
    give_states(memory, "survey", f"{SURVEY}\n{survey_rows('pembinaan', '', 1, 4)}\n")
    agreement = "indicator_id,year,target,objective_code,perspective_code"
    give_states(
        memory, "performance_agreement", f"{agreement}\nIKU-03,2024,95,SS2,customer\nIKU-04,2024,90,SS2,customer\n"
    )
    indicator = indicator_named("IKU-03")
    assert derive(memory, indicator, "2024").target == Decimal(95)
    assert derive(memory, indicator, "2024-S1").target is None
    assert derive(memory, indicator, "2023").target is None


def test_a_printed_value_stands_in_only_for_a_year_that_is_over(memory):
    give_states(memory, "published_value", f"{PRINT}\n07,IKU-02,2024,realisasi,100,0,Tabel 3.2\n")
    indicator = indicator_named("IKU-02")
    assert derive(memory, indicator, "2024", as_of=date(2024, 12, 30)).outcome.status == "source_missing"
    assert derive(memory, indicator, "2024", as_of=date(2025, 1, 1)).outcome.status == "reported"


def test_a_printed_value_stands_in_for_no_row_that_was_delivered(memory):
    give_states(memory, "published_value", f"{PRINT}\n07,IKU-02,2024,realisasi,100,0,Tabel 3.2\n")
    hold_row(memory, "ip_asn_measurement", "5500|2024", 2024)
    assert derive(memory, indicator_named("IKU-02"), "2024").outcome.status == "withheld_quality"
    give_states(memory, "ip_asn_measurement", "agency_code,year,measured_date,score\n5501,2024,2024-05-20,70\n")
    found = derive(memory, indicator_named("IKU-02"), "2024")
    assert (found.outcome.status, shown(found)) == ("derived", "2.04")


@pytest.mark.parametrize(
    ("values", "chosen", "status", "value", "decimals", "flags"),
    [
        (["38.8"], None, "reported", "38.8", 1, []),
        (["100", "100.00"], None, "reported", "100", 2, []),
        (["102.24", "102.40"], None, "withheld_quality", None, None, ["printed_twice"]),
        (["102.24", "102.40"], "102.24", "reported", "102.24", 2, ["printed_twice", "waived"]),
        (["102.24", "102.40"], "102.30", "withheld_quality", None, None, ["printed_twice"]),
    ],
)
def test_two_printed_values_need_a_waiver_that_chooses_one(values, chosen, status, value, decimals, flags):
    printed = [
        PrintedValue(f"07|x|2023|realisasi|{place}", Decimal(text), len(text.partition(".")[2]))
        for place, text in enumerate(values)
    ]
    outcome, evidence = stand_in(printed, None if chosen is None else Decimal(chosen))
    assert (outcome.status, outcome.decimals, evidence.flags) == (status, decimals, flags)
    assert outcome.exact == (None if value is None else Fraction(value))


def test_a_parameter_with_decimals_is_no_binary_float():
    with pytest.raises(ValueError, match="write a parameter with decimals as text"):
        Version.model_validate(
            {
                "version": "1",
                "valid_from": "2020-01-01",
                "changed": {"id": "x", "en": "x"},
                "legal_basis": NOT_STATED,
                "parameters": {"limits": [1, {"least": 70.01}]},
                "formula": {"scale": 1, "text": "x"},
            }
        )


@pytest.mark.parametrize(
    ("widest", "status", "value", "flags"),
    [
        ("8.32", "withheld_quality", None, ["band_too_wide"]),
        ("8.34", "derived", "100.00", []),
        (None, "derived", "100.00", []),
    ],
)
def test_a_value_whose_band_is_wider_than_its_definition_allows_is_withheld(memory, widest, status, value, flags):
    drafts = "\n".join(f"D{n},2024,,2024-03-01,,2024-04-01" for n in range(11))
    give_states(memory, "regulation", f"draft_id,year,title,proposed_date,regulation_number,issued_date\n{drafts}\n")
    hold_row(memory, "regulation", "D99", 2024)
    found = derive(memory, allowing("IKU-05", widest), "2024")
    assert (found.outcome.status, shown(found), found.evidence.flags) == (status, value, flags)
    # The band says why, and the components are there.
    assert (band(found), found.outcome.denominator) == (["91.67", "100.00"], Decimal(11))


def test_a_semester_that_is_withheld_withholds_the_year(memory):
    first, second = (survey_rows("pembinaan", "", 3, 3, semester) for semester in (1, 2))
    give_states(memory, "survey", f"{SURVEY}\n{first}\n{second}\n")
    hold_row(memory, "survey", "pembinaan|2024|1|none|other", 2024, "2024-S1")
    year = derive(memory, allowing("IKU-03", "5"), "2024")
    assert (year.outcome.status, shown(year)) == ("withheld_quality", None)
    assert shown(derive(memory, allowing("IKU-03", "5"), "2024-S2")) == "75.00"


def allowing(name: str, widest: str | None):
    """The indicator with this widest band in every version."""
    indicator = indicator_named(name)
    width = None if widest is None else Decimal(widest)
    versions = [version.model_copy(update={"widest_band": width}) for version in indicator.versions]
    return indicator.model_copy(update={"versions": versions})
