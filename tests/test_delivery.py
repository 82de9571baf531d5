"""One delivered file of any format becomes a Parquet of its text, or is refused with a word that helps."""

import datetime as dt
import gzip
import json
import os
import random
import re
import stat
import zipfile
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from warehouse import (
    delivery,
    delivery_csv,
    delivery_jsonl,
    delivery_parquet,
    delivery_session,
    delivery_text,
    delivery_xlsx,
)
from warehouse.delivery import Landed, land_delivery, sha256_of
from warehouse.refusal import MESSAGES, DeliveryRefused

ABC = ("a", "b", "c")
SHOWN = "inbox/source/the file"


class Desk:
    """A folder for deliveries, with a landing and a spool of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.landing = root / "landing"
        self.landing.mkdir()
        self.target = self.landing / "landed.parquet"
        self.spool = root / "spool"

    def file(self, name: str, data: bytes | str) -> Path:
        path = self.root / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def land(self, file: Path, columns=ABC) -> Landed:
        return land_delivery(file, SHOWN, columns, self.target, self.spool)

    def rows(self, file: Path, columns=ABC) -> list[tuple]:
        landed = self.land(file, columns)
        rows = landed_rows(self.target)
        assert landed.rows == len(rows)
        self.check_traces([self.target.name])
        return rows

    def csv(self, data: bytes | str, columns=ABC) -> list[tuple]:
        return self.rows(self.file("f.csv", data), columns)

    def jsonl(self, data: bytes | str, columns=ABC) -> list[tuple]:
        return self.rows(self.file("f.jsonl", data), columns)

    def parquet(self, table: pa.Table, columns) -> list[tuple]:
        pq.write_table(table, self.root / "f.parquet")
        return self.rows(self.root / "f.parquet", columns)

    def refused(self, file: Path, columns=ABC) -> DeliveryRefused:
        landed_before = self.landed_names()
        with pytest.raises(DeliveryRefused) as caught:
            self.land(file, columns)
        self.check_traces(landed_before)
        refused = caught.value
        for text in (refused.message, refused.message_id):
            assert text.startswith(f"{SHOWN}: ")
            assert "{" not in text
        assert str(refused) == refused.message != refused.message_id
        return refused

    def refused_csv(self, data: bytes | str, columns=ABC) -> DeliveryRefused:
        return self.refused(self.file("f.csv", data), columns)

    def refused_jsonl(self, data: bytes | str, columns=ABC) -> DeliveryRefused:
        return self.refused(self.file("f.jsonl", data), columns)

    def landed_names(self) -> list[str]:
        return sorted(path.name for path in self.landing.iterdir())

    def check_traces(self, landed: list[str]) -> None:
        assert self.landed_names() == landed
        assert not self.spool.exists() or not any(self.spool.iterdir())


def landed_rows(target: Path) -> list[tuple]:
    query = "SELECT * EXCLUDE (file_row_number) FROM read_parquet(?, file_row_number=true) ORDER BY file_row_number"
    with duckdb.connect() as con:
        return con.execute(query, [delivery_session.one_path(target)]).fetchall()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# --- what is landed, and how ---------------------------------------------------------------------------------------


def test_landed_file_is_a_read_only_parquet_of_text_in_the_order_of_the_contract(desk):
    landed = desk.land(desk.file("f.csv", "c,a,b\n3,1,2\n6,4,5\n"))
    assert landed == Landed(rows=2, format="csv", decimal_comma=False, is_typed=False)
    assert landed_rows(desk.target) == [("1", "2", "3"), ("4", "5", "6")]
    assert stat.S_IMODE(desk.target.stat().st_mode) == 0o400
    assert stat.S_IMODE(desk.spool.stat().st_mode) == 0o700
    schema = pq.read_schema(desk.target)
    assert [(field.name, field.type) for field in schema] == [(name, pa.string()) for name in ABC]
    assert pq.read_metadata(desk.target).row_group(0).column(0).compression == "ZSTD"


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "jsonl", "parquet", "xlsx"])
def test_every_format_lands_text_columns_compressed(desk, ending):
    file = desk.root / f"f.{ending}"
    if ending == "csv":
        file.write_text("b,a\n2,1\n")
    elif ending == "csv.gz":
        file.write_bytes(gzip.compress(b"b,a\n2,1\n"))
    elif ending == "jsonl":
        file.write_text('{"b": 2, "a": "1"}\n')
    elif ending == "parquet":
        pq.write_table(pa.table({"b": [2], "a": ["1"]}), file)
    else:
        workbook(file, [["b", "a"], [2, "1"]])
    landed = desk.land(file, ("a", "b"))
    assert landed == Landed(1, ending, False, ending in ("jsonl", "parquet", "xlsx"))
    assert landed_rows(desk.target) == [("1", "2")]
    schema = pq.read_schema(desk.target)
    assert schema.names == ["a", "b"]
    assert all(pa.types.is_string(t) or pa.types.is_large_string(t) for t in schema.types)
    assert duckdb.sql(f"DESCRIBE FROM '{desk.target}'").fetchall()[0][:2] == ("a", "VARCHAR")
    assert pq.read_metadata(desk.target).row_group(0).column(0).compression == "ZSTD"
    assert stat.S_IMODE(desk.target.stat().st_mode) == 0o400


def test_an_earlier_landing_is_replaced_whole(desk):
    desk.csv("a,b,c\n1,2,3\n")
    assert desk.csv("a,b,c\n4,5,6\n") == [("4", "5", "6")]


def test_a_refusal_leaves_an_earlier_landing_alone(desk):
    desk.csv("a,b,c\n1,2,3\n")
    with pytest.raises(DeliveryRefused):
        desk.land(desk.file("g.csv", "a,b,c\n1,2\n"))
    assert landed_rows(desk.target) == [("1", "2", "3")]
    desk.check_traces(["landed.parquet"])


def test_a_fault_of_the_machine_is_no_refusal_and_leaves_nothing(desk, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(delivery, "_sync", full)
    with pytest.raises(OSError, match="No space left"):
        desk.land(desk.file("f.csv", "a,b,c\n1,2,3\n"))
    desk.check_traces([])


def test_many_rows_keep_their_order_over_row_groups(desk):
    lines = "".join(f"{i},x{i % 7},y\n" for i in range(100_000))
    assert desk.land(desk.file("f.csv", "a,b,c\n" + lines)).rows == 100_000
    assert pq.read_metadata(desk.target).num_row_groups > 1
    with duckdb.connect() as con:
        query = "SELECT count(*) FROM read_parquet(?, file_row_number=true) WHERE a::BIGINT = file_row_number"
        assert con.execute(query, [str(desk.target)]).fetchall() == [(100_000,)]


def test_sha256_of(desk):
    assert sha256_of(desk.file("f.csv", "abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


# --- the file itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["f.xls", "f.txt", "f.gz", "f.json.gz", "csv", "f.csv.zip", "f"])
def test_other_formats_are_refused_with_the_list_of_formats(desk, name):
    refused = desk.refused(desk.file(name, "a,b,c\n1,2,3\n"))
    assert refused.code == "format"
    assert ".csv, .csv.gz, .parquet, .jsonl, .xlsx" in refused.message


def test_the_ending_may_be_written_in_capitals(desk):
    assert desk.rows(desk.file("F.CSV", "a,b,c\n1,2,3\n")) == [("1", "2", "3")]


@pytest.mark.parametrize(
    "name", ["f*.csv", "f[1].csv", "f?.csv", "a'b \"c.csv", "f\\*.csv", "tahun=2024.csv", "{a}%20.csv"]
)
def test_a_name_is_never_taken_for_a_pattern(desk, name):
    desk.file("f1.csv", "a,b,c\n9,9,9\n")
    desk.file("f.csv", "a,b,c\n9,9,9\n")
    assert desk.rows(desk.file(name, "a,b,c\n1,2,3\n")) == [("1", "2", "3")]


def test_folders_with_odd_names(tmp_path):
    root = tmp_path / "tahun=2024 [x]*'q?"
    root.mkdir()
    (tmp_path / "tahun=2024 xy'qz").mkdir()
    assert Desk(root).csv("a,b,c\n1,2,3\n") == [("1", "2", "3")]


def test_a_link_is_refused(desk):
    link = desk.root / "link.csv"
    link.symlink_to(desk.file("f.csv", "a,b,c\n1,2,3\n"))
    assert desk.refused(link).code == "symlink"
    with pytest.raises(DeliveryRefused, match="symbolic link"):
        sha256_of(link)


def test_a_pipe_or_a_folder_is_refused_without_waiting(desk):
    os.mkfifo(desk.root / "pipe.csv")
    (desk.root / "folder.csv").mkdir()
    assert desk.refused(desk.root / "pipe.csv").code == "not_a_file"
    assert desk.refused(desk.root / "folder.csv").code == "not_a_file"
    with pytest.raises(DeliveryRefused):
        sha256_of(desk.root / "pipe.csv")


def test_a_file_that_has_gone_is_tried_again(desk):
    refused = desk.refused(desk.root / "gone.csv")
    assert refused.code == "changing"
    assert "next run" in refused.message


@pytest.mark.parametrize("change", ["append", "replace", "remove", "touch"])
def test_a_file_that_changes_while_it_is_read_is_refused(desk, monkeypatch, change):
    file = desk.file("f.csv", "a,b,c\n1,2,3\n")
    real = delivery_csv.measure

    def meddle(*args):
        shape = real(*args)
        if change == "append":
            with file.open("a") as stream:
                stream.write("4,5,6\n")
        elif change == "touch":
            os.utime(file, ns=(1, 1))
        elif change == "remove":
            file.unlink()
        else:
            other = desk.file("other", "a,b,c\n7,8,9\n")
            os.utime(other, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
            other.replace(file)
        return shape

    monkeypatch.setattr(delivery_csv, "measure", meddle)
    refused = desk.refused(file)
    assert refused.code == "changing"
    assert "tried again at the next run" in refused.message
    assert "dicoba lagi" in refused.message_id


@pytest.mark.parametrize("name", ["f.csv", "f.csv.gz", "f.jsonl", "f.parquet", "f.xlsx"])
def test_a_file_of_no_bytes_is_empty(desk, name):
    assert desk.refused(desk.file(name, b"")).code == "empty_file"


@pytest.mark.parametrize("data", [b"\n", b"  \r\n\t\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf \n\n"])
@pytest.mark.parametrize("name", ["f.csv", "f.csv.gz", "f.jsonl"])
def test_a_file_of_white_space_is_empty(desk, name, data):
    assert desk.refused(desk.file(name, gzip.compress(data) if name.endswith("gz") else data)).code == "empty_file"


def test_content_that_belies_the_name(desk):
    packed = gzip.compress(b"a,b,c\n1,2,3\n")
    assert desk.refused(desk.file("f.csv", packed)).code == "changed_type"
    assert desk.refused(desk.file("g.jsonl", b"PAR1" + b"\0" * 20)).code == "changed_type"
    assert desk.refused(desk.file("h.csv", b"PK\x03\x04" + b"\0" * 20)).code == "changed_type"
    assert desk.refused(desk.file("i.csv.gz", b"a,b,c\n1,2,3\n")).code == "changed_type"
    refused = desk.refused(desk.file("j.parquet", packed))
    assert refused.code == "changed_type"
    assert "the name says .parquet, but the content is gzip" in refused.message


# --- columns -------------------------------------------------------------------------------------------------------


def test_missing_and_unknown_columns_are_named_in_one_message(desk):
    refused = desk.refused_csv("a,x,b,y z\n1,2,3,4\n", ("a", "b", "c", "d"))
    assert refused.code == "missing_column"
    assert "columns missing: c, d; unknown columns: x, y z." in refused.message
    assert "kolom yang tidak ada: c, d; kolom yang tidak dikenal: x, y z." in refused.message_id


def test_missing_columns_alone(desk):
    refused = desk.refused_csv("b\n1\n")
    assert refused.code == "missing_column"
    assert "columns missing: a, c." in refused.message


def test_unknown_columns_alone(desk):
    refused = desk.refused_csv("a,b,c,d,\n1,2,3,4,5\n")
    assert refused.code == "unknown_column"
    assert "unknown columns: d, #5 (no name / tanpa nama)." in refused.message


def test_names_are_trimmed_and_their_case_counts(desk):
    assert desk.csv(' a ,"b ",\tc\n1,2,3\n') == [("1", "2", "3")]
    refused = desk.refused_csv("A,b,c\n1,2,3\n")
    assert "columns missing: a; unknown columns: A." in refused.message


def test_duplicate_columns(desk):
    refused = desk.refused_csv("a,b,c, b\n1,2,3,4\n")
    assert refused.code == "duplicate_column"
    assert "more than once: b." in refused.message


def test_a_missing_header_row_does_not_print_the_first_person(desk):
    refused = desk.refused_csv("1,198003012005011001,BUDI SANTOSO\n2,3,4\n")
    assert refused.code == "missing_column"
    assert "none of the 3 columns found" in refused.message
    for text in (refused.message, refused.message_id):
        assert "BUDI" not in text
        assert "1980" not in text


def test_a_name_that_may_be_data_is_shown_as_its_position(desk):
    refused = desk.refused_csv(f"a,198003012005011001,{'x' * 41},b,c\n1,2,3,4,5\n")
    assert "unknown columns: #2, #3." in refused.message


def test_another_separator_is_refused_with_a_word_about_it(desk):
    refused = desk.refused_csv("a\tb\tc\n1\t2\t3\n")
    assert refused.code == "missing_column"
    assert "separator must be a comma or a semicolon" in refused.message


def test_column_names_that_sql_would_stumble_over(desk):
    columns = ('o"x', "it's", "select", "a b", "x;y")
    assert desk.csv('"o""x",it\'s,select,a b,"x;y"\n1,2,3,4,5\n', columns) == [("1", "2", "3", "4", "5")]


def test_a_single_column(desk):
    assert desk.csv("a\n1\n2\n", ("a",)) == [("1",), ("2",)]
    assert desk.jsonl('{"a": "1"}\n{}\n', ("a",)) == [("1",), (None,)]


# --- CSV -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        ("a,b,c\n1,2,3", [("1", "2", "3")]),
        ("\ufeffa,b,c\n1,2,3\n", [("1", "2", "3")]),
        ('\ufeff"a","b","c"\n1,2,3\n', [("1", "2", "3")]),
        ("a,b,c\r\n1,2,3\r\n4,5,6\r\n", [("1", "2", "3"), ("4", "5", "6")]),
        ("a,b,c\r\n1,2,3\r\n4,5,6", [("1", "2", "3"), ("4", "5", "6")]),
        ("a,b,c\n\n1,2,3\n\n\n4,5,6\n\n", [("1", "2", "3"), ("4", "5", "6")]),
        ("\n\na,b,c\n1,2,3\n", [("1", "2", "3")]),
        ("a,b,c\r\n\r\n1,2,3\r\n\r\n\r\n4,5,6\r\n\r\n", [("1", "2", "3"), ("4", "5", "6")]),
        ("a,b,c\n 1 ,'2, 3\t\n", [(" 1 ", "'2", " 3\t")]),
        ("a,b,c\n-,null,<nil>\n", [("-", "null", "<nil>")]),
        ('a,b,c\n,"",x\n,,\n', [(None, None, "x"), (None, None, None)]),
        ('a,b,c\n"x, y","say ""hi""",\'z\n', [("x, y", 'say "hi"', "'z")]),
        ('a,b,c\n"x\ny","u\r\nv",3\n4,5,6\n', [("x\ny", "u\r\nv", "3"), ("4", "5", "6")]),
        ('a,b,c\r\n"x\ny",2,3\r\n4,5,6\r\n', [("x\ny", "2", "3"), ("4", "5", "6")]),
        ('a,b,c\n1,2,"last\n"\n', [("1", "2", "last\n")]),
        ('a,b,c\n1,24" tv,3\n', [("1", '24" tv', "3")]),
        ("a,b,c\n#1,a\\b,3\n", [("#1", "a\\b", "3")]),
        ("a,b,c\nBandar Lampung ñ 中文 😀,2,3\n", [("Bandar Lampung ñ 中文 😀", "2", "3")]),
        ("a,b,c\n019800301200501100,1.98003E+17,2024-01-02\n", [("019800301200501100", "1.98003E+17", "2024-01-02")]),
    ],
)
def test_csv_is_landed_as_it_was_written(desk, data, rows):
    assert desk.csv(data) == rows


@pytest.mark.parametrize(
    "data",
    [
        "a,b,c\r\n1,2,3\n4,5,6\r\n",
        "a,b,c\n1,2,3\r\n4,5,6\n",
        "a,b,c\n1,2,3\n4,5,6\r\n",
        "a,b,c\r\n1,2,3\n4,5,6",
    ],
)
def test_mixed_line_ends_are_read(desk, data):
    assert desk.csv(data) == [("1", "2", "3"), ("4", "5", "6")]


def test_mixed_line_ends_leave_quoted_ones_alone(desk):
    assert desk.csv('a,b,c\r\n1,"x\r\ny",3\n4,"u\nv",6\r\n') == [("1", "x\r\ny", "3"), ("4", "u\nv", "6")]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ("a,b,c\r1,2,3\r4,5,6\r", 1),
        ("a,b,c\n1,2,3\n4,5\r,6\n", 3),
        ("a,b,c\r\n1,2,3\r\r\n4,5,6\r\n", 2),
        ("a,b,c\n1,2,3\n4,5,6\r", 3),
    ],
)
def test_lone_carriage_returns_are_refused_with_the_line(desk, data, line):
    refused = desk.refused_csv(data)
    assert refused.code == "line_ends"
    assert f"line {line} " in refused.message


def test_a_semicolon_brings_the_decimal_comma(desk):
    landed = desk.land(desk.file("f.csv", "a;b;c\n93,36;x, y;\n"))
    assert landed == Landed(rows=1, format="csv", decimal_comma=True, is_typed=False)
    assert landed_rows(desk.target) == [("93,36", "x, y", None)]


def test_a_header_alone_lands_no_rows(desk):
    assert desk.csv("a,b,c\n") == []
    assert desk.csv("a,b,c") == []
    assert pq.read_schema(desk.target).names == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("data", "line", "found"),
    [
        ("a,b,c\n1,2,3\n4,5\n6,7,8\n", 3, 2),
        ("a,b,c\n1,2,3\n4,5,6,7\n", 3, 4),
        ("a,b,c\n1,2,3\n4,5,6,\n", 3, 4),
        ("a,b,c\n1,2,,\n", 2, 4),
        ("a,b,c\r\n1,2,3\r\n\r\n4,5,6,,\r\n", 4, 5),
        ('a,b,c\n"x\ny",2,3\n4,5,6,\n', 4, 4),
        ('a,b,c\n1,2,3\n"4",\n', 3, 2),
        ("a,b,c\n1,2,3\n   \n", 3, 1),
        ("a,b,c\r\n1,2,3\n4,5\n", 3, 2),
    ],
)
def test_a_row_with_other_fields_refuses_the_file_with_the_line(desk, data, line, found):
    refused = desk.refused_csv(data)
    assert refused.code == "field_count"
    assert f"line {line} has {found} fields where 3 are expected" in refused.message
    assert f"baris {line} memiliki {found} isian, seharusnya 3" in refused.message_id


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ('a,b,c\n1,2,3\n4,"5,6\n7,8,9\n', 3),
        ('a,b,c\n1,2,3\n4,5,"6', 3),
        ('a,b,c\n1,"2,3\n4,"5,6\n7,8,9\n', 2),
        ('a,b,c\n1,2,3\n4,"5"x,6\n', 3),
        ('a,b,c\n"x\ny",2,3\n"z\n', 4),
    ],
)
def test_an_unclosed_quote_refuses_the_file_with_the_line(desk, data, line):
    refused = desk.refused_csv(data)
    assert refused.code == "unclosed_quote"
    assert f"begins in line {line} " in refused.message


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ("a,b,c\n1,2,3\n4,é,6\n".encode("latin-1"), 3),
        (b"a,b,c\n1,2,3\n4,5,\xe9\n", 3),
        (b"\xe9,b,c\n1,2,3\n", 1),
        (b"a,b,c\n1,2,\xc3", 2),
        (b"\xef\xbb\xbfa,b,c\n\n1,2,\xa0\n", 3),
    ],
)
def test_other_encodings_are_refused_with_the_line(desk, data, line):
    refused = desk.refused_csv(data)
    assert refused.code == "encoding"
    assert f"line {line} is not UTF-8 text. Save the file as UTF-8 (Excel: Save As, 'CSV UTF-8')" in refused.message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("name", ["f.csv", "f.jsonl"])
def test_utf16_is_refused(desk, name, encoding):
    refused = desk.refused(desk.file(name, "a,b,c\n1,2,3\n".encode(encoding)))
    assert refused.code == "encoding"
    assert "UTF-16" in refused.message
    assert "line 1" in refused.message


def test_a_nul_byte_is_refused_with_the_line(desk):
    refused = desk.refused_csv(b"a,b,c\n1,2,3\n4,\x00,6\n")
    assert refused.code == "nul_byte"
    assert "line 3 " in refused.message


def test_line_numbers_count_on_over_blocks(desk, monkeypatch):
    monkeypatch.setattr(delivery_text, "BLOCK_BYTES", 1000)
    good = "".join(f"{i},x,y\n" for i in range(5000)).encode()
    assert "line 5002 " in desk.refused_csv(b"a,b,c\n" + good + b"1,\xff,3\n").message
    assert "line 5002 " in desk.refused_csv(b"a,b,c\n" + good + b"1,\0,3\n").message
    assert "line 5002 " in desk.refused_csv(b"a,b,c\n" + good + b"1,2\r,3\n").message
    assert "line 5002 " in desk.refused_csv(b"a,b,c\n" + good + b"1,2\n").message
    assert "line 5002 " in desk.refused_csv(b"\xef\xbb\xbfa,b,c\n" + good + b'1,"2,3\n').message
    assert desk.land(desk.file("f.csv", b"a,b,c\n" + good)).rows == 5000


@pytest.mark.parametrize("name", ["f.csv", "f.jsonl"])
def test_an_endless_line_is_refused_with_its_number(desk, monkeypatch, name):
    monkeypatch.setattr(delivery_text, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(delivery_text, "MAX_LINE_BYTES", 5000)
    header = "a,b,c\n1,2,3\n" if name == "f.csv" else '{"a":1}\n{"a":1}\n'
    refused = desk.refused(desk.file(name, header + "1,2," + "x" * 6000))
    assert refused.code == "line_too_long"
    assert "line 3 is longer than 5000 bytes" in refused.message
    refused = desk.refused(desk.file(name, "x" * 6000 + "\n"))
    assert "line 1 is longer than 5000 bytes" in refused.message


def test_a_long_line_within_the_limit_is_read(desk):
    rows = desk.csv(f"a,b,c\n1,{'x' * 3_000_000},3\n4,5,6\n")
    assert [len(row[1]) for row in rows] == [3_000_000, 1]


def test_a_quote_that_swallows_the_rest_is_refused_at_its_row(desk, monkeypatch):
    monkeypatch.setattr(delivery_text, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(delivery_text, "MAX_LINE_BYTES", 5000)
    refused = desk.refused_csv('a,b,c\n1,2,3\n4,"5,6\n' + "7,8,9\n" * 5000 + '1,2",3\n')
    assert refused.code == "unclosed_quote"
    assert "begins in line 3 " in refused.message


def test_quoted_line_ends_survive_where_threads_meet(desk, monkeypatch):
    """DuckDB's parallel reader takes the inside of such a text for rows."""
    monkeypatch.setattr(delivery_text, "MAX_LINE_BYTES", 200_000)
    monkeypatch.setattr(delivery_text, "BLOCK_BYTES", 10_000)
    chance = random.Random(1)
    expected = []
    for i in range(3000):
        inner = "\n".join(f"{j},inner{j},x" for j in range(chance.randrange(1, 2000) if i % 20 == 0 else 1))
        expected.append((str(i), inner, "z"))
    body = "".join(f'{a},"{b}",{c}\n' for a, b, c in expected)
    assert desk.csv("a,b,c\n" + body) == expected


@pytest.mark.parametrize("repeat", ["a,b,c", " A ,b,C", '"a","b","c"'])
def test_a_second_header_is_refused_with_its_row(desk, repeat):
    refused = desk.refused_csv(f"a,b,c\n1,2,3\n\n{repeat}\n4,5,6\n{repeat}\n")
    assert refused.code == "two_headers"
    assert "data row 2 repeats the header" in refused.message
    assert "baris data 2 mengulang baris judul" in refused.message_id


def test_a_row_that_holds_only_some_names_is_a_row(desk):
    assert desk.csv("a,b,c\na,b,x\n,b,c\n") == [("a", "b", "x"), (None, "b", "c")]


def test_where_duckdb_and_python_disagree_the_file_is_refused(desk, monkeypatch):
    monkeypatch.setattr(delivery_csv._Table, "copy", lambda *_, **__: 7)
    refused = desk.refused_csv("a,b,c\n1,2,3\n")
    assert refused.code == "unreadable"


def test_no_refusal_repeats_what_a_cell_holds(desk):
    for data in (
        "a,b,c\nRAHASIA,2\n",
        'a,b,c\n1,"RAHASIA,3\n',
        "a,b,c\nRAHASIA,2,3,4\n",
        "a,b,c\n1,RAHASIA\r,3\n",
    ):
        refused = desk.refused_csv(data)
        assert "RAHASIA" not in refused.message + refused.message_id
        assert refused.__cause__ is None
        assert refused.__context__ is None or refused.__suppress_context__


def test_values_that_no_memory_holds_are_the_files_fault(desk, monkeypatch):
    monkeypatch.setattr(delivery_session, "MEMORY_LIMIT", "60MB")
    chance = random.Random(1)
    long = [chance.randbytes(400_000).hex() for _ in range(3)]
    file = desk.file("f.csv", "a,b,c\n" + "".join(f"{i},{long[i % 3]},z\n" for i in range(100)))
    refused = desk.refused(file)
    assert refused.code == "too_large"
    assert "values are far too long" in refused.message


# --- gzip ----------------------------------------------------------------------------------------------------------


def test_gzip_in_one_or_several_members_with_padding(desk):
    data = gzip.compress(b"a,b,c\n1,2,3\n") + gzip.compress(b"4,5,6\n") + b"\0" * 512
    file = desk.file("f.csv.gz", data)
    assert desk.land(file) == Landed(rows=2, format="csv.gz", decimal_comma=False, is_typed=False)
    assert landed_rows(desk.target) == [("1", "2", "3"), ("4", "5", "6")]
    desk.check_traces(["landed.parquet"])
    assert desk.land(desk.file("g.csv.gz", gzip.compress(b"a;b;c\n1;2;3\n"))).decimal_comma


@pytest.mark.parametrize("cut", [12, 40, -9, -1])
def test_a_cut_off_gzip_is_refused(desk, cut):
    data = gzip.compress(b"a,b,c\n" + b"".join(b"%d,x,y\n" % i for i in range(1000)))
    refused = desk.refused(desk.file("f.csv.gz", data[:cut]))
    assert refused.code == "truncated"
    assert "Copy the whole file into the inbox again" in refused.message


def test_a_gzip_that_fails_its_checksum_or_ends_in_garbage_is_refused(desk):
    data = gzip.compress(b"a,b,c\n1,2,3\n")
    wrong = data[:-8] + bytes([data[-8] ^ 1]) + data[-7:]
    assert desk.refused(desk.file("f.csv.gz", wrong)).code == "unreadable"
    assert desk.refused(desk.file("g.csv.gz", data + b"garbage")).code == "unreadable"


def test_a_gzip_bomb_is_refused(desk, monkeypatch):
    bomb = desk.file("f.csv.gz", gzip.compress(b"a,b,c\n" + b"0,0,0\n" * 500_000))
    monkeypatch.setattr(delivery_text, "MAX_EXPANDED_BYTES", 2_000_000)
    assert desk.refused(bomb).code == "too_large"
    monkeypatch.setattr(delivery_text, "MAX_EXPANDED_BYTES", 20 * 2**30)
    monkeypatch.setattr(delivery_text, "RATIO_FROM_BYTES", 1_000_000)
    monkeypatch.setattr(delivery_text, "MAX_RATIO", 50)
    assert desk.refused(bomb).code == "too_large"
    monkeypatch.setattr(delivery_text, "RATIO_FROM_BYTES", 100_000_000)
    assert desk.land(bomb).rows == 500_000


def test_faults_inside_a_gzip_have_their_line(desk):
    refused = desk.refused(desk.file("f.csv.gz", gzip.compress(b"a,b,c\n1,2,3\n4,5\n")))
    assert "line 3 has 2 fields where 3 are expected" in refused.message


# --- JSON Lines ----------------------------------------------------------------------------------------------------


JSON_VALUES = [
    ('"x"', "x"),
    ('""', ""),
    ('" x "', " x "),
    ('"a\\"b\\n\\u00e9"', 'a"b\né'),
    ("198003012005011001", "198003012005011001"),
    ("12345678901234567890123456", "12345678901234567890123456"),
    ("1.98003E+17", "1.98003E+17"),
    ("93.360", "93.360"),
    ("-0.5", "-0.5"),
    ("0", "0"),
    ("true", "true"),
    ("false", "false"),
    ("null", None),
    ('"null"', "null"),
    ('"1.98003E+17"', "1.98003E+17"),
]


def test_json_values_keep_the_letters_they_were_delivered_in(desk):
    columns = [f"v{i}" for i in range(len(JSON_VALUES))]
    pairs = ", ".join(f'"{column}": {value}' for column, (value, _) in zip(columns, JSON_VALUES, strict=True))
    assert desk.jsonl(f"{{{pairs}}}\n", columns) == [tuple(text for _, text in JSON_VALUES)]


def test_json_lines_in_any_order_with_missing_keys_blank_lines_and_windows_ends(desk):
    data = '\ufeff{"c":"3","a":"1"}\r\n\r\n {"b":"5"} \r\n{}\n{"a":null,"b":true,"c":6}'
    assert desk.jsonl(data) == [("1", None, "3"), (None, "5", None), (None, None, None), (None, "true", "6")]
    assert desk.land(desk.root / "f.jsonl") == Landed(4, "jsonl", False, True)


def test_json_keys_unknown_anywhere_and_columns_that_no_line_has(desk):
    refused = desk.refused_jsonl('{"a":1,"b":2}\n{"a":1,"x":2}\n{"y":3}\n')
    assert refused.code == "missing_column"
    assert "columns missing: c; unknown columns: x, y." in refused.message
    refused = desk.refused_jsonl('{"a":1,"b":2,"c":3}\n{"a":1,"x":2}\n')
    assert refused.code == "unknown_column"
    assert desk.refused_jsonl('{"a":1}\n{"b":2}\n').code == "missing_column"


def test_ever_new_json_keys_do_not_fill_the_memory(desk):
    data = '{"a":1,"b":2,"c":3}\n' + "".join(f'{{"k{i}":1}}\n' for i in range(200))
    refused = desk.refused_jsonl(data)
    assert refused.code == "unknown_column"
    assert "k40" in refused.message
    assert "k199" not in refused.message


@pytest.mark.parametrize("value", ['{"k": 1}', "[1, 2]", "[]", "{}"])
def test_a_nested_json_value_is_refused_with_line_and_column(desk, value):
    refused = desk.refused_jsonl(f'{{"a":1,"b":2,"c":3}}\n\n{{"a":1,"b":{value},"c":3}}\n')
    assert refused.code == "nested_value"
    assert "line 3, column b:" in refused.message
    assert "baris 3, kolom b:" in refused.message_id


@pytest.mark.parametrize(
    "line",
    [
        '{"a":1,',
        '{"a":1}{"b":2}',
        '{"a":NaN}',
        '{"a":-Infinity}',
        "{'a':1}",
        '{"a":1,}',
        '{"a":"x\ty"}',
        '{"a":01}',
        "a,b,c",
        "[" * 100_000,
    ],
)
def test_invalid_json_is_refused_with_the_line(desk, line):
    refused = desk.refused_jsonl(f'{{"a":1,"b":2,"c":3}}\n{line}\n')
    assert refused.code == "invalid_json"
    assert "line 2 is not valid JSON" in refused.message


@pytest.mark.parametrize("line", ['[{"a":1}]', "5", '"a"', "null", "[]"])
def test_a_line_that_is_no_object_is_refused(desk, line):
    refused = desk.refused_jsonl(f'{{"a":1,"b":2,"c":3}}\n{line}\n')
    assert refused.code == "invalid_json"
    assert "line 2 holds no JSON object" in refused.message


def test_a_key_twice_in_one_object_is_refused(desk):
    refused = desk.refused_jsonl('{"a":1,"b":2,"c":3}\n{"a":1,"b":2,"a":3}\n')
    assert refused.code == "duplicate_column"
    assert "line 2: column a stands more than once" in refused.message


def test_json_encoding_faults(desk):
    refused = desk.refused_jsonl(b'{"a":1,"b":2,"c":3}\n{"a":"\xe9"}\n')
    assert refused.code == "encoding"
    assert "line 2 " in refused.message
    refused = desk.refused_jsonl('{"a":1,"b":2,"c":3}\n{"b":"\\ud800"}\n')
    assert refused.code == "encoding"
    assert "line 2, column b" in refused.message


def test_json_over_many_blocks_keeps_order_and_lines(desk, monkeypatch):
    monkeypatch.setattr(delivery_text, "BLOCK_BYTES", 4096)
    monkeypatch.setattr(delivery_jsonl, "_BATCH_BYTES", 1_000_000)
    lines = [json.dumps({"a": i, "b": f"x{i}", "c": i % 2 == 0}) for i in range(50_000)]
    rows = desk.jsonl("\n".join(lines) + "\n")
    assert rows == [(str(i), f"x{i}", "true" if i % 2 == 0 else "false") for i in range(50_000)]
    assert pq.read_metadata(desk.target).num_row_groups == 2
    assert "line 50001 " in desk.refused_jsonl("\n".join(lines) + "\n{\n").message


def test_a_json_refusal_does_not_carry_the_line(desk):
    refused = desk.refused_jsonl('{"a":"RAHASIA"\n')
    assert "RAHASIA" not in refused.message
    assert refused.__cause__ is None
    assert refused.__context__ is None


# --- Parquet -------------------------------------------------------------------------------------------------------

WIB = dt.timezone(dt.timedelta(hours=7))


@pytest.mark.parametrize(
    ("array", "texts"),
    [
        (pa.array(["x", " y ", "", None]), ["x", " y ", "", None]),
        (pa.array(["x", "y"]).dictionary_encode(), ["x", "y"]),
        (pa.array([b"x", b"y"]), ["x", "y"]),
        (pa.array([dt.date(2024, 4, 1), None]), ["2024-04-01", None]),
        (
            pa.array([dt.datetime(2024, 4, 1), dt.datetime(2024, 4, 1, 10, 20, 30, 123456)]),
            ["2024-04-01 00:00:00", "2024-04-01 10:20:30.123456"],
        ),
        (pa.array([dt.datetime(2024, 4, 1, 10)], pa.timestamp("ns")), ["2024-04-01 10:00:00"]),
        (pa.array([dt.datetime(2024, 4, 1, 10)], pa.timestamp("s")), ["2024-04-01 10:00:00"]),
        (
            pa.array([dt.datetime(2023, 12, 31, 17, tzinfo=dt.UTC), dt.datetime(2024, 1, 1, 0, 0, 0, 500000, WIB)]),
            ["2024-01-01 00:00:00+07:00", "2024-01-01 00:00:00.5+07:00"],
        ),
        (pa.array([198003012005011001, -5]), ["198003012005011001", "-5"]),
        (pa.array([18446744073709551615], pa.uint64()), ["18446744073709551615"]),
        (pa.array([1, 2], pa.int8()), ["1", "2"]),
        (pa.array([Decimal("93.360"), Decimal("-0.005")]), ["93.360", "-0.005"]),
        (pa.array([Decimal("12345678901234567890123456.7")]), ["12345678901234567890123456.7"]),
        (pa.array([93.36, 5.0, -0.5, 1e-7, None]), ["93.36", "5", "-0.5", "1e-07", None]),
        (pa.array([0.1 + 0.2]), ["0.30000000000000004"]),
        (
            pa.array([198003012005011001.0, 1.98003e17, 2.0**53, 2.0**53 - 1, -(2.0**60), 1e300]),
            [
                "1.98003012005011E+17",
                "1.98003E+17",
                "9.007199254740992E+15",
                "9007199254740991",
                "-1.152921504606847E+18",
                "1E+300",
            ],
        ),
        (pa.array([93.36, 5.0, 2.0**24, 1e20], pa.float32()), ["93.36", "5", "1.6777216E+07", "1E+20"]),
        (pa.array([float("nan"), float("inf")]), ["nan", "inf"]),
        (pa.array([True, False, None]), ["true", "false", None]),
        (pa.array([None, None], pa.string()), [None, None]),
        (pa.nulls(2), [None, None]),
    ],
)
def test_parquet_types_as_text(desk, array, texts):
    assert desk.parquet(pa.table({"a": array, "b": ["k"] * len(array)}), ("a", "b")) == [(t, "k") for t in texts]


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (pa.array([[1], [2]]), "BIGINT[]"),
        (pa.array([{"k": 1}, {"k": 2}]), "STRUCT"),
        (pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int64())), "MAP"),
        (pa.array([[Decimal("1.5")], []]), "DECIMAL"),
    ],
)
def test_nested_parquet_types_are_refused_with_the_column(desk, array, kind):
    pq.write_table(pa.table({"a": ["x", "y"], "b": array}), desk.root / "f.parquet")
    refused = desk.refused(desk.root / "f.parquet", ("a", "b"))
    assert refused.code == "nested_value"
    assert f"column b is of type {kind}" in refused.message


def test_parquet_columns_in_any_order_with_names_trimmed(desk):
    table = pa.table({" c": ["3"], "a": ["1"], "b": ["2"]})
    assert desk.parquet(table, ABC) == [("1", "2", "3")]
    assert desk.land(desk.root / "f.parquet") == Landed(1, "parquet", False, True)


def test_parquet_breaches_of_the_columns(desk):
    file = desk.root / "f.parquet"
    pq.write_table(pa.table({"a": [1], "x": [{"c": 1}]}), file)
    assert "columns missing: b, c; unknown columns: x." in desk.refused(file).message
    pq.write_table(pa.Table.from_arrays([pa.array([1])] * 4, names=["a", "b", "c", "b"]), file)
    refused = desk.refused(file)
    assert refused.code == "duplicate_column"
    assert "more than once: b." in refused.message


def test_a_parquet_without_rows(desk):
    assert desk.parquet(pa.table({name: pa.array([], pa.string()) for name in ABC}), ABC) == []


def test_a_damaged_parquet_is_refused(desk):
    table = pa.table({name: [f"{name}{i}" for i in range(5000)] for name in ABC})
    pq.write_table(table, desk.root / "f.parquet", compression="zstd")
    good = (desk.root / "f.parquet").read_bytes()
    middle = len(good) // 3
    footer = len(good) - 8 - int.from_bytes(good[-8:-4], "little")
    for damaged in (
        good[:-1],
        good[: len(good) // 2],
        b"PAR1",
        b"PARX" + good[4:],
        good[:-8] + b"\xff\xff\xff\x7f" + good[-4:],
        good[:footer] + b"\xee" * 40 + good[footer + 40 :],
        good[:middle] + b"\xee" * 64 + good[middle + 64 :],
    ):
        refused = desk.refused(desk.file("f.parquet", damaged))
        assert refused.code == "unreadable"
        assert "damaged or incomplete" in refused.message


def test_parquet_text_that_is_not_utf8_is_refused(desk):
    pq.write_table(pa.table({"a": [b"\xff\xfe"], "b": ["x"], "c": ["y"]}), desk.root / "f.parquet")
    assert desk.refused(desk.root / "f.parquet").code == "encoding"


def test_a_parquet_that_unpacks_too_large_is_refused(desk, monkeypatch):
    pq.write_table(pa.table({name: ["x"] * 1000 for name in ABC}), desk.root / "f.parquet")
    monkeypatch.setattr(delivery_parquet, "MAX_ROWS", 999)
    assert desk.refused(desk.root / "f.parquet").code == "too_large"
    monkeypatch.setattr(delivery_parquet, "MAX_ROWS", 1000)
    monkeypatch.setattr(delivery_text, "MAX_EXPANDED_BYTES", 100)
    assert desk.refused(desk.root / "f.parquet").code == "too_large"


def test_a_full_disk_is_not_the_parquets_fault(desk, monkeypatch):
    def full(*_):
        raise duckdb.IOException("IO Error: Could not write file: No space left on device")

    monkeypatch.setattr(delivery_parquet, "copy_to_parquet", full)
    pq.write_table(pa.table({name: ["x"] for name in ABC}), desk.root / "f.parquet")
    with pytest.raises(duckdb.IOException):
        desk.land(desk.root / "f.parquet")
    desk.check_traces([])


# --- Excel ---------------------------------------------------------------------------------------------------------


def workbook(file: Path, rows: list[list], *more_sheets: list[list], **options) -> Path:
    """A real workbook; dates get a date format, None writes no cell, a text beginning with = is a formula."""
    book = xlsxwriter.Workbook(file, options)
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for content in (rows, *more_sheets):
        sheet = book.add_worksheet()
        for i, row in enumerate(content):
            for j, value in enumerate(row):
                if isinstance(value, tuple):
                    sheet.write_formula(i, j, value[0], None, value[1])
                elif isinstance(value, dt.datetime):
                    sheet.write_datetime(i, j, value, moment)
                elif isinstance(value, dt.date):
                    sheet.write_datetime(i, j, value, day)
                elif isinstance(value, str):
                    sheet.write_string(i, j, value)
                elif value is not None:
                    sheet.write(i, j, value)
    book.close()
    return file


def with_sheet_xml(file: Path, cells: str) -> Path:
    """A workbook whose sheet data is written by hand; style 1 is a date."""
    workbook(file, [["x"], [dt.date(2024, 1, 1)]])
    with zipfile.ZipFile(file) as old:
        members = {name: old.read(name) for name in old.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    data = f"<sheetData>{cells}</sheetData>".encode()
    members[sheet] = re.sub(rb"<sheetData>.*</sheetData>", lambda _: data, members[sheet], flags=re.DOTALL)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in members.items():
            new.writestr(name, content)
    return file


def text_cell(reference: str, text: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


EXCEL_VALUES = [
    ("x", "x"),
    (" x ", " x "),
    ("198003012005011001", "198003012005011001"),
    ("0007", "0007"),
    ("5", "5"),
    ("2024-05-01 00:00:00", "2024-05-01 00:00:00"),
    ("TRUE", "TRUE"),
    (5, "5"),
    (-5, "-5"),
    (93.36, "93.36"),
    (0.5, "0.5"),
    (1e-7, "0.0000001"),
    (123456789012345, "123456789012345"),
    (2**53 - 1, "9007199254740991"),
    (2**53, "9.007199254740992E+15"),
    (198003012005011001, "1.98003012005011E+17"),
    (1.98003e17, "1.98003E+17"),
    (-(2.0**60), "-1.152921504606847E+18"),
    (True, "true"),
    (False, "false"),
    (dt.date(2024, 4, 1), "2024-04-01"),
    (dt.datetime(2024, 4, 1, 10, 20, 30), "2024-04-01 10:20:30"),
    (dt.datetime(2024, 4, 1, 23, 59, 59), "2024-04-01 23:59:59"),
    (dt.datetime(2024, 4, 1, 0, 0), "2024-04-01"),
    (("=A1", "calc"), "calc"),
    (("=1+1", 2), "2"),
    (("=1/0", "#DIV/0!"), "#DIV/0!"),
    (("=NA()", "#N/A"), "#N/A"),
    (None, None),
]


def test_excel_values_as_text_alone_and_among_others(desk):
    columns = [f"v{i}" for i in range(len(EXCEL_VALUES))]
    values = [value for value, _ in EXCEL_VALUES]
    texts = tuple(text for _, text in EXCEL_VALUES)
    alone = workbook(desk.root / "alone.xlsx", [["k", *columns], ["key", *values]])
    assert desk.rows(alone, ["k", *columns]) == [("key", *texts)]
    others = ["word", 7, 1.5, True, dt.date(2020, 2, 29), "198003012005011001", 1.98003e17]
    other_texts = ["word", "7", "1.5", "true", "2020-02-29", "198003012005011001", "1.98003E+17"]
    rows = [columns, *([other] * len(columns) for other in others), values]
    mixed = workbook(desk.root / "mixed.xlsx", rows)
    assert desk.rows(mixed, columns) == [*((text,) * len(columns) for text in other_texts), texts]
    mixed = workbook(desk.root / "mixed.xlsx", [columns, values, *rows[1:-1]])
    assert desk.rows(mixed, columns) == [texts, *((text,) * len(columns) for text in other_texts)]


def test_excel_dates_of_the_1904_calendar(desk):
    file = workbook(desk.root / "f.xlsx", [["a"], [dt.date(2024, 4, 1)]], date_1904=True)
    assert desk.rows(file, ("a",)) == [("2024-04-01",)]


def test_excel_numbers_as_the_file_spells_them(desk):
    values = ["93.359999999999999", "1.98003012005011E+17", "198003012005011001", "1E2", "0.1"]
    cells = "".join(f'<row r="{i}"><c r="A{i}"><v>{v}</v></c></row>' for i, v in enumerate(values, start=2))
    cells = f'<row r="1">{text_cell("A1", "a")}</row>' + cells
    cells += '<row r="7"><c r="A7" t="d"><v>2024-01-02T03:04:05</v></c></row>'
    cells += '<row r="8"><c r="A8" s="1"><v>1.98003012005011E+17</v></c></row>'
    assert desk.rows(with_sheet_xml(desk.root / "f.xlsx", cells), ("a",)) == [
        ("93.36",),
        ("1.98003012005011E+17",),
        ("1.98003012005011E+17",),
        ("100",),
        ("0.1",),
        ("2024-01-02T03:04:05",),
        ("1.98003012005011E+17",),
    ]


def test_excel_rows_without_content_are_no_rows(desk):
    rows = [["a", "b", "c"], ["1", "2", "3"], [], ["  ", None, ""], ["4", None, "6"], [None, None, None]]
    assert desk.rows(workbook(desk.root / "f.xlsx", rows)) == [("1", "2", "3"), ("4", None, "6")]
    assert desk.land(desk.root / "f.xlsx") == Landed(2, "xlsx", False, True)


def test_an_excel_table_that_does_not_begin_in_the_corner(desk):
    cells = f'<row r="3">{text_cell("B3", "b")}{text_cell("C3", "a")}</row>'
    cells += f'<row r="5">{text_cell("B5", "198003012005011001")}<c r="C5"><v>1.98003E+17</v></c></row>'
    cells += '<row r="6"><c r="B6" s="1"><v>45383</v></c><c r="C6" t="e"><v>#REF!</v></c></row>'
    assert desk.rows(with_sheet_xml(desk.root / "f.xlsx", cells), ("a", "b")) == [
        ("1.98003E+17", "198003012005011001"),
        ("#REF!", "2024-04-01"),
    ]


def test_the_header_alone_and_the_empty_sheet(desk):
    assert desk.rows(workbook(desk.root / "f.xlsx", [list(ABC)])) == []
    assert desk.refused(workbook(desk.root / "f.xlsx", [])).code == "empty_file"
    assert desk.refused(workbook(desk.root / "f.xlsx", [["  "], [None, " "]])).code == "empty_file"


def test_only_the_first_sheet_counts(desk):
    file = workbook(desk.root / "f.xlsx", [list(ABC), ["1", "2", "3"]], [["x"], ["y"]])
    assert desk.rows(file) == [("1", "2", "3")]


def test_excel_breaches_of_the_columns(desk):
    file = desk.root / "f.xlsx"
    refused = desk.refused(workbook(file, [["a", "x"], ["1", "2"]]))
    assert "columns missing: b, c; unknown columns: x." in refused.message
    refused = desk.refused(workbook(file, [["a", "b", "c", "a "], ["1", "2", "3", "4"]]))
    assert refused.code == "duplicate_column"
    refused = desk.refused(workbook(file, [["a", "b", "c", None], ["1", "2", "3", "4"]]))
    assert refused.code == "unknown_column"
    assert "#4 (no name" in refused.message
    assert desk.rows(workbook(file, [["a", None, "b", "c", None], ["1", None, "2", "3", " "]])) == [("1", "2", "3")]


def test_a_second_header_in_excel_is_refused(desk):
    rows = [["a", "b", "c"], ["1", "2", "3"], [], ["A", " b", "c"]]
    assert "data row 2 repeats the header" in desk.refused(workbook(desk.root / "f.xlsx", rows)).message


def test_what_is_no_workbook_is_refused(desk):
    good = workbook(desk.root / "good.xlsx", [list(ABC), ["1", "2", "3"]]).read_bytes()
    assert desk.refused(desk.file("a.xlsx", b"a,b,c\n1,2,3\n")).code == "unreadable"
    assert desk.refused(desk.file("b.xlsx", good[: len(good) // 2])).code == "unreadable"
    assert desk.refused(desk.file("c.xlsx", good[:-1])).code == "unreadable"
    flipped = bytearray(good)
    flipped[good.index(b"sheet1.xml") + 60] ^= 0xFF
    assert desk.refused(desk.file("d.xlsx", bytes(flipped))).code == "unreadable"
    with zipfile.ZipFile(desk.root / "e.xlsx", "w") as other:
        other.writestr("a.txt", "no workbook")
    assert desk.refused(desk.root / "e.xlsx").code == "unreadable"
    with zipfile.ZipFile(desk.root / "f.xlsx", "w") as other:
        other.writestr("[Content_Types].xml", "<x")
        other.writestr("_rels/.rels", "<x")
    assert desk.refused(desk.root / "f.xlsx").code == "unreadable"


def test_a_password_is_refused(desk):
    refused = desk.refused(desk.file("f.xlsx", bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 1000))
    assert refused.code == "password"
    assert "Remove the password" in refused.message
    good = bytearray(workbook(desk.root / "good.xlsx", [list(ABC)]).read_bytes())
    for signature, flag_at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := good.find(signature, at + 1)) >= 0:
            good[at + flag_at] |= 1
    assert desk.refused(desk.file("g.xlsx", bytes(good))).code == "password"


def test_a_zip_bomb_is_refused_before_it_is_unpacked(desk, monkeypatch):
    file = workbook(desk.root / "f.xlsx", [list(ABC), *[["same", "same", "same"]] * 5000])
    monkeypatch.setattr(delivery_xlsx, "MAX_UNPACKED_BYTES", 100_000)
    assert desk.refused(file).code == "too_large"
    monkeypatch.setattr(delivery_xlsx, "MAX_UNPACKED_BYTES", 2**30)
    monkeypatch.setattr(delivery_text, "RATIO_FROM_BYTES", 100_000)
    monkeypatch.setattr(delivery_xlsx, "MAX_RATIO", 2)
    assert desk.refused(file).code == "too_large"


def test_a_stray_cell_far_away_is_refused_instead_of_asking_for_all_memory(desk):
    cells = f'<row r="1">{text_cell("A1", "a")}</row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    refused = desk.refused(with_sheet_xml(desk.root / "f.xlsx", cells), ("a",))
    assert refused.code == "too_large"
    assert "reaches to row 1048576 and column 16384" in refused.message


# --- the messages themselves ---------------------------------------------------------------------------------------


def test_every_message_exists_in_both_languages_with_the_same_blanks():
    for key, (english, indonesian) in MESSAGES.items():
        assert english != indonesian, key
        assert set(re.findall(r"{(\w+)}", english)) == set(re.findall(r"{(\w+)}", indonesian)), key


def test_a_refusal_survives_the_way_between_processes():
    import pickle

    refused = pickle.loads(pickle.dumps(DeliveryRefused("code", "english", "indonesia")))
    assert (refused.code, refused.message, refused.message_id, str(refused)) == (
        "code",
        "english",
        "indonesia",
        "english",
    )
