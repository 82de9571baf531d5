"""Deliveries for tests: one good row a source, changed by keyword, written as CSV text. Synthetic persons only."""

from typing import Any

PROMOTION = {
    "id": "P1", "nip": "198001152005011001", "nama": "UJI COBA", "instansi_kode": "5600", "jenis_kp_id": "201",
    "golongan_lama_id": "32", "golongan_baru_id": "33", "periode": "01-04-2024", "tgl_usulan": "10-01-2024",
    "tgl_pengiriman_kelayanan": "2024-01-15T09:00:00", "tgl_update_layanan": "2024-01-16T10:00:00", "status_usulan": "7",
    "counter_bts": "0", "no_pertek": "PT-1", "tgl_pertek": "16-01-2024", "no_sk": "", "tgl_sk": "", "alasan_tolak": "",
    "is_otomatis": "false", "kanreg_id_pengusul": "07",
}  # fmt: skip
NIP = {
    "id": "N1", "nip": "199001152024211001", "no_peserta": "2024010100000001", "nama": "UJI COBA", "instansi_kode": "5600",
    "jenis_pengadaan_id": "C", "tgl_usulan": "2024-01-10", "tgl_pengiriman_kelayanan": "2024-01-15T09:00:00",
    "tgl_update_layanan": "2024-01-16T10:00:00", "status_usulan": "7", "counter_bts": "0", "no_pertek": "PT-1",
    "tgl_pertek": "2024-01-16", "tmt_mulai": "2024-03-01", "alasan_tolak": "", "kanreg_id_pengusul": "07",
}  # fmt: skip
PENSION = {
    "id": "S1", "nip": "196601151990011001", "nama": "UJI COBA", "instansi_kode": "5600", "jenis_pensiun_id": "1",
    "golongan_id": "34", "tmt_pensiun": "2024-06-01 00:00:00", "tgl_usulan": "10-01-2024",
    "tgl_pengiriman_kelayanan": "2024-01-15T09:00:00", "tgl_update_layanan": "2024-01-16T10:00:00", "status_usulan": "7",
    "counter_bts": "0", "no_pertek": "PT-1", "tgl_pertek": "16-01-2024", "alasan_tolak": "", "kanreg_id_pengusul": "07",
}  # fmt: skip
INTEGRATION = {
    "nomor_surat": "L1", "tgl_surat": "2024-03-28", "tw": "1", "tahun": "2024", "instansi_kode": "5600",
    "kanal": "webservice", "riwayat": "jabatan", "terintegrasi": "true",
}  # fmt: skip
GOOD = {"promotion": PROMOTION, "nip": NIP, "pension": PENSION, "integration": INTEGRATION}


def row(source: str, **changed: Any) -> dict[str, str]:
    """The good row of the source with these columns changed."""
    assert not set(changed) - set(GOOD[source]), "no such column"
    return GOOD[source] | {name: str(value) for name, value in changed.items()}


def csv(*rows: dict[str, str], separator: str = ",") -> str:
    """CSV text of the rows, with a header line."""
    lines = [separator.join(rows[0]), *(separator.join(f'"{value}"' for value in line.values()) for line in rows)]
    return "\n".join(lines) + "\n"
