"""Duplicates, states, conflicts, corrections (rulings 5, 6, 17, 18, 22), seen through runs."""

import pytest

from tests.rows import csv, row
from warehouse.reading.held_rows import read_held_rows
from warehouse.reading.published_values import read_services
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.connection import open_warehouse
from warehouse.store.home import Home


def _counts(report) -> list[tuple[str, int, int, int, int]]:
    return [(b.file, b.landed, b.accepted, b.quarantined, b.duplicate) for b in report.batches]


def _states(root, columns: str, source: str = "promotion") -> list[tuple]:
    with open_warehouse(root, "test") as warehouse:
        return warehouse.connection.execute(
            f"SELECT {columns} FROM states.{source} WHERE replaced_by_batch_id IS NULL ORDER BY record_key, state_at"
        ).fetchall()


def test_same_content_is_a_duplicate_within_a_file_and_across(tmp_path, deliver) -> None:
    good = row("promotion")
    deliver("promotion/a.csv", csv(good, good))
    deliver("promotion/b.csv", csv(good, row("promotion", id="P2")))
    assert _counts(run_pipeline(tmp_path)) == [("promotion/a.csv", 2, 1, 0, 1), ("promotion/b.csv", 2, 1, 0, 1)]


def test_the_name_does_not_make_a_row_different_but_the_number_does(tmp_path, deliver) -> None:
    deliver("promotion/a.csv", csv(row("promotion"), row("promotion", nama="NAMA LAIN")))
    deliver("promotion/b.csv", csv(row("promotion", nip="198001152005011002")))
    assert _counts(run_pipeline(tmp_path)) == [("promotion/a.csv", 2, 1, 0, 1), ("promotion/b.csv", 1, 0, 1, 0)]


def test_typed_and_cleaned_values_are_compared(tmp_path, deliver) -> None:
    deliver(
        "promotion/a.csv",
        csv(row("promotion"), row("promotion", nip="'19800115 200501 1001", counter_bts="-", is_otomatis="FALSE")),
    )
    assert _counts(run_pipeline(tmp_path)) == [("promotion/a.csv", 2, 1, 0, 1)]


def test_another_state_time_is_a_state_also_when_it_comes_late(tmp_path, deliver) -> None:
    deliver("promotion/a.csv", csv(row("promotion", tgl_update_layanan="2024-01-20T10:00:00")))
    deliver("promotion/b.csv", csv(row("promotion", tgl_update_layanan="2024-01-16T10:00:00", status_usulan="12")))
    run_pipeline(tmp_path)
    assert [code for (code,) in _states(tmp_path, "status_code")] == [12, 7]
    assert read_services(Home(tmp_path), 2024)[0]["ms"] == 1


def test_other_content_at_the_same_state_time_is_a_conflict(tmp_path, deliver) -> None:
    deliver(
        "promotion/a.csv",
        csv(row("promotion"), row("promotion", status_usulan="12"), row("promotion", status_usulan="5")),
    )
    assert _counts(run_pipeline(tmp_path)) == [("promotion/a.csv", 3, 1, 2, 0)]
    assert {(held.row, *held.reasons) for held in read_held_rows(Home(tmp_path), None, None)} == {
        (2, "PRM-CONFLICT"), (3, "PRM-CONFLICT"),
    }  # fmt: skip
    assert _states(tmp_path, "status_code") == [(7,)]


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


def test_a_correction_alone_is_an_ordinary_row(tmp_path, deliver) -> None:
    deliver("promotion/corrections/a.csv", csv(row("promotion")))
    assert _counts(run_pipeline(tmp_path)) == [("promotion/corrections/a.csv", 1, 1, 0, 0)]
    assert read_services(Home(tmp_path), 2024)[0]["received"] == 1


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


def test_a_faulty_row_is_held_each_time_it_comes(tmp_path, deliver) -> None:
    bad = row("promotion", instansi_kode="9999")
    deliver("promotion/a.csv", csv(bad, bad))
    assert _counts(run_pipeline(tmp_path)) == [("promotion/a.csv", 2, 0, 2, 0)]


def test_same_bytes_are_skipped_but_not_with_another_standing(tmp_path, deliver) -> None:
    text = csv(row("promotion"))
    deliver("promotion/a.csv", text)
    deliver("promotion/b.csv", text)
    deliver("promotion/corrections/c.csv", text)
    report = run_pipeline(tmp_path)
    assert _counts(report) == [("promotion/a.csv", 1, 1, 0, 0), ("promotion/corrections/c.csv", 1, 0, 0, 1)]
    assert report.skipped == ["promotion/b.csv"]


@pytest.mark.parametrize("separator", [",", ";"])
def test_either_separator(tmp_path, deliver, separator: str) -> None:
    deliver("promotion/a.csv", csv(row("promotion"), separator=separator))
    assert _counts(run_pipeline(tmp_path)) == [("promotion/a.csv", 1, 1, 0, 0)]


def test_the_greater_letter_number_of_one_date_is_the_newer_state(tmp_path, deliver) -> None:
    deliver(
        "integration/a.csv",
        csv(
            row("integration", nomor_surat="L2"),
            row("integration", nomor_surat="L1", terintegrasi="false"),
            row("integration", nomor_surat="L2", terintegrasi="false"),
        ),
    )
    assert _counts(run_pipeline(tmp_path)) == [("integration/a.csv", 3, 2, 1, 0)]
