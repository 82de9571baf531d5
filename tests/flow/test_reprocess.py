"""Deliveries are judged again by other rules: from the archive, as new readings, and every earlier value keeps the records behind it."""

import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tests.changed_contract import changed_contract
from tests.time_home import TimeHome, letter
from warehouse.facts import concerns
from warehouse.runs.doctor import examine, rules_check
from warehouse.runs.pipeline import RunReport, a_run
from warehouse.runs.purge import purge
from warehouse.store.seal import find_break
from warehouse.trace.explain import explain
from warehouse.trace.reproduce import reproduce

B = "integration/b.csv"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A letter with three agencies and one of no region, another by the other channel, and a correction since."""
    place = TimeHome(tmp_path_factory.mktemp("made"))
    agencies = {"5500": True, "5501": True, "5502": False, "9999": True}
    place.deliver("integration/a.csv", *(letter(code, integrated=is_so) for code, is_so in agencies.items()))
    place.deliver(B, letter("5503", integrated=True, channel="simpegnas", number="L2"))
    place.run("2025-01-10")
    place.deliver("integration/corrections/c.csv", letter("5501", integrated=False))
    place.run("2025-01-11")
    return place.root


@pytest.fixture
def place(made: Path, tmp_path: Path) -> TimeHome:
    return TimeHome(shutil.copytree(made, tmp_path / "home", symlinks=True))


def one_channel(text: str) -> str:
    return text.replace("allowed: &channels [webservice, simpegnas]", "allowed: &channels [webservice]")


def judged(report: RunReport) -> list[tuple[str, int, list[str]]]:
    return [(found.source, found.deliveries, found.changed) for found in report.reprocessed]


def rules(place: TimeHome) -> tuple[str, str]:
    """What the doctor says of them, here: in a process of its own the contract is as it is."""
    with duckdb.connect(str(place.home.warehouse), read_only=True) as connection:
        found = rules_check(connection)
    assert isinstance(found, dict)
    return found["verdict"], found["finding"]


def versions(place: TimeHome) -> list[tuple[str, str | None]]:
    return place.ledger(
        "SELECT CAST(CAST(value AS DECIMAL(9, 2)) AS VARCHAR), reason FROM facts.kpi_values "
        "WHERE indicator = 'IKU-06' AND period = '2024' ORDER BY known_from"
    )


def test_rows_are_judged_again_by_another_contract_and_every_version_keeps_its_records(place: TimeHome) -> None:
    standing = place.ledger("FROM facts.kpi_values WHERE indicator = 'IKU-06' ORDER BY known_from, period")
    with changed_contract("integration", one_channel):
        assert rules(place)[0] == "note" and "integration (3 deliveries)" in rules(place)[1]
        report = place.run("2025-01-12")
        assert judged(report) == [("integration", 3, [B])]
        assert versions(place) == [("83.33", None), ("66.67", "correction"), (None, "definition")]
        assert reproduce(place.root, "IKU-06", "2024")["equal"]
        assert place.ledger(
            f"SELECT reasons FROM quarantine.open_rows JOIN ledger.batches USING (batch_id) WHERE file = '{B}'"
        ) == [(["INT-03"],)]
        assert rules(place) == ("good", "every row was taken in under those of today")
        again = place.run("2025-01-13")
        assert (judged(again), again.changed, again.published) == ([], [], False)
    # Nothing that was known before is another now, and its records are there.
    before = place.ledger("FROM facts.kpi_values WHERE indicator = 'IKU-06' ORDER BY known_from, period")[
        : len(standing)
    ]
    assert [row[:-4] for row in before] == [row[:-4] for row in standing]
    for day, value in ((date(2025, 1, 10), "83.33"), (date(2025, 1, 11), "66.67")):
        found = explain(place.root, "IKU-06", "2024", day)
        assert (found["value"], found["reproduced"]) == (value, True)
    with duckdb.connect(str(place.home.warehouse), read_only=True) as connection:
        assert find_break(connection) is None
    # The rules of before again: what was held is accepted.
    report = place.run("2025-01-14")
    assert judged(report) == [("integration", 3, [B])]
    assert versions(place)[-1] == ("66.67", "definition")
    assert explain(place.root, "IKU-06", "2024")["reproduced"] and reproduce(place.root, "IKU-06", "2024")["equal"]
    assert {check["verdict"] for check in examine(place.root, is_deep=True)} <= {"good", "note"}
    known = letter("5503", integrated=True, channel="simpegnas", number="L2")
    place.deliver("integration/e.csv", known, letter("5505", integrated=True, number="L2"))
    (counts,) = place.run("2025-01-15").batches
    assert (counts.accepted, counts.duplicate) == (1, 1), "judged again, it is known as before"


def test_where_nothing_comes_out_otherwise_nothing_is_entered(place: TimeHome, monkeypatch: pytest.MonkeyPatch) -> None:
    as_it_is = concerns.text_digest
    monkeypatch.setattr(
        concerns, "text_digest", lambda f: "edited" if f == "expectations/typed_read.py" else as_it_is(f)
    )
    report = place.run("2025-01-12")
    assert (judged(report), report.changed, report.published) == ([("integration", 3, [])], [], False)
    assert judged(place.run("2025-01-13")) == []


def test_a_source_whose_archive_is_lost_stays_as_it_is_and_is_named(place: TimeHome) -> None:
    (archive,) = (place.home.landing / "integration").glob(
        place.ledger(f"SELECT sha256 FROM ledger.batches WHERE file = '{B}'")[0][0] + "*"
    )
    content = archive.read_bytes()
    archive.unlink()
    (place.home.inbox / B).unlink()
    with changed_contract("integration", one_channel):
        report = place.run("2025-01-12")
        assert judged(report) == [("integration", 3, [])] and report.changed == []
        (notice,) = [notice for notice in report.notices if notice.kind == "judged_before"]
        assert f"{B}: its archive landing/integration/" in notice.message and "under other rules" in notice.message
        archive.write_bytes(content)
        assert judged(place.run("2025-01-13")) == [("integration", 3, [B])]


def test_a_delivery_that_would_be_refused_now_is_named_and_the_source_stays(place: TimeHome) -> None:
    def refusing(text: str) -> str:
        return one_channel(text).replace(
            "column: channel\n    allowed", "column: channel\n    severity: refuse\n    allowed"
        )

    with changed_contract("integration", refusing):
        report = place.run("2025-01-12")
    (found,) = report.reprocessed
    assert found.changed == [] and B in str(found.problem) and "INT-03" in str(found.problem)
    assert report.changed == []


def test_what_was_purged_stays_and_what_came_since_is_judged(place: TimeHome) -> None:
    place.run("2025-03-01")
    place.deliver("integration/d.csv", letter("5504", integrated=True, channel="simpegnas", number="L3"))
    with a_run(place.root, date(2025, 3, 2)) as pipeline:
        assert len(purge(pipeline, 30)) == 3
        for source, found in pipeline.find():
            pipeline.take_in(source, found, print)
        pipeline.renew()
        pipeline.end()
    with changed_contract("integration", one_channel):
        assert judged(place.run("2025-03-03")) == [("integration", 1, ["integration/d.csv"])]
        assert place.ledger("SELECT DISTINCT channel FROM states.integration WHERE replaced_by_batch_id IS NULL ORDER BY 1") == [
            ("simpegnas",), ("webservice",),
        ]  # fmt: skip
        assert judged(place.run("2025-03-04")) == []
    assert purged_again(place) == []


def purged_again(place: TimeHome) -> list[object]:
    """Deliveries that a purge would count as older or younger than they are."""
    with a_run(place.root, date(2025, 3, 5)) as pipeline:
        found = purge(pipeline, 30)
        pipeline.end()
    return list(found)
