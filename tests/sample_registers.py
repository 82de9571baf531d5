"""The sample's surveys, assessments, registers and plans for tests: written, and read back as the states of every key."""

import polars as pl
import pytest

from sample_data import SOURCES
from sample_data.faults import write_faults
from sample_data.order import Order
from tests.sample_files import good_files, text_of

YEARS = (2020, 2021, 2022, 2023, 2024)

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


def read(path):
    """One delivery as text, whatever its format; a decimal comma becomes a point."""
    text, separator = text_of(path)
    if separator == ";":
        text = text.with_columns(pl.all().str.replace(r"^([0-9]+),([0-9]+)$", "$1.$2"))
    return text.with_columns(pl.all().replace(["-", "<nil>"], [None, None]))


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
