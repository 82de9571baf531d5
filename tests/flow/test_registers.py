"""Bad rows of the surveys and registers: each ends in quarantine with exactly the reasons it gives, and nothing else does.

One real load of one delivery a source. That the load ends proves the parity: it stops where Great Expectations counts
another number of failing rows for any rule than the quarantine holds.
"""

from collections import Counter
from datetime import date

import duckdb
import pytest

from expectations.contract import load_contract
from expectations.suite import RuleCount
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.home import Home

PNS, PPPK = "198501012010011001", "199001012022211001"

# By source: the header, then rows with the reasons they must get (none: accepted).
DELIVERIES: dict[str, tuple[str, list[tuple[str, list[str]]]]] = {
    "survey": (
        "survei,tahun,semester,unit,responden_id,tanggal,u1,u2,u3,u4,u5,u6,u7,u8,u9",
        [
            ("layanan,2024,1,INKA,r1,2024-05-06,4,4,4,4,4,4,4,4,4", []),
            ("pembinaan,2024,1,,r1,2024-05-06,4,4,,4,4,4,4,4,4", []),
            ("layanan,2024,1,INKA,r2,2024-05-06,,,,,,,,,", []),
            ("layanan,2024,1,INKA,r3,2024-05-06,5,4,4,4,4,4,4,4,4", ["SVY-U1"]),
            ("layanan,2024,1,INKA,r4,2024-05-06,4,4,4,4,4,4,4,4,0", ["SVY-U9"]),
            ("layanan,2024,1,INKA,r5,2024-05-06,4,3.5,4,4,4,4,4,4,4", ["SVY-TYPE-U2"]),
            ("layanan,2024,1,PROTOKOL,r6,2024-05-06,4,4,4,4,4,4,4,4,4", ["SVY-03"]),
            ("layanan,2024,1,,r7,2024-05-06,4,4,4,4,4,4,4,4,4", ["SVY-04"]),
            ("pembinaan,2024,1,INKA,r8,2024-05-06,4,4,4,4,4,4,4,4,4", ["SVY-04"]),
            (
                "kehumasan,2024,3,INKA,,,4,4,4,4,4,4,4,4,4",
                ["SVY-01", "SVY-02", "SVY-REQ-RESPONDEN_ID", "SVY-REQ-TANGGAL"],
            ),
            ("layanan,20244,1,INKA,r10,2024-05-06,4,4,4,4,4,4,4,4,4", ["SVY-YEAR-1"]),
            ("layanan,24,1,INKA,r9,06-05-2024,4,4,4,4,4,4,4,4,4", ["SVY-TYPE-TANGGAL", "SVY-YEAR-1"]),
            ("layanan,2024,1,INKA,r1,2024-05-06,3,4,4,4,4,4,4,4,4", ["SVY-CONFLICT"]),
            ("layanan,2024,1,INKA,r1,2024-05-07,3,4,4,4,4,4,4,4,4", []),
        ],
    ),
    "nspk_assessment": (
        "instansi_kode,tahun,nilai,tgl_penilaian",
        [
            ("5500,2023,85.005,2024-08-01", []),
            ("5501,2023,100.01,2024-08-01", ["NSP-01"]),
            ("5502,2023,-1,2024-08-01", ["NSP-01"]),
            # Below the scale of the index, yet within what can be assessed: a warning.
            ("5505,2023,24.99,2024-08-01", []),
            ("9999,2023,80,2024-08-01", ["NSP-AGENCY-1"]),
            ("V001,2023,80,2024-08-01", ["NSP-AGENCY-1"]),
            ("5503,,,", ["NSP-REQ-NILAI", "NSP-REQ-TAHUN", "NSP-REQ-TGL_PENILAIAN"]),
            ("5504,2023,baik,2024-08-01", ["NSP-TYPE-NILAI"]),
        ],
    ),
    "ip_asn_measurement": (
        "instansi_kode,tahun,tgl_pengukuran,nilai",
        [
            ("5500,2024,2024-09-23,75.45", []),
            ("5501,2024,2024-09-23,120", []),  # a warning: it was measured all the same
            ("5502,2024,2024-09-23,", ["IPM-REQ-NILAI"]),
            ("0000,2024,2024-09-31,70", ["IPM-AGENCY-1", "IPM-TYPE-TGL_PENGUKURAN"]),
        ],
    ),
    "ip_asn_employee": (
        "tahun,nip,kualifikasi,kompetensi,kinerja,disiplin",
        [
            (f"2024,{PNS},20,35.5,25,5", []),
            (f"2024,{PPPK},25,40,30,5", []),
            (f"2023,{PNS},20,35.5,25,5", []),
            ("2024,198501012010013002,25.01,41,31,6", ["IPE-01", "IPE-02", "IPE-03", "IPE-04", "IPE-NIP-4"]),
            ("2024,198501012010011003,20,,25,5", ["IPE-REQ-KOMPETENSI"]),
            ("2024,198501012010131004,20,30,25,5", ["IPE-NIP-3"]),
            ("2024,1.98003E+17,20,30,25,5", ["IPE-NIP-1"]),
            ("2024,,20,30,25,5", ["IPE-REQ-NIP"]),
            (f"2024,{PNS},20,35.5,25,4", ["IPE-CONFLICT"]),
            ("2024,198513012010011005,-1,30,25,5", ["IPE-01", "IPE-NIP-2"]),
        ],
    ),
    "regulation": (
        "draft_id,tahun,judul,tgl_usul,nomor,tgl_penetapan",
        [
            ("D1,2024,Surat edaran,2024-03-01,,", []),
            ("D1,2024,Surat edaran,2024-03-01,SE/1,2024-06-01", []),
            ("D1,2024,Surat edaran,2024-03-01,SE/2,2024-06-01", ["REG-CONFLICT"]),
            ("D2,2024,,2024-03-01,SE/3,2024-02-01", []),  # issued before proposed: a warning
            (",2024,,,,", ["REG-REQ-DRAFT_ID", "REG-REQ-TGL_USUL"]),
            ("D3,2024,,2024-03-01,,01-06-2024", ["REG-TYPE-TGL_PENETAPAN"]),
        ],
    ),
    "digital_service": (
        "tahun,layanan_id,nama,digital,dasar",
        [
            *((f"2024,{number},,true,", []) for number in range(1, 13)),
            ("2024,13,Layanan ketiga belas,true,", ["DIG-01"]),
            ("2024,0,,false,", ["DIG-01"]),
            ("2024,12,,false,", ["DIG-CONFLICT"]),
            ("2023,1,,ya,", ["DIG-TYPE-DIGITAL"]),
            ("2023,2,,,", ["DIG-REQ-DIGITAL"]),
        ],
    ),
    "supervision_recommendation": (
        "rekomendasi_id,tahun,instansi_kode,tgl_rekomendasi,tgl_tindak_lanjut",
        [
            ("S1,2024,5500,2024-02-01,2024-03-01", []),
            ("S2,2024,V017,2024-02-01,", []),
            ("S3,2024,V000,2024-02-01,", ["SUP-01"]),
            ("S4,2024,5500,,2024-03-01", ["SUP-REQ-TGL_REKOMENDASI"]),
        ],
    ),
    "audit_finding": (
        "temuan_id,tahun,auditor,tgl_temuan,tgl_selesai",
        [
            ("T1,2024,BPK,2024-02-01,2024-03-01", []),
            ("T2,2024,Inspektorat,2024-02-01,", []),
            ("T3,2024,KAP,2024-02-01,", ["AUD-01"]),
            ("T4,2024,BPK,,2024-03-01", ["AUD-REQ-TGL_TEMUAN"]),
        ],
    ),
    "external_score": (
        "indikator,tahun,nilai,nomor_surat,tgl_surat",
        [
            ("IKU-10,2024,96.24,S/1,2024-12-20", []),
            ("IKU-09,2024,85.01,S/2,2024-12-20", ["EXT-01"]),
            ("IKU-99,2024,101,S/3,2024-12-20", ["EXT-01", "EXT-02"]),
            ("IKU-11,2024,,,2024-12-20", ["EXT-REQ-NILAI", "EXT-REQ-NOMOR_SURAT"]),
            ("IKU-10,2024,97,S/1,2024-12-20", ["EXT-CONFLICT"]),
            ("IKU-10,2024,97,S/4,2024-12-20", []),
        ],
    ),
    "budget": (
        "indikator,tahun,revisi_ke,tgl_revisi,tgl_data,pagu,realisasi",
        [
            ("IKU-01,2024,0,2024-01-02,2024-12-31,289971000,289951706", []),
            ("088.01.CO,2024,1,2024-06-02,2024-12-31,999999999999999,0.00", []),
            ("IKU-06,2024,0,2024-01-02,2024-12-31,-72928000,72804577", ["BUD-03"]),
            ("IKU-07,2024,0,2024-01-02,2024-12-31,200000000,-1", ["BUD-04"]),
            ("IKU-77,2024,-1,2024-01-02,2024-12-31,1,1", ["BUD-01", "BUD-02"]),
            ("iku-6,2024,0,2024-01-02,2024-12-31,1,1", ["BUD-01"]),
            # A program that is not known yet is accepted, with a warning.
            ("088.01.XX,2024,0,2024-01-02,2024-12-31,1,1", []),
            ("IKU-02,2024,0,,,Rp1,1", ["BUD-REQ-TGL_DATA", "BUD-REQ-TGL_REVISI", "BUD-TYPE-PAGU"]),
            ("IKU-01,2024,0,2024-01-02,2024-12-31,289971001,289951706", ["BUD-CONFLICT"]),
            ("IKU-03,2024,0,2024-01-02,2024-12-31,1000000000000000,0", ["BUD-TYPE-PAGU"]),
        ],
    ),
    "performance_agreement": (
        "indikator,tahun,target,sasaran,perspektif",
        [
            ("IKU-06,2024,100,SS4,internal_process", []),
            ("IKU-06,2023,100,,", []),
            ("IKU-06,2024,95,SS4,internal_process", ["AGR-CONFLICT"]),
            ("IKU-88,2024,100,SS4,internal_process", ["AGR-01"]),
            ("IKU-06,2022,95,SS1,stakeholder", ["AGR-03", "AGR-04"]),
            ("IKU-06,2021,0,SS4,internal_process", ["AGR-02"]),
            ("IKU-06,2020,,SS4,internal_process", ["AGR-REQ-TARGET"]),
        ],
    ),
    "published_value": (
        "kantor,indikator,tahun,ukuran,nilai,desimal,sumber",
        [
            ("07,NPSS,2023,NPSS,102.24,2,3.1 paragraph", []),
            ("07,NPSS,2023,NPSS,102.40,2,Grafik 3.1", []),  # another place may print another value
            ("07,SS4,2024,NSS,100,0,SS4 paragraph", []),
            ("08,IKU-06,2024,realisasi,100.00,2,Grafik 3.16", []),
            ("07,NPSS,2023,NPSS,102.41,2,Grafik 3.1", ["PUB-CONFLICT"]),
            ("09,IKU-06,2024,realisasi,100,2,x", ["PUB-01"]),
            ("07,IKU-06,2024,indeks,100,2,x", ["PUB-02"]),
            ("07,IKU-66,2024,realisasi,100,2,x", ["PUB-03"]),
            ("07,SS9,2024,NSS,100,-1,x", ["PUB-03", "PUB-04"]),
            ("07,IKU-06,2024,NPSS,100,2,", ["PUB-03", "PUB-REQ-SUMBER"]),
        ],
    ),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home after one run over one delivery of every register."""
    home = Home(tmp_path_factory.mktemp("registers"))
    for source, (header, rows) in DELIVERIES.items():
        folder = home.inbox / source
        folder.mkdir(parents=True)
        (folder / "delivery.csv").write_text("\n".join([header, *(row for row, _ in rows)]) + "\n", encoding="utf-8")
    report = run_pipeline(home.root, date(2025, 6, 30))
    assert [refusal.message for refusal in report.refused] == []
    return home


@pytest.fixture(scope="module")
def warehouse(home):
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        yield connection


@pytest.mark.parametrize("source", DELIVERIES)
def test_bad_rows_are_quarantined_with_exactly_their_reasons(warehouse, source):
    found = dict(
        warehouse.execute("SELECT row_number, reasons FROM quarantine.held_rows WHERE source = $1", [source]).fetchall()
    )
    rows = DELIVERIES[source][1]
    assert found == {number: sorted(reasons) for number, (_, reasons) in enumerate(rows, 1) if reasons}


@pytest.mark.parametrize("source", DELIVERIES)
def test_the_validator_counts_what_was_quarantined(warehouse, source):
    counted = [
        RuleCount(*row)
        for row in warehouse.execute(
            "SELECT rule, severity, rows_checked, rows_failed FROM ledger.validation_results WHERE source = $1",
            [source],
        ).fetchall()
    ]
    rows = DELIVERIES[source][1]
    expected = Counter(reason for _, reasons in rows for reason in reasons)
    assert {count.rule for count in counted} == {rule.id for rule in load_contract(source).all_rules}
    assert {count.rows_checked for count in counted} == {len(rows)}
    assert {c.rule: c.rows_failed for c in counted if c.rows_failed and c.severity == "quarantine"} == dict(expected)


def test_doubtful_rows_are_noted_and_kept(warehouse):
    """Of NSP-02 a row is held too, for a score that cannot be."""
    noted = warehouse.execute(
        "SELECT rule, rows_failed FROM ledger.validation_results WHERE severity = 'warn' AND rows_failed > 0 ORDER BY rule"
    ).fetchall()
    assert noted == [("BUD-05", 1), ("BUD-06", 1), ("IPM-01", 1), ("NSP-02", 2), ("REG-01", 1)]


def test_no_employee_number_and_no_respondent_stands_in_the_warehouse(home, warehouse):
    keys = [key for (key,) in warehouse.execute("SELECT record_key FROM states.ip_asn_employee").fetchall()]
    assert len(keys) == 3
    assert len({key.removeprefix("2024|").removeprefix("2023|") for key in keys}) == 2  # the same person in two years
    assert PNS.encode() not in home.warehouse.read_bytes()
    respondents = warehouse.execute("SELECT DISTINCT respondent_id FROM states.survey").fetchall()
    assert all(len(respondent) == 64 for (respondent,) in respondents)


def test_amounts_of_fifteen_digits_stay_exact(warehouse):
    amount = warehouse.execute("SELECT CAST(max(allocated_rupiah) AS VARCHAR) FROM states.budget").fetchone()
    assert amount == ("999999999999999.000000",)


def test_the_state_time_of_a_register_is_its_last_date(warehouse):
    states = warehouse.execute("SELECT record_key, state_date FROM states.regulation ORDER BY ALL").fetchall()
    assert states == [("D1", date(2024, 3, 1)), ("D1", date(2024, 6, 1)), ("D2", date(2024, 2, 1))]


def test_a_mended_row_leaves_quarantine_also_where_its_unit_was_wrong(tmp_path):
    header, rows = DELIVERIES["survey"]
    inbox = tmp_path / "inbox" / "survey"
    inbox.mkdir(parents=True)
    (inbox / "1.csv").write_text(f"{header}\n{rows[8][0]}\n")
    run_pipeline(tmp_path, date(2025, 6, 30))
    (inbox / "2.csv").write_text(f"{header}\n{rows[8][0].replace('INKA', '')}\n")
    run_pipeline(tmp_path, date(2025, 6, 30))
    with duckdb.connect(str(Home(tmp_path).warehouse), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM quarantine.open_rows").fetchone() == (0,)
