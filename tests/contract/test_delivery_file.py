"""The delivered file itself, before its rows are read: its name and kind, whether it changes, is empty or is something else."""

import gzip
import os

import pytest

from tests import delivery_desk
from tests.delivery_desk import Desk
from warehouse.landing import csv_file
from warehouse.landing.delivery import sha256_of
from warehouse.landing.refusal import DeliveryRefused

desk = delivery_desk.desk


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
    real = csv_file.measure

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

    monkeypatch.setattr(csv_file, "measure", meddle)
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
