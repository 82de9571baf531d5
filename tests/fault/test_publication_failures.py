"""A publication that fails leaves the last one standing, and the next one clears what was left."""

import errno
import os
import resource

import duckdb
import pytest

from tests import publication_home
from tests.publication_home import add_value, names_in, publish_runs
from warehouse.publication.switch import publish, verify_publication
from warehouse.store.failures import EnvironmentProblem, GateFailed

home = publication_home.home
warehouse = publication_home.warehouse


def assert_stands(warehouse, home):
    """The first publication is what it was, nothing of the second is there, and the warehouse works on."""
    assert str(home.published.readlink()) == "publications/000001"
    assert verify_publication(home.publications / "000001") == []
    assert names_in(home.publications) == ["000001"]
    assert not list(home.root.glob(".*"))
    databases = warehouse.connection.execute(
        "SELECT database_name FROM duckdb_databases() WHERE NOT internal"
    ).fetchall()
    assert databases == [("warehouse",)]


def assert_next_is_second(warehouse, home):
    assert publish(warehouse, 3, "run-000003").publication_id == 2
    assert str(home.published.readlink()) == "publications/000002"


def test_a_failed_gate_leaves_the_last_publication(warehouse, home):
    publish(warehouse, 1, "run-000001")
    add_value(warehouse.connection, "2024-Q2", "22.34", run="run-000002")
    with pytest.raises(
        GateFailed, match=r"published table kpi_values: 1 keys .* more than once; nothing was published"
    ):
        publish(warehouse, 2, "run-000002")
    assert_stands(warehouse, home)
    warehouse.connection.execute("DELETE FROM facts.kpi_values WHERE run = 'run-000002' AND period = '2024-Q2'")
    assert_next_is_second(warehouse, home)


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        ("UPDATE facts.kpi_values SET status = 'guessed'", "kpi_values: column status is none of derived, reported"),
        ("UPDATE facts.kpi_values SET unit = NULL", "kpi_values: column unit is empty in 2 rows"),
        ("UPDATE facts.kpi_values SET excluded = '{'", "kpi_values: column excluded is no JSON in 2 rows"),
        ("UPDATE ledger.batches SET run_id = 99", "batches: column run is empty in 1 rows"),
        (
            "ALTER TABLE facts.kpi_values ALTER value TYPE DOUBLE",
            "kpi_values: column value is DOUBLE, which is no number",
        ),
    ],
)
def test_a_table_that_is_not_as_declared_is_not_published(warehouse, home, damage, finding):
    publish(warehouse, 1, "run-000001")
    warehouse.connection.execute(damage)
    with pytest.raises(GateFailed, match=finding):
        publish(warehouse, 2, "run-000002")
    assert_stands(warehouse, home)


def test_a_file_that_cannot_grow_leaves_the_last_publication(warehouse, home):
    """The kernel refuses to write beyond 100 kB: what DuckDB meets is a real failed write."""
    publish(warehouse, 1, "run-000001")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(
            EnvironmentProblem, match=r"the publication could not be written: .*the last publication stands"
        ):
            publish(warehouse, 2, "run-000002")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert_stands(warehouse, home)
    assert_next_is_second(warehouse, home)


def test_a_full_disk_is_called_by_its_name(warehouse, home, monkeypatch):
    publish(warehouse, 1, "run-000001")

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        EnvironmentProblem, match="is full: nothing was published, the last publication stands; make room"
    ):
        publish(warehouse, 2, "run-000002")
    monkeypatch.undo()
    assert_stands(warehouse, home)
    assert_next_is_second(warehouse, home)


def test_a_ledger_that_cannot_take_the_entry_takes_the_switch_back(warehouse, home):
    publish(warehouse, 1, "run-000001")
    warehouse.connection.execute("ALTER TABLE ledger.publications RENAME TO kept")
    warehouse.connection.execute("CREATE VIEW ledger.publications AS FROM ledger.kept")
    with pytest.raises(duckdb.Error):
        publish(warehouse, 2, "run-000002")
    assert_stands(warehouse, home)


def test_what_killed_runs_left_is_cleared(warehouse, home):
    publish(warehouse, 1, "run-000001")
    half_made = home.publications / ".building-000002"
    (half_made / "parquet").mkdir(parents=True)
    (half_made / "kpi.duckdb").write_bytes(b"half")
    (home.publications / "000002").mkdir()
    (home.root / ".published-000002").symlink_to("publications/000002")
    assert publish(warehouse, 2, "run-000002").publication_id == 2
    assert names_in(home.publications) == ["000001", "000002"]
    assert verify_publication(home.publications / "000002") == []
    assert not list(home.root.glob(".*"))


def test_a_switch_that_the_ledger_missed_is_entered(warehouse, home):
    first, second = publish_runs(warehouse, 1, 2)
    warehouse.connection.execute("DELETE FROM ledger.publications WHERE publication_id = 2")
    third = publish(warehouse, 3, "run-000003")
    entries = warehouse.connection.execute("SELECT * FROM ledger.publications ORDER BY publication_id").fetchall()
    assert entries == [
        (1, 1, first.manifest_sha256),
        (2, 2, second.manifest_sha256),
        (3, 3, third.manifest_sha256),
    ]


def test_who_points_the_link_back_loses_no_newer_publication(warehouse, home):
    publish_runs(warehouse, 1, 2)
    home.published.unlink()
    home.published.symlink_to("publications/000001")
    assert publish(warehouse, 3, "run-000003").publication_id == 3
    assert names_in(home.publications) == ["000001", "000002", "000003"]


def test_a_ledger_that_is_older_than_the_publication_does_not_publish(warehouse, home):
    publish_runs(warehouse, 1, 2)
    warehouse.connection.execute("DELETE FROM ledger.publications")
    warehouse.connection.execute("DELETE FROM ledger.runs WHERE run_id NOT IN (1, 9)")
    with pytest.raises(EnvironmentProblem, match=r"it knows nothing of publication 000002\. Nothing was changed"):
        publish(warehouse, 9, "run-000009")
    assert names_in(home.publications) == ["000001", "000002"]
    assert str(home.published.readlink()) == "publications/000002"
    assert verify_publication(home.publications / "000002") == []
