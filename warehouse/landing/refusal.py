"""Why a delivered file is refused whole, said to a clerk in English and in Indonesian.

Every message names the file (as the caller shows it), the line, row or column where it is known, and what to do. No
message ever holds the content of a cell: a delivery holds personal data, and a message is logged and mailed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final


class DeliveryRefused(Exception):
    """One delivered file cannot be landed; the others go on.

    `code` is the stable id of the fault, `message` its English text and `message_id` its Indonesian one.
    """

    def __init__(self, code: str, message: str, message_id: str) -> None:
        super().__init__(code, message, message_id)
        self.code = code
        self.message = message
        self.message_id = message_id

    def with_more(self, english: str, indonesian: str) -> DeliveryRefused:
        return DeliveryRefused(self.code, f"{self.message} {english}", f"{self.message_id} {indonesian}")

    def __str__(self) -> str:
        return self.message


# A key is the code, or the code and a variant after a dot.
MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    "format": (
        "the name ends in none of .csv, .csv.gz, .parquet, .jsonl, .xlsx (nor .json of a service that this source takes). Save the delivery in one of these formats.",
        "akhiran namanya bukan .csv, .csv.gz, .parquet, .jsonl atau .xlsx (atau .json dari layanan yang diterima sumber ini). Simpan kiriman dalam salah satu format itu.",
    ),
    "changed_type": (
        "the name says {expected}, but the content is {found}. Give the file the ending of its content, or export it "
        "again as {expected}.",
        "namanya menyatakan {expected}, tetapi isinya {found}. Beri akhiran nama sesuai isinya, atau ekspor ulang "
        "sebagai {expected}.",
    ),
    "symlink": (
        "this is a symbolic link, which may lead out of the inbox. Put the file itself into the inbox.",
        "ini tautan simbolik yang dapat menunjuk ke luar inbox. Letakkan berkas aslinya di inbox.",
    ),
    "not_a_file": (
        "this is no ordinary file. Put an ordinary file into the inbox.",
        "ini bukan berkas biasa. Letakkan berkas biasa di inbox.",
    ),
    "changing": (
        "the file was changed while it was read. Let the copy finish; it is tried again at the next run.",
        "berkas berubah saat sedang dibaca. Tunggu penyalinan selesai; berkas dicoba lagi pada proses berikutnya.",
    ),
    "unreadable.open": (
        "the file cannot be opened ({reason}). Give the account that runs kpi the right to read it.",
        "berkas tidak dapat dibuka ({reason}). Beri akun yang menjalankan kpi hak baca atas berkas ini.",
    ),
    "unreadable.damaged": (
        "the file cannot be read as {format}: it is damaged or incomplete. Export it again and copy it again.",
        "berkas tidak dapat dibaca sebagai {format}: rusak atau tidak lengkap. Ekspor dan salin ulang.",
    ),
    "unreadable.reader": (
        "the reader of {format} broke down on it, or needed more than allowed ({limit}): the file is damaged, or made to do harm. "
        "Open it in its own program, save it under a new name and deliver that.",
        "pembaca {format} gagal pada berkas ini, atau memerlukan lebih dari yang diizinkan ({limit}): berkas rusak atau sengaja "
        "dibuat merusak. Buka di programnya sendiri, simpan dengan nama baru lalu kirim berkas itu.",
    ),
    "double.member": (
        "two parts inside the workbook have one name, so what is shown and what is read may differ. Open it in Excel, save it "
        "under a new name and deliver that.",
        "dua bagian di dalam buku kerja bernama sama, sehingga yang terlihat dan yang terbaca dapat berbeda. Buka di Excel, simpan "
        "dengan nama baru lalu kirim berkas itu.",
    ),
    "double.row": (
        "row {row} stands twice in a sheet, or after a later one, so a row would be lost. Open the workbook in Excel, save it under "
        "a new name and deliver that.",
        "baris {row} muncul dua kali dalam lembar, atau sesudah baris yang lebih akhir, sehingga ada baris yang hilang. Buka di "
        "Excel, simpan dengan nama baru lalu kirim berkas itu.",
    ),
    "double.cell": (
        "cell {cell} stands twice in its row, or after a later one, so a value would be lost. Open the workbook in Excel, save it "
        "under a new name and deliver that.",
        "sel {cell} muncul dua kali dalam barisnya, atau sesudah sel yang lebih akhir, sehingga ada nilai yang hilang. Buka di "
        "Excel, simpan dengan nama baru lalu kirim berkas itu.",
    ),
    "unreadable.csv": (
        "the rows cannot be told apart without doubt. Save the file again as CSV with every text in double quotes.",
        "batas barisnya tidak dapat dipastikan. Simpan ulang sebagai CSV dengan setiap teks di antara tanda kutip ganda.",
    ),
    "password": (
        "the workbook is protected by a password, or is of the old .xls kind. Remove the password and save it as .xlsx.",
        "buku kerja dilindungi kata sandi, atau berjenis .xls lama. Hapus kata sandinya dan simpan sebagai .xlsx.",
    ),
    "date_1904": (
        "the workbook counts days from 1904 (an old Mac), so its numbers are other days here. In Excel's options, under Advanced, "
        "switch off the 1904 date system, check the dates and save it again.",
        "buku kerja menghitung hari sejak 1904 (Mac lama), sehingga angkanya menjadi tanggal lain. Di opsi Excel, bagian Lanjutan, "
        "matikan sistem tanggal 1904, periksa tanggalnya lalu simpan ulang.",
    ),
    "empty_file": (
        "the file is empty. Export it again; if there was nothing to report, deliver the header line alone.",
        "berkas kosong. Ekspor ulang; bila memang tidak ada data, kirim baris judulnya saja.",
    ),
    "encoding": (
        "line {line} is not UTF-8 text. Save the file as UTF-8 (Excel: Save As, 'CSV UTF-8').",
        "baris {line} bukan teks UTF-8. Simpan berkas sebagai UTF-8 (Excel: Simpan Sebagai, 'CSV UTF-8').",
    ),
    "encoding.utf16": (
        "the text is UTF-16 or UTF-32 from line 1 on, not UTF-8. Save the file as UTF-8 (Excel: Save As, 'CSV UTF-8').",
        "teksnya UTF-16 atau UTF-32 sejak baris 1, bukan UTF-8. Simpan berkas sebagai UTF-8 (Excel: Simpan Sebagai, "
        "'CSV UTF-8').",
    ),
    "encoding.parquet": (
        "a column of text holds bytes that are not UTF-8. Export the file again with UTF-8 text.",
        "sebuah kolom teks berisi bita yang bukan UTF-8. Ekspor ulang berkas dengan teks UTF-8.",
    ),
    "encoding.character": (
        "{at}, column {column}: half of a two-part character (\\ud800 to \\udfff). Export the file again as UTF-8.",
        "{at}, kolom {column}: karakter tidak utuh (\\ud800 sampai \\udfff). Ekspor ulang berkas sebagai UTF-8.",
    ),
    "nul_byte": (
        "line {line} holds a NUL byte, so the file is damaged or no text. Export it again as UTF-8 text.",
        "baris {line} berisi bita NUL, berarti berkas rusak atau bukan teks. Ekspor ulang sebagai teks UTF-8.",
    ),
    "line_too_long": (
        "line {line} is longer than {limit} bytes. Check that each row ends with a line end, then export the file again.",
        "baris {line} lebih panjang dari {limit} bita. Pastikan setiap baris diakhiri ganti baris, lalu ekspor ulang.",
    ),
    "line_ends": (
        "line {line} ends with, or holds, a lone carriage return (the line end of an old Mac). Save the file with the "
        "line ends of Windows (CRLF) or Unix (LF).",
        "baris {line} diakhiri atau memuat carriage return tunggal (ganti baris Mac lama). Simpan berkas dengan ganti "
        "baris Windows (CRLF) atau Unix (LF).",
    ),
    "missing_column": (
        "columns missing: {missing}. Add them to the header and deliver the file again.",
        "kolom yang tidak ada: {missing}. Tambahkan pada baris judul lalu kirim ulang berkas.",
    ),
    "missing_column.spelling": (
        "column names in another letter case or spelling: {respelt}. Write them as the contract does and deliver the file again.",
        "nama kolom dengan huruf besar/kecil atau ejaan lain: {respelt}. Tulis seperti dalam kontrak lalu kirim ulang berkas.",
    ),
    "missing_column.both": (
        "columns missing: {missing}; unknown columns: {unknown}. Use the column names of the contract and deliver the "
        "file again.",
        "kolom yang tidak ada: {missing}; kolom yang tidak dikenal: {unknown}. Gunakan nama kolom menurut kontrak lalu "
        "kirim ulang berkas.",
    ),
    "missing_column.none": (
        "none of the {count} columns found is a column of this source, so the header row is missing or the file stands "
        "in the wrong folder. Columns missing: {missing}. The separator must be a comma or a semicolon.",
        "tidak satu pun dari {count} kolom yang ditemukan adalah kolom sumber ini, jadi baris judul tidak ada atau "
        "berkas salah folder. Kolom yang tidak ada: {missing}. Pemisah harus koma atau titik koma.",
    ),
    "unknown_column": (
        "unknown columns: {unknown}. Remove them, or use the column names of the contract, and deliver the file again.",
        "kolom yang tidak dikenal: {unknown}. Hapus, atau gunakan nama kolom menurut kontrak, lalu kirim ulang berkas.",
    ),
    "duplicate_column": (
        "columns that stand more than once: {columns}. Keep each column once and deliver the file again.",
        "kolom yang muncul lebih dari sekali: {columns}. Sisakan satu untuk tiap kolom lalu kirim ulang berkas.",
    ),
    "duplicate_column.line": (
        "{at}: column {columns} stands more than once in the object. Keep it once and deliver the file again.",
        "{at}: kolom {columns} muncul lebih dari sekali dalam objek. Sisakan satu lalu kirim ulang berkas.",
    ),
    "layout.several": (
        "it can be read in more than one layout: {layouts}. Deliver it with the titles and columns of one of them alone.",
        "dapat dibaca dalam lebih dari satu tata letak: {layouts}. Kirim dengan judul dan kolom dari salah satu saja.",
    ),
    "field_count": (
        "line {line} has {found} fields where {expected} are expected. Look for a missing or an extra separator; a text "
        "that holds the separator must stand in double quotes.",
        "baris {line} memiliki {found} isian, seharusnya {expected}. Periksa pemisah yang kurang atau berlebih; teks yang "
        "memuat pemisah harus diapit tanda kutip ganda.",
    ),
    "unclosed_quote": (
        "the row that begins in line {line} has a double quote that is not closed. Close it; a quote inside a quoted "
        "text is written twice.",
        "baris data yang mulai di baris {line} memiliki tanda kutip ganda yang tidak ditutup. Tutup tanda kutip itu; "
        "tanda kutip di dalam teks berkutip ditulis dua kali.",
    ),
    "two_headers": (
        "line {line} repeats the header. Remove that row and deliver the file again.",
        "baris {line} mengulang baris judul. Hapus baris itu lalu kirim ulang berkas.",
    ),
    "two_headers.row": (
        "data row {row} repeats the header. Remove that row and deliver the file again.",
        "baris data {row} mengulang baris judul. Hapus baris itu lalu kirim ulang berkas.",
    ),
    "truncated": (
        "the file ends too early: the copy was cut off. Copy the whole file into the inbox again.",
        "berkas terpotong: penyalinan tidak selesai. Salin kembali berkas lengkapnya ke inbox.",
    ),
    "too_large": (
        "unpacked, the file is larger than allowed ({limit}). Split the delivery into smaller files.",
        "setelah dibuka, berkas lebih besar dari yang diizinkan ({limit}). Bagi kiriman menjadi beberapa berkas kecil.",
    ),
    "too_large.memory": (
        "its rows need more memory than allowed ({limit}): values are far too long, or the file is damaged. Look "
        "for a column that holds whole documents, then export it again.",
        "barisnya memerlukan memori lebih dari yang diizinkan ({limit}): isiannya terlalu panjang, atau berkas rusak. "
        "Cari kolom yang memuat dokumen utuh, lalu ekspor ulang.",
    ),
    "too_large.sheet": (
        "the first sheet reaches to row {rows} and column {columns}. Delete the stray cells far below or to the right "
        "of the table and save the workbook again.",
        "lembar pertama sampai ke baris {rows} dan kolom {columns}. Hapus sel yang tercecer jauh di bawah atau di kanan "
        "tabel lalu simpan ulang buku kerja.",
    ),
    "unexpected": (
        "the product failed at this file ({kind}, {place}); nothing of it was taken in. Deliver it in another format, and report "
        "this as a fault of the product.",
        "produk gagal pada berkas ini ({kind}, {place}); tidak ada isinya yang diproses. Kirim dalam format lain, dan laporkan "
        "sebagai kesalahan produk.",
    ),
    "nested_value": (
        "{at}, column {column}: an object or a list where a single value is expected. Export one value a column.",
        "{at}, kolom {column}: objek atau daftar, padahal seharusnya satu nilai. Ekspor satu nilai tiap kolom.",
    ),
    "nested_value.column": (
        "column {column} is of type {type}, which is not a single text, number, date or boolean. Export it as text.",
        "kolom {column} berjenis {type}, bukan satu teks, angka, tanggal atau boolean. Ekspor sebagai teks.",
    ),
    "invalid_json": (
        "{at} is not valid JSON. Write it as one complete JSON object and deliver the file again.",
        "{at} bukan JSON yang sah. Tulis sebagai satu objek JSON lengkap lalu kirim ulang berkas.",
    ),
    "invalid_json.whole": (
        "the file is not valid JSON. Ask for the page again and deliver it whole.",
        "isi berkas bukan JSON yang sah. Minta ulang halamannya lalu kirim berkas lengkap.",
    ),
    "invalid_json.page": (
        "there is no list `{entries}` in the object. Deliver the page as the service answers it; rows one a line are .jsonl.",
        "tidak ada daftar `{entries}` di dalam objeknya. Kirim halaman sebagaimana dijawab layanan; baris per baris berakhiran .jsonl.",
    ),
    "invalid_json.object": (
        "{at} holds no JSON object. Write one JSON object there, not a list or a bare value.",
        "{at} bukan objek JSON. Tulis satu objek JSON di situ, bukan daftar atau nilai lepas.",
    ),
}

# What a JSON delivery is counted in: the lines of a file, or the entries of a page, which may be one line.
LINE: Final = ("line", "baris")
ENTRY: Final = ("entry", "entri")
# A header row that is missing puts data where names are expected: what could be data is not repeated.
NO_NAME: Final = ("(no name)", "(tanpa nama)")
_LONG_DIGITS: Final = re.compile(r"\d{6,}")
_SHOWN_NAME_LENGTH: Final = 40
_LISTED_NAMES: Final = 30


def shown_name(name: str, position: int) -> str:
    """A column name as a message may show it; `position` is counted from 1 and stands in for a doubtful name."""
    if not name:
        return f"#{position} {NO_NAME[0]}"
    if len(name) > _SHOWN_NAME_LENGTH or _LONG_DIGITS.search(name) or not name.isprintable():
        return f"#{position}"
    return name


def at(unit: tuple[str, str], number: int) -> tuple[str, str]:
    """`line 3`, in English and in Indonesian."""
    return f"{unit[0]} {number}", f"{unit[1]} {number}"


def listed(names: Iterable[str]) -> str:
    """Names as a message lists them: the first thirty, and how many more there are."""
    texts = list(names)
    rest = f", ... (+{len(texts) - _LISTED_NAMES})" if len(texts) > _LISTED_NAMES else ""
    return ", ".join(texts[:_LISTED_NAMES]) + rest


def refusal(key: str, file: str, **facts: object) -> DeliveryRefused:
    """The refusal of `file` for the reason `key` of `MESSAGES`, its blanks filled from `facts`; a pair is English and Indonesian."""
    english, indonesian = (
        text.format(**{name: fact[place] if isinstance(fact, tuple) else fact for name, fact in facts.items()})
        for place, text in enumerate(MESSAGES[key])
    )
    indonesian = indonesian.replace(*NO_NAME)
    return DeliveryRefused(key.split(".", maxsplit=1)[0], f"{file}: {english}", f"{file}: {indonesian}")
