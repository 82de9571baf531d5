"""The gate: what a delivered printed number stops, what it does not, and how a difference is accepted by name."""

import json
from datetime import date, datetime
from importlib.resources import files

import pytest
import year_2024
from typer.testing import CliRunner
from year_2024 import (
    FIRST,
    SECOND,
    VALUES_2024,
    add_print,
    enter,
    enter_values,
    fill_2024,
    kept,
    place,
    renewed,
    waiver,
)

from flows.app import app
from transforms.definitions import INDICATORS, read_indicators
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.connection import open_warehouse
from warehouse.store.failures import GateFailed
from warehouse.store.runs import Run

home, warehouse = year_2024.home, year_2024.warehouse


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
        "07|IKU-07|2024|realisasi@Surat 7/2025: printed 90.00, derived 91.67 (published_value/lkj.csv, data row 12, column nilai)"
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
    monkeypatch.setattr("warehouse.reconciliation.compare.waivers", lambda: (decision,))

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
    running = Run(1, "run-000001", datetime(2024, 6, 30, 23, 59, 59, 999999))
    enter(warehouse, running, VALUES_2024 | {"IKU-07": ("50.00", "95")})
    add_print(warehouse.connection, "07|IKU-07|2024|realisasi", "91.67")
    add_print(warehouse.connection, "07|NPSS|2024|NPSS", "99.27")

    assert stopped(warehouse, running) is None


@pytest.mark.parametrize(("cut_off", "stops"), [("knowledge", False), ("event", True)])
def test_a_value_that_known_rows_will_still_change_stops_nothing(warehouse, monkeypatch, cut_off, stops):
    """A letter that is dated after the clock counts for the year once it is known; an event after the cut-off never does."""
    place(monkeypatch, IKU_10={"cut_off": cut_off})
    enter(warehouse, FIRST, VALUES_2024 | {"IKU-10": ("93.70", "100")})
    add_print(warehouse.connection, "07|IKU-10|2024|realisasi", "96.24")
    add_print(warehouse.connection, "07|NPSS|2024|NPSS", "99.27")
    warehouse.connection.execute(
        "INSERT INTO ledger.source_years VALUES ('source_IKU-10', 2024, $1, '2025-02-03')", [FIRST.clock]
    )

    assert (stopped(warehouse) is not None) == stops
    assert stopped(warehouse, SECOND) is not None


def test_a_value_whose_evidence_is_not_whole_stops_nothing(warehouse):
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
        for period, value, target in (("2020", "95.92", "85"), ("2021", "91.84", "90"), ("2022", "95.92", "100")):
            enter_values(connection, FIRST, {"IKU-02": (value, target)}, period=period, flags=["incomplete"])
    lines = renewed(warehouse, SECOND)

    assert lines["07|IKU-02|2020|realisasi"] == ("95.9", "95.92", "equal", None)
    assert lines["07|IKU-02|2021|realisasi"] == ("90", "91.84", "known", "D16")
    assert lines["07|IKU-02|2022|realisasi"] == ("100", "95.92", "different", None)
    assert [i.id for i in read_indicators(files(INDICATORS)) if i.compares_incomplete] == [], (
        "not while a contradiction stops the whole night"
    )


@pytest.mark.parametrize("last_quarter", [None, "71.88"])
def test_a_year_without_its_last_quarter_stops_nothing(warehouse, monkeypatch, last_quarter):
    place(monkeypatch, IKU_06={"year_from": "newest_part"})
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


# Through the whole run


def invoke(*arguments):
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return result.output


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
        match=r"07\|IKU-07\|2024\|realisasi@Surat 7/2025: printed 90.00, derived 91.67 \(published_value/letter.csv, line 2, column nilai\)",
    ):
        run_pipeline(home.root, date(2025, 1, 31))
    assert not home.published.exists()
    with open_warehouse(home.root, "test") as opened:
        assert opened.connection.execute("SELECT count(*) FROM facts.kpi_values").fetchall() == [(0,)]
        assert opened.connection.execute("SELECT accepted FROM ledger.batches ORDER BY 1").fetchall() == [(1,), (12,)]

    decision = waiver("07|IKU-07|2024|realisasi@Surat 7/2025", verdict="different")
    monkeypatch.setattr("warehouse.reconciliation.compare.waivers", lambda: (decision,))
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
    }.items() <= next(line for line in lines if line["item"] == "07|IKU-07|2024|realisasi").items()  # fmt: skip
