"""A delivery that breaks the contract is refused whole, says where and what to do; the others go on."""

import gzip
from pathlib import Path

import polars as pl
import pytest

from tests.rows import PENSION, csv, row
from warehouse.runs.pipeline import RunReport, run_pipeline
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
    "truncated_gzip": (gzip.compress(GOOD.encode())[:100], []),
}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunReport]:
    """One run over a file of each kind and a good one."""
    root = tmp_path_factory.mktemp("refused")
    (root / "inbox" / "pension").mkdir(parents=True)
    for kind, (content, _) in BROKEN.items():
        name = f"{kind}.csv.gz" if kind == "truncated_gzip" else f"{kind}.csv"
        (root / "inbox" / "pension" / name).write_bytes(content)
    (root / "inbox" / "pension" / "good.csv").write_text(csv(row("pension", id="GOOD")))
    return root, run_pipeline(root)


@pytest.mark.parametrize("kind", BROKEN)
def test_each_is_refused_and_says_why(night: tuple[Path, RunReport], kind: str) -> None:
    (refused,) = [refused for refused in night[1].refused if refused.file.split("/")[1].split(".")[0] == kind]
    for word in (kind, *BROKEN[kind][1]):
        assert word in refused.message, word


def test_the_others_load(night: tuple[Path, RunReport]) -> None:
    root, report = night
    assert len(report.refused) == len(BROKEN)
    assert [batch.file for batch in report.batches] == ["pension/good.csv"]
    with open_warehouse(root, "test") as warehouse:
        assert warehouse.connection.execute("SELECT record_key FROM states.pension").fetchall() == [("GOOD",)]
    assert len(list((root / "landing" / "pension").glob("*.parquet"))) == 1


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
