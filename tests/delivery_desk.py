"""A desk for tests of single deliveries: it makes a file, lands it or expects its refusal, and looks for traces left."""

import datetime as dt
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from warehouse.landing import session
from warehouse.landing.delivery import Landed, land_delivery
from warehouse.landing.refusal import DeliveryRefused

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
        return con.execute(query, [session.one_path(target)]).fetchall()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


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
