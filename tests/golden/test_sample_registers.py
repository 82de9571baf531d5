"""The sample's assessments, registers, letters, budget and targets come out at what the office published."""

from fractions import Fraction

import polars as pl

from sample_data import write_late_assessment
from tests import sample_registers
from tests.sample_figures import (
    BUDGET_2024,
    CLOSED,
    SCORES_2024,
    budget,
    employees_index,
    fractions,
    graded,
    half_up,
    mean,
    registers,
    scores,
)
from tests.sample_registers import YEARS, newest, read, states, write_registers

inbox = sample_registers.inbox


# --- assessments and the office's own people ---


def test_agencies_graded_a_or_b(inbox):
    # 2020: 5 % is printed, which is no count out of 49; 2 of 49 lies nearest. 2024 is assessed in 2025.
    assert graded(states(inbox, "nspk_assessment")) == {2020: (49, 2), 2021: (49, 10), 2022: (49, 19), 2023: (49, 34)}
    assert [half_up(Fraction(100 * count, 49)) for count in (2, 10, 19, 34)] == ["4.08", "20.41", "38.78", "69.39"]


def test_grades_at_the_limit_are_rounded_first(inbox):
    scores = newest(states(inbox, "nspk_assessment"), "nspk_assessment")

    assert scores.filter(pl.col("nilai") == "70.005").height == 4
    assert scores.filter(pl.col("nilai") == "70.004").height == 4
    dates = scores.group_by("tahun").agg(pl.col("tgl_penilaian").str.slice(0, 4).unique())
    assert {int(year): int(found[0]) for year, found in dates.iter_rows()} == {
        year: year + 1 for year in range(2020, 2024)
    }


def test_the_assessment_of_2024_arrives_late_when_asked_for(tmp_path):
    path = write_late_assessment(tmp_path, seed=1)
    first = path.read_bytes()

    assert path.relative_to(tmp_path).parts[0] == "nspk_assessment"
    assert graded(states(tmp_path, "nspk_assessment")) == {2024: (49, 41)}
    assert min(read(path)["tgl_penilaian"]) >= "2025-01-11"
    assert write_late_assessment(tmp_path, seed=1).read_bytes() == first


def test_a_year_alone_knows_the_assessment_that_was_made_in_it(tmp_path):
    write_registers(tmp_path, years=[2024])

    assert graded(states(tmp_path, "nspk_assessment")) == {2023: (49, 34)}


def test_agencies_that_measured(inbox):
    rows = newest(states(inbox, "ip_asn_measurement"), "ip_asn_measurement")
    counts = {int(year): count for year, count in rows.group_by("tahun").len().iter_rows()}

    # 2021: 90 % is printed, which is no count out of 49; 44 of 49 lies nearest.
    assert counts == {2020: 47, 2021: 44, 2022: 49, 2023: 49, 2024: 49}
    assert [half_up(Fraction(100 * count, 49), places) for count, places in ((47, 1), (44, 0))] == ["95.9", "90"]
    of_2024 = rows.filter(pl.col("tahun") == "2024")
    assert mean(fractions(of_2024, "nilai")) == Fraction("75.45")
    assert set(of_2024["tgl_pengukuran"]) == {"2024-09-23"}


def test_the_index_of_the_offices_own_people(inbox):
    rows = states(inbox, "ip_asn_employee")

    assert employees_index(rows, 2024) == (97, Fraction("85.01"))
    assert [employees_index(rows, year)[0] for year in YEARS] == [90, 92, 94, 96, 97]
    assert [half_up(employees_index(rows, year)[1]) for year in YEARS] == ["79.12", "80.46", "82.30", "83.77", "85.01"]
    people = {year: set(rows.filter(pl.col("tahun") == str(year))["nip"]) for year in YEARS}
    assert people[2020] < people[2021] < people[2022] < people[2023] < people[2024]
    assert sum(number[12:14] >= "21" for number in people[2024]) == 6


# --- registers ---


def test_what_is_opened_is_closed_by_the_years_end(inbox):
    assert registers(lambda source: states(inbox, source)) == CLOSED


def test_what_was_closed_later_has_a_date_of_the_next_year(inbox):
    rows = newest(states(inbox, "supervision_recommendation"), "supervision_recommendation")
    late = rows.filter(pl.col("tgl_tindak_lanjut").str.slice(0, 4) > pl.col("tahun"))

    assert rows["tgl_tindak_lanjut"].null_count() == 0
    assert sorted(late["tahun"]) == ["2020", "2020", "2022"]


def test_eleven_of_twelve_services_are_digital(inbox):
    rows = states(inbox, "digital_service")
    counts = rows.group_by("tahun").agg((pl.col("digital") == "true").sum(), pl.col("layanan_id").cast(pl.Int64).sort())

    assert {int(year): digital for year, digital, _ in counts.iter_rows()} == {
        2020: 5,
        2021: 7,
        2022: 8,
        2023: 10,
        2024: 11,
    }
    assert all(numbers == list(range(1, 13)) for _, _, numbers in counts.iter_rows())
    of_2024 = rows.filter(pl.col("tahun") == "2024").sort(pl.col("layanan_id").cast(pl.Int64))
    assert of_2024["nama"].to_list() == [
        "Pengadaan CASN",
        "Kenaikan Pangkat IV/b",
        "Pencantuman Gelar",
        "Kartu Pegawai",
        "Kartu Istri/Kartu Suami",
        "Pindah Instansi",
        "Penyesuaian Masa Kerja",
        "Mutasi Lain-Lain",
        "Pertimbangan Teknis Pensiun PNS dan Janda Dudanya",
        "Mutasi Keluarga",
        "CLTN",
        "Pengaktifan kembali",
    ]
    assert of_2024.filter(pl.col("digital") == "false")["nama"].to_list() == ["Pengaktifan kembali"]


# --- letters, budget, targets, printed values ---


def test_scores_of_others_are_those_of_the_newest_letter(inbox):
    rows = states(inbox, "external_score")

    assert scores(rows, 2024) == SCORES_2024
    letters = rows.group_by("indikator", "tahun").len()
    assert (letters.height, set(letters["len"])) == (20, {2})
    late = rows.filter(pl.col("tgl_surat").str.slice(0, 4) > pl.col("tahun"))
    assert late.select("indikator", "tahun", "nilai").rows() == [("IKU-12", "2022", "70.08")]


def test_the_budget_of_2024_is_that_printed(inbox):
    rows = states(inbox, "budget")
    final = budget(rows, 2024)
    initial = rows.filter(pl.col("tahun") == "2024", pl.col("revisi_ke") == "0")
    first = {code: int(pagu) for code, pagu in initial.select("indikator", "pagu").iter_rows()}

    assert {code: amounts for code, amounts in final.items() if code.startswith("IKU")} == BUDGET_2024
    assert {code: first[code] for code in ("CO", "WA")} == {"CO": 652_000_000, "WA": 14_086_808_000}
    assert {code: final[code][0] for code in ("CO", "WA")} == {"CO": 15_051_788_000, "WA": 14_086_808_000}
    assert first["CO"] + first["WA"] == 14_738_808_000
    assert final["CO"][0] + final["WA"][0] == 29_138_596_000


def test_a_revision_without_figures_at_the_cut_off_waits(inbox):
    rows = states(inbox, "budget")
    of_2022 = rows.filter(pl.col("tahun") == "2022", pl.col("indikator") == "CO")

    assert of_2022.filter(pl.col("tgl_revisi") <= "2022-12-31")["revisi_ke"].cast(pl.Int64).max() == 2
    assert budget(rows, 2022)["CO"] == (530_600_000, 524_763_400)
    assert all(spent <= pagu for year in YEARS for pagu, spent in budget(rows, year).values())


def test_targets_are_those_printed(inbox):
    rows = states(inbox, "performance_agreement")
    targets = {
        year: [
            text
            for _, text in rows.filter(pl.col("tahun") == str(year))
            .sort("indikator")
            .select("indikator", "target")
            .iter_rows()
        ]
        for year in YEARS
    }

    assert targets == {
        2020: ["5", "85", "85", "85", "100", "85.00"],
        2021: ["20", "90", "86", "86", "100", "90"],
        2022: ["40", "100", "87", "87", "100", "95"],
        2023: ["60", "100", "89", "89", "100", "100"],
        2024: ["100", "100", "95", "95", "100", "100", "95", "100", "84", "100", "85", "85", "97", "100"],
    }
    places = rows.select("sasaran", "perspektif").unique().sort("sasaran").rows()
    assert places == [
        ("SS1", "stakeholder"),
        ("SS2", "customer"),
        ("SS3", "internal_process"),
        ("SS4", "internal_process"),
        ("SS5", "internal_process"),
        ("SS6", "internal_process"),
        ("SS7", "learning_growth"),
    ]


def printed(rows, office, year, measure):
    found = rows.filter(pl.col("kantor") == office, pl.col("tahun") == str(year), pl.col("ukuran") == measure)
    return dict(found.sort("indikator").select("indikator", "nilai").iter_rows())


def test_every_printed_value_is_delivered(inbox):
    rows = states(inbox, "published_value")

    assert rows.height == 115
    numbers = [f"IKU-{number:02}" for number in range(1, 15)]
    without_first = numbers[1:]
    assert printed(rows, "07", 2024, "target") == dict(
        zip(
            numbers,
            ["100", "100", "95", "95", "100", "100", "95", "100", "84", "100", "85", "85", "97", "100"],
            strict=True,
        )
    )
    assert printed(rows, "07", 2024, "realisasi") == dict(
        zip(
            without_first,
            ["100", "99.01", "93.36", "100", "100", "91.67", "100", "85.01", "96.24", "81.15", "73.05", "98.40", "100"],
            strict=True,
        )
    )
    assert printed(rows, "07", 2024, "capaian") == dict(
        zip(
            without_first,
            [
                "100",
                "104.22",
                "98.27",
                "100",
                "100",
                "96.49",
                "100",
                "101.2",
                "96.24",
                "95.47",
                "85.94",
                "101.44",
                "100",
            ],
            strict=True,
        )
    )
    assert printed(rows, "07", 2024, "NSS") == {
        "SS1": "100.00", "SS2": "101.25", "SS3": "100.00", "SS4": "100", "SS5": "96.49", "SS6": "100", "SS7": "96.72",
    }  # fmt: skip
    assert printed(rows, "07", 2024, "NKP") == {
        "stakeholder": "25.00", "customer": "25.31", "internal_process": "24.78", "learning_growth": "24.18",
    }  # fmt: skip
    trend = {year: list(printed(rows, "07", year, "realisasi").values()) for year in range(2020, 2024)}
    assert trend == {
        2020: ["5", "95.9", "81.60", "84.31", "100", "30.60"],
        2021: ["20.41", "90", "91.67", "83.28", "100", "77.55"],
        2022: ["38.8", "100", "88.86", "88.81", "100", "55.10"],
        2023: ["69.38", "100", "96.89", "89.77", "100", "100"],
    }
    assert printed(rows, "03", 2024, "realisasi") == {
        "IKU-02": "100", "IKU-03": "95.58", "IKU-04": "95.58", "IKU-05": "100.00", "IKU-06": "100.00",
    }  # fmt: skip
    assert printed(rows, "08", 2024, "realisasi") == {
        "IKU-02": "100", "IKU-03": "95.94", "IKU-04": "95.08", "IKU-05": "100.00", "IKU-06": "100.00",
    }  # fmt: skip
    scored = rows.filter(pl.col("ukuran") == "NPSS").sort("tahun", "nilai")
    assert scored.select("tahun", "nilai", "sumber").rows() == [
        ("2020", "92.63", "LKj 2024: Grafik 3.1"),
        ("2021", "99.02", "LKj 2024: Grafik 3.1"),
        ("2022", "99.00", "LKj 2024: Grafik 3.1"),
        ("2023", "102.24", "LKj 2024: Uraian 3.1"),
        ("2023", "102.40", "LKj 2024: Grafik 3.1"),
        ("2024", "99.27", "LKj 2024: Tabel 3.1"),
    ]


def test_printed_decimals_are_those_of_the_text(inbox):
    rows = states(inbox, "published_value")

    decimals = [len(text.partition(".")[2]) for text in rows["nilai"]]
    assert rows["desimal"].cast(pl.Int64).to_list() == decimals
