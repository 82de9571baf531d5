"""A delivery that breaks the contract is refused whole, says where and what to do; the others go on."""

import gzip
from pathlib import Path

import polars as pl
import pytest

from tests.rows import PENSION, csv, row
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.connection import open_warehouse

GOOD = csv(*(row("pension", id=f"S{number}") for number in range(1, 6)))
HEADER, FIRST, *REST = GOOD.splitlines()


def _without(column: str) -> str:
    return csv(*({k: v for k, v in row("pension", id=f"S{n}").items() if k != column} for n in range(5)))


BROKEN = {
    "missing_column": (_without("status_usulan").encode(), ["status_usulan"]),
    "unknown_column": (csv(row("pension") | {"catatan": "x"}).encode(), ["catatan"]),
    "changed_type": (
        csv(*(row("pension", id=f"S{n}", status_usulan="selesai") for n in range(5))).encode(),
        ["status_usulan", "integer"],
    ),
    "empty": (b"", ["empty"]),
    "wrong_encoding": (GOOD.replace("UJI COBA", "UJI é COBA").encode("latin-1"), ["line 2", "UTF-8"]),
    "two_headers": ("\n".join([HEADER, HEADER, FIRST]).encode(), ["header"]),
    "field_count": ("\n".join([HEADER, FIRST, FIRST + ",x"]).encode(), ["line 3"]),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_each_is_refused_and_the_others_load(tmp_path: Path, deliver, kind: str) -> None:
    content, said = BROKEN[kind]
    (tmp_path / "inbox" / "pension").mkdir(parents=True)
    (tmp_path / "inbox" / "pension" / "broken.csv").write_bytes(content)
    deliver("pension/good.csv", csv(row("pension", id="GOOD")))
    report = run_pipeline(tmp_path)
    assert [refused.file for refused in report.refused] == ["pension/broken.csv"]
    for word in ("broken.csv", *said):
        assert word in report.refused[0].message, word
    assert [batch.file for batch in report.batches] == ["pension/good.csv"]
    with open_warehouse(tmp_path, "test") as warehouse:
        assert warehouse.connection.execute("SELECT record_key FROM states.pension").fetchall() == [("GOOD",)]
    assert len(list((tmp_path / "landing" / "pension").glob("*.parquet"))) == 1


def test_a_truncated_gzip_is_refused(tmp_path: Path, deliver) -> None:
    deliver("pension/good.csv", csv(row("pension", id="GOOD")))
    whole = gzip.compress(GOOD.encode())
    (tmp_path / "inbox" / "pension" / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    report = run_pipeline(tmp_path)
    assert [refused.file for refused in report.refused] == ["pension/cut.csv.gz"]
    assert [batch.file for batch in report.batches] == ["pension/good.csv"]


def test_a_changed_type_in_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inbox" / "pension").mkdir(parents=True)
    frame = pl.DataFrame([PENSION | {"id": f"S{n}"} for n in range(4)]).with_columns(
        pl.lit(True).alias("status_usulan")
    )
    frame.write_parquet(tmp_path / "inbox" / "pension" / "a.parquet")
    report = run_pipeline(tmp_path)
    assert "status_usulan" in report.refused[0].message
    assert report.batches == []


def test_a_refused_file_is_named_every_night_until_it_is_gone(tmp_path: Path, deliver) -> None:
    deliver("pension/broken.csv", "id\n1\n")
    assert [refused.file for refused in run_pipeline(tmp_path).refused] == ["pension/broken.csv"]
    assert [refused.file for refused in run_pipeline(tmp_path).refused] == ["pension/broken.csv"]
    (tmp_path / "inbox" / "pension" / "broken.csv").unlink()
    assert run_pipeline(tmp_path).refused == []


def test_a_header_without_rows_is_a_delivery_of_none(tmp_path: Path, deliver) -> None:
    deliver("pension/none.csv", HEADER + "\n")
    report = run_pipeline(tmp_path)
    assert [(batch.file, batch.landed) for batch in report.batches] == [("pension/none.csv", 0)]
