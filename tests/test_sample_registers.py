"""The sample deliveries of surveys, assessments, registers and plans: they come out at what the office published.

Everything is computed again from the written files, with exact fractions, by a reader of this test's own.
"""

import gzip
from fractions import Fraction
from hashlib import sha256
from importlib.resources import files
from math import floor

import duckdb
import polars as pl
import pytest
import yaml

from expectations.contract import load_contract
from expectations.rules import broken_rules, condition, row_rules
from expectations.typed_read import FileTraits, typed_rows
from sample_data import SOURCES, write_late_assessment
from sample_data.faults import write_faults
from sample_data.order import Order
from sample_data.survey_scores import minimum_sample

YEARS = (2020, 2021, 2022, 2023, 2024)
REFERENCE = files("transforms.reference")
ELEMENTS = [f"u{number}" for number in range(1, 10)]
TATA_USAHA = ("KEPEGAWAIAN", "RENKEU", "UMUM")
UNITS = ("INKA", *TATA_USAHA, "MUTASI", "PENSIUN")

# By source: the key, and the columns whose first value is the state time.
KEYS = {
    "survey": (["survei", "tahun", "semester", "unit", "responden_id"], ["tanggal"]),
    "nspk_assessment": (["instansi_kode", "tahun"], ["tgl_penilaian"]),
    "ip_asn_measurement": (["instansi_kode", "tahun"], ["tgl_pengukuran"]),
    "ip_asn_employee": (["tahun", "nip"], []),
    "regulation": (["draft_id"], ["tgl_penetapan", "tgl_usul"]),
    "digital_service": (["tahun", "layanan_id"], []),
    "supervision_recommendation": (["rekomendasi_id"], ["tgl_tindak_lanjut", "tgl_rekomendasi"]),
    "audit_finding": (["temuan_id"], ["tgl_selesai", "tgl_temuan"]),
    "external_score": (["indikator", "tahun", "nomor_surat"], ["tgl_surat"]),
    "budget": (["indikator", "tahun", "revisi_ke"], ["tgl_data"]),
    "performance_agreement": (["indikator", "tahun"], []),
    "published_value": (["kantor", "indikator", "tahun", "ukuran", "sumber"], []),
}
REGISTERS = tuple(KEYS)


def write_registers(folder, years=YEARS, seed=1):
    """Everything but the operational logs, which tests of their own look at."""
    order = Order(folder, years, seed=seed)
    return [path for write in SOURCES[4:] for path in write(order)]


@pytest.fixture(scope="module")
def inbox(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inbox")
    write_registers(folder)
    write_faults(Order(folder, YEARS, faults=True))
    return folder


# --- a reader of this test's own ---


def read(path):
    """One delivery as text, whatever its format; a decimal comma becomes a point."""
    separator = ","
    match path.suffix:
        case ".parquet":
            frame = pl.read_parquet(path)
        case ".jsonl":
            frame = pl.read_ndjson(path, infer_schema_length=None)
        case ".xlsx":
            frame = pl.read_excel(path, infer_schema_length=None)
        case _:
            plain = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            text = plain.decode("utf-8-sig")
            separator = ";" if ";" in text.split("\n", 1)[0] else ","
            frame = pl.read_csv(text.encode(), separator=separator, infer_schema=False)
    text = frame.select(pl.all().cast(pl.String))
    if separator == ";":
        text = text.with_columns(pl.all().str.replace(r"^([0-9]+),([0-9]+)$", "$1.$2"))
    return text.with_columns(pl.all().replace(["-", "<nil>"], [None, None]))


def good_files(inbox, source):
    paths = (path for path in (inbox / source).rglob("*.*") if "faults" not in path.parts)
    return sorted(paths, key=lambda path: ("corrections" in path.parts, str(path)))


def states(inbox, source, accepted_faults=None):
    """Every state of every key: equal rows once, and a corrected one as corrected. Fails where two states conflict."""
    key, time = KEYS[source]
    by_kind = {True: [], False: [] if accepted_faults is None else [accepted_faults]}
    for path in good_files(inbox, source):
        by_kind["corrections" in path.parts].append(read(path))
    rows = pl.concat(by_kind[False]).unique(maintain_order=True)
    rows = rows.with_columns(time=pl.coalesce(*time) if time else pl.lit(""))
    if by_kind[True]:
        corrected = pl.concat(by_kind[True]).with_columns(time=pl.coalesce(*time) if time else pl.lit(""))
        kept = rows.join(corrected, on=[*key, "time"], how="anti", nulls_equal=True)
        assert rows.height - kept.height == corrected.height
        rows = pl.concat([kept, corrected])
    assert rows.select(*key, "time").is_duplicated().sum() == 0
    return rows


def newest(rows, source):
    """The newest state of every key."""
    return rows.sort("time").unique(KEYS[source][0], keep="last", maintain_order=True)


def half_up(value, places=2):
    unit = 10**places
    whole = floor(value * unit + Fraction(1, 2))
    return f"{whole // unit}.{whole % unit:0{places}d}" if places else str(whole)


def mean(values):
    values = list(values)
    return sum(values, start=Fraction(0)) / len(values)


def fractions(frame, column):
    return [Fraction(text) for text in frame[column]]


# --- the surveys ---


def element_means(rows):
    """By year, semester and unit (the guidance survey: pembinaan): respondents, and the exact mean of each element."""
    answers = newest(rows, "survey").with_columns(
        pl.col("unit").fill_null("pembinaan"), pl.col(ELEMENTS).cast(pl.Int64)
    )
    grouped = answers.group_by("tahun", "semester", "unit").agg(
        pl.any_horizontal(pl.col(ELEMENTS).is_not_null()).sum().alias("respondents"),
        *(pl.col(element).sum().alias(f"{element}_sum") for element in ELEMENTS),
        *(pl.col(element).count().alias(f"{element}_count") for element in ELEMENTS),
    )
    return {
        (int(row["tahun"]), int(row["semester"]), row["unit"]): (
            row["respondents"],
            [Fraction(row[f"{element}_sum"], row[f"{element}_count"]) for element in ELEMENTS],
        )
        for row in grouped.iter_rows(named=True)
    }


def indices(rows):
    """By year, semester and unit: the exact index."""
    return {key: 25 * sum(means) / 9 for key, (_, means) in element_means(rows).items()}


def guidance_index(ikm, year):
    return mean(ikm[year, semester, "pembinaan"] for semester in (1, 2))


def services_index(ikm, year, semester):
    administration = mean(ikm[year, semester, unit] for unit in TATA_USAHA)
    return mean([administration, *(ikm[year, semester, unit] for unit in ("INKA", "MUTASI", "PENSIUN"))])


def services_year(ikm, year):
    return mean(services_index(ikm, year, semester) for semester in (1, 2))


# Tables 3.8, 3.10 and 3.11: the indices, then u1 to u9.
PRINTED = {
    (1, "pembinaan"): ("98.58", "3.97 3.93 3.95 3.97 3.95 3.93 3.92 3.93 3.93"),
    (2, "pembinaan"): ("99.44", "4.00 4.00 4.00 4.00 4.00 4.00 4.00 3.91 3.91"),
    (1, "INKA"): ("93.17", "3.75 3.75 3.67 3.90 3.76 3.73 3.79 3.73 3.71"),
    (1, "KEPEGAWAIAN"): ("91.32", "3.60 3.61 3.63 3.76 3.66 3.60 3.62 3.74 3.67"),
    (1, "RENKEU"): ("91.38", "3.61 3.57 3.64 3.73 3.65 3.64 3.64 3.76 3.67"),
    (1, "UMUM"): ("91.46", "3.63 3.62 3.63 3.74 3.68 3.62 3.63 3.76 3.63"),
    (1, "MUTASI"): ("93.50", "3.76 3.66 3.62 3.97 3.65 3.64 3.72 3.69 3.97"),
    (1, "PENSIUN"): ("93.48", "3.73 3.70 3.63 3.92 3.74 3.73 3.84 3.70 3.69"),
    (2, "INKA"): ("95.85", "3.85 3.81 3.78 3.91 3.83 3.85 3.86 3.83 3.83"),
    (2, "KEPEGAWAIAN"): ("91.29", "3.69 3.66 3.64 3.67 3.65 3.61 3.66 3.60 3.72"),
    (2, "RENKEU"): ("91.23", "3.68 3.65 3.60 3.69 3.64 3.64 3.65 3.61 3.72"),
    (2, "UMUM"): ("90.86", "3.66 3.67 3.60 3.69 3.65 3.58 3.63 3.58 3.69"),
    (2, "MUTASI"): ("93.92", "3.85 3.75 3.54 4.00 3.75 3.60 3.66 3.71 3.98"),
    (2, "PENSIUN"): ("94.52", "3.74 3.76 3.66 3.99 3.84 3.74 3.84 3.71 3.78"),
}


def test_every_index_of_2024_is_that_printed(inbox):
    ikm = indices(states(inbox, "survey"))

    assert {(semester, unit): half_up(value) for (year, semester, unit), value in ikm.items() if year == 2024} == {
        place: printed for place, (printed, _) in PRINTED.items()
    }
    assert [half_up(services_index(ikm, 2024, semester)) for semester in (1, 2)] == ["92.88", "93.85"]
    assert half_up(services_year(ikm, 2024)) == "93.37"
    assert half_up(guidance_index(ikm, 2024)) == "99.01"


def test_published_indices_give_the_same_year_as_exact_ones(inbox):
    rounded = {key: Fraction(half_up(value)) for key, value in indices(states(inbox, "survey")).items()}

    assert half_up(services_year(rounded, 2024)) == "93.37"
    assert [half_up(services_index(rounded, 2024, semester)) for semester in (1, 2)] == ["92.88", "93.85"]
    assert half_up(guidance_index(rounded, 2024)) == "99.01"


def test_elements_of_2024_are_those_printed_but_for_one(inbox):
    means = element_means(states(inbox, "survey"))
    differing = {
        (semester, unit, element): (printed, half_up(exact))
        for (semester, unit), (_, texts) in PRINTED.items()
        for element, printed, exact in zip(ELEMENTS, texts.split(), means[2024, semester, unit][1], strict=True)
        if half_up(exact) != printed
    }

    # D10: the elements of INKA give 93.86, the index is 93.17; the index is what must be met.
    assert differing == {(1, "INKA", "u4"): ("3.90", "3.68")}


@pytest.mark.parametrize(
    ("year", "guidance", "services"),
    [(2020, "81.60", "84.31"), (2021, "91.67", "83.28"), (2022, "88.86", "88.81"), (2023, "96.89", "89.77")],
)
def test_indices_until_2023_are_those_of_the_charts(inbox, year, guidance, services):
    ikm = indices(states(inbox, "survey"))

    assert half_up(guidance_index(ikm, year)) == guidance
    assert half_up(services_year(ikm, year)) == services


def test_every_unit_has_its_minimum_sample(inbox):
    sample = {"chi_square": "3.841", "proportion": "0.5", "margin": "0.05"}
    assert [minimum_sample(population, sample) for population in (100, 500, 1000)] == [80, 218, 278]
    figures = yaml.safe_load(files("sample_data").joinpath("surveys.yml").read_text())
    assert figures["sample"] == sample

    respondents = {key: count for key, (count, _) in element_means(states(inbox, "survey")).items()}
    assert len(respondents) == 5 * 2 * 7
    for (year, semester, unit), count in respondents.items():
        population = figures["survey"][year][unit][semester]["population"]
        # n >= 3.841 N / 4 / (0.0025 (N - 1) + 3.841 / 4)
        least = Fraction("3.841") * population / 4 / (Fraction("0.0025") * (population - 1) + Fraction("3.841") / 4)
        assert least <= count <= population


def test_surveys_hold_what_the_product_must_cope_with(inbox):
    rows = states(inbox, "survey")
    answers = newest(rows, "survey")
    is_blank = pl.all_horizontal(pl.col(ELEMENTS).is_null())
    has_gap = pl.any_horizontal(pl.col(ELEMENTS).is_null())

    assert answers.filter(is_blank).height == 5 * 2 * 7
    assert answers.filter(has_gap, ~is_blank).height > 300
    assert rows.height - answers.height == 5 * 2 * 7 * 2
    assert set(answers.unpivot(ELEMENTS)["value"].drop_nulls()) == {"1", "2", "3", "4"} - {"1"}
    assert answers.filter(pl.col("survei") == "pembinaan")["unit"].null_count() == answers["unit"].null_count()
    assert set(answers["unit"].drop_nulls()) == set(UNITS)
    months = answers.group_by("semester").agg(pl.col("tanggal").str.slice(5, 2).unique().sort())
    assert {semester: set(found) for semester, found in months.iter_rows()} == {
        "1": {"05", "06"},
        "2": {"10", "11", "12"},
    }


# --- assessments and the office's own people ---


def graded(rows):
    """By assessed year: agencies, and those graded A or B."""
    scores = newest(rows, "nspk_assessment")
    return {
        int(year): (len(found), sum(Fraction(half_up(Fraction(text))) >= Fraction("70.01") for text in found))
        for (year,), found in ((key, part["nilai"].to_list()) for key, part in scores.group_by("tahun"))
    }


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


def employees_index(rows, year):
    own = rows.filter(pl.col("tahun") == str(year))
    dimensions = [fractions(own, name) for name in ("kualifikasi", "kompetensi", "kinerja", "disiplin")]
    return own.height, mean(sum(parts) for parts in zip(*dimensions, strict=True))


def test_the_index_of_the_offices_own_people(inbox):
    rows = states(inbox, "ip_asn_employee")

    assert employees_index(rows, 2024) == (97, Fraction("85.01"))
    assert [employees_index(rows, year)[0] for year in YEARS] == [90, 92, 94, 96, 97]
    assert [half_up(employees_index(rows, year)[1]) for year in YEARS] == ["79.12", "80.46", "82.30", "83.77", "85.01"]
    people = {year: set(rows.filter(pl.col("tahun") == str(year))["nip"]) for year in YEARS}
    assert people[2020] < people[2021] < people[2022] < people[2023] < people[2024]
    assert sum(number[12:14] >= "21" for number in people[2024]) == 6


# --- registers ---


def closed_and_all(rows, source, opened, closed):
    """By year: closed by its last day, and all opened by then."""
    known = newest(rows, source).with_columns(cut=pl.concat_str([pl.col("tahun"), pl.lit("-12-31")]))
    counts = (
        known.filter(pl.col(opened) <= pl.col("cut"))
        .group_by("tahun")
        .agg((pl.col(closed) <= pl.col("cut")).sum(), pl.len())
    )
    return {int(year): (done, total) for year, done, total in counts.iter_rows()}


def registers(rows_of):
    return {
        source: closed_and_all(rows_of(source), source, opened, closed)
        for source, opened, closed in (
            ("regulation", "tgl_usul", "tgl_penetapan"),
            ("supervision_recommendation", "tgl_rekomendasi", "tgl_tindak_lanjut"),
            ("audit_finding", "tgl_temuan", "tgl_selesai"),
        )
    }


CLOSED = {
    "regulation": {2020: (6, 6), 2021: (7, 7), 2022: (8, 8), 2023: (9, 9), 2024: (11, 11)},
    "supervision_recommendation": {2020: (14, 16), 2021: (18, 18), 2022: (19, 20), 2023: (22, 22), 2024: (24, 24)},
    "audit_finding": {2020: (5, 5), 2021: (4, 5), 2022: (6, 6), 2023: (5, 5), 2024: (7, 7)},
}


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


def scores(rows, year):
    letters = newest(rows, "external_score").filter(pl.col("tahun") == str(year)).sort("tgl_surat", "nomor_surat")
    return dict(letters.unique("indikator", keep="last").sort("indikator").select("indikator", "nilai").iter_rows())


SCORES_2024 = {"IKU-10": "96.24", "IKU-11": "81.15", "IKU-12": "73.05", "IKU-13": "98.40"}


def test_scores_of_others_are_those_of_the_newest_letter(inbox):
    rows = states(inbox, "external_score")

    assert scores(rows, 2024) == SCORES_2024
    letters = rows.group_by("indikator", "tahun").len()
    assert (letters.height, set(letters["len"])) == (20, {2})
    late = rows.filter(pl.col("tgl_surat").str.slice(0, 4) > pl.col("tahun"))
    assert late.select("indikator", "tahun", "nilai").rows() == [("IKU-12", "2022", "70.08")]


def budget(rows, year, decided_by=None):
    """By code: pagu and spending of the highest revision at the cut-off, in its newest state then."""
    cut = decided_by or f"{year}-12-31"
    known = rows.filter(pl.col("tahun") == str(year), pl.col("tgl_revisi") <= cut, pl.col("tgl_data") <= cut)
    truth = known.sort(pl.col("revisi_ke").cast(pl.Int64), "tgl_data").unique("indikator", keep="last")
    return {
        code: (int(pagu), int(spent))
        for code, pagu, spent in truth.select("indikator", "pagu", "realisasi").iter_rows()
    }


BUDGET_2024 = {
    "IKU-01": (289_971_000, 289_951_706),
    "IKU-02": (0, 0),
    "IKU-03": (0, 0),
    "IKU-04": (30_400_000, 29_960_485),
    "IKU-05": (0, 0),
    "IKU-06": (72_928_000, 72_804_577),
    "IKU-07": (200_000_000, 184_103_028),
}


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


# --- the deliveries ---


def hashes(folder):
    paths = (path for path in folder.rglob("*") if path.is_file() and "faults" not in path.parts)
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in paths}


def test_the_same_order_gives_the_same_bytes(inbox, tmp_path):
    write_registers(tmp_path)

    assert hashes(tmp_path) == hashes(inbox)


def test_a_year_is_the_same_whatever_else_is_ordered(inbox, tmp_path):
    write_registers(tmp_path, years=[2022])

    assert hashes(tmp_path).items() <= hashes(inbox).items()
    assert {path.name for path in tmp_path.iterdir()} == set(REGISTERS)


def test_another_seed_gives_other_rows_and_the_same_figures(inbox, tmp_path):
    write_registers(tmp_path, years=[2024], seed=7)
    ikm = indices(states(tmp_path, "survey"))

    assert hashes(tmp_path).items() != hashes(inbox).items()
    assert {(semester, unit): half_up(value) for (_, semester, unit), value in ikm.items()} == {
        place: index for place, (index, _) in PRINTED.items()
    }
    assert half_up(services_year(ikm, 2024)) == "93.37"
    assert graded(states(tmp_path, "nspk_assessment")) == {2023: (49, 34)}
    assert employees_index(states(tmp_path, "ip_asn_employee"), 2024) == (97, Fraction("85.01"))
    assert registers(lambda source: states(tmp_path, source)) == {
        source: {2024: CLOSED[source][2024]} for source in CLOSED
    }


def test_files_are_few_and_small_and_of_every_format(inbox):
    paths = [path for source in REGISTERS for path in good_files(inbox, source)]
    endings = {".csv.gz" if path.suffix == ".gz" else path.suffix for path in paths}

    assert len(paths) <= 102
    assert sum(path.stat().st_size for path in paths) < 2_000_000
    assert endings == {".csv", ".csv.gz", ".parquet", ".jsonl", ".xlsx"}
    for source in REGISTERS:
        assert len({path.suffix for path in good_files(inbox, source)}) >= 3


def test_rows_arrive_twice(inbox):
    for source in ("survey", "regulation", "supervision_recommendation", "budget"):
        rows = pl.concat([read(path) for path in good_files(inbox, source)])
        assert rows.is_duplicated().sum() > 0


# --- the contracts ---


@pytest.fixture(scope="module")
def judge():
    """A connection with the reference tables that the rules look into."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'Asia/Jakarta'")
    con.execute("SET VARIABLE hmac_inner_pad = 'a'::BLOB; SET VARIABLE hmac_outer_pad = 'b'::BLOB")
    con.execute("CREATE SCHEMA reference")
    for table in ("agencies", "budget_programs"):
        con.register("given", pl.read_csv(REFERENCE.joinpath(f"{table}.csv").read_bytes(), infer_schema=False))
        con.execute(f"CREATE TABLE reference.{table} AS FROM given")
    con.execute(
        "CREATE TABLE reference.indicators AS SELECT format('IKU-{:02d}', n) AS indicator_id, "
        "'SS' || CASE WHEN n <= 2 THEN 1 WHEN n <= 4 THEN 2 WHEN n >= 9 THEN 7 ELSE n - 2 END AS objective_code, "
        "CASE WHEN n <= 2 THEN 'stakeholder' WHEN n <= 4 THEN 'customer' WHEN n >= 9 THEN 'learning_growth' "
        "ELSE 'internal_process' END AS perspective_code FROM range(1, 15) t(n)"
    )
    return con


def broken(judge, source, path, tmp_path):
    """Rules that each row breaks, by row number; warnings too."""
    contract = load_contract(source)
    landed = tmp_path / "landed.parquet"
    read(path).write_parquet(landed)
    traits = FileTraits(is_typed=path.suffix not in (".csv", ".gz"))
    judge.execute(
        f"CREATE OR REPLACE TEMP TABLE batch_typed AS {typed_rows(contract, traits)}",
        {"landing": str(landed), "batch_id": 1},
    )
    found = {row: set(reasons) for row, reasons in judge.sql(broken_rules(contract)).fetchall()}
    for rule in row_rules(contract):
        if rule.severity == "warn":
            query = f"SELECT row_number FROM batch_typed WHERE ({condition(contract, rule)}) IS FALSE"
            for (row,) in judge.sql(query).fetchall():
                found.setdefault(row, set()).add(rule.id)
    return found


@pytest.mark.parametrize("source", REGISTERS)
def test_good_deliveries_break_no_rule(inbox, judge, source, tmp_path):
    names = load_contract(source).delivered_names
    for path in good_files(inbox, source):
        assert read(path).columns == names, path
        assert broken(judge, source, path, tmp_path) == {}, path


def faults_of(source):
    declared = yaml.safe_load(files("sample_data").joinpath("faults", f"{source}.yml").read_text())["faults"]
    return [set(fault["rules"]) for fault in declared for _ in fault["rows"]]


def fault_file(inbox, source):
    return inbox / source / "faults" / f"{source}_2024_faults.csv"


@pytest.mark.parametrize("source", REGISTERS)
def test_faults_break_every_rule_and_only_those_declared(inbox, judge, source, tmp_path):
    contract = load_contract(source)
    declared = faults_of(source)
    conflict = f"{contract.prefix}-CONFLICT"
    found = broken(judge, source, fault_file(inbox, source), tmp_path)

    assert set().union(*declared) == {rule.id for rule in contract.all_rules}
    assert [found.get(row, set()) for row in range(1, len(declared) + 1)] == [rules - {conflict} for rules in declared]


@pytest.mark.parametrize("source", REGISTERS)
def test_what_conflicts_has_a_state_to_conflict_with(inbox, source):
    key, _ = KEYS[source]
    rows = read(fault_file(inbox, source)).filter(
        pl.Series(["CONFLICT" in " ".join(rules) for rules in faults_of(source)])
    )

    if rows.height == 1:
        known = states(inbox, source).join(rows, on=key, how="semi", nulls_equal=True)
        assert known.height == 1
        assert known.select(rows.columns).rows() != rows.rows()
    else:
        assert rows.height == 2
        assert rows.select(key).unique().height == 1
        assert rows.unique().height == 2


def accepted_faults(inbox, source):
    """The fault rows that no rule keeps out: the first of two that conflict."""
    rows = read(fault_file(inbox, source))
    conflicting = [number for number, rules in enumerate(faults_of(source)) if "CONFLICT" in " ".join(rules)]
    return rows[conflicting[:1]] if len(conflicting) == 2 else rows.clear()


def test_faults_change_no_value(inbox):
    def rows_of(source):
        return states(inbox, source, accepted_faults(inbox, source))

    # The accepted row of a conflicting pair is of a year that has not begun.
    survey = rows_of("survey").filter(pl.col("tahun") != "2099")
    ikm = indices(survey)
    assert ikm == indices(states(inbox, "survey"))
    counted = {key: count for key, (count, _) in element_means(survey).items()}
    assert counted == {key: count for key, (count, _) in element_means(states(inbox, "survey")).items()}
    assert graded(rows_of("nspk_assessment")) == {2020: (49, 2), 2021: (49, 10), 2022: (49, 19), 2023: (49, 34)}
    measured = newest(rows_of("ip_asn_measurement"), "ip_asn_measurement").filter(pl.col("tahun") == "2024")
    assert (measured.height, mean(fractions(measured, "nilai"))) == (49, Fraction("75.45"))
    assert registers(rows_of) == CLOSED
    assert scores(rows_of("external_score"), 2024) == SCORES_2024
    final = budget(rows_of("budget"), 2024)
    assert {code: amounts for code, amounts in final.items() if code.startswith("IKU")} == BUDGET_2024
    for source in ("ip_asn_employee", "digital_service", "performance_agreement"):
        assert accepted_faults(inbox, source).height == 0
    other = accepted_faults(inbox, "published_value").select("kantor", "ukuran").rows()
    assert other == [("03", "target")]
