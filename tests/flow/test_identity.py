"""Duplicates, states, conflicts, corrections (rulings 5, 6, 17, 18, 22), seen through runs."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rows import csv, row
from warehouse.reading.held_rows import read_held_rows
from warehouse.reading.published_values import read_services
from warehouse.runs.pipeline import RunReport, run_pipeline
from warehouse.store.connection import open_warehouse
from warehouse.store.home import Home


def _counts(report) -> list[tuple[str, int, int, int, int]]:
    return [(b.file, b.landed, b.accepted, b.quarantined, b.duplicate) for b in report.batches]


def _states(root, columns: str, source: str = "promotion") -> list[tuple]:
    with open_warehouse(root, "test") as warehouse:
        return warehouse.connection.execute(
            f"SELECT {columns} FROM states.{source} WHERE replaced_by_batch_id IS NULL ORDER BY record_key, state_at"
        ).fetchall()


def _row(case: str, number: int = 1, **changed: object) -> dict[str, str]:
    """A proposal of the case's own, so that no case meets another."""
    return row("promotion", **({"id": f"{case} {number}"} | changed))


# All in one run. By case: its files, in the order in which they are taken in, and of each landed, accepted, held and duplicate rows.
CASES = {
    "the same within a file and across": (
        {"a": [_row("s"), _row("s")], "b": [_row("s"), _row("s", 2)]}, [(2, 1, 0, 1), (2, 1, 0, 1)]
    ),
    "another name is no difference": ({"a": [_row("n"), _row("n", nama="NAMA LAIN")]}, [(2, 1, 0, 1)]),
    "another number is a conflict": ({"a": [_row("m")], "b": [_row("m", nip="198001152005011002")]}, [(1, 1, 0, 0), (1, 0, 1, 0)]),
    "typed and cleaned values are compared": (
        {"a": [_row("t"), _row("t", nip="'19800115 200501 1001", counter_bts="-", is_otomatis="FALSE")]}, [(2, 1, 0, 1)]
    ),
    "another state time is a state, also late": (
        {"a": [_row("l", tgl_update_layanan="2024-01-20T10:00:00")],
         "b": [_row("l", tgl_update_layanan="2024-01-16T10:00:00", status_usulan="12")]}, [(1, 1, 0, 0), (1, 1, 0, 0)]
    ),
    "other content at the same time is a conflict": (
        {"a": [_row("c"), _row("c", status_usulan="12"), _row("c", status_usulan="5")]}, [(3, 1, 2, 0)]
    ),
    "a faulty row is held each time": ({"a": [_row("f", instansi_kode="9999")] * 2}, [(2, 0, 2, 0)]),
    "a semicolon between": ({"a;": [_row("e")]}, [(1, 1, 0, 0)]),
    "a correction alone is an ordinary row": ({"corrections/k": [_row("k")]}, [(1, 1, 0, 0)]),
    "the same bytes are skipped, but not with another standing": (
        {"a": [_row("b")], "b": [_row("b")], "corrections/b": [_row("b")]}, [(1, 1, 0, 0), (1, 0, 0, 1)]
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Night:
    root: Path
    report: RunReport


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    root = tmp_path_factory.mktemp("identity")
    for case, (files, _) in CASES.items():
        for name, rows in files.items():
            file = root / "inbox" / "promotion" / _file(case, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(csv(*rows, separator=";" if ";" in name else ","))
    letters = [
        row("integration", nomor_surat=number, terintegrasi=integrated)
        for number, integrated in (("L2", "true"), ("L1", "false"), ("L2", "false"))
    ]
    (root / "inbox" / "integration").mkdir()
    (root / "inbox" / "integration" / "a.csv").write_text(csv(*letters))
    return Night(root, run_pipeline(root))


def _file(case: str, name: str) -> str:
    folder, _, last = name.rpartition("/")
    return f"{folder}/{case} {last}.csv".lstrip("/")


@pytest.mark.parametrize("case", CASES)
def test_rows_are_new_duplicates_or_held(night: Night, case: str) -> None:
    files, expected = CASES[case]
    names = [f"promotion/{_file(case, name)}" for name in files]
    assert [counts[1:] for name in names for counts in _counts(night.report) if counts[0] == name] == expected


def test_a_conflict_leaves_the_first_row_standing(night: Night) -> None:
    held = {
        (line.row, *line.reasons)
        for line in read_held_rows(Home(night.root), None, None)
        if "the same time" in line.file
    }
    assert held == {(2, "PRM-CONFLICT"), (3, "PRM-CONFLICT")}
    states = _states(night.root, "record_key, status_code")
    assert [code for key, code in states if key.startswith("c ")] == [7]


def test_a_late_state_stands_beside_the_newer_one_which_counts(night: Night) -> None:
    assert [code for key, code in _states(night.root, "record_key, status_code") if key.startswith("l ")] == [12, 7]
    proposals = {key for (key,) in _states(night.root, "record_key")}
    (service,) = [line for line in read_services(Home(night.root), 2024) if line["service"] == "promotion"]
    assert (service["received"], service["ms"]) == (len(proposals), len(proposals))


def test_the_same_bytes_are_skipped_by_name(night: Night) -> None:
    assert night.report.skipped == ["promotion/the same bytes are skipped, but not with another standing b.csv"]


def test_the_greater_letter_number_of_one_date_is_the_newer_state(night: Night) -> None:
    assert [counts for counts in _counts(night.report) if counts[0] == "integration/a.csv"] == [
        ("integration/a.csv", 3, 2, 1, 0)
    ]


def test_a_correction_replaces_and_the_last_one_wins(tmp_path, deliver) -> None:
    deliver("promotion/z.csv", csv(row("promotion", status_usulan="12")))
    deliver(
        "promotion/corrections/a.csv", csv(row("promotion", status_usulan="5"), row("promotion", status_usulan="7"))
    )
    assert _counts(run_pipeline(tmp_path)) == [
        ("promotion/z.csv", 1, 1, 0, 0), ("promotion/corrections/a.csv", 2, 2, 0, 0),
    ]  # fmt: skip
    assert _states(tmp_path, "status_code") == [(7,)]
    # What a correction has replaced is a duplicate when it comes again; something new is a conflict.
    deliver(
        "promotion/zz.csv",
        csv(row("promotion", status_usulan="12"), row("promotion", status_usulan="13", alasan_tolak="x")),
    )
    assert _counts(run_pipeline(tmp_path)) == [("promotion/zz.csv", 2, 0, 1, 1)]


def test_a_correction_changes_the_fact_with_that_reason(tmp_path, deliver) -> None:
    deliver("promotion/a.csv", csv(row("promotion", status_usulan="12")))
    run_pipeline(tmp_path)
    deliver("promotion/corrections/a.csv", csv(row("promotion", status_usulan="7")))
    changed = {(c.indicator, c.period): (c.old, c.new, c.reason) for c in run_pipeline(tmp_path).changed}
    assert changed["promotion.completion", "2024"] == ("0.00", "100.00", "correction")


def test_a_mended_row_leaves_quarantine(tmp_path, deliver) -> None:
    deliver(
        "promotion/a.csv", csv(row("promotion", instansi_kode="9999"), row("promotion", id="P2", instansi_kode="9999"))
    )
    run_pipeline(tmp_path)
    assert len(read_held_rows(Home(tmp_path), None, None)) == 2
    deliver("promotion/b.csv", csv(row("promotion")))
    run_pipeline(tmp_path)
    assert [held.row for held in read_held_rows(Home(tmp_path), None, None)] == [2]
