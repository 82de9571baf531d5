"""Nothing of the inbox is lost in silence: repeated bytes, folders that are no source or no ``corrections/``, are named until seen to."""

from pathlib import Path

import pytest

from flows.command_run import plan_backfill
from tests.rows import csv, row
from warehouse.loading.group import SourceLoad
from warehouse.runs.doctor import examine
from warehouse.runs.pipeline import a_run, run_pipeline

ONE, TWO = csv(row("pension", status_usulan="7")), csv(row("pension", no_pertek="PT-2"))
CORRECTED = csv(row("pension", no_pertek="PT-9"))


def kinds(report) -> list[tuple[str, str]]:
    return [(notice.kind, notice.file) for notice in report.notices]


def inbox_check(home: Path) -> dict:
    return next(check for check in examine(home) if check["check"] == "inbox")


def test_known_bytes_under_another_name_are_named_until_seen_to(tmp_path: Path, deliver) -> None:
    deliver("pension/a.csv", ONE)
    assert run_pipeline(tmp_path).notices == []
    again = deliver("pension/b.csv", ONE)
    for _ in range(2):
        report = run_pipeline(tmp_path)
        assert kinds(report) == [("known", "pension/b.csv")]
        assert report.skipped == ["pension/a.csv", "pension/b.csv"]
        page = (tmp_path / "reports" / "validation" / f"{report.run}.html").read_text()
        assert "inbox/pension/b.csv: not taken in: the same bytes came as pension/a.csv" in page
    assert inbox_check(tmp_path)["verdict"] == "note" and "pension/b.csv" in inbox_check(tmp_path)["finding"]
    again.unlink()
    assert run_pipeline(tmp_path).notices == []
    assert inbox_check(tmp_path)["verdict"] == "good"


def test_a_correction_with_the_bytes_of_one_that_stands_no_longer_is_applied_again(tmp_path: Path, deliver) -> None:
    deliver("pension/a.csv", ONE)
    deliver("pension/corrections/1.csv", TWO)
    run_pipeline(tmp_path)
    deliver("pension/corrections/1 again.csv", TWO)
    assert kinds(run_pipeline(tmp_path)) == [("known", "pension/corrections/1 again.csv")]
    deliver("pension/corrections/2.csv", CORRECTED)
    assert [batch.accepted for batch in run_pipeline(tmp_path).batches] == [1]
    deliver("pension/corrections/3.csv", TWO)
    report = run_pipeline(tmp_path)
    assert [(batch.file, batch.accepted) for batch in report.batches] == [("pension/corrections/3.csv", 1)]
    assert run_pipeline(tmp_path).batches == []


def test_a_folder_that_may_be_meant_for_corrections_is_named(tmp_path: Path, deliver) -> None:
    folders = ["CORRECTIONS", "Corrections", "c40 corrections"]
    deliver("pensiun/a.csv", "id\n1\n")
    for number, folder in enumerate(folders):
        deliver(f"pension/{folder}/a.csv", csv(row("pension", id=f"S{number}")))
    report = run_pipeline(tmp_path)
    assert kinds(report) == [("not_a_source", "pensiun"), *(("folder", f"pension/{name}/a.csv") for name in folders)]
    assert all("did you mean the folder corrections/" in notice.message for notice in report.notices[1:])
    assert "pensiun" in inbox_check(tmp_path)["finding"]


def test_a_dry_run_asks_with_the_standing(tmp_path: Path, deliver) -> None:
    deliver("pension/a.csv", ONE)
    run_pipeline(tmp_path)
    deliver("pension/corrections/a.csv", ONE)
    (tmp_path / "inbox" / "pension" / "link.csv").symlink_to("/etc/hostname")
    planned = plan_backfill(tmp_path, [2024], None)["new_files"]
    assert planned == ["pension/link.csv", "pension/corrections/a.csv"]
    report = run_pipeline(tmp_path)
    assert [batch.file for batch in report.batches] == ["pension/corrections/a.csv"]


def test_a_step_that_is_tried_again_keeps_the_counts_of_what_it_had_committed(
    tmp_path: Path, deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver("pension/a.csv", csv(row("pension"), row("pension", id="S2")))
    deliver("pension/b.csv", csv(row("pension", id="S3")))
    monkeypatch.setattr("warehouse.loading.group.GROUP_ROWS", 2)
    join, has_failed = SourceLoad._join_group, []

    def fails_once(self, delivery, sha256, landed):
        if delivery.file == "pension/b.csv" and not has_failed:
            has_failed.append(True)
            raise OSError(28, "No space left on device")
        return join(self, delivery, sha256, landed)

    monkeypatch.setattr(SourceLoad, "_join_group", fails_once)
    with a_run(tmp_path, None) as pipeline:
        (source, found), *_ = pipeline.find()
        with pytest.raises(Exception, match="No space left"):
            pipeline.take_in(source, found, lambda line: None)
        pipeline.take_in(source, found, lambda line: None)
        report = pipeline.end()
    assert [(batch.file, batch.landed) for batch in report.batches] == [("pension/a.csv", 2), ("pension/b.csv", 1)]
    assert report.skipped == []
