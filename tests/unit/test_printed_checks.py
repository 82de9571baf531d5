"""The report against itself: what its numbers, names, labels and days say about each other, with the documented discrepancies and without."""

from decimal import Decimal

import pytest

from expectations.printed_checks import check_report
from expectations.printed_texts import day_of
from expectations.reconciliation import Knowledge, gate, judge
from transforms.printed import load_checks, load_discrepancies, load_reports
from transforms.reference import waivers

KNOWLEDGE = Knowledge(load_discrepancies(), waivers())


def report_2024():
    return next(report for report in load_reports() if report.report_year == 2024)


# (published, computed, discrepancy) of all checks that do not come out even
LISTED = (
    "Persyaratan Pelayanan; Prosedur Pelayanan; Kesesuaian Materi; Perilaku Pelayanan; Kompetensi Pelaksana; "
    "Ketersediaan Waktu Pelayanan; Ketepatan Waktu; Kewajaran Biaya Layanan; Sarana/Prasarana"
)
TABLED = (
    "Persyaratan Pelayanan; Prosedur Pelayanan; Ketepatan Waktu; Kewajaran Biaya Layanan; Produk Spesifikasi Jenis Pelayanan; "
    "Kompetensi Pelaksana; Perilaku Pelayanan; Penanganan Pengaduan, Saran, dan Masukan; Sarana/Prasarana"
)
UNITS = "Bidang Mutasi dan Status Kepegawaian; Bidang Pengangkatan dan Pensiun; Bidang Informasi Kepegawaian; Bagian Tata Usaha"
FOUND = {
    "check|unit|nip": ("Bidang Pensiun", UNITS, "D45"),
    "check|npss-change-from-chart": ("-2.97", "-3.13", "D01"),
    "check|twice|07|NPSS|2023|NPSS@Grafik 3.1": ("102.24", "102.40", "D01"),
    "check|promotion-periods": ("38950", "38946", "D02"),
    "check|promotion-outcomes|2024-04-01": ("9960", "9962", "D03"),
    "check|completion|promotion|2024-04-01": ("100", "100.02", "D03"),
    "check|promotion-outcomes|2024-06-01": ("7181", "7173", "D04"),
    "check|completion|promotion|2024-06-01": ("100", "99.89", "D04"),
    "check|promotion-outcomes|2024": ("38950", "38940", "D05"),
    "check|label|promotion|06": ("April", "April, as 07|promotion|2024-04-01|label", "D06"),
    "check|completion|promotion|2024": ("100", "99.97", "D07"),
    "check|semesters|IKU-04": ("93.36", "93.37", "D08"),
    "check|capaian-of-semesters|IKU-04": ("98.27", "98.28", "D09"),
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
    "check|share|IKU-01|2022": ("38.8", "38.78", "D15"),
    "check|share|IKU-02|2020": ("95.9", "95.92", "D15"),
    "check|share|IKU-01|2020": ("5", "4.08", "D16"),
    "check|share|IKU-02|2021": ("90", "89.80", "D16"),
    "check|not-a-or-b": ("13", "15", "D17"),
    "check|no-fall|IKU-06|2024-Q1|webservice": ("29.41", "100.00", "D18"),
    "check|no-fall|IKU-06|2024-Q1|simpegnas": ("0.00", "100.00", "D18"),
    "check|label|integration|Q3": ("Tw II", "Tw II, as 07|integration|2024-Q2|label", "D19"),
    "check|channel|webservice": ("17", "16", "D20"),
    "check|channel|simpegnas": ("32", "33", "D20"),
    "check|mean-capaian": ("99.27", "98.41", "D21"),
    "check|lowest|pembinaan": ("Ketepatan Waktu", "Penanganan Pengaduan, Saran, dan Masukan; Sarana/Prasarana", "D22"),
    "check|element-names|pembinaan": (LISTED, TABLED, "D23"),
    "check|grade|IKU-03|2020": ("Sangat Baik", "Baik", "D24"),
    "check|own-index|03": ("95.58", "95.58, as 03|IKU-03|2024|realisasi", "D25"),
    "check|twice|07|IKU-03|2024|capaian@Grafik 3.7": ("104.22", "99.01", "D25"),
    "check|twice|07|IKU-04|2024|capaian@Grafik 3.9": ("98.27", "93.36", "D25"),
    "check|name|IKU-04|Gambar 3.29": ("IKU 3", "IKU 4", "D26"),
    "check|name|IKU-04|Tabel 3.10": ("UKU 4", "IKU 4", "D26"),
    "check|name|IKU-04|Tabel 3.11": ("UKU 4", "IKU 4", "D26"),
    "check|trend-years|IKU-02": ("2020-2025", "2020-2024", "D27"),
    "check|name|SS1": (
        "meningkatnya kualitas pengelolaan ASN",
        "Terwujudnya instansi pemerintah yang profesional dalam menerapkan manajemen ASN",
        "D28",
    ),
    "check|attainable|IKU-07": ("95", "91.67", "D30"),
    "check|precision|capaian|IKU-09": ("101.2", "101.20", "D33"),
    "check|precision|efficiency|IKU-07": ("4.6", "4.60", "D33"),
    "check|working-day|Gambar 3.2": ("16 Maret 2024", "16 Maret 2024, Sabtu", "D39"),
    "check|band-adjoins|B": ("70.01-85.00", "70.01-85.01", "D41"),
    "check|band-adjoins|C": ("55.01-70.00", "55.01-70.01", "D41"),
    "check|band-adjoins|D": ("40.01-55.00", "40.01-55.01", "D41"),
    "check|band-adjoins|E": ("25.00-40.00", "25.00-40.01", "D41"),
    "check|no-fall|IKU-06|2022": ("55.10", "77.55", "D46"),
}
# What only a reader finds, what will show when the assessment of 2024 comes, and controls that agree, and shall.
TEXT, TO_COME, AGREEING = (
    {"D34", "D35", "D40", "D42", "D43", "D44"},
    {"D29"},
    {"D31", "D32", "D36", "D37", "D38"},
)


def test_the_report_is_checked_against_itself():
    lines = check_report(report_2024(), load_checks(2024), KNOWLEDGE)

    assert {
        line.item: (line.published, line.derived, line.discrepancy) for line in lines if line.verdict != "equal"
    } == FOUND
    assert {line.verdict for line in lines} == {"equal", "known"}
    assert len(lines) == 227
    assert gate(lines) == []


def test_the_checks_find_the_same_without_knowing_what_is_documented():
    lines = check_report(report_2024(), load_checks(2024), Knowledge())
    verdicts = {line.item: line.verdict for line in lines if line.verdict != "equal"}

    assert verdicts.keys() == FOUND.keys()
    assert {item for item, verdict in verdicts.items() if verdict == "rounding"} == {
        "check|semesters|IKU-04", "check|share|IKU-01|2023", "check|share|IKU-06|2020", "check|capaian-of-semesters|IKU-04",
        "check|channel|webservice", "check|channel|simpegnas",
    }  # fmt: skip
    assert all(line.discrepancy is None for line in lines)


def test_each_discrepancy_is_found_by_a_check_or_is_one_for_a_reader():
    found = {identifier for _, _, identifier in FOUND.values()}
    documented = {discrepancy.id: discrepancy for discrepancy in load_discrepancies()}

    assert documented.keys() - found == TEXT | TO_COME | AGREEING
    assert {identifier for identifier, d in documented.items() if not d.explains} == TEXT
    # one that is known under another value is a new one
    assert judge("check|mean-capaian", Decimal("99.27"), 2, Decimal("98.40"), KNOWLEDGE) == ("different", None)


def test_days_names_grades_and_labels_that_are_right_are_so_found():
    verdicts = {line.item: line.verdict for line in check_report(report_2024(), load_checks(2024), KNOWLEDGE)}
    names = (
        "weekday|Gambar 3.1", "weekday|Gambar 3.4", "weekday|Gambar 3.15", "working-day|Gambar 3.17", "working-day|Gambar 3.24",
        "lowest|layanan", "grade|IKU-03|2021", "label|promotion|08", "own-index|08",
    )  # fmt: skip

    assert {verdicts[f"check|{name}"] for name in names} == {"equal"}
    with pytest.raises(ValueError, match="no date"):
        day_of("Maret 2024")


@pytest.mark.parametrize(
    ("check", "published", "computed"),
    [
        ("check|npss", "99.27", "99.27"), ("check|npss-change", "-2.97", "-2.97"), ("check|nkp|customer", "25.31", "25.31"),
        ("check|nss|SS2", "101.25", "101.25"), ("check|nss|SS7", "96.72", "96.72"),
        ("check|score|internal_process", "99.12", "99.12"), ("check|capaian|IKU-09", "101.2", "101.20"),
        ("check|efficiency|IKU-04", "-0.29", "-0.29"), ("check|efficiency|IKU-07", "4.6", "4.60"),
        ("check|absorption|IKU-01", "99.99", "99.99"), ("check|ikm-of-units|2024-S1", "92.88", "92.88"), ("check|ikm-of-units|2024-S2", "93.85", "93.85"),
        ("check|element-of-units|2024-S1|U4", "3.84", "3.84"), ("check|promotion-regions", "38950", "38950"),
        ("check|nip-kinds", "38384", "38384"), ("check|outcomes|nip", "38384", "38384"), ("check|outcomes|pension", "7615", "7615"),
        ("check|completion|pension|2024", "99.87", "99.87"),
        ("check|agencies|2023", "49", "49"), ("check|integrated|2024-Q2|simpegnas", "9.38", "9.38"),
        ("check|budget|last", "29138596000", "29138596000"), ("check|staff|education", "97", "97"),
        ("check|staff-share|gender/pria", "54", "53.61"),
    ],
)  # fmt: skip
def test_what_adds_up(check, published, computed):
    line = next(line for line in check_report(report_2024(), load_checks(2024), KNOWLEDGE) if line.item == check)

    assert (line.published, line.derived, line.verdict) == (published, computed, "equal")
