"""Typed read: a text is a value of its type, or it is marked; nothing is read as something near it."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.contract import load_contract
from expectations.typed_read import FileTraits, typed_rows
from tests.in_memory import lent_warehouse

WHITE = " \t\r\n\u00a0"
NULLS = ("", "-", "null", "<nil>")
TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?( ?(?:Z|[+-]\d\d(?::?\d\d)?))?", re.ASCII
)
CASES = {
    "integer": ("promotion", "status_usulan", "status_code"),
    "decimal": ("nspk_assessment", "nilai", "score"),
    "date": ("promotion", "periode", "period_date"),
    "timestamp": ("promotion", "tgl_update_layanan", "state_at"),
    "boolean": ("promotion", "is_otomatis", "is_automatic"),
}
HAND_PICKED = [
    "7", "-7", "+7", "007", "7.0", "7e1", "1_0", " 7", "7 ", "\u00a07", "0x7", "١٢", "999999999999999999", "9999999999999999999",
    "70.01", "70,01", "70.0100000", "70.0000001", ".5", "5.", "1e5", "NaN", "inf", "1234567890123",
    "01-02-2024", "1-2-2024", "31-02-2024", "01-02-24", "01/02/2024", "01-02-02024", "-1-02-2024", "01-02--024", "29-02-2024",
    "2024-01-02T08:00:00", "2024-01-02 08:00:00", "2024-01-02", "2024-01-02T08:00", "2024-01-02T08:00:00.5", "2024-01-02T25:00:00",
    "2024-01-02T08:00:00Z", "2024-01-02T08:00:00+08:00", "2024-01-02 08:00:00 +07", "2024-01-02 08:00:00 +0730", "2024-01-02 08:00:00 Z", "2024-01-02T08:00:00-03:30", "12024-01-02T08:00:00", "2024-1-02T08:00:00",
    "0044-01-01 (BC)", "infinity", "epoch", "2024-02-30T08:00:00", "2024-01-02t08:00:00", "2024-01-02T24:00:00",
    "2024-01-02T08:00:00+25:00", "2024-01-02T08:00:00+14:00", "2024-01-02T08:00:00-07:60", "2024-01-02T23:59:60", "0001-01-01T00:00:00",
    "9999-12-31T00:00:00", "1899-12-31T23:59:59", "1900-01-01T00:00:00", "2100-12-31T23:59:59", "01-01-0001", "31-12-9999", "31-12-2100",
    "true", "TRUE", "False", "0", "1", "yes", "t", *NULLS, "NULL", " null ", "<nil>",
]  # fmt: skip
letters = st.text(alphabet="0123456789-+.,:TZ /e\u00a0", max_size=20)


def expected(kind: str, delivered: str) -> object:
    """The value by the book, ``...`` for what cannot be read; written apart from the product."""
    text = delivered.strip(WHITE)
    return None if text in NULLS else READERS[kind](text)


def an_integer(text: str) -> object:
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else ...


def a_decimal(text: str) -> object:
    return Decimal(text) if re.fullmatch(r"[+-]?[0-9]{1,12}([.][0-9]{1,6}0*)?", text) else ...


def a_date(text: str) -> object:
    if not re.fullmatch(r"[0-9]{2}-[0-9]{2}-[0-9]{4}", text):
        return ...
    try:
        return in_range(date(int(text[6:]), int(text[3:5]), int(text[:2])))
    except ValueError:
        return ...


def in_range(day: date) -> object:
    """Year 1 and year 9999 are how programs write none."""
    return day if 1900 <= day.year <= 2100 else ...


def a_timestamp(text: str) -> object:
    found = TIMESTAMP.fullmatch(text)
    if not found:
        return ...
    try:
        day = datetime.fromisoformat(found[1])
        # 24:00:00, the next midnight in ISO 8601, is no time: whoever writes it means the end of one day or the start of another.
        moment = day.replace(hour=int(found[2] or 0), minute=int(found[3] or 0), second=int(found[4] or 0))
    except ValueError:
        return ...
    if in_range(day.date()) is ...:
        return ...
    moment += timedelta(microseconds=int(((found[5] or "") + "000000")[:6]))
    zone = (found[6] or "").strip()
    if not zone:
        return moment
    hours, minutes = (0, 0) if zone == "Z" else (int(zone[1:3]), int(zone[3:].lstrip(":") or 0))
    if hours > 14 or minutes > 59:
        return ...
    return moment - timedelta(hours=hours, minutes=minutes) * (-1 if zone.startswith("-") else 1) + timedelta(hours=7)


def a_boolean(text: str) -> object:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), ...)


READERS = {"integer": an_integer, "decimal": a_decimal, "date": a_date, "timestamp": a_timestamp, "boolean": a_boolean}


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SimpleNamespace]:
    with lent_warehouse() as lent:
        lent.connection.execute("SET preserve_insertion_order = true")
        yield lent


def read(con: duckdb.DuckDBPyConnection, kind: str, texts: list[str], folder: Path) -> list[object]:
    """The product's reading of ``texts`` as one column; ``...`` for what is marked as unreadable."""
    source, name, column = CASES[kind]
    contract = load_contract(source)
    landing = str(folder / f"{kind}.parquet")
    others = ", ".join(f'NULL::VARCHAR AS "{other}"' for other in contract.delivered_names if other != name)
    con.execute(f"COPY (SELECT unnest($1::VARCHAR[]) AS \"{name}\", {others}) TO '{landing}' (FORMAT parquet)", [texts])
    query = f"SELECT {column}, {column}__unreadable FROM ({typed_rows(contract, FileTraits())}) ORDER BY row_number"
    rows = con.execute(query, {"landing": landing, "batch_id": 1}).fetchall()
    return [... if is_unreadable else value for value, is_unreadable in rows]


@pytest.mark.parametrize("kind", CASES)
def test_hand_picked_texts_are_read_by_the_book(kind: str, tmp_path: Path, warehouse: SimpleNamespace) -> None:
    default = {"boolean": False}.get(kind)
    by_the_book = [expected(kind, text) for text in HAND_PICKED]
    assert list(zip(HAND_PICKED, read(warehouse.connection, kind, HAND_PICKED, tmp_path), strict=True)) == [
        (text, default if value is None else value) for text, value in zip(HAND_PICKED, by_the_book, strict=True)
    ]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(letters, min_size=20, max_size=60), kind=st.sampled_from(["integer", "decimal", "date"]))
def test_any_text_is_read_by_the_book(texts: list[str], kind: str, tmp_path: Path, warehouse: SimpleNamespace) -> None:
    assert list(zip(texts, read(warehouse.connection, kind, texts, tmp_path), strict=True)) == [
        (text, expected(kind, text)) for text in texts
    ]
