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

from tests.changed_contract import NEW_COLUMN, changed_contract, with_column
from tests.rows import row
from tests.time_home import TimeHome, letter
from warehouse.facts.versions import Change
from warehouse.reading.published_values import read_revisions, read_scores, read_services, read_values
from warehouse.runs.doctor import examine
from warehouse.runs.pipeline import RunReport
from warehouse.store import migrations
from warehouse.store.failures import EnvironmentProblem
from warehouse.store.home import Home
from warehouse.store.seal import find_break
from warehouse.trace.reproduce import reproduce

REDEFINED = {"IKU-09"}
VERSIONED = ("kpi_values", "service_summary", "kpi_scores")
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


def as_defined_then(found: dict[str, Any]) -> dict[str, Any]:
    """Without the indicators of which the product has another definition since: that is said of their values too."""
    values = [[value for value in of_moment if value["indicator"] not in REDEFINED] for of_moment in found["values"]]
    return {**found, "values": values}


def other_numbers(report: RunReport) -> list[Change]:
    """Changes of a number; a version of a definition that came since opens versions in which only its name is another."""
    return [change for change in report.changed if change.old != change.new]


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
    facts = {table: old.ledger(f"FROM facts.{table}") for table in VERSIONED}
    people = old.ledger("SELECT record_key, personal_digest FROM states.nip ORDER BY ALL")
    (ledger,) = [check for check in examine(old.root) if check["check"] == "ledger"]
    assert (ledger["verdict"], ledger["finding"][:35]) == ("note", "the home is of an earlier release, ")
    report = old.run("2025-02-15")
    # IKU-09 has another version from 2024 on since then: no value changes by it
    assert [(c.indicator, c.period, c.old, c.new, c.reason) for c in report.changed] == [
        ("IKU-09", "2025", None, None, "definition")
    ]
    assert report.batches == [] and report.pending == []
    # By which rules its rows were taken in was not noted: they are judged again, and nothing comes out otherwise.
    assert sum(found.deliveries for found in report.reprocessed) == 10
    assert [found for found in report.reprocessed if found.changed or found.problem] == []
    assert missing(as_defined_then(before), as_defined_then(answers(old))) == []
    # Every version of every number stands as it stood, with its known_from; what ended since ended by a definition.
    for table, rows in facts.items():
        standing = [row[: len(rows[0]) - 4] for row in old.ledger(f"FROM facts.{table}")]
        assert [row for row in rows if row[:-4] not in standing] == []
    assert old.ledger("SELECT value FROM ledger.meta WHERE name = 'layout'") == [(str(migrations.newest_schema()),)]
    assert [old.ledger(f"FROM ledger.{table}") for table in ("closings", "restatements")] == [closings, restatements]
    assert old.ledger(f"SELECT count(*) FROM ledger.chain WHERE sha256 = '{seal}' OR previous_sha256 = '{seal}'") == [
        (2,)
    ]
    bad = [check for check in examine(old.root) if check["verdict"] == "bad"]
    assert bad == []
    # A person is known by the pseudonym of before: the same row again is a duplicate.
    assert old.ledger("SELECT record_key, personal_digest FROM states.nip ORDER BY ALL") == people
    old.deliver("nip/again.csv", row("nip"), row("nip"))
    old.deliver("integration/d.csv", letter("5501", integrated=False, number="L9", tgl_surat="2024-12-30"))
    report = old.run("2025-02-16")
    assert [(p.item, p.period) for p in report.pending] == [("IKU-06", "2024"), ("IKU-06", "2024-Q4")]
    assert [(b.accepted, b.duplicate) for b in report.batches if b.source == "nip"] == [(0, 2)]


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


def test_a_column_that_a_contract_has_got_since_is_in_the_states_and_old_archives_are_read(old: TimeHome) -> None:
    with changed_contract("integration", with_column):
        report = old.run("2025-02-15")
        assert other_numbers(report) == [] and report.pending == []
        # Of the archives as they were landed, without the column.
        assert [reproduce(old.root, *asked)["equal"] for asked in REPRODUCED[:2]] == [True, True]
        old.deliver(
            "integration/d.csv",
            letter("5501", integrated=True, number="L9", tgl_surat="2025-02-16", tw="1", tahun="2025")
            | {"catatan": "baru"},
        )
        assert [(b.file, b.accepted) for b in old.run("2025-02-16").batches] == [("integration/d.csv", 1)]
        assert old.ledger("SELECT remark FROM states.integration WHERE letter_number = 'L9'") == [("baru",)]
        assert old.ledger("SELECT count(*) FROM states.integration WHERE remark IS NOT NULL") == [(1,)]
        comment = "SELECT comment FROM duckdb_columns() WHERE table_name = 'integration' AND column_name = 'remark'"
        assert old.ledger(comment) == [("a remark (delivered as catatan)",)]
        assert reproduce(old.root, "IKU-06", "2025")["equal"]
    # A release that knows the column no more keeps what was delivered in it.
    old.run("2025-02-17")
    assert old.ledger("SELECT remark FROM states.integration WHERE letter_number = 'L9'") == [("baru",)]


def test_a_required_column_that_an_archive_lacks_is_named_with_its_contract(old: TimeHome) -> None:
    required = NEW_COLUMN.replace("type: text", "type: text\n    required: true")
    with changed_contract("integration", lambda text: with_column(text, required)):
        old.run("2025-02-15")
        with pytest.raises(
            EnvironmentProblem, match=r"integration/a\.csv: contract integration requires the column catatan"
        ):
            reproduce(old.root, "IKU-06", "2024")


def test_a_column_of_another_type_is_named_with_its_contract_and_nothing_changes(old: TimeHome) -> None:
    old.run("2025-02-15")
    standing = old.ledger("FROM states.integration")
    with (
        changed_contract(
            "integration",
            lambda text: text.replace("column: quarter\n    type: integer", "column: quarter\n    type: text"),
        ),
        pytest.raises(
            EnvironmentProblem, match=r"contract integration: column quarter is VARCHAR, and .* keep it as BIGINT"
        ),
    ):
        old.run("2025-02-16")
    assert old.ledger("FROM states.integration") == standing
    assert old.run("2025-02-16").changed == []


def test_a_decimal_may_become_wider_and_keeps_what_it_has(old: TimeHome) -> None:
    standing = old.ledger("FROM states.performance_agreement")
    with changed_contract(
        "performance_agreement", lambda text: text.replace("type: decimal", "type: decimal\n    digits: 14")
    ):
        assert other_numbers(old.run("2025-02-15")) == []
    assert old.ledger("FROM states.performance_agreement") == standing
    assert old.ledger("SELECT typeof(target) FROM states.performance_agreement") == [("DECIMAL(20,6)",)]
