"""What a run makes of late registers, changed agreements and printed values: new versions of facts, each with its reason."""

from datetime import date
from decimal import Decimal

import duckdb
import pytest

import warehouse.facts.agreed
from warehouse.reading.published_values import read_scores, read_values
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.home import Home

ASSESSMENT = "instansi_kode,tahun,nilai,tgl_penilaian\n"
MEASUREMENT = "instansi_kode,tahun,tgl_pengukuran,nilai\n"
AGREEMENT = "indikator,tahun,target,sasaran,perspektif\n"
PRINT = "kantor,indikator,tahun,ukuran,nilai,desimal,sumber\n"


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def deliver(home: Home, file: str, text: str) -> None:
    target = home.inbox / file
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


def history(home: Home, indicator: str, period: str):
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        return connection.execute(
            "SELECT CAST(value AS VARCHAR), CAST(target AS VARCHAR), status, reason FROM facts.kpi_values "
            "WHERE indicator = $1 AND period = $2 ORDER BY known_from",
            [indicator, period],
        ).fetchall()


def test_an_assessment_made_after_the_year_gives_it_a_value_once_it_is_known(home):
    deliver(home, "nspk_assessment/1.csv", ASSESSMENT + "5500,2023,80,2024-03-18\n5500,2024,80,2025-03-17\n")
    run_pipeline(home.root, date(2025, 1, 10))
    assert [fact["status"] for fact in read_values(home, period="2024", indicator="IKU-01")] == ["not_yet_measured"]
    run_pipeline(home.root, date(2025, 4, 1))
    (fact,) = read_values(home, period="2024", indicator="IKU-01")
    assert (fact["value"], fact["denominator"], fact["flags"]) == ("2.04", 49, ["incomplete"])
    assert history(home, "IKU-01", "2024") == [
        (None, None, "not_yet_measured", None),
        ("2.040000", None, "derived", "late_data"),
    ]
    (known_then,) = read_values(home, period="2024", indicator="IKU-01", as_of=date(2025, 1, 31))
    assert known_then["status"] == "not_yet_measured"


def test_a_corrected_target_is_a_new_version_of_the_value(home):
    deliver(home, "ip_asn_measurement/1.csv", MEASUREMENT + "5500,2024,2024-09-23,75\n")
    deliver(home, "performance_agreement/1.csv", AGREEMENT + "IKU-02,2024,90,SS1,stakeholder\n")
    run_pipeline(home.root, date(2025, 1, 10))
    deliver(home, "performance_agreement/corrections/1.csv", AGREEMENT + "IKU-02,2024,100,SS1,stakeholder\n")
    report = run_pipeline(home.root, date(2025, 1, 11))
    assert [(change.indicator, change.period, change.reason) for change in report.changed] == [
        ("IKU-02", "2024", "correction")
    ]
    assert history(home, "IKU-02", "2024") == [
        ("2.040000", "90.000000", "derived", None),
        ("2.040000", "100.000000", "derived", "correction"),
    ]


def test_two_targets_of_one_year_leave_the_first_standing(home):
    deliver(home, "ip_asn_measurement/1.csv", MEASUREMENT + "5500,2024,2024-09-23,75\n")
    deliver(
        home,
        "performance_agreement/1.csv",
        AGREEMENT + "IKU-02,2024,90,SS1,stakeholder\nIKU-02,2024,95,SS1,stakeholder\n",
    )
    report = run_pipeline(home.root, date(2025, 1, 10))
    assert [batch.quarantined for batch in report.batches if batch.source == "performance_agreement"] == [1]
    assert history(home, "IKU-02", "2024") == [("2.040000", "90.000000", "derived", None)]


def test_a_printed_value_gives_way_to_the_first_row(home):
    deliver(home, "published_value/1.csv", PRINT + "07,IKU-02,2020,realisasi,2.0,1,Grafik 3.5\n")
    run_pipeline(home.root, date(2025, 1, 10))
    (fact,) = read_values(home, period="2020", indicator="IKU-02")
    assert (fact["value"], fact["decimals"], fact["status"], fact["numerator"]) == ("2.0", 1, "reported", None)
    deliver(home, "ip_asn_measurement/1.csv", MEASUREMENT + "5500,2020,2020-09-23,75\n")
    run_pipeline(home.root, date(2025, 1, 11))
    assert [(value, status, reason) for value, _, status, reason in history(home, "IKU-02", "2020")] == [
        ("2.000000", "reported", None),
        ("2.040000", "derived", "late_data"),
    ]


def test_of_two_printed_values_the_waived_one_stands(home, monkeypatch):
    deliver(
        home,
        "published_value/1.csv",
        PRINT + "07,IKU-12,2023,realisasi,71.62,2,Uraian\n07,IKU-12,2023,realisasi,71.26,2,Grafik\n",
    )
    run_pipeline(home.root, date(2025, 1, 10))
    (withheld,) = read_values(home, period="2023", indicator="IKU-12")
    assert (withheld["value"], withheld["status"], withheld["flags"]) == (None, "withheld_quality", ["printed_twice"])
    monkeypatch.setattr(warehouse.facts.agreed, "waived_values", lambda: {"07|IKU-12|2023|realisasi": Decimal("71.62")})
    deliver(home, "published_value/2.csv", PRINT + "07,IKU-11,2023,realisasi,70.08,2,Uraian\n")
    run_pipeline(home.root, date(2025, 1, 11))
    (waived,) = read_values(home, period="2023", indicator="IKU-12")
    assert (waived["value"], waived["status"], waived["flags"]) == ("71.62", "reported", ["printed_twice", "waived"])


def test_what_peers_have_printed_is_carried_as_reported_beside_our_own(home):
    deliver(home, "ip_asn_measurement/1.csv", MEASUREMENT + "5500,2024,2024-09-23,75\n")
    deliver(
        home,
        "published_value/1.csv",
        PRINT + "03,IKU-02,2024,realisasi,98,0,Grafik 3.4\n08,IKU-02,2024,realisasi,97.5,1,Grafik 3.4\n",
    )
    report = run_pipeline(home.root, date(2025, 1, 10))
    assert [c.new for c in report.changed if (c.indicator, c.period) == ("IKU-02", "2024")] == ["2.04"]
    (own,) = read_values(home, period="2024", indicator="IKU-02")
    assert (own["value"], own["status"], own["office"]) == ("2.04", "derived", "07")
    peers = [read_values(home, period="2024", indicator="IKU-02", of_office=office) for office in ("03", "08")]
    assert [(fact["value"], fact["status"], fact["target"]) for (fact,) in peers] == [
        ("98", "reported", None),
        ("97.5", "reported", None),
    ]


def test_a_printed_score_stands_beside_the_derived_one(home):
    deliver(home, "ip_asn_measurement/1.csv", MEASUREMENT + "5500,2023,2023-09-23,75\n")
    deliver(home, "published_value/1.csv", PRINT + "07,NPSS,2023,NPSS,99.87,2,Grafik 3.1\n")
    run_pipeline(home.root, date(2025, 1, 10))
    sheet = read_scores(home, 2023)
    assert (sheet.shape["npss"], sheet.printed_npss) == (None, "99.87")
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        kept = "SELECT status, CAST(value AS VARCHAR) FROM facts.kpi_scores WHERE measure = 'printed_npss'"
        assert connection.execute(kept).fetchall() == [("reported", "99.870000")]


def test_a_trend_breaks_where_the_definition_changed(home):
    letter = "nomor_surat,tgl_surat,tw,tahun,instansi_kode,kanal,riwayat,terintegrasi\n"
    rows = "".join(f"1,{y}-12-28,4,{y},5500,webservice,jabatan,true\n" for y in (2022, 2023, 2024, 2025))
    deliver(home, "integration/1.csv", letter + rows)
    run_pipeline(home.root, date(2026, 1, 10))
    trend = [fact for fact in read_values(home, indicator="IKU-06") if len(fact["period"]) == 4]
    assert [(fact["period"], fact["definition_version"], fact["definition_break"]) for fact in trend] == [
        ("2022", "2020", False),
        ("2023", "2020", False),
        ("2024", "2024", True),
        ("2025", "2024", False),
    ]


def test_a_first_delivery_that_concerns_no_indicator_is_taken_in(home):
    deliver(
        home,
        "budget/1.csv",
        "indikator,tahun,revisi_ke,tgl_revisi,tgl_data,pagu,realisasi\nCO,2024,0,2024-01-02,2024-03-29,652000000,0\n",
    )
    report = run_pipeline(home.root, date(2025, 1, 10))
    assert [(batch.accepted, batch.quarantined) for batch in report.batches] == [(1, 0)]
    assert {fact["status"] for fact in read_values(home, year=2024)} == {"source_missing"}
