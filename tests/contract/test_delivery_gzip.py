"""A compressed CSV delivery: in several members, cut off, damaged, or far larger than it looks."""

import gzip

import pytest

from tests import delivery_desk
from tests.delivery_desk import landed_rows
from warehouse.landing import text_file
from warehouse.landing.delivery import Landed

desk = delivery_desk.desk


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
    monkeypatch.setattr(text_file, "MAX_EXPANDED_BYTES", 2_000_000)
    assert desk.refused(bomb).code == "too_large"
    monkeypatch.setattr(text_file, "MAX_EXPANDED_BYTES", 20 * 2**30)
    monkeypatch.setattr(text_file, "RATIO_FROM_BYTES", 1_000_000)
    monkeypatch.setattr(text_file, "MAX_RATIO", 50)
    assert desk.refused(bomb).code == "too_large"
    monkeypatch.setattr(text_file, "RATIO_FROM_BYTES", 100_000_000)
    assert desk.land(bomb).rows == 500_000


def test_faults_inside_a_gzip_have_their_line(desk):
    refused = desk.refused(desk.file("f.csv.gz", gzip.compress(b"a,b,c\n1,2,3\n4,5\n")))
    assert "line 3 has 2 fields where 3 are expected" in refused.message
