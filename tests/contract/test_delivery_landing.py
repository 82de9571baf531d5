"""One delivered file of any format becomes a Parquet of its text, or is refused with a word that helps."""

import gzip
import re
import stat

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests import delivery_desk
from tests.delivery_desk import ABC, landed_rows, workbook
from warehouse.landing import delivery
from warehouse.landing.delivery import Landed, sha256_of
from warehouse.landing.refusal import MESSAGES, DeliveryRefused

desk = delivery_desk.desk


# --- what is landed, and how ---


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

    monkeypatch.setattr(delivery, "sync", full)
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


# --- the messages themselves ---


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
