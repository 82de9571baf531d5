"""Figures of the sample for tests, computed from states with exact fractions; and what the office printed for 2024."""

from fractions import Fraction
from math import floor

import polars as pl

from tests.sample_registers import newest

ELEMENTS = [f"u{number}" for number in range(1, 10)]
TATA_USAHA = ("KEPEGAWAIAN", "RENKEU", "UMUM")
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
# By register and year: closed by its last day, and all opened by then.
CLOSED = {
    "regulation": {2020: (6, 6), 2021: (7, 7), 2022: (8, 8), 2023: (9, 9), 2024: (11, 11)},
    "supervision_recommendation": {2020: (14, 16), 2021: (18, 18), 2022: (19, 20), 2023: (22, 22), 2024: (24, 24)},
    "audit_finding": {2020: (5, 5), 2021: (4, 5), 2022: (6, 6), 2023: (5, 5), 2024: (7, 7)},
}
SCORES_2024 = {"IKU-10": "96.24", "IKU-11": "81.15", "IKU-12": "73.05", "IKU-13": "98.40"}
BUDGET_2024 = {
    "IKU-01": (289_971_000, 289_951_706),
    "IKU-02": (0, 0),
    "IKU-03": (0, 0),
    "IKU-04": (30_400_000, 29_960_485),
    "IKU-05": (0, 0),
    "IKU-06": (72_928_000, 72_804_577),
    "IKU-07": (200_000_000, 184_103_028),
}


def half_up(value, places=2):
    unit = 10**places
    whole = floor(value * unit + Fraction(1, 2))
    return f"{whole // unit}.{whole % unit:0{places}d}" if places else str(whole)


def mean(values):
    values = list(values)
    return sum(values, start=Fraction(0)) / len(values)


def fractions(frame, column):
    return [Fraction(text) for text in frame[column]]


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


def graded(rows):
    """By assessed year: agencies, and those graded A or B."""
    scores = newest(rows, "nspk_assessment")
    return {
        int(year): (len(found), sum(Fraction(half_up(Fraction(text))) >= Fraction("70.01") for text in found))
        for (year,), found in ((key, part["nilai"].to_list()) for key, part in scores.group_by("tahun"))
    }


def employees_index(rows, year):
    own = rows.filter(pl.col("tahun") == str(year))
    dimensions = [fractions(own, name) for name in ("kualifikasi", "kompetensi", "kinerja", "disiplin")]
    return own.height, mean(sum(parts) for parts in zip(*dimensions, strict=True))


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


def scores(rows, year):
    letters = newest(rows, "external_score").filter(pl.col("tahun") == str(year)).sort("tgl_surat", "nomor_surat")
    return dict(letters.unique("indikator", keep="last").sort("indikator").select("indikator", "nilai").iter_rows())


def budget(rows, year, decided_by=None):
    """By code: pagu and spending of the highest revision at the cut-off, in its newest state then."""
    cut = decided_by or f"{year}-12-31"
    known = rows.filter(pl.col("tahun") == str(year), pl.col("tgl_revisi") <= cut, pl.col("tgl_data") <= cut)
    truth = known.sort(pl.col("revisi_ke").cast(pl.Int64), "tgl_data").unique("indikator", keep="last")
    return {
        code: (int(pagu), int(spent))
        for code, pagu, spent in truth.select("indikator", "pagu", "realisasi").iter_rows()
    }
