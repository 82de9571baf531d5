"""The score and the reconciliation of 2024 from the sample deliveries, before and after the late assessment."""

import shutil
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from sample_data import write_deliveries
from sample_data.assessments import write_late_assessment
from warehouse.reading.published_values import published, read_reconciliation, read_scores
from warehouse.runs.pipeline import RunReport, run_pipeline
from warehouse.store.home import Home

BOOKS_CLOSED, AFTER_THE_ASSESSMENT = date(2025, 1, 31), date(2025, 9, 30)
# The logs of proposals are large, and no score rests on them.
LOGS = ("promotion", "nip", "pension")

Lines = dict[str, tuple[str | None, str | None, str, str | None]]


class TwoRuns:
    """A home of which one run closed the books of 2024, and a second one took in the assessment that was made later."""

    def __init__(self, root: Path) -> None:
        self.home = Home(root)
        write_deliveries(root / "inbox", [2024], 1, 7, False)
        for log in LOGS:
            shutil.rmtree(root / "inbox" / log)
        self.first: RunReport = run_pipeline(root, BOOKS_CLOSED)
        self.lines_before = _lines(self.home)
        write_late_assessment(root / "inbox")
        self.second: RunReport = run_pipeline(root, AFTER_THE_ASSESSMENT)


def _lines(home: Home) -> Lines:
    return {
        row["item"]: (row["published"], row["derived"], row["verdict"], row["discrepancy"])
        for row in read_reconciliation(home, 2024)
    }


# It takes in a whole year of its own.
pytestmark = pytest.mark.sample


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> TwoRuns:
    return TwoRuns(tmp_path_factory.mktemp("late"))


def test_the_score_as_the_books_were_closed(runs: TwoRuns) -> None:
    shape = read_scores(runs.home, 2024, BOOKS_CLOSED).shape

    assert (shape["npss"], shape["category"]) == ("99.27", "Baik")
    assert {row["id"]: row["nss"] for row in shape["objectives"]} == {
        "SS1": "100.00", "SS2": "101.25", "SS3": "100.00", "SS4": "100.00", "SS5": "96.49", "SS6": "100.00", "SS7": "96.72",
    }  # fmt: skip
    assert {row["id"]: row["nkp"] for row in shape["perspectives"]} == {
        "stakeholder": "25.00", "customer": "25.31", "internal_process": "24.78", "learning_growth": "24.18",
    }  # fmt: skip
    assert {row["id"]: row["efficiency"] for row in shape["indicators"] if row["efficiency"]} == {
        "IKU-04": "-0.27", "IKU-06": "0.17", "IKU-07": "4.60",
    }  # fmt: skip
    assert shape["indicators"][0] == {
        "id": "IKU-01", "realization": None, "target": "100.00", "capaian": None, "efficiency": None,
        "status": "not_yet_measured",
    }  # fmt: skip


def test_the_sample_reconciles_without_a_difference(runs: TwoRuns) -> None:
    assert runs.first.published
    assert Counter(verdict for _, _, verdict, _ in runs.lines_before.values())["different"] == 0
    assert runs.lines_before["07|IKU-04|2024|realisasi"] == ("93.36", "93.37", "known", "D08")
    assert runs.lines_before["07|NPSS|2024|NPSS"] == ("99.27", "99.27", "equal", None)
    assert runs.lines_before["07|layanan|2024-S1|ikm|INKA"] == ("93.17", "93.17", "equal", None)
    assert runs.lines_before["07|integration|2024-Q1|share|webservice"] == ("29.41", "29.41", "equal", None)


def test_the_late_assessment_changes_the_score(runs: TwoRuns) -> None:
    shape = read_scores(runs.home, 2024).shape
    changed = {
        (change.indicator, change.period): (change.old, change.new, change.reason) for change in runs.second.changed
    }

    assert changed["IKU-01", "2024"] == (None, "83.67", "late_data")
    assert changed["NPSS", "2024"] == ("99.27", "97.23", "late_data")
    assert (shape["npss"], shape["category"]) == ("97.23", "not configured")
    assert shape["objectives"][0] == {"id": "SS1", "nss": "91.84"}
    assert shape["perspectives"][0] == {"id": "stakeholder", "score": "91.84", "nkp": "22.96"}


def test_the_old_score_stays_in_the_history_with_the_reason_of_the_new_one(runs: TwoRuns) -> None:
    with published(runs.home) as connection:
        rows = connection.execute(
            "SELECT measure, item, value, known_to IS NULL, reason FROM kpi_scores_history "
            "WHERE year = 2024 AND measure IN ('nss', 'nkp', 'npss') AND item IN ('SS1', 'stakeholder', 'NPSS') "
            "ORDER BY measure, known_from"
        ).fetchall()
        others = connection.execute(
            "SELECT count(*) FROM kpi_scores_history WHERE year = 2024 AND known_to IS NOT NULL "
            "AND item NOT IN ('IKU-01', 'SS1', 'stakeholder', 'NPSS')"
        ).fetchall()

    assert rows == [
        ("nkp", "stakeholder", Decimal("25.00"), False, None),
        ("nkp", "stakeholder", Decimal("22.96"), True, "late_data"),
        ("npss", "NPSS", Decimal("99.27"), False, None),
        ("npss", "NPSS", Decimal("97.23"), True, "late_data"),
        ("nss", "SS1", Decimal("100.00"), False, None),
        ("nss", "SS1", Decimal("91.84"), True, "late_data"),
    ]
    assert others == [(0,)]


def test_the_late_assessment_is_a_known_difference_and_stops_nothing(runs: TwoRuns) -> None:
    lines = _lines(runs.home)

    assert runs.second.published
    assert Counter(verdict for _, _, verdict, _ in lines.values())["different"] == 0
    assert lines["07|NPSS|2024|NPSS"] == ("99.27", "97.23", "known", "D29")
    assert lines["07|SS1|2024|NSS"] == ("100.00", "91.84", "known", "D29")
    assert lines["07|IKU-01|2024|realisasi"] == (None, "83.67", "known", "D29")
