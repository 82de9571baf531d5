"""Tables of results from a few records each: what their queries count, against numbers worked out by hand."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from expectations.contract import load_contract
from tests.in_memory import derive, give_states, hold_row, indicator_named, result_rows, shown
from transforms.definitions import load_indicators
from transforms.facts import fact_table, result_tables
from transforms.reference.tables import survey_names
from warehouse.facts.derive import View
from warehouse.facts.results import derive_result
from warehouse.facts.versions import make_fresh_table

SURVEY = "survey_code,year,semester,unit_code,respondent_id,response_date," + ",".join(
    f"u{n}_score" for n in range(1, 10)
)
INTEGRATION = "letter_number,letter_date,quarter,year,agency_code,channel,history_type,is_integrated"
MS, TMS, IN_PROCESS, CANCELLED = "7", "6", "12", "9"
BUDGET = "budget_code,year,revision_number,revision_date,data_date,allocated_rupiah,spent_rupiah"


def give(memory, source, header, *lines):
    give_states(memory, source, "\n".join([header, *lines]))


def test_elements_by_unit_and_the_total_that_is_the_mean_of_the_units(memory):
    give(
        memory, "survey", SURVEY,
        "layanan,2024,1,INKA,r1,2024-05-06,4,3,4,4,4,4,4,4,4",
        "layanan,2024,1,INKA,r2,2024-05-06,3,,4,4,4,4,4,4,4",
        "layanan,2024,1,UMUM,r3,2024-05-06,2,4,4,4,4,4,4,4,",
    )  # fmt: skip
    rows = result_rows(
        memory,
        "survey_elements",
        "SELECT unit_code, element_code, CAST(mean_score AS VARCHAR), score_sum, respondent_count, lowest_rank FROM {rows} "
        "WHERE element_code IN ('U1', 'U2', 'U9')",
    )
    assert rows == [
        ("INKA", "U1", "3.50", 7, 2, 2),
        ("INKA", "U2", "3.00", 3, 1, 1),
        ("INKA", "U9", "4.00", 8, 2, 3),
        ("UMUM", "U1", "2.00", 2, 1, 1),
        ("UMUM", "U2", "4.00", 4, 1, 2),
        # (3.5 + 2) / 2, not (4 + 3 + 2) / 3; the ninth has one unit only
        ("total", "U1", "2.75", None, 3, 1),
        ("total", "U2", "3.50", None, 2, 2),
        ("total", "U9", "4.00", None, 2, 3),
    ]


def test_a_survey_without_units_has_its_total_alone_and_a_tie_is_rounded_up(memory):
    # 3.625 = 29 / 8: half of a hundredth
    scores = [4, 4, 4, 4, 4, 3, 3, 3]
    give(
        memory, "survey", SURVEY,
        *(f"pembinaan,2024,2,,r{n},2024-11-06,{score},4,4,4,4,4,4,4,4" for n, score in enumerate(scores)),
    )  # fmt: skip
    query = "SELECT period, unit_code, mean_score, score_sum FROM {rows} WHERE element_code = 'U1'"
    assert result_rows(memory, "survey_elements", query) == [("2024-S2", "total", Decimal("3.63"), 29)]
    query = "SELECT unit_code, ikm_value, grade, respondent_count FROM {rows}"
    assert result_rows(memory, "survey_units", query) == [("total", Decimal("98.96"), "A", 8)]


def test_the_total_of_a_tie_of_units_is_rounded_up(memory):
    # units' means 3 + 1/3, 3 + 1/3 and 3.26833...: of 600 answers, so that the mean of the three is 3.3116...; a tie: 2.5 and 2.51 give 2.505
    lines = [f"layanan,2024,1,INKA,a{n},2024-05-06,{2 + n % 2},,,,,,,," for n in range(100)]
    lines += [f"layanan,2024,1,UMUM,b{n},2024-05-06,{3 if n < 51 else 2},,,,,,,," for n in range(100)]
    give(memory, "survey", SURVEY, *lines)
    query = "SELECT unit_code, mean_score FROM {rows}"
    assert result_rows(memory, "survey_elements", query) == [
        ("INKA", Decimal("2.50")), ("UMUM", Decimal("2.51")), ("total", Decimal("2.51")),
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "survey"), [("IKU-03", "pembinaan"), ("IKU-04", "layanan")])
def test_the_total_of_the_units_is_the_indicators_own_value(memory, name, survey):
    """In every worked example of the indicator: one rule, told twice."""
    indicator = indicator_named(name)
    for example in indicator.examples:
        memory.execute("DELETE FROM states.survey")
        give_states(memory, "survey", example.given["survey"])
        for semester in ("2024-S1", "2024-S2"):
            query = (
                "SELECT CAST(ikm_value AS VARCHAR) FROM {rows} "
                f"WHERE unit_code = 'total' AND survey_code = '{survey}' AND period = '{semester}'"
            )
            found = result_rows(memory, "survey_units", query)
            assert (found[0][0] if found else None) == shown(derive(memory, indicator, semester)), (
                example.title,
                semester,
            )


def test_an_element_that_nobody_answered_leaves_its_unit_without_an_index(memory):
    give(
        memory, "survey", SURVEY,
        "layanan,2024,1,INKA,r1,2024-05-06,4,4,4,4,4,4,4,4,",
        "layanan,2024,1,INKA,r2,2024-05-06,,,,,,,,,",
        "layanan,2024,1,KEPEGAWAIAN,r3,2024-05-06,3,3,3,3,3,3,3,3,3",
        "layanan,2024,1,RENKEU,r4,2024-05-06,2,2,2,2,2,2,2,2,2",
        "layanan,2024,1,MUTASI,r5,2024-05-06,4,4,4,4,4,4,4,4,4",
    )  # fmt: skip
    query = "SELECT unit_code, CAST(ikm_value AS VARCHAR), grade, respondent_count FROM {rows}"
    assert result_rows(memory, "survey_units", query) == [
        ("INKA", None, None, 1),
        ("KEPEGAWAIAN", "75.00", "C", 1),
        ("MUTASI", "100.00", "A", 1),
        ("RENKEU", "50.00", "D", 1),
        # the mean of Tata Usaha (62.50) and MUTASI (100)
        ("total", "81.25", "B", 4),
    ]


def test_channels_by_quarter_and_history_type(memory):
    give(
        memory, "integration", INTEGRATION,
        "1,2024-03-28,1,2024,5500,webservice,jabatan,true",
        "1,2024-03-28,1,2024,5500,webservice,skp,false",
        "1,2024-03-28,1,2024,5501,simpegnas,jabatan,false",
        "1,2024-03-28,1,2024,5502,simpegnas,jabatan,false",
        "1,2024-03-28,1,2024,5502,simpegnas,skp,true",
        # the newer letter of the quarter counts
        "2,2024-03-30,1,2024,5501,simpegnas,jabatan,true",
        "3,2024-06-28,2,2024,5500,webservice,jabatan,true",
    )  # fmt: skip
    query = (
        "SELECT period, channel, history_type, agency_count, integrated_count, CAST(share_percent AS VARCHAR), letter_number, is_newest_quarter "
        "FROM {rows} WHERE history_type IN ('jabatan', 'skp')"
    )
    assert result_rows(memory, "integration_channels", query) == [
        ("2024-Q1", "simpegnas", "jabatan", 2, 1, "50.00", "2", False),
        ("2024-Q1", "simpegnas", "skp", 2, 1, "50.00", "2", False),
        ("2024-Q1", "webservice", "jabatan", 1, 1, "100.00", "2", False),
        ("2024-Q1", "webservice", "skp", 1, 0, "0.00", "2", False),
        ("2024-Q2", "webservice", "jabatan", 1, 1, "100.00", "3", True),
        ("2024-Q2", "webservice", "skp", 1, 0, "0.00", "3", True),
    ]


def test_a_quarter_that_has_not_begun_has_no_row(memory):
    give(
        memory, "integration", INTEGRATION,
        "1,2024-03-28,1,2024,5500,webservice,jabatan,true",
        "2,2024-03-29,3,2024,5500,webservice,jabatan,true",
    )  # fmt: skip
    query = "SELECT DISTINCT period, is_newest_quarter FROM {rows}"
    assert result_rows(memory, "integration_channels", query, as_of=date(2024, 5, 1)) == [("2024-Q1", True)]
    assert result_rows(memory, "integration_channels", query) == [("2024-Q1", False), ("2024-Q3", True)]


def test_agencies_in_each_indicator(memory):
    give(
        memory, "nspk_assessment", "agency_code,year,score,assessed_date",
        "5500,2024,85.005,2025-03-18", "5501,2024,70.004,2025-03-18", "5502,2024,24.00,2025-03-18",
    )  # fmt: skip
    give(memory, "ip_asn_measurement", "agency_code,year,measured_date,score", "5500,2024,2024-09-23,75.45")
    give(
        memory, "integration", INTEGRATION,
        "1,2024-03-28,1,2024,5500,webservice,jabatan,true", "1,2024-03-28,1,2024,5501,simpegnas,jabatan,false",
    )  # fmt: skip
    give(
        memory, "supervision_recommendation", "recommendation_id,year,agency_code,recommended_date,followed_up_date",
        "A,2024,5500,2024-02-01,2024-03-01", "B,2024,5500,2024-02-01,", "C,2024,5501,2024-02-01,2024-03-01",
    )  # fmt: skip
    query = (
        "SELECT indicator, agency_code, is_in_numerator, missing_reason, CAST(agency_score AS VARCHAR), nspk_grade, counted_channel, numerator_count, "
        "record_count FROM {rows} WHERE agency_code IN ('5500', '5501', '5502')"
    )
    assert result_rows(memory, "agency_results", query) == [
        # 85.005 is 85.01, an A; 70.004 is 70.00, a C; 24 is below the scale
        ("IKU-01", "5500", True, None, "85.005000", "A", None, 1, 1),
        ("IKU-01", "5501", False, "below_grade_b", "70.004000", "C", None, 0, 1),
        ("IKU-01", "5502", False, "below_grade_b", "24.000000", None, None, 0, 1),
        ("IKU-02", "5500", True, None, "75.450000", None, None, 1, 1),
        ("IKU-02", "5501", False, "not_measured", None, None, None, 0, 1),
        ("IKU-02", "5502", False, "not_measured", None, None, None, 0, 1),
        ("IKU-06", "5500", True, None, None, None, "webservice", 1, 1),
        ("IKU-06", "5501", False, "not_integrated", None, None, "simpegnas", 0, 1),
        ("IKU-06", "5502", False, "no_row_in_quarter", None, None, None, 0, 0),
        ("IKU-08", "5500", False, "not_followed_up", None, None, None, 1, 2),
        ("IKU-08", "5501", True, None, None, None, None, 1, 1),
    ]  # fmt: skip
    totals = result_rows(
        memory,
        "agency_results",
        "SELECT indicator, count(*) FILTER (is_in_numerator), count(*) FROM {rows} GROUP BY indicator",
    )
    assert totals == [("IKU-01", 1, 49), ("IKU-02", 1, 49), ("IKU-06", 1, 49), ("IKU-08", 1, 2)]


def test_a_held_row_does_in_the_channels_what_it_does_in_the_indicator(memory):
    """All rows of the agency are held back: it stays, not integrated, in the channel of its newest earlier letter (ruling 25)."""
    give(
        memory, "integration", INTEGRATION,
        "1,2023-12-28,4,2023,5501,simpegnas,jabatan,true", "2,2024-03-28,1,2024,5500,webservice,jabatan,true",
    )  # fmt: skip
    hold_row(memory, "integration", "2024|1|5501|jabatan", 2024, "2024-Q1")
    query = "SELECT channel, agency_count, integrated_count FROM {rows} WHERE history_type = 'jabatan'"
    assert result_rows(memory, "integration_channels", query) == [("simpegnas", 1, 0), ("webservice", 1, 1)]


def test_revisions_of_a_budget_and_when_each_was_in_force(memory):
    give(
        memory, "budget", BUDGET,
        "CO,2024,0,2024-01-02,2024-03-29,652000000,104320000",
        "CO,2024,1,2024-05-20,2024-09-30,700000000,1",
        # in force before the first revision had any data
        "CO,2024,2,2024-06-03,2024-06-28,900000000,200000000",
        "CO,2024,2,2024-06-03,2024-12-31,900000000,890000000.5",
        # decided in the year, with data only after it
        "CO,2024,3,2024-12-20,2025-01-15,910000000,905000000",
    )  # fmt: skip
    query = (
        "SELECT revision_number, CAST(data_date AS VARCHAR), CAST(allocated_rupiah AS VARCHAR), CAST(spent_rupiah AS VARCHAR), "
        "CAST(in_force_from AS VARCHAR), CAST(in_force_to AS VARCHAR), is_in_force FROM {rows}"
    )
    assert result_rows(memory, "budget_revisions", query) == [
        (0, "2024-03-29", "652000000.000000", "104320000.000000", "2024-03-29", "2024-06-27", False),
        (1, "2024-09-30", "700000000.000000", "1.000000", None, None, False),
        (2, "2024-12-31", "900000000.000000", "890000000.500000", "2024-06-28", None, True),
    ]
    assert result_rows(memory, "budget_revisions", query, as_of=date(2024, 5, 1)) == [
        (0, "2024-03-29", "652000000.000000", "104320000.000000", "2024-03-29", None, True),
    ]


def test_drafts_as_they_stood_at_the_cut_off(memory):
    give(
        memory, "regulation", "draft_id,year,title,proposed_date,regulation_number,issued_date",
        "D1,2024,Petunjuk teknis,2024-01-26,,", "D1,2024,Petunjuk teknis (final),2024-01-26,7/2024,2024-02-26",
        "D2,2024,Instrumen,2024-11-02,,", "D2,2024,Instrumen,2024-11-02,1/2025,2025-01-09",
        "D3,2024,Nanti,2025-01-02,,",
    )  # fmt: skip
    query = "SELECT draft_id, title, is_issued, regulation_number, CAST(issued_date AS VARCHAR) FROM {rows}"
    assert result_rows(memory, "regulations", query) == [
        ("D1", "Petunjuk teknis (final)", True, "7/2024", "2024-02-26"),
        ("D2", "Instrumen", False, None, None),
    ]


def test_every_service_has_a_row_from_the_first_delivered_one_on(memory):
    give(
        memory, "digital_service", "year,service_number,service_name,is_digital,evidence",
        "2024,1,Pengadaan,true,SIASN", "2024,12,Aktif kembali,false,",
    )  # fmt: skip
    query = (
        "SELECT service_number, service_name, scope, is_digital, basis FROM {rows} WHERE service_number IN (1, 2, 12)"
    )
    assert result_rows(memory, "digital_services", query) == [
        (1, "Pengadaan CASN", "instansi daerah", True, "SIASN"),
        (2, "Kenaikan Pangkat IV/b", "instansi daerah", None, None),
        (12, "Pengaktifan kembali", "Pengaktifan kembali setelah CLTN (instansi daerah dan semua pegawai golongan IV/b ke bawah)", False, None),
    ]  # fmt: skip
    assert result_rows(memory, "digital_services", "SELECT count(*) FROM {rows}") == [(12,)]


def test_every_name_of_a_unit_and_an_element_is_one_that_the_surveys_have():
    """The official names speak of the codes that the definitions count, all of them and no other."""
    names = {(row["survey_code"], row["kind"], row["code"]) for row in survey_names().iter_rows(named=True)}
    of_services = next(i for i in load_indicators() if i.id == "IKU-04").versions[-1].parameters
    units = {("layanan", "unit", unit) for _, unit in of_services["unit_paths"]}
    elements = {
        (survey, "element", code.upper()) for survey in ("pembinaan", "layanan") for code in of_services["elements"]
    }
    assert names == units | elements | {(survey, "survey", survey) for survey in ("pembinaan", "layanan")}


def test_every_row_of_a_table_of_results_can_be_named():
    assert [table.table for table in result_tables() if table.explained is None] == []
    names = [(table.explained.name, len(table.explained.parts)) for table in result_tables() if table.explained]
    assert len(names) == len(set(names))


def logged(source: str, *rows: dict[str, str]) -> str:
    """States of a proposal log as CSV: what a row does not say stays empty."""
    columns = [column.column for column in load_contract(source).columns if column.is_kept]
    usual = {"agency_code": "5500", "office_code": "07", "returned_count": "0"}
    lines = [",".join((usual | row).get(column, "") for column in columns) for row in rows]
    return "\n".join([",".join(columns), *lines])


def pension(key: str, received: str, *states: tuple[str, str]) -> list[dict[str, str]]:
    """(instant, status code) of each state of one proposal."""
    return [{"proposal_id": key, "received_at": received, "state_at": at, "status_code": code} for at, code in states]


def test_the_queue_of_a_service_day_by_day(memory):
    """2024-03-04 is a Monday, 2024-03-11 a public holiday (Nyepi) and 12 March joint leave."""
    give_states(
        memory, "pension",
        logged(
            "pension",
            # carried over from the year before; decided on Tuesday
            *pension("old", "2023-12-27 09:00:00", ("2023-12-27 09:00:00", IN_PROCESS), ("2024-03-05 10:00:00", MS)),
            *pension("a", "2024-03-04 08:00:00", ("2024-03-04 08:00:00", IN_PROCESS), ("2024-03-04 15:00:00", MS)),
            *pension("b", "2024-03-06 08:00:00", ("2024-03-06 08:00:00", IN_PROCESS), ("2024-03-14 15:00:00", TMS)),
            *pension("c", "2024-03-08 08:00:00", ("2024-03-08 08:00:00", IN_PROCESS)),
            # decided before the year, cancelled, of another office
            *pension("done", "2023-12-27 09:00:00", ("2023-12-29 09:00:00", MS)),
            *pension("gone", "2024-03-06 08:00:00", ("2024-03-07 08:00:00", CANCELLED)),
            *(row | {"office_code": "03"} for row in pension("theirs", "2024-03-06 08:00:00", ("2024-03-07 08:00:00", MS))),
        ),
    )  # fmt: skip
    query = (
        "SELECT CAST(day AS VARCHAR), newly_received_count, newly_decided_count, open_count, late_count, CAST(oldest_received_date AS VARCHAR), "
        "oldest_age_days FROM {rows} WHERE service = 'pension' AND day BETWEEN DATE '2024-03-04' AND DATE '2024-03-15'"
    )
    assert result_rows(memory, "service_backlog", query) == [
        ("2024-03-04", 1, 1, 1, 1, "2023-12-27", 44),
        ("2024-03-05", 0, 1, 0, 0, None, None),
        ("2024-03-06", 1, 0, 1, 0, "2024-03-06", 0),
        ("2024-03-07", 0, 0, 1, 0, "2024-03-06", 1),
        ("2024-03-08", 1, 0, 2, 0, "2024-03-06", 2),
        ("2024-03-09", 0, 0, 2, 0, "2024-03-06", 2),
        ("2024-03-10", 0, 0, 2, 0, "2024-03-06", 2),
        ("2024-03-11", 0, 0, 2, 0, "2024-03-06", 2),
        ("2024-03-12", 0, 0, 2, 0, "2024-03-06", 2),
        ("2024-03-13", 0, 0, 2, 1, "2024-03-06", 3),
        ("2024-03-14", 0, 1, 1, 0, "2024-03-08", 2),
        ("2024-03-15", 0, 0, 1, 1, "2024-03-08", 3),
    ]
    whole_year = "SELECT min(day), max(day), sum(newly_received_count), sum(newly_decided_count), arg_max(open_count, day) FROM {rows}"
    assert result_rows(memory, "service_backlog", whole_year) == [(date(2024, 1, 1), date(2024, 12, 31), 3, 3, 1)]
    assert result_rows(memory, "service_backlog", whole_year, as_of=date(2024, 3, 8)) == [
        (date(2024, 1, 1), date(2024, 3, 8), 3, 2, 2)
    ]


def test_a_day_that_still_runs_is_not_told(memory):
    give_states(
        memory, "pension", logged("pension", *pension("a", "2024-03-04 08:00:00", ("2024-03-04 08:00:00", IN_PROCESS)))
    )
    table = fact_table("service_backlog")
    make_fresh_table(memory, table)
    derive_result(memory, table, 2024, View(datetime(2024, 3, 6, 1, 0)))
    assert memory.execute(f"SELECT CAST(max(day) AS VARCHAR), count(*) FROM {table.fresh}").fetchall() == [
        ("2024-03-05", 2)
    ]


def test_a_promotion_waits_from_its_receipt_on_also_in_the_year_before_its_tmt(memory):
    row = {
        "proposal_id": "p",
        "received_at": "2024-12-30 09:00:00",
        "period_date": "2025-02-01",
        "new_grade_code": "31",
    }
    states = [
        {"state_at": "2024-12-30 09:00:00", "status_code": IN_PROCESS},
        {"state_at": "2025-01-03 09:00:00", "status_code": MS},
    ]
    give_states(memory, "promotion", logged("promotion", *(row | state for state in states)))
    query = "SELECT CAST(day AS VARCHAR), newly_received_count, open_count FROM {rows}"
    assert result_rows(memory, "service_backlog", query) == [("2024-12-30", 1, 1), ("2024-12-31", 0, 1)]
    query = "SELECT CAST(day AS VARCHAR), newly_decided_count, open_count FROM {rows} WHERE day <= DATE '2025-01-03'"
    assert result_rows(memory, "service_backlog", query, year=2025) == [
        ("2025-01-01", 0, 1), ("2025-01-02", 0, 1), ("2025-01-03", 1, 0),
    ]  # fmt: skip
