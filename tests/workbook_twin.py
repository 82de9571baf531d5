"""Promotion proposals twice: as rows of the agreed layout, and as the workbook of a regional office with every oddity of real files.

The two are written from one list of proposals by different ways; neither is made from the other. Synthetic persons only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import xlsxwriter

from tests.rows import csv

AGENCIES = [
    ("5501", "Pemerintah Kab. Batanghari"), ("5501", "Kabupaten Batang Hari"), ("5607", "Pemerintah Kab. Banyu Asin"),
    ("5607", "PEMERINTAH KABUPATEN BANYUASIN"), ("5601", "Pemerintah Kab. Musi Banyuasin"), ("5673", "Lubuklinggau"),
    ("5673", "Pemerintah Kota Lubuk Linggau"), ("5771", "Kota Pangkalpinang"), ("5771", "Pemerintah Kota Pangkal Pinang"),
    ("5500", "Pemerintah Provinsi Jambi"), ("5571", "Pemerintah Kota  Jambi"), ("5609", "Kab. Ogan Komering Ulu Selatan"),
    ("5700", "Pemerintah Provinsi Kepulauan Bangka Belitung"), ("5800", "Prov. Bengkulu"), ("V001", "V001"),
]  # fmt: skip
# Status code, its text in real files (kinds of dash, spaces), and whether the decision is signed.
STATES = [
    (22, "Sdh di TTD - Pertek", True), (22, "Sdh di TTD \u2013 Pertek", True), (15, "Validasi Usulan \u2013 Disetujui", True),
    (32, "Pembuatan SK  Berhasil", True), (13, "Validasi Usulan\u2014Tidak Memenuhi Syarat", False), (6, "TMS", True), (16, "MS", True),
    (14, "Validasi Usulan \u2013 Perbaikan Dokumen", False), (12, "Terima Usulan", False), (22, "Sudah TTD -Pertek", True),
]  # fmt: skip
# MS stands for an approval, whichever of its codes.
CODES = {"MS": 15}
TYPES = [("101", "Reguler"), ("201", "Pilihan (Jabatan Struktural)"), ("202", "KP Pilihan (Jabatan Fungsional Tertentu)"), ("301", "Pengabdian")]  # fmt: skip
GRADES = [("31", "III/a", "32", "III/b"), ("33", "III/c", "34", "III/d"), ("34", "iii/d", "41", "IV/a"), ("42", "IV/b", "43", "IV/c")]  # fmt: skip
OFFICES = [("07", "7"), ("07", "Kantor Regional VII BKN Palembang"), ("07", "07"), ("05", "Kanreg V")]
SERIAL_ZERO = dt.date(1899, 12, 30)


@dataclass(frozen=True)
class Proposal:
    """One proposal as both are told of it; `received` is None for one that never came."""

    number: int
    received: dt.date | None
    decided: dt.date | None
    state: tuple[int, str, bool]
    agency: tuple[str, str]
    effective: dt.date

    @property
    def nip(self) -> str:
        return f"1980{self.number % 12 + 1:02}15200501{self.number % 2 + 1}{self.number % 998 + 1:03}"

    @property
    def kind(self) -> tuple[str, str]:
        return TYPES[self.number // 998 % 3] if self.number % 400 else TYPES[3]

    @property
    def grade(self) -> tuple[str, str, str, str]:
        return GRADES[3] if self.number % 97 == 0 else GRADES[self.number % 3]

    @property
    def office(self) -> tuple[str, str]:
        return OFFICES[3] if self.number % 101 == 0 else OFFICES[self.number % 3]


def proposals(count: int) -> Iterator[Proposal]:
    for number in range(count):
        received = None if number % 53 == 0 else dt.date(2024, 1, 2) + dt.timedelta(days=number % 300)
        state = STATES[number % len(STATES)]
        decided = received + dt.timedelta(days=number % 7) if received and state[2] else None
        agency = AGENCIES[number % len(AGENCIES)]
        yield Proposal(number, received, decided, state, agency, dt.date(2024, 2 + number % 6 * 2, 1))


def later(proposal: Proposal) -> Proposal:
    """The proposal in the next export: what was not signed then is signed now."""
    if proposal.state[2] or proposal.received is None:
        return proposal
    return replace(proposal, state=STATES[0], decided=dt.date(2024, 12, 16 + proposal.number % 5))


def agreed_rows(given: list[Proposal]) -> str:
    """The agreed layout, as CSV text. A state without a signature is known to hold on the newest day of the list."""
    newest = max(day for proposal in given for day in (proposal.received, proposal.decided) if day)
    return csv(*(_agreed(proposal, newest) for proposal in given))


def _agreed(proposal: Proposal, newest: dt.date) -> dict[str, str]:
    code, text, is_signed = proposal.state
    received, decided = proposal.received, proposal.decided
    return {
        "id": f"{proposal.nip}/{proposal.effective}/{proposal.kind[0]}", "nip": proposal.nip, "nama": f"UJI {proposal.number}",
        "instansi_kode": proposal.agency[0], "jenis_kp_id": proposal.kind[0], "golongan_lama_id": proposal.grade[0],
        "golongan_baru_id": proposal.grade[2], "periode": f"{proposal.effective:%d-%m-%Y}", "tgl_usulan": "28-12-2023",
        "tgl_pengiriman_kelayanan": f"{received} 00:00:00" if received else "",
        "tgl_update_layanan": f"{decided or newest} 00:00:00", "status_usulan": str(CODES.get(text, code)), "counter_bts": "",
        "no_pertek": f"PT-{proposal.number}" if is_signed else "", "tgl_pertek": f"{decided:%d-%m-%Y}" if decided else "",
        "no_sk": "", "tgl_sk": "", "alasan_tolak": "berkas kurang" if code in (6, 13) else "",
        "is_otomatis": "true" if proposal.number % 10 == 0 else "false", "kanreg_id_pengusul": proposal.office[0],
    }  # fmt: skip


def write_workbook(
    path: Path, given: list[Proposal], more: list[dict[int, object]] | None = None, **options: object
) -> Path:
    """The regional office's workbook: three rows of titles, 48 columns by position. ``more``: rows by position, as they are."""
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet("Data")
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.merge_range(0, 0, 0, 47, "MONITORING USULAN KENAIKAN PANGKAT")
        for column in range(48):
            sheet.write_string(1, column, f"Judul {column}")
            sheet.write_string(2, column, str(column + 1))
        for line, cells in enumerate([*map(_cells, given), *(more or [])], start=3):
            for column, value in cells.items():
                if isinstance(value, dt.date):
                    sheet.write_datetime(line, column, dt.datetime.combine(value, dt.time()), day)
                elif isinstance(value, int | float):
                    sheet.write_number(line, column, value)
                elif value is not None:
                    sheet.write_string(line, column, str(value))
    return path


def _cells(proposal: Proposal) -> dict[int, object]:
    code, text, is_signed = proposal.state
    number, decided = proposal.number, proposal.decided
    nip = proposal.nip
    # As in real files: spaces inside, a leading apostrophe.
    shown_nip = (
        f"{nip[:8]} {nip[8:14]} {nip[14]} {nip[15:]}" if number % 11 == 0 else f"'{nip}" if number % 13 == 0 else nip
    )
    by_parent = number % 17 != 0
    return {
        0: proposal.agency[1] if by_parent else "<nil>", 1: "<nil>" if by_parent else proposal.agency[1], 2: "Dinas", 3: "Bidang",
        4: "28-12-2023", 5: _day(proposal.received, number), 6: text, 7: f"PT-{number}" if is_signed else "<nil>",
        8: _day(decided, number + 1) if decided else "<nil>", 11: f"UJI {number}", 12: shown_nip, 14: "15-01-1980", 17: proposal.grade[1],
        18: "01-04-2020", 19: "Penata", 25: proposal.grade[3], 26: _day(proposal.effective, number + 2), 27: "Penata Tingkat I",
        33: "<nil>", 34: "-", 38: "Normal", 39: proposal.kind[1], 40: "berkas kurang" if code in (6, 13) else "<nil>",
        43: proposal.office[1], 46: _day(decided, number + 3), 47: ("true" if number % 20 else "Ya") if number % 10 == 0 else "<nil>",
    }  # fmt: skip


def _day(day: dt.date | None, turn: int) -> object:
    """A day in turn as text of three kinds, as Excel's number, and as a date of Excel."""
    if day is None:
        return "<nil>"
    return [
        f"{day:%d-%m-%Y}",
        (day - SERIAL_ZERO).days,
        day,
        f"{day:%d/%m/%Y}",
        str((day - SERIAL_ZERO).days),
        f"{day} 00:00:00",
    ][turn % 6]
