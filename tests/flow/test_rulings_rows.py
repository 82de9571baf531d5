"""Which rows are accepted and which are held, with exactly which reasons (rulings 14 to 16, 19, 21; the employee numbers)."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from tests.rows import csv, row
from warehouse.reading.held_rows import read_held_rows
from warehouse.reading.published_values import published, read_services
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.home import Home

# Short names, so that a case fits on a line.
SHORT = {
    "received": "tgl_pengiriman_kelayanan", "updated": "tgl_update_layanan", "code": "status_usulan", "reason": "alasan_tolak",
    "agency": "instansi_kode", "office": "kanreg_id_pengusul", "old": "golongan_lama_id", "new": "golongan_baru_id",
    "kp": "jenis_kp_id", "kind": "jenis_pengadaan_id", "bts": "counter_bts",
}  # fmt: skip
Case = tuple[dict, str]


def case(reasons: str = "", **changed) -> Case:
    """Changed columns and the reasons, without the prefix of the source and apart by blanks; none: accepted."""
    return {SHORT.get(name, name): value for name, value in changed.items()}, reasons


def each(reasons: str, column: str, *values, **changed) -> list[Case]:
    """One case for each value of the column, all with the same reasons."""
    return [case(reasons, **{column: value} | changed) for value in values]


NULLS = ("", "-", "null", "<nil>", "  ", " <nil> ", " - ")
NOT_NULLS = ("NULL", "Null", "<NIL>", "nil", "N/A", "None", "--")

PERIODS = [
    *each("", "periode", "01-04-2023", "01-10-2023", "01-02-2024", "01-04-2024", "01-06-2024", "01-08-2024", "01-10-2024"),
    *each("", "periode", "01-12-2024", "01-08-2025", "01-10-2025", "01-11-2025", "01-12-2025", "01-01-2026", "01-03-2026"),
    *each("05", "periode", "01-02-2023", "01-06-2023", "01-12-2023", "01-01-2024", "01-03-2024", "01-05-2024", "01-09-2025"),
    *each("05", "periode", "02-04-2024", "31-03-2024", "02-11-2025", "15-04-2023"),
    *each("", "kp", "301", "302", periode="17-03-2024"),
    *each("", "kp", "301", "302", periode="31-12-2025"),
    *each("", "kp", "101", *range(201, 212)),
    *each("01", "kp", "100", "102", "200", "212", "300", "303", "-101"),
]  # fmt: skip
GRADES = [
    case(old=11, new=12), case(old=14, new=21), case(old=34, new=41), case(old=41, new=42), case(old=42, new=43),
    case(old=44, new=45), case(old=11, new=45),
    case("04", old=33, new=33), case("04", old=33, new=32), case("04", old=45, new=45), case("04", old=21, new=14),
    case("02", old=10, new=33), case("02", old=15, new=33), case("02", old=0, new=33), case("03", old=32, new=35),
    case("03", old=32, new=46), case("03", old=45, new=51), case("02 03", old=15, new=16), case("02 03 04", old=36, new=25),
]  # fmt: skip
LOG = [  # the rules of all three logs
    *each("", "code", 76, 99, 53, 55, 1, 9),
    *each("LOG-1", "code", 0, 54, 77, 98, 100, -7),
    *each("", "code", 6, 13, 21, 70, 73, reason="berkas kurang"),
    *each("LOG-2", "code", 6, 13, 21, 70, 73),
    *each("LOG-2", "reason", *NULLS, code=6),
    *each("", "reason", *NOT_NULLS, code=6),
    case(code=6, received=""),  # NOT_RECEIVED, whatever the code
    *each("", "bts", 0, 7, *NULLS),
    *each("LOG-4", "bts", -1, " -3 "),
    *each("", "office", "01", "08", "10", "14"),
    *each("LOG-5", "office", "00", "15", "99", "7", "007", "XX"),
    *each("", "agency", "5500", "5871", "V001", "V100", "V999"),
    *each("LOG-6", "agency", "V000", "V1000", "V01", "5513", "5572x", "9999", "X001"),
    *each("", "received", *NULLS),
    *each("TYPE-TGL_PENGIRIMAN_KELAYANAN", "received", *NOT_NULLS),
    *each("", "received", "2024-01-15T02:00:00Z", "2024-01-15T09:00:00+07:00", "2024-01-15T09:00:00.123", " 2024-01-15T09:00:00 "),
    *each("TYPE-TGL_PENGIRIMAN_KELAYANAN", "received", "15-01-2024 09:00:00", "2024-02-30T09:00:00", "2024-01-15T25:00:00"),
    *each("TYPE-TGL_UPDATE_LAYANAN", "updated", "16-01-2024", "2024-13-01T09:00:00", "kemarin"),
    *each("", "code", " 7 ", "7"),
    *each("TYPE-STATUS_USULAN", "code", "12.0", "12,0", "1,5", "1.5", "tujuh", "7e", "NULL"),
    *each("TYPE-COUNTER_BTS", "bts", "1,5", "0.5", "x", "NULL", "true"),
    *each("REQ-TGL_UPDATE_LAYANAN", "updated", *NULLS),
    *each("REQ-STATUS_USULAN", "code", *NULLS),
    *each("REQ-KANREG_ID_PENGUSUL", "office", *NULLS),
    *each("REQ-INSTANSI_KODE", "agency", *NULLS),
    *each("REQ-ID", "id", *NULLS),
    *each("", "tgl_usulan", *NULLS),
    *each("", "nama", *NULLS),
    *each("", "no_pertek", *NULLS),
    *each("", "tgl_pertek", *NULLS),
    case("LOG-1 LOG-4 LOG-5 LOG-6", code=54, bts=-1, office="77", agency="9999"),
    case("LOG-2 LOG-5 REQ-INSTANSI_KODE TYPE-COUNTER_BTS", code=6, office="77", agency="", bts="x"),
    case("REQ-STATUS_USULAN TYPE-TGL_UPDATE_LAYANAN TYPE-TGL_PENGIRIMAN_KELAYANAN", code="", updated="x", received="x"),
]  # fmt: skip


def approvals(day: str, same: str, before: str) -> list[Case]:
    """Approved on a day, received 09:00 of it, in the date format of the source."""
    return [
        *each("", "tgl_pertek", same, day),
        *each("LOG-3", "tgl_pertek", before),
        case(tgl_pertek=before, received=""),
        case(tgl_pertek=same, received="2024-01-15T23:59:59"),
        case("LOG-3", tgl_pertek=same, received="2024-01-15T17:00:00Z"),  # 00:00 of the 16th
        case(tgl_pertek=day, received="2024-01-15T17:00:00Z"),
    ]


PNS = "198001152005011001"
PPPK = "199001152024211001"
NUMBERS = [  # of promotion and pension: numbers of PNS
    *each("", "nip", PNS, "'" + PNS, "19800115 200501 1 001", "  " + PNS + "  ", "' 19800115 2005011001", "198001152005121001"),
    *each("", "nip", "198002292005012999", "198001151998011001", "198001152020011001", "198001152021011001"),
    *each("NIP-1", "nip", "1.98003E+17", "1,98003E+17", "19800115200501100", "1980011520050110011", "19800115200501100A"),
    *each("NIP-1", "nip", PNS + ".0", "NULL", "19800115-200501-1-001", "''", "1.98001152005011E+17"),
    *each("NIP-2", "nip", "198102292005011001", "198000152005011001", "198013152005011001", "198001322005011001", "198002302005011001"),
    *each("NIP-3", "nip", "198001152005001001", "198001152005131001", "198001152005201001", "198001152005211001", PPPK),
    *each("NIP-4", "nip", "198001152005010001", "198001152005013001", "198001152005019001"),
    *each("NIP-5", "nip", "198001152005011000"),
    *each("NIP-6", "nip", "198001151997121001", "198001151979011001"),
    *each("REQ-NIP", "nip", *NULLS),
    case("NIP-2 NIP-3 NIP-4 NIP-5 NIP-6", nip="198002301990133000"),
    case("NIP-1 LOG-6", nip="1.98003E+17", agency="9999"),
]  # fmt: skip
CASES: dict[str, list[Case]] = {
    "promotion": [
        *LOG, *NUMBERS, *PERIODS, *GRADES, *approvals("16-01-2024", "15-01-2024", "14-01-2024"),
        *each("TYPE-PERIODE", "periode", "2024-04-01", "31-02-2024", "01/04/2024", "April 2024", "NULL"),
        *each("TYPE-TGL_USULAN", "tgl_usulan", "2024-01-10", "10/01/2024", "00-01-2024"),
        *each("TYPE-TGL_PERTEK", "tgl_pertek", "2024-01-16", "16-13-2024"),
        *each("TYPE-TGL_SK", "tgl_sk", "2024-01-20", "NULL"),
        *each("", "tgl_sk", "16-01-2024", "20-01-2024", " 20-01-2024 ", *NULLS),
        *each("06", "tgl_sk", "15-01-2024", "16-01-2023"),
        case(tgl_sk="15-01-2024", tgl_pertek=""),
        *each("", "is_otomatis", "true", "FALSE", "True", "tRuE", "1", "0", *NULLS),
        *each("TYPE-IS_OTOMATIS", "is_otomatis", "yes", "ya", "2", "t", "NULL"),
        *each("REQ-PERIODE", "periode", *NULLS), *each("REQ-JENIS_KP_ID", "kp", *NULLS),
        *each("REQ-GOLONGAN_LAMA_ID", "old", *NULLS), *each("REQ-GOLONGAN_BARU_ID", "new", *NULLS),
        *each("TYPE-JENIS_KP_ID", "kp", "X1", "2,5"), *each("TYPE-GOLONGAN_BARU_ID", "new", "III/d", "33.5"),
        case("01 02 03 05 06 NIP-5 LOG-1", kp=999, old=1, new=99, periode="02-02-2024", tgl_sk="01-01-2024", nip="198001152005011000", code=54),
    ],
    "nip": [
        *LOG, *approvals("2024-01-16", "2024-01-15", "2024-01-14"),
        *each("", "nip", PPPK, "'" + PPPK, "19900115 2024 21 1 001", "199001152024991001", *NULLS, kind="C"),
        *each("NIP-3", "nip", PNS, "199001152024201001", "199001152024131001", "199001152024001001", kind="C"),
        *each("", "nip", PNS, "198001152005121001", *NULLS, kind="I"),
        *each("NIP-3", "nip", PPPK, "198001152005131001", "198001152005001001", kind="I"),
        *each("", "nip", PNS, PPPK, *NULLS, kind="2"),
        *each("NIP-3", "nip", "198001152005131001", "198001152005201001", "198001152005001001", kind="2"),
        *each("", "kind", "0", "A", "Z9", "09", "II", "CI"),
        *each("01", "kind", "ABC", "c", "i", "*", "A-", "C I", "NULL"),
        *each("REQ-JENIS_PENGADAAN_ID", "kind", *NULLS),
        *each("NIP-1", "nip", "1.98003E+17", "19900115202421100"),
        *each("NIP-2", "nip", "199013152024211001"), *each("NIP-4", "nip", "199001152024213001"),
        *each("NIP-5", "nip", "199001152024211000"), *each("NIP-6", "nip", "200701152024211001"),
        *each("", "nip", "200601152024211001"),
        *each("", "no_peserta", "ABCDEFGH12345678", *NULLS), *each("02", "no_peserta", "202401010000001", "20240101000000011"),
        *each("TYPE-TGL_USULAN", "tgl_usulan", "10-01-2024", "2024-1-32"), *each("TYPE-TMT_MULAI", "tmt_mulai", "01-03-2024"),
        *each("TYPE-TGL_PERTEK", "tgl_pertek", "16-01-2024"), *each("", "tmt_mulai", *NULLS, "2024-03-15"),
        case("01 02 NIP-1", kind="ABC", no_peserta="1", nip="1"),
    ],
    "pension": [
        *LOG, *NUMBERS, *approvals("16-01-2024", "15-01-2024", "14-01-2024"),
        *each("", "jenis_pensiun_id", *range(1, 11)), *each("01", "jenis_pensiun_id", 0, 11, -1),
        *each("REQ-JENIS_PENSIUN_ID", "jenis_pensiun_id", *NULLS), *each("TYPE-JENIS_PENSIUN_ID", "jenis_pensiun_id", "BUP", "1,5"),
        *each("", "golongan_id", 11, 14, 45, *NULLS), *each("02", "golongan_id", 10, 15, 46, 0),
        *each("", "tmt_pensiun", "2024-02-01 00:00:00", "2030-12-01 00:00:00"),
        *each("03", "tmt_pensiun", "2024-06-02 00:00:00", "2024-06-30 00:00:00"),
        *each("REQ-TMT_PENSIUN", "tmt_pensiun", *NULLS), *each("TYPE-TMT_PENSIUN", "tmt_pensiun", "01-06-2024", "2024-13-01 00:00:00"),
        *each("TYPE-TGL_USULAN", "tgl_usulan", "2024-01-10"), *each("TYPE-TGL_PERTEK", "tgl_pertek", "2024-01-16"),
    ],
    "integration": [
        *each("", "tw", 1, 2, 3, 4, " 2 "), *each("01", "tw", 0, 5, -1), *each("TYPE-TW", "tw", "I", "1,5"),
        *each("02", "agency", "V001", "9999", "5513"), *each("03", "kanal", "Webservice", "sftp"),
        *each("04", "riwayat", "Jabatan", "pangkat"), *each("TYPE-TERINTEGRASI", "terintegrasi", "yes", "ya", "dua arah"),
        *each("", "terintegrasi", "TRUE", "False", "0", "1"), *each("TYPE-TGL_SURAT", "tgl_surat", "28-03-2024", "2024-02-30"),
        *each("", "riwayat", "diklat", "skp", "hukdis", "angka_kredit", "penghargaan", "cpns_pns", "data_pribadi"),
        *each("06", "tahun", 24, 999), *each("REQ-TW", "tw", *NULLS), *each("REQ-TAHUN", "tahun", *NULLS),
        *each("REQ-TGL_SURAT", "tgl_surat", *NULLS), *each("REQ-KANAL", "kanal", *NULLS), *each("REQ-RIWAYAT", "riwayat", *NULLS),
        *each("REQ-INSTANSI_KODE", "agency", *NULLS), *each("REQ-TERINTEGRASI", "terintegrasi", *NULLS),
        *each("REQ-NOMOR_SURAT", "nomor_surat", *NULLS), case("01 02 03 04", tw=9, agency="V001", kanal="x", riwayat="x"),
    ],
}  # fmt: skip
PREFIX = {"promotion": "PRM", "nip": "NIP", "pension": "PEN", "integration": "INT"}
FLAT = [(source, number) for source, cases in CASES.items() for number in range(1, len(cases) + 1)]


def own_key(source: str, number: int) -> dict:
    return {"tahun": 2000 + number} if source == "integration" else {"id": f"{source} {number}"}


def label(source: str, number: int) -> str:
    changed, reasons = CASES[source][number - 1]
    return f"{source}: {changed} -> {reasons or 'accepted'}"


@pytest.fixture(scope="module")
def held(tmp_path_factory) -> dict[tuple[str, int], list[str]]:
    """All cases in one delivery a source, each with a key of its own and blank lines between; the reasons by source and row."""
    root: Path = tmp_path_factory.mktemp("rows")
    for source, cases in CASES.items():
        text = csv(*(row(source, **own_key(source, n) | changed) for n, (changed, _) in enumerate(cases, 1)))
        file = root / "inbox" / source / "cases.csv"
        file.parent.mkdir(parents=True)
        lines = text.splitlines()
        file.write_text("\n".join([*lines[:3], "", *lines[3:9], "", "", *lines[9:], ""]), encoding="utf-8")
    report = run_pipeline(root, as_of=date(2026, 4, 30))
    assert [refused.message for refused in report.refused] == []
    assert {batch.source: batch.landed for batch in report.batches} == {s: len(cases) for s, cases in CASES.items()}
    return {(row.source, row.row): sorted(row.reasons) for row in read_held_rows(Home(root), None, None)}


@pytest.mark.parametrize("source", CASES)
def test_each_row_is_held_for_its_reasons_or_accepted(held, source: str) -> None:
    wrong = []
    for number, (_, reasons) in enumerate(CASES[source], 1):
        expected = sorted(f"{PREFIX[source]}-{reason}" for reason in reasons.split())
        if held.get((source, number), []) != expected:
            wrong.append(f"{label(source, number)}, got {held.get((source, number), 'accepted')}")
    assert wrong == []


def test_a_cleaned_number_leaves_a_note_and_a_late_career_a_warning(tmp_path, deliver) -> None:
    numbers = [PNS, "'" + PNS, "19800115 200501 1 001", "198001152020011001", "198001152021011001"]
    deliver("promotion/a.csv", csv(*(row("promotion", id=f"P{n}", nip=number) for n, number in enumerate(numbers))))
    deliver("nip/a.csv", csv(row("nip", nip="' 19900115 2024 21 1 001"), row("nip", id="N2", nip="198301152024211001")))
    report = run_pipeline(tmp_path, as_of=date(2024, 6, 30))
    assert [(batch.accepted, batch.quarantined) for batch in report.batches] == [(2, 0), (5, 0)]
    with published(Home(tmp_path)) as connection:
        noted = connection.execute(
            "SELECT rule, severity, rows_failed FROM validation_results WHERE rows_failed > 0 ORDER BY rule"
        ).fetchall()
    assert noted == [
        ("NIP-NIP-7", "warn", 1), ("NIP-NIP-8", "warn", 1), ("PRM-NIP-7", "warn", 1), ("PRM-NIP-8", "warn", 2),
    ]  # fmt: skip


@pytest.mark.parametrize("year", [0, -5, 20240])
def test_a_held_row_with_an_impossible_year_does_not_stop_the_others(tmp_path, deliver, year: int) -> None:
    deliver("integration/a.csv", csv(row("integration"), row("integration", tahun=year)))
    report = run_pipeline(tmp_path, as_of=date(2024, 6, 30))
    assert [(batch.accepted, batch.quarantined) for batch in report.batches] == [(1, 1)]


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("nip", {"tgl_pengiriman_kelayanan": "0000-01-15T09:00:00"}),
        ("pension", {"tgl_pengiriman_kelayanan": "9999-12-31T20:00:00Z", "tgl_pertek": ""}),
        ("promotion", {"periode": "01-04-0000"}),
    ],
)
def test_a_row_of_the_year_0_or_10000_does_not_stop_the_others(tmp_path, deliver, source: str, changed: dict) -> None:
    deliver(f"{source}/a.csv", csv(row(source), row(source, id="X", **changed)))
    run_pipeline(tmp_path, as_of=date(2024, 6, 30))
    assert [line["received"] for line in read_services(Home(tmp_path), 2024)] == [1]


# --- typed files: real dates, numbers and booleans --------------------------------------------------------------------


def typed(key: str, agency: str, **changed: Any) -> dict[str, Any]:
    """A good promotion row as a typed file holds it."""
    values: dict[str, Any] = row("promotion", id=key, instansi_kode=agency)
    values |= {
        "nip": 198001152005011001, "jenis_kp_id": 201, "golongan_lama_id": 32, "golongan_baru_id": 33, "status_usulan": 7,
        "counter_bts": 1, "is_otomatis": True, "periode": date(2024, 4, 1), "tgl_usulan": date(2024, 1, 10),
        "tgl_pertek": date(2024, 1, 16), "tgl_sk": date(2024, 1, 20), "tgl_pengiriman_kelayanan": datetime(2024, 1, 15, 9),
        "tgl_update_layanan": datetime(2024, 1, 16, 10),
    }  # fmt: skip
    return values | changed


def held_in(root: Path) -> dict[tuple[str, int], list[str]]:
    return {(held.file, held.row): held.reasons for held in read_held_rows(Home(root), None, None)}


def received(root: Path) -> dict[str, tuple]:
    lines = read_services(Home(root), 2024, "agency")
    return {line["group"]: tuple(line[c] for c in ("received", "ms", "in_process", "ever_returned")) for line in lines}


def test_parquet_with_native_types(tmp_path) -> None:
    (tmp_path / "inbox" / "promotion").mkdir(parents=True)
    rows = [
        typed("Q1", "5500"),
        typed("Q2", "5501", counter_bts=None, is_otomatis=None, tgl_sk=None, tgl_pertek=None),
        typed("Q3", "5502", tgl_pengiriman_kelayanan=None),
        typed("Q4", "5503", nip=19800115200501100),
        typed("Q5", "5504", periode=date(2024, 4, 2)),
        typed("Q6", "5505", tgl_pertek=date(2024, 1, 14), status_usulan=54),
    ]
    pl.DataFrame(rows).write_parquet(tmp_path / "inbox" / "promotion" / "a.parquet")
    late = [
        typed("Q7", "5506", tgl_update_layanan=datetime(2024, 12, 31, 17, 30, tzinfo=UTC)),
        typed("Q8", "5507", tgl_update_layanan=datetime(2024, 12, 31, 16, 59, 59, tzinfo=UTC)),
    ]
    pl.DataFrame(late).write_parquet(tmp_path / "inbox" / "promotion" / "b.parquet")
    # A column of numbers with gaps comes out of many tools as floats.
    floats = pl.DataFrame([typed("Q9", "5508"), typed("Q10", "5509", counter_bts=None)])
    floats = floats.with_columns(pl.col("counter_bts").cast(pl.Float64), pl.col("status_usulan").cast(pl.Float64))
    floats.write_parquet(tmp_path / "inbox" / "promotion" / "c.parquet")
    assert run_pipeline(tmp_path, as_of=date(2025, 1, 31)).refused == []
    assert held_in(tmp_path) == {
        ("promotion/a.parquet", 4): ["PRM-NIP-1"],
        ("promotion/a.parquet", 5): ["PRM-05"],
        ("promotion/a.parquet", 6): ["PRM-LOG-1", "PRM-LOG-3"],
    }
    assert received(tmp_path) == {
        "5500": (1, 1, 0, 1), "5501": (1, 1, 0, 0), "5506": (1, 0, 1, 0), "5507": (1, 1, 0, 1),
        "5508": (1, 1, 0, 1), "5509": (1, 1, 0, 0),
    }  # fmt: skip


def test_json_lines_with_numbers_and_booleans(tmp_path, deliver) -> None:
    def line(key: str, agency: str, **changed: Any) -> str:
        dates = {"periode": "01-04-2024", "tgl_usulan": "10-01-2024", "tgl_pertek": "16-01-2024", "tgl_sk": None}
        times = {"tgl_pengiriman_kelayanan": "2024-01-15T09:00:00", "tgl_update_layanan": "2024-01-16T10:00:00"}
        return json.dumps(typed(key, agency, **dates, **times) | changed)

    lines = [
        line("J1", "5500"),
        line("J2", "5501", counter_bts=None, is_otomatis=False, tgl_pertek="<nil>"),
        "",
        line("J3", "5502", nip=1.98003e17),
        line("J4", "5503", counter_bts=-1, nip=PPPK),
        line("J5", "5504", tgl_pengiriman_kelayanan="null"),
        line("J6", "5505", is_otomatis="yes"),
        line("J7", "5506", status_usulan=7.5),
        line("J8", "5507", periode="2024-04-01"),
    ]
    deliver("promotion/a.jsonl", "\n".join(lines) + "\n")
    assert run_pipeline(tmp_path, as_of=date(2025, 1, 31)).refused == []
    assert held_in(tmp_path) == {
        ("promotion/a.jsonl", 3): ["PRM-NIP-1"],
        ("promotion/a.jsonl", 4): ["PRM-LOG-4", "PRM-NIP-3"],
        ("promotion/a.jsonl", 6): ["PRM-TYPE-IS_OTOMATIS"],
        ("promotion/a.jsonl", 7): ["PRM-TYPE-STATUS_USULAN"],
    }
    assert received(tmp_path) == {"5500": (1, 1, 0, 1), "5501": (1, 1, 0, 0), "5507": (1, 1, 0, 1)}


def test_excel_with_real_dates(tmp_path) -> None:
    rows = [
        typed("X1", "5500", nip=PNS),
        typed(
            "X2", "5501", nip=PNS, periode="01-04-2024", tgl_usulan="10-01-2024", status_usulan="7", is_otomatis="TRUE"
        ),
        typed("X3", "5502", nip=PNS, periode=date(2024, 3, 1)),
        typed("X4", "5503"),  # a number cell keeps 15 digits
        typed("X5", "5504", nip="'" + PNS, tgl_sk="", counter_bts="-", tgl_update_layanan="2024-01-17T10:00:00"),
        typed("X6", "5505", nip=PNS, tgl_sk="20 Januari 2024"),
    ]
    file = tmp_path / "inbox" / "promotion" / "a.xlsx"
    file.parent.mkdir(parents=True)
    workbook = xlsxwriter.Workbook(str(file))
    sheet = workbook.add_worksheet()
    formats = {date: {"num_format": "dd/mm/yyyy"}, datetime: {"num_format": "dd/mm/yyyy hh:mm:ss"}}
    styles = {kind: workbook.add_format(style) for kind, style in formats.items()}
    for column, name in enumerate(rows[0]):
        sheet.write(0, column, name)
        for number, values in enumerate(rows, start=1):
            value = values[name]
            sheet.write(number, column, value, *([styles[type(value)]] if type(value) in styles else []))
    workbook.close()
    assert run_pipeline(tmp_path, as_of=date(2025, 1, 31)).refused == []
    assert held_in(tmp_path) == {
        ("promotion/a.xlsx", 3): ["PRM-05"],
        ("promotion/a.xlsx", 4): ["PRM-NIP-1"],
        ("promotion/a.xlsx", 6): ["PRM-TYPE-TGL_SK"],
    }
    assert received(tmp_path) == {"5500": (1, 1, 0, 1), "5501": (1, 1, 0, 1), "5504": (1, 1, 0, 0)}


def test_a_date_as_iso_text_is_read_in_every_typed_format(tmp_path, deliver) -> None:
    """Ruling 44: also where the CSV has dd-mm-yyyy; in the CSV it stays unreadable."""
    iso = {"periode": "2024-04-01", "tgl_usulan": "2024-01-10", "tgl_pertek": "2024-01-16"}
    given = {name: row("promotion", id=name, **iso) for name in ("parquet", "jsonl", "xlsx", "csv")}
    folder = tmp_path / "inbox" / "promotion"
    folder.mkdir(parents=True)
    pl.DataFrame([given["parquet"]]).write_parquet(folder / "a.parquet")
    deliver("promotion/a.jsonl", json.dumps(given["jsonl"]) + "\n")
    with xlsxwriter.Workbook(str(folder / "a.xlsx")) as workbook:
        sheet = workbook.add_worksheet()
        for line, cells in enumerate((list(given["xlsx"]), list(given["xlsx"].values()))):
            for column, text in enumerate(cells):
                sheet.write_string(line, column, text)
    deliver("promotion/a.csv", csv(given["csv"]))
    report = run_pipeline(tmp_path, date(2024, 6, 30))
    assert {batch.file: batch.accepted for batch in report.batches} == {
        "promotion/a.parquet": 1, "promotion/a.jsonl": 1, "promotion/a.xlsx": 1, "promotion/a.csv": 0,
    }  # fmt: skip
    (held,) = read_held_rows(Home(tmp_path), None, None)
    assert held.reasons == ["PRM-TYPE-PERIODE", "PRM-TYPE-TGL_PERTEK", "PRM-TYPE-TGL_USULAN"]
