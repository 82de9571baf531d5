"""A home of an earlier release is brought up and answers what it answered before; one of a later release is refused.

``homes/layout_3.tar.xz`` was made by the first release: five runs with a quarantined row, a late wave, a closing and a restatement.
``homes/layout_3.json`` is what that release answered on it.
"""

import json
import tarfile
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.time_home import TimeHome, is_of_results, letter
from warehouse.reading.published_values import read_revisions, read_scores, read_services, read_values
from warehouse.runs.doctor import examine
from warehouse.store import migrations
from warehouse.store.failures import EnvironmentProblem
from warehouse.store.home import Home
from warehouse.store.seal import find_break
from warehouse.trace.reproduce import reproduce

HOMES = Path(__file__).parents[1] / "homes"
MOMENTS = (None, date(2025, 1, 12), date(2025, 2, 12))
REPRODUCED = (
    ("IKU-06", "2024", None), ("IKU-06", "2024", date(2025, 1, 12)), ("IKU-01", "2024", None), ("promotion", "2024", None),
    ("promotion", "2024", date(2025, 1, 12)), ("pension", "2025", None),
)  # fmt: skip


@pytest.fixture
def old(tmp_path: Path) -> TimeHome:
    with tarfile.open(HOMES / "layout_3.tar.xz") as archive:
        archive.extractall(tmp_path, filter="tar")
    return TimeHome(tmp_path)


def answers(place: TimeHome) -> dict[str, Any]:
    """What the readers and the tracers are told, as JSON."""
    found = {
        "values": [read_values(place.home, as_of=moment) for moment in MOMENTS],
        "services": [
            [
                read_services(place.home, year, by, moment)
                for year in (2024, 2025)
                for by in ("year", "period", "region", "agency")
            ]
            for moment in MOMENTS
        ],
        "scores": [as_first_said(read_scores(place.home, 2024, moment).shape) for moment in MOMENTS],
        "revisions": [read_revisions(place.home, indicator) for indicator in ("IKU-01", "IKU-06")],
        "reproduce": [reproduce(place.root, *asked) for asked in REPRODUCED],
    }
    return json.loads(json.dumps(found, default=str))


def as_first_said(shape: dict[str, Any]) -> dict[str, Any]:
    """The first release had the reason of a null NPSS in its category, and named no targets that nobody delivered."""
    return {**shape, "category": shape["category"] or shape["reason"].partition("; no target")[0]}


def missing(before: Any, after: Any, where: str = "") -> list[str]:
    """Where ``after`` does not say all that ``before`` said; what it says besides is no matter."""
    if isinstance(before, dict):
        return [
            line
            for name, value in before.items()
            for line in missing(value, after.get(name, "gone"), f"{where}/{name}")
        ]
    if isinstance(before, list):
        if len(before) != len(after):
            return [f"{where}: {len(before)} entries, now {len(after)}"]
        return [
            line for i, pair in enumerate(zip(before, after, strict=True)) for line in missing(*pair, f"{where}[{i}]")
        ]
    return [] if before == after else [f"{where}: {before!r}, now {after!r}"]


def test_a_home_of_the_first_release_answers_as_before_and_goes_on(old: TimeHome) -> None:
    before = json.loads((HOMES / "layout_3.json").read_text(encoding="utf-8"))
    closings, restatements = (old.ledger(f"FROM ledger.{table}") for table in ("closings", "restatements"))
    ((seal,),) = old.ledger("SELECT sha256 FROM ledger.chain ORDER BY run_id DESC LIMIT 1")
    (ledger,) = [check for check in examine(old.root) if check["check"] == "ledger"]
    assert (ledger["verdict"], ledger["finding"][:35]) == ("note", "the home is of an earlier release, ")
    report = old.run("2025-02-15")
    # IKU-09 has another version from 2024 on since then: no value changes by it
    assert [(c.indicator, c.period, c.old, c.new, c.reason) for c in report.changed] == [
        ("IKU-09", "2025", None, None, "definition")
    ]
    assert report.batches == [] and report.pending == []
    for rows in before["values"]:
        for row in rows:
            if row["indicator"] == "IKU-09":
                for told in ("definition_break", "definition_version", "cut_off", "known_from", "run"):
                    del row[told]
    assert missing(before, answers(old)) == []
    assert old.ledger("SELECT value FROM ledger.meta WHERE name = 'layout'") == [(str(migrations.newest_schema()),)]
    assert [old.ledger(f"FROM ledger.{table}") for table in ("closings", "restatements")] == [closings, restatements]
    assert old.ledger(f"SELECT count(*) FROM ledger.chain WHERE sha256 = '{seal}' OR previous_sha256 = '{seal}'") == [
        (2,)
    ]
    bad = [check for check in examine(old.root) if check["verdict"] == "bad"]
    assert bad == []
    old.deliver("integration/d.csv", letter("5501", integrated=False, number="L9", tgl_surat="2024-12-30"))
    pending = [(p.item, p.period) for p in old.run("2025-02-16").pending if not is_of_results(p.item)]
    assert pending == [("IKU-06", "2024"), ("IKU-06", "2024-Q4")]


def test_a_column_that_a_migration_adds_leaves_the_old_seals_whole(
    old: TimeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = migrations.newest_schema() + 1
    added = (
        "ALTER TABLE ledger.batches ADD COLUMN seen_by VARCHAR; ALTER TABLE facts.kpi_values ADD COLUMN note VARCHAR;"
    )
    later = {**migrations.migrations(), number: added}
    monkeypatch.setattr(migrations, "migrations", lambda: later)
    old.run("2025-02-15")
    with duckdb.connect(str(old.home.warehouse)) as connection:
        assert find_break(connection) is None
        connection.execute("UPDATE ledger.batches SET seen_by = 'x' WHERE batch_id = 1")
        assert find_break(connection) is None, "a seal of before the column says nothing of it"
        connection.execute("UPDATE ledger.batches SET accepted = 77 WHERE batch_id = 1")
        assert find_break(connection) == "run 1: ledger.batches"


def test_a_migration_that_fails_leaves_the_warehouse_as_it_was(old: TimeHome, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {migrations.newest_schema() + 1: "CREATE TABLE ledger.half (a INTEGER); SELECT * FROM ledger.not_there;"}
    known = migrations.migrations()
    monkeypatch.setattr(migrations, "migrations", lambda: known)
    old.run("2025-02-15")
    standing = old.ledger("SELECT value FROM ledger.meta WHERE name = 'layout'")
    monkeypatch.setattr(migrations, "migrations", lambda: known | broken)
    with pytest.raises(EnvironmentProblem, match=r"could not be brought to schema (.|\n)*it is as it was"):
        old.run("2025-02-16")
    assert old.ledger("SELECT value FROM ledger.meta WHERE name = 'layout'") == standing
    assert old.ledger("SELECT 1 FROM duckdb_tables() WHERE table_name = 'half'") == []


def test_a_home_of_a_later_release_is_refused(old: TimeHome) -> None:
    with duckdb.connect(str(Home(old.root).warehouse)) as connection:
        connection.execute("UPDATE ledger.meta SET value = '9999' WHERE name = 'layout'")
    with pytest.raises(EnvironmentProblem, match="schema 9999 of a newer release"):
        old.run("2025-02-15")
