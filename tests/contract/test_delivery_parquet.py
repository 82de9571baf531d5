"""A Parquet delivery: every plain type as text; nested types and damaged or bloated files are refused."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests import delivery_desk
from tests.delivery_desk import ABC, SHOWN
from warehouse.landing import parquet_file, reader, text_file
from warehouse.landing.delivery import Landed
from warehouse.landing.parquet_file import land_parquet
from warehouse.landing.refusal import DeliveryRefused
from warehouse.landing.session import open_session

desk = delivery_desk.desk
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


def directly(desk) -> int:
    """Without the process of its own, whose limits no test could change."""
    with open_session(desk.root, 1) as connection:
        return land_parquet(connection, desk.root / "f.parquet", SHOWN, ABC, desk.landing / "part.parquet")


def test_a_parquet_that_unpacks_too_large_is_refused(desk, monkeypatch):
    pq.write_table(pa.table({name: ["x"] * 1000 for name in ABC}), desk.root / "f.parquet")
    monkeypatch.setattr(parquet_file, "MAX_ROWS", 999)
    with pytest.raises(DeliveryRefused, match="larger than allowed"):
        directly(desk)
    monkeypatch.setattr(parquet_file, "MAX_ROWS", 1000)
    assert directly(desk) == 1000
    monkeypatch.setattr(text_file, "MAX_EXPANDED_BYTES", 100)
    with pytest.raises(DeliveryRefused, match="larger than allowed"):
        directly(desk)


def test_a_full_disk_is_not_the_parquets_fault(desk, monkeypatch):
    pq.write_table(pa.table({name: ["x"] for name in ABC}), desk.root / "f.parquet")
    full = Path("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        reader.land_parquet(desk.root / "f.parquet", SHOWN, ABC, full, desk.root, 1)
