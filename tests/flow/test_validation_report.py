"""The validation report: a self-contained page a run and a delivery, trends over runs, what is held, and no value of a row."""

import json
import re
from pathlib import Path

import pytest

from expectations.report import RuleLine
from tests.conftest import RunHome
from tests.time_home import TimeHome, letter
from warehouse.reports.validation_pages import last_page
from warehouse.runs.pipeline import a_run
from warehouse.store.failures import GateFailed

OUTSIDE = re.compile(r"""(?:src|href)\s*=\s*["']?(?!#)(?:[a-z]+:)?//|url\(|@import|<script""", re.IGNORECASE)


def line(failed: int, checked: int = 100, earlier: tuple[tuple[int, int], ...] = ()) -> RuleLine:
    return RuleLine("promotion", "PRM-01", "quarantine", "en", "id", checked, failed, earlier)


@pytest.mark.parametrize(
    ("found", "trend"),
    [
        (line(0), "good"), (line(3), "new"), (line(3, earlier=((100, 0),)), "new"), (line(0, earlier=((100, 2),)), "vanished"),
        (line(0, earlier=((100, 2), (100, 0))), "good"), (line(4, earlier=((100, 2),)), "rising"),
        (line(3, earlier=((100, 2),)), "steady"), (line(1, earlier=((100, 2),)), "falling"),
        (line(2, 50, ((100, 2),)), "rising"), (line(20, 1000, ((100, 2),)), "steady"),
    ],
)  # fmt: skip
def test_the_trend_is_that_of_the_share(found: RuleLine, trend: str) -> None:
    assert found.trend == trend


def test_the_pages_call_nobody_and_show_what_was_held(faulty_2024: RunHome) -> None:
    pages = sorted(faulty_2024.home.validation_reports.glob("*.html"))
    assert len(pages) == len(faulty_2024.report.batches) + 2
    for page in pages:
        assert not OUTSIDE.search(page.read_text(encoding="utf-8")), page.name
    text = last_page(faulty_2024.home).read_text(encoding="utf-8")
    held = sum(batch.quarantined for batch in faulty_2024.report.batches)
    assert f"<b>{held:,}</b><span>quarantined / dikarantina" in text
    assert "PRM-NIP-1" in text and "golongan_baru_id harus lebih tinggi dari golongan_lama_id" in text
    assert "IKU-05" in text and "71.43" in text, "what the quarantined rows could do to a value"


def test_the_publication_has_the_pages_too(faulty_2024: RunHome) -> None:
    site = faulty_2024.home.published / "site"
    assert 'href="validation/run-000001.html"' in (site / "index.html").read_text()
    for page in faulty_2024.home.validation_reports.glob("*.html"):
        assert (site / "validation" / page.name).read_bytes() == page.read_bytes()


def test_the_raw_results_stand_beside_it_without_failing_values(faulty_2024: RunHome) -> None:
    files = sorted((faulty_2024.home.validation_reports / "raw").glob("*.json"))
    assert {file.name.split("_", 1)[1].rsplit("_", 1)[0] for file in files} >= {"promotion", "survey", "budget"}
    for file in files:
        for result in json.loads(file.read_text())["results"]:
            assert not {"partial_unexpected_list", "unexpected_list", "unexpected_rows"} & {
                name for name, content in result["result"].items() if content
            }


def test_a_history_over_runs(tmp_path: Path) -> None:
    place = TimeHome(tmp_path)
    place.deliver("integration/a.csv", letter("5500", integrated=True), letter("5501", integrated=True, tw=5))
    place.run("2025-01-10")
    first = last_page(place.home).read_text(encoding="utf-8")
    assert "new / baru" in first and "INT-01" in first
    place.deliver("integration/b.csv", letter("5501", integrated=True, number="L2", tgl_surat="2024-12-21"))
    place.run("2025-01-11")
    assert "vanished / hilang" in last_page(place.home).read_text(encoding="utf-8")
    history = (place.home.validation_reports / "index.html").read_text(encoding="utf-8")
    for words in ("/ proses", "done / selesai", "yang diminta", "kecenderungan"):
        assert words in history
    assert "jalan" not in history
    assert 'href="run-000001.html"' in history and 'href="run-000002.html"' in history


def test_a_run_that_stopped_has_its_page(tmp_path: Path) -> None:
    place = TimeHome(tmp_path)
    place.home.make()
    with pytest.raises(GateFailed), a_run(tmp_path, None):
        raise GateFailed("reconciliation: a test")
    text = last_page(place.home).read_text(encoding="utf-8")
    assert "It stopped / Berhenti" in text and "reconciliation: a test" in text


def test_a_refused_delivery_is_on_the_page_in_both_languages(tmp_path: Path) -> None:
    place = TimeHome(tmp_path)
    file = place.home.inbox / "integration" / "leer<b>.csv"
    file.parent.mkdir(parents=True)
    file.write_text("")
    (refused,) = place.run("2025-01-10").refused
    text = last_page(place.home).read_text(encoding="utf-8")
    assert "leer&lt;b&gt;.csv" in text and "leer<b>" not in text, "a file's name is no markup"
    assert refused.message_id.split(":")[-1].strip()[:20] in text


def test_every_heading_of_a_page_is_in_both_languages(tmp_path: Path) -> None:
    place = TimeHome(tmp_path)
    place.deliver("integration/a.csv", letter("5500", integrated=True), letter("5501", integrated=True, tw=5))
    (place.home.inbox / "integration" / "b.csv").write_text("x,y\n1,2\n")
    place.run("2025-01-10")
    page = last_page(place.home).read_text(encoding="utf-8")
    assert "Refused whole" in page and "never / belum pernah" in page
    for text in re.findall(r"<(?:th|h2)[^>]*>(.*?)</(?:th|h2)>", page):
        assert " / " in text or "<small>/ " in text or text in ("SHA-256", "status"), text
