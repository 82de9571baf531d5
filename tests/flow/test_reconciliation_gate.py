"""The gate: what a delivered printed number contradicts, what it does not, and what is held back of the facts."""

import json
from datetime import date, datetime
from importlib.resources import files

import pytest
import year_2024
from typer.testing import CliRunner
from year_2024 import (
    FIRST,
    FOURTH,
    SECOND,
    THIRD,
    VALUES_2024,
    add_print,
    enter,
    enter_values,
    fill_2024,
    kept,
    place,
    renewed,
)

from flows.app import app
from transforms.definitions import INDICATORS, read_indicators
from transforms.printed import base_of
from warehouse.reconciliation.contested import contradictions
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.runs import Run

home, warehouse = year_2024.home, year_2024.warehouse


def contested(warehouse, run=FIRST):
    """What contradicts, by the name of the printed number."""
    renewed(warehouse, run)
    return {found.item: found for found in contradictions(warehouse.connection)}


def test_delivered_numbers_that_agree_or_are_documented_pass(warehouse):
    fill_2024(warehouse)
    for item, value in (
        ("07|IKU-04|2024|realisasi", "93.36"), ("07|IKU-04|2024|capaian", "98.27"), ("07|IKU-03|2024|target", "95"),
        ("07|NPSS|2024|NPSS", "99.27"), ("07|SS2|2024|NSS", "101.25"), ("07|customer|2024|NKP", "25.31"),
        ("03|IKU-04|2024|realisasi", "95.58"),
    ):  # fmt: skip
        add_print(warehouse.connection, item, value)

    assert contested(warehouse) == {}


def test_a_delivered_number_that_contradicts_is_named_with_its_place_and_what_to_do(warehouse):
    fill_2024(warehouse)
    warehouse.connection.execute(
        "INSERT INTO ledger.batches BY NAME SELECT 1 AS batch_id, 'published_value' AS source, 'published_value/lkj.csv' AS file"
    )
    add_print(warehouse.connection, "07|IKU-07|2024|realisasi", "90.00", "Surat 7/2025", row=12)
    (found,) = contested(warehouse).values()

    assert found.item == "07|IKU-07|2024|realisasi@Surat 7/2025"
    assert found.message.startswith(
        "07|IKU-07|2024|realisasi@Surat 7/2025: printed 90.00, derived 91.67 (published_value/lkj.csv, data row 12, column nilai); "
        "held back: IKU-07 2024 (withheld), IKU-07.capaian 2024 (withheld), "
    )
    assert "; ditahan: IKU-07 2024 (tidak diterbitkan), " in found.message_id
    for remedy in (found.what_to_do, found.what_to_do_id):
        assert "kpi waive '07|IKU-07|2024|realisasi@Surat 7/2025' --reason" in remedy
        assert "inbox/published_value/corrections/" in remedy


def test_one_delivered_number_is_named_once_however_often_and_exactly_it_is_printed(warehouse):
    enter(warehouse, values={"IKU-04": ("80.00", "95"), "IKU-07": ("50.00", "95")})
    add_print(warehouse.connection, "07|IKU-04|2024|realisasi", "93.360", row=3)
    add_print(warehouse.connection, "07|IKU-07|2024|realisasi", "91.67", row=4)
    found = contested(warehouse)

    assert {base_of(item) for item in found} == {"07|IKU-04|2024|realisasi", "07|IKU-07|2024|realisasi"}
    assert "printed 93.36, derived 80.00" in found["07|IKU-04|2024|realisasi"].message


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("07|IKU-01|2024|realisasi", "83.67"),  # nothing is derived of it
        ("07|IKU-07|2019|realisasi", "10.00"),  # of the whole year nothing is derived
        ("08|IKU-07|2024|realisasi", "10.00"),  # another office
        ("07|NPSS|2023|NPSS", "50.00"),  # no score of that year
    ],
)
def test_without_a_counterpart_nothing_is_contested(warehouse, item, value):
    fill_2024(warehouse)
    add_print(warehouse.connection, item, value)

    assert contested(warehouse) == {}


def test_nothing_of_a_running_year_is_contested(warehouse):
    running = Run(1, "run-000001", datetime(2024, 6, 30, 23, 59, 59, 999999))
    enter(warehouse, running, VALUES_2024 | {"IKU-07": ("50.00", "95")})
    add_print(warehouse.connection, "07|IKU-07|2024|realisasi", "91.67")
    add_print(warehouse.connection, "07|NPSS|2024|NPSS", "99.27")

    assert contested(warehouse, running) == {}


@pytest.mark.parametrize(("cut_off", "is_contested"), [("knowledge", False), ("event", True)])
def test_a_value_that_known_rows_will_still_change_is_not_contested(warehouse, monkeypatch, cut_off, is_contested):
    """A letter that is dated after the clock counts for the year once it is known; an event after the cut-off never does."""
    place(monkeypatch, IKU_10={"cut_off": cut_off})
    enter(warehouse, FIRST, VALUES_2024 | {"IKU-10": ("93.70", "100")})
    add_print(warehouse.connection, "07|IKU-10|2024|realisasi", "96.24")
    add_print(warehouse.connection, "07|NPSS|2024|NPSS", "99.27")
    warehouse.connection.execute(
        "INSERT INTO ledger.source_years VALUES ('source_IKU-10', 2024, $1, '2025-02-03')", [FIRST.clock]
    )

    assert bool(contested(warehouse)) == is_contested
    assert contested(warehouse, SECOND)


def test_a_value_whose_evidence_is_not_whole_is_not_compared(warehouse):
    enter(warehouse, values=VALUES_2024)
    enter(warehouse, SECOND, {"IKU-07": ("8.33", "95")}, flags=["incomplete"], reason="code")
    for item, value in (
        ("IKU-07|2024|realisasi", "91.67"),
        ("IKU-07|2024|capaian", "96.49"),
        ("SS5|2024|NSS", "96.49"),
    ):
        add_print(warehouse.connection, f"07|{item}", value)
    lines = renewed(warehouse, SECOND)

    assert lines["07|IKU-07|2024|realisasi"] == ("91.67", "8.33", "no_counterpart", None)
    assert lines["07|IKU-07|2024|capaian"] == ("96.49", "8.77", "no_counterpart", None)
    assert lines["07|SS5|2024|NSS"] == ("96.49", "8.77", "no_counterpart", None)
    assert lines["07|IKU-07|2024|target"][2] == lines["07|SS2|2024|NSS"][2] == "equal"


def test_a_missing_agency_is_the_result_and_is_compared(warehouse, monkeypatch):
    """Ruling 36: 47 and 44 of 49 agencies are what was printed of 2020 and 2021; another share is documented, or contradicts."""
    place(monkeypatch, IKU_02={"compares_incomplete": True})
    enter(warehouse, values=VALUES_2024)
    with warehouse.transaction() as connection:
        for period, value, target in (("2020", "95.92", "85"), ("2021", "89.80", "90"), ("2022", "95.92", "100")):
            enter_values(connection, FIRST, {"IKU-02": (value, target)}, period=period, flags=["incomplete"])
    lines = renewed(warehouse, SECOND)

    assert lines["07|IKU-02|2020|realisasi"] == ("95.9", "95.92", "equal", None)
    assert lines["07|IKU-02|2021|realisasi"] == ("90", "89.80", "equal", None)
    assert lines["07|IKU-02|2022|realisasi"] == ("100", "95.92", "different", None)
    assert [i.id for i in read_indicators(files(INDICATORS)) if i.compares_incomplete] == ["IKU-01", "IKU-02"]


@pytest.mark.parametrize("last_quarter", [None, "71.88"])
def test_a_year_without_its_last_quarter_is_not_contested(warehouse, monkeypatch, last_quarter):
    place(monkeypatch, IKU_06={"year_from": "newest_part"})
    enter(warehouse, values=VALUES_2024 | {"IKU-06": ("71.88", "100")})
    with warehouse.transaction() as connection:
        enter_values(connection, FIRST, {"IKU-06": ("71.88", None)}, period="2024-Q3")
        enter_values(connection, FIRST, {"IKU-06": (last_quarter, None)}, period="2024-Q4")
    add_print(warehouse.connection, "07|IKU-06|2024|realisasi", "100")
    add_print(warehouse.connection, "07|NPSS|2024|NPSS", "99.27")

    assert (contested(warehouse) == {}) == (last_quarter is None)


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

    found = {(base_of(c.item), c.published, c.derived) for c in contested(warehouse).values()}
    assert found == {("07|NPSS|2024|NPSS", "99.27", "97.08")}


@pytest.mark.parametrize(
    ("reason", "is_contested"), [("late_data", False), ("correction", False), ("code", True), ("definition", True)]
)
def test_what_agreed_until_late_data_came_is_restated(warehouse, reason, is_contested):
    fill_2024(warehouse)
    add_print(warehouse.connection, "07|IKU-12|2024|realisasi", "73.05")
    enter(warehouse, SECOND, VALUES_2024 | {"IKU-12": ("70.00", "85")}, reason=reason)

    assert bool(contested(warehouse, SECOND)) == is_contested
    if not is_contested:
        assert kept(warehouse.connection)["07|IKU-12|2024|realisasi"] == ("73.05", "70.00", "restated", None)


def test_a_score_on_fewer_indicators_than_were_printed_is_not_compared(warehouse):
    """IKU-12 is delivered as printed, and its rows are all held back: the score is another one, but no contradiction."""
    enter(warehouse, values=VALUES_2024 | {"IKU-12": (None, "85")})
    add_print(warehouse.connection, "07|NPSS|2024|NPSS", "99.27")
    lines = renewed(warehouse)

    assert lines["07|NPSS|2024|NPSS"] == ("99.27", "99.81", "no_counterpart", None)
    assert lines["07|SS1|2024|NSS"][2] == "equal"


# What is held back of the facts


def versions(connection, indicator="IKU-07", period="2024"):
    """(value, status, flags, reason, run) of every version, oldest first."""
    return connection.execute(
        "SELECT CAST(CAST(value AS DECIMAL(9, 2)) AS VARCHAR), status, flags, reason, run FROM facts.kpi_values "
        "WHERE indicator = $1 AND period = $2 ORDER BY known_from, run",
        [indicator, period],
    ).fetchall()


def standing_scores(connection):
    """{measure item: (number, status)}"""
    rows = connection.execute(
        "SELECT measure || ' ' || item, CAST(CAST(value AS DECIMAL(18, 2)) AS VARCHAR), status FROM facts.kpi_scores WHERE known_to IS NULL"
    ).fetchall()
    return {name: tuple(rest) for name, *rest in rows}


RESTING_ON_IKU_07 = {
    "capaian IKU-07", "efficiency IKU-07", "nss SS5", "perspective_score internal_process", "nkp internal_process", "npss NPSS",
}  # fmt: skip


def test_what_was_published_stays_flagged_and_all_else_is_entered(warehouse):
    """In June IKU-07 comes out as 83.33 by another code, which is printed otherwise; IKU-12 gets late data in the same run."""
    fill_2024(warehouse)
    add_print(warehouse.connection, "07|IKU-07|2024|realisasi", "91.67")
    before = standing_scores(warehouse.connection)
    enter(warehouse, SECOND, {"IKU-07": ("83.33", "95")}, reason="code")
    enter(warehouse, SECOND, {"IKU-12": ("80.00", "85")})
    (found,) = contested(warehouse, SECOND).values()

    assert [(n.item, n.value, n.status) for n in found.held[:2]] == [
        ("IKU-07", "91.67", "contested"), ("IKU-07.capaian", "96.49", "contested"),
    ]  # fmt: skip
    assert versions(warehouse.connection) == [
        ("91.67", "derived", [], None, FIRST.name),
        ("91.67", "derived", ["contested"], "contested", SECOND.name),
    ]
    assert versions(warehouse.connection, "IKU-12")[-1] == ("80.00", "derived", [], "late_data", SECOND.name)
    after = standing_scores(warehouse.connection)
    assert {name for name, (_, status) in after.items() if "contested" in status} == RESTING_ON_IKU_07
    assert {name: after[name][0] for name in RESTING_ON_IKU_07} == {name: before[name][0] for name in RESTING_ON_IKU_07}
    assert (before["nss SS7"], after["nss SS7"]) == (("96.72", "derived"), ("98.08", "derived"))
    assert kept(warehouse.connection)["07|IKU-07|2024|realisasi"][:3] == ("91.67", "83.33", "different")


def test_without_a_published_value_it_is_withheld_with_what_would_tell_it(warehouse):
    fill_2024(warehouse)
    add_print(warehouse.connection, "07|IKU-07|2024|realisasi", "90.00", "Surat 7/2025")
    warehouse.connection.execute(
        "UPDATE facts.kpi_values SET numerator = 11, denominator = 12, band_low = 90, band_high = 92"
    )
    contested(warehouse)

    row = "SELECT value, numerator, denominator, band_low, band_high, status, flags, target FROM facts.kpi_values WHERE indicator = 'IKU-07'"
    assert warehouse.connection.execute(row).fetchall() == [
        (None, None, None, None, None, "withheld_contested", ["contested"], 95)
    ]
    scores = standing_scores(warehouse.connection)
    assert {name for name, score in scores.items() if score == (None, "withheld_contested")} == RESTING_ON_IKU_07
    assert scores["nss SS2"] == ("101.25", "derived")


@pytest.mark.parametrize(
    ("item", "value", "held"),
    [
        ("07|IKU-05|2024|target", "90", ["IKU-05", "IKU-05.capaian", "IKU-05.efficiency", "SS3.nss", "internal_process.perspective_score", "internal_process.nkp", "NPSS"]),
        ("07|IKU-05|2024|capaian", "90", ["IKU-05.capaian", "IKU-05.efficiency", "SS3.nss", "internal_process.perspective_score", "internal_process.nkp", "NPSS"]),
        ("07|SS3|2024|NSS", "90", ["SS3.nss", "internal_process.perspective_score", "internal_process.nkp", "NPSS"]),
        ("07|internal_process|2024|NKP", "20", ["internal_process.nkp", "NPSS"]),
        ("07|NPSS|2024|NPSS", "90", ["NPSS"]),
    ],
)  # fmt: skip
def test_each_printed_number_holds_back_what_it_names_and_what_rests_on_that(warehouse, item, value, held):
    fill_2024(warehouse)
    add_print(warehouse.connection, item, value, "Surat 7/2025")
    (found,) = contested(warehouse).values()

    # The efficiency of IKU-05, which has no pagu, is no number that could be held back.
    assert [number.item for number in found.held] == [name for name in held if name != "IKU-05.efficiency"]


def test_night_after_night_nothing_is_added_and_a_mended_print_releases_it(warehouse):
    fill_2024(warehouse)
    add_print(warehouse.connection, "07|IKU-07|2024|realisasi", "90.00", "Surat 7/2025")
    enter(warehouse, SECOND, {"IKU-07": ("91.67", "95")})
    assert contested(warehouse, SECOND)
    enter(warehouse, THIRD, {"IKU-07": ("91.67", "95")})
    assert contested(warehouse, THIRD)
    held = versions(warehouse.connection)
    assert [version[2:] for version in held] == [([], None, FIRST.name), (["contested"], "contested", SECOND.name)]

    warehouse.connection.execute("UPDATE states.published_value SET printed_value = 91.67")
    enter(warehouse, FOURTH, {"IKU-07": ("91.67", "95")})
    assert contested(warehouse, FOURTH) == {}
    assert versions(warehouse.connection) == [*held, ("91.67", "derived", [], "released", FOURTH.name)]
    scores = standing_scores(warehouse.connection)
    assert (scores["npss NPSS"], scores["nss SS5"]) == (("99.27", "derived"), ("96.49", "derived"))


def test_what_late_data_moves_on_meanwhile_is_contested_still(warehouse):
    """It agreed, then another code made it 83.33; late data make it 90.00. That is no restatement: the code is at fault."""
    fill_2024(warehouse)
    add_print(warehouse.connection, "07|IKU-07|2024|realisasi", "91.67")
    enter(warehouse, SECOND, {"IKU-07": ("83.33", "95")}, reason="code")
    assert contested(warehouse, SECOND)
    enter(warehouse, THIRD, {"IKU-07": ("90.00", "95")}, reason="late_data")

    (found,) = contested(warehouse, THIRD).values()
    assert (found.derived, found.held[0].value) == ("90.00", "91.67")
    assert len(versions(warehouse.connection)) == 2


def test_what_is_held_back_and_not_derived_anew_is_judged_by_what_was_derived_of_it(warehouse):
    """A backfill of other years compares all that is printed, and finds the last published value in place of the derived one."""
    fill_2024(warehouse)
    add_print(warehouse.connection, "07|IKU-07|2024|realisasi", "91.67")
    enter(warehouse, SECOND, {"IKU-07": ("83.33", "95")}, reason="code")
    assert contested(warehouse, SECOND)

    (found,) = contested(warehouse, THIRD).values()
    assert (found.published, found.derived, found.held[0].value) == ("91.67", "83.33", "91.67")


def test_of_a_closed_year_a_contradiction_is_named_and_nothing_held_back(warehouse):
    fill_2024(warehouse)
    add_print(warehouse.connection, "07|IKU-07|2024|realisasi", "90.00", "Surat 7/2025")
    renewed(warehouse, SECOND, frozen=[2024])

    (found,) = contradictions(warehouse.connection)
    assert found.held == [] and found.message.endswith("the year is closed, and what is published of it stands")
    assert versions(warehouse.connection) == [("91.67", "derived", [], None, FIRST.name)]


# Through the whole run


def invoke(*arguments):
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return result.output


SERVICES = "tahun,layanan_id,nama,digital,dasar\n" + "".join(
    f"2024,{number},Layanan {number},{'true' if number < 12 else 'false'},SK 1/2024\n" for number in range(1, 13)
)


def deliver(home, name, text):
    file = home.inbox / name
    file.parent.mkdir(parents=True)
    file.write_text(text)


def test_somebody_elses_deliveries_are_published(home):
    """The office's printed numbers are information: only what is delivered as printed holds anything back."""
    deliver(home, "digital_service/list.csv", SERVICES.replace("true", "false"))

    report = run_pipeline(home.root, date(2025, 1, 31))

    assert report.published
    lines = json.loads(invoke("reconcile", "--year", 2024, "--home", home.root, "--json"))
    assert {
        "item": "07|IKU-07|2024|realisasi", "published": "91.67", "derived": "0.00", "verdict": "different", "discrepancy": None,
    }.items() <= next(line for line in lines if line["item"] == "07|IKU-07|2024|realisasi").items()  # fmt: skip
