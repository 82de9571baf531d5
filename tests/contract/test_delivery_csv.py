"""A CSV delivery: landed as it was written, or refused with the line."""

import random

import pyarrow.parquet as pq
import pytest

from tests import delivery_desk
from tests.delivery_desk import landed_rows
from warehouse.landing import csv_file, session, text_file
from warehouse.landing.delivery import Landed

desk = delivery_desk.desk


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
    monkeypatch.setattr(text_file, "BLOCK_BYTES", 1000)
    good = "".join(f"{i},x,y\n" for i in range(5000)).encode()
    assert "line 5002 " in desk.refused_csv(b"a,b,c\n" + good + b"1,\xff,3\n").message
    assert "line 5002 " in desk.refused_csv(b"a,b,c\n" + good + b"1,\0,3\n").message
    assert "line 5002 " in desk.refused_csv(b"a,b,c\n" + good + b"1,2\r,3\n").message
    assert "line 5002 " in desk.refused_csv(b"a,b,c\n" + good + b"1,2\n").message
    assert "line 5002 " in desk.refused_csv(b"\xef\xbb\xbfa,b,c\n" + good + b'1,"2,3\n').message
    assert desk.land(desk.file("f.csv", b"a,b,c\n" + good)).rows == 5000


@pytest.mark.parametrize("name", ["f.csv", "f.jsonl"])
def test_an_endless_line_is_refused_with_its_number(desk, monkeypatch, name):
    monkeypatch.setattr(text_file, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(text_file, "MAX_LINE_BYTES", 5000)
    header = "a,b,c\n1,2,3\n" if name == "f.csv" else '{"a":1}\n{"a":1}\n'
    refused = desk.refused(desk.file(name, header + "1,2," + "x" * 6000))
    assert refused.code == "line_too_long"
    assert "line 3 is longer than 5000 bytes" in refused.message
    refused = desk.refused(desk.file(name, "x" * 6000 + "\n"))
    assert "line 1 is longer than 5000 bytes" in refused.message


def test_a_long_line_within_the_limit_is_read(desk):
    rows = desk.csv(f"a,b,c\n1,{'x' * 3_000_000},3\n4,5,6\n")
    assert [len(row[1]) for row in rows] == [3_000_000, 1]


def test_lines_as_long_as_the_readers_buffer_are_read(desk, monkeypatch):
    """DuckDB's parallel reader gives up on them."""
    monkeypatch.setattr(csv_file, "_BUFFER_MARGIN_BYTES", 20_000)
    monkeypatch.setattr(text_file, "MAX_LINE_BYTES", 100_000)
    monkeypatch.setattr(text_file, "BLOCK_BYTES", 10_000)
    chance = random.Random(1)
    expected = [(str(i), "x" * chance.choice((1, 1000, 30_000, 99_900)), "z") for i in range(60)]
    body = "".join(f"{a},{b},{c}\n" for a, b, c in expected)
    assert desk.csv("a,b,c\n" + body) == expected


def test_a_quote_that_swallows_the_rest_is_refused_at_its_row(desk, monkeypatch):
    monkeypatch.setattr(text_file, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(text_file, "MAX_LINE_BYTES", 5000)
    refused = desk.refused_csv('a,b,c\n1,2,3\n4,"5,6\n' + "7,8,9\n" * 5000 + '1,2",3\n')
    assert refused.code == "unclosed_quote"
    assert "begins in line 3 " in refused.message


def test_quoted_line_ends_survive_where_threads_meet(desk, monkeypatch):
    """DuckDB's parallel reader takes the inside of such a text for rows."""
    monkeypatch.setattr(text_file, "MAX_LINE_BYTES", 200_000)
    monkeypatch.setattr(text_file, "BLOCK_BYTES", 10_000)
    chance = random.Random(1)
    expected = []
    for i in range(3000):
        inner = "\n".join(f"{j},inner{j},x" for j in range(chance.randrange(1, 2000) if i % 20 == 0 else 1))
        expected.append((str(i), inner, "z"))
    body = "".join(f'{a},"{b}",{c}\n' for a, b, c in expected)
    assert desk.csv("a,b,c\n" + body) == expected


@pytest.mark.parametrize("repeat", ["a,b,c", " A ,b,C", '"a","b","c"'])
def test_a_second_header_is_refused_with_its_line(desk, repeat):
    refused = desk.refused_csv(f"a,b,c\n1,2,3\n\n{repeat}\n4,5,6\n{repeat}\n")
    assert refused.code == "two_headers"
    assert "line 4 repeats the header" in refused.message
    assert "baris 4 mengulang baris judul" in refused.message_id


def test_a_row_that_holds_only_some_names_is_a_row(desk):
    assert desk.csv("a,b,c\na,b,x\n,b,c\n") == [("a", "b", "x"), (None, "b", "c")]


def test_where_duckdb_and_python_disagree_the_file_is_refused(desk, monkeypatch):
    monkeypatch.setattr(csv_file._Table, "copy", lambda *_, **__: 7)
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
    monkeypatch.setattr(session, "MEMORY_LIMIT", "60MB")
    chance = random.Random(1)
    long = [chance.randbytes(400_000).hex() for _ in range(3)]
    file = desk.file("f.csv", "a,b,c\n" + "".join(f"{i},{long[i % 3]},z\n" for i in range(100)))
    refused = desk.refused(file)
    assert refused.code == "too_large"
    assert "values are far too long" in refused.message
