"""The publication: whole or not at all, described to the last column, the same bytes for the same facts."""

import errno
import json
import os
import re
import resource
import shutil
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import duckdb
import pytest
from pydantic import ValidationError

from warehouse.connection import open_warehouse
from warehouse.failures import EnvironmentProblem, GateFailed
from warehouse.home import Home
from warehouse.publication import Publication, current_publication, publish, verify_publication
from warehouse.published import Published, load_published

TABLES = {
    "kpi_values",
    "kpi_values_history",
    "service_summary",
    "service_summary_history",
    "kpi_scores",
    "kpi_scores_history",
    "reconciliation",
    "batches",
    "validation_results",
    "indicators",
    "indicator_versions",
    "agencies",
}
FILES = ["datapackage.json", "kpi.duckdb", *sorted(f"parquet/{table}.parquet" for table in TABLES)]

VALUE = """INSERT INTO facts.kpi_values BY NAME SELECT 'IKU-06' AS indicator, $period AS period, '07' AS office, '2024' AS definition_version,
  TIMESTAMP '2024-03-31 23:59:59.999999' AS cut_off, CAST($value AS DECIMAL(28,6)) AS value, 2 AS decimals, 'percent' AS unit,
  'derived' AS status, 5 AS numerator, 49 AS denominator, '{"no_row_in_quarter": 2}' AS excluded, false AS is_provisional,
  ['incomplete'] AS flags, 'f00d' AS evidence_hash, CAST($known_from AS TIMESTAMP) AS known_from,
  CAST($known_to AS TIMESTAMP) AS known_to, $reason AS reason, $run AS run"""
SUMMARY = """INSERT INTO facts.service_summary BY NAME SELECT 'promotion' AS service, 2024 AS year, 'region' AS breakdown,
  $group_name AS group_name, '07' AS office, '2024' AS definition_version, TIMESTAMP '2024-12-31 23:59:59.999999' AS cut_off,
  10 AS received_count, 7 AS ms_count, 1 AS bts_count, 1 AS tms_count, 1 AS in_process_count, 90.00 AS completion_percent,
  70.00 AS approval_percent, 2 AS ever_returned_count, 9 AS decided_count, 88.89 AS two_day_percent, 1.50 AS median_days,
  3.20 AS p90_days, '{}' AS excluded, 81.82 AS completion_band_low, 90.91 AS completion_band_high, false AS is_provisional,
  'beef' AS evidence_hash, TIMESTAMP '2025-01-01 01:00:00' AS known_from, CAST($known_to AS TIMESTAMP) AS known_to, 'run-000001' AS run"""

SCORE = """INSERT INTO facts.kpi_scores BY NAME SELECT 'nss' AS measure, 'SS1' AS item, 2024 AS year, '07' AS office,
  '2024' AS definition_version, TIMESTAMP '2024-12-31 23:59:59.999999' AS cut_off, 100 AS value, 2 AS decimals, 'points' AS unit,
  'derived' AS status, '{"IKU-01": "not_yet_measured"}' AS missing, false AS is_provisional,
  TIMESTAMP '2025-01-01 01:00:00' AS known_from, 'run-000001' AS run"""
RECONCILED = """INSERT INTO facts.reconciliation BY NAME SELECT '07|SS1|2024|NSS' AS item, 2024 AS year, 2024 AS report_year,
  '100.00' AS published, '100.00' AS derived, 'equal' AS verdict, false AS is_delivered"""


@pytest.fixture
def home(tmp_path):
    """An installation whose path needs quoting in SQL."""
    return Home((tmp_path / "the office's data").resolve())


@pytest.fixture
def warehouse(home):
    with open_warehouse(home.root, "test") as opened:
        fill(opened.connection)
        yield opened


def fill(connection):
    """Two runs; a value with two versions and one with one; two groups of a service; a delivery with two rules."""
    for run_id in range(1, 10):
        clock = datetime(2025, 1, run_id, 23, 59, 59, 999999)
        connection.execute(
            "INSERT INTO ledger.runs VALUES ($1, $2, $3, NULL, $3, $3, 'done', NULL)",
            [run_id, f"run-{run_id:06d}", clock],
        )
    add_value(connection, "2024-Q2", "22.33")
    add_value(connection, "2024-Q1", "14.70", known_to="2025-01-02 01:00:00")
    add_value(connection, "2024-Q1", "14.71", known_from="2025-01-02 01:00:00", reason="late_data", run="run-000002")
    for group, known_to in (("vertical", None), ("Jambi", "2025-01-02 01:00:00"), ("Bengkulu", None)):
        connection.execute(SUMMARY, {"group_name": group, "known_to": known_to})
    connection.execute(
        "INSERT INTO ledger.batches VALUES (1, 2, 'promotion', 'promotion/2024.csv', 'abc', false, 'csv', false, false, 10, 8, 1, 1)"
    )
    connection.execute("INSERT INTO ledger.validation_results VALUES (1, 'promotion', 'PRM-07', 'quarantine', 10, 1)")
    connection.execute("INSERT INTO ledger.validation_results VALUES (1, 'promotion', 'PRM-02', 'warn', 10, 0)")
    connection.execute(SCORE)
    connection.execute(RECONCILED)


def add_value(
    connection, period, value, known_from="2025-01-01 01:00:00", known_to=None, reason=None, run="run-000001"
):
    connection.execute(
        VALUE,
        {
            "period": period,
            "value": value,
            "known_from": known_from,
            "known_to": known_to,
            "reason": reason,
            "run": run,
        },
    )


def publish_runs(warehouse, first, last):
    return [publish(warehouse, run_id, f"run-{run_id:06d}") for run_id in range(first, last + 1)]


def query(folder: Path, sql: str):
    with duckdb.connect(str(folder / "kpi.duckdb"), read_only=True) as reader:
        return reader.execute(sql).fetchall()


def names_in(folder: Path):
    return sorted(path.name for path in folder.iterdir())


# What is published


def test_a_publication_is_a_folder_behind_a_relative_link(warehouse, home):
    publication = publish(warehouse, 1, "run-000001")
    assert publication == Publication(
        1, home.root / "publications/000001", sha256((publication.folder / "manifest.json").read_bytes()).hexdigest()
    )
    assert str(home.published.readlink()) == "publications/000001"
    assert current_publication(home) == publication.folder
    assert warehouse.connection.execute(
        "SELECT publication_id, run_id, manifest_sha256 FROM ledger.publications"
    ).fetchall() == [(1, 1, publication.manifest_sha256)]
    assert sorted(names_in(publication.folder)) == ["datapackage.json", "kpi.duckdb", "manifest.json", "parquet"]
    assert sorted(names_in(home.root)) == sorted(
        [
            "inbox",
            "landing",
            "publications",
            "published",
            "quarantine",
            "secret",
            "spool",
            "warehouse.duckdb",
            "warehouse.duckdb.wal",
            "warehouse.lock",
        ]
    )


def test_everybody_may_read_it_and_nobody_else_write(warehouse):
    before = os.umask(0o077)
    try:
        folder = publish(warehouse, 1, "run-000001").folder
    finally:
        os.umask(before)
    modes = {path.relative_to(folder).as_posix(): oct(stat.S_IMODE(path.stat().st_mode)) for path in folder.rglob("*")}
    assert modes == dict.fromkeys((*FILES, "manifest.json"), "0o644") | {"parquet": "0o755"}
    assert oct(stat.S_IMODE(folder.stat().st_mode)) == "0o755"


def test_standing_values_and_all_versions(warehouse):
    folder = publish(warehouse, 2, "run-000002").folder
    assert query(folder, "SELECT period, value, flags, excluded, known_from, run FROM kpi_values") == [
        (
            "2024-Q1",
            Decimal("14.710000"),
            ["incomplete"],
            '{"no_row_in_quarter": 2}',
            datetime(2025, 1, 2, 1),
            "run-000002",
        ),
        (
            "2024-Q2",
            Decimal("22.330000"),
            ["incomplete"],
            '{"no_row_in_quarter": 2}',
            datetime(2025, 1, 1, 1),
            "run-000001",
        ),
    ]
    assert query(folder, "SELECT period, value, known_to, reason FROM kpi_values_history") == [
        ("2024-Q1", Decimal("14.700000"), datetime(2025, 1, 2, 1), None),
        ("2024-Q1", Decimal("14.710000"), None, "late_data"),
        ("2024-Q2", Decimal("22.330000"), None, None),
    ]


def test_services_deliveries_and_dimensions(warehouse):
    folder = publish(warehouse, 2, "run-000002").folder
    assert query(folder, "SELECT group_name, received_count, two_day_percent, p90_days FROM service_summary") == [
        ("Bengkulu", 10, Decimal("88.89"), Decimal("3.20")),
        ("vertical", 10, Decimal("88.89"), Decimal("3.20")),
    ]
    assert query(folder, "SELECT group_name, known_to FROM service_summary_history") == [
        ("Bengkulu", None),
        ("Jambi", datetime(2025, 1, 2, 1)),
        ("vertical", None),
    ]
    assert query(folder, "FROM batches") == [
        ("promotion", "promotion/2024.csv", "abc", "run-000002", False, 10, 8, 1, 1)
    ]
    assert query(folder, "FROM validation_results") == [
        ("promotion", "promotion/2024.csv", "PRM-02", "warn", 10, 0, "run-000002"),
        ("promotion", "promotion/2024.csv", "PRM-07", "quarantine", 10, 1, "run-000002"),
    ]
    assert query(
        folder, "SELECT title_en, perspective, objective, decimals FROM indicators WHERE indicator = 'IKU-06'"
    ) == [("Share of agency HR systems integrated with SIASN", "internal_process", "SS4", 2)]
    assert query(
        folder, "SELECT definition_version, valid_from FROM indicator_versions WHERE indicator = 'IKU-06'"
    ) == [
        ("2020", date(2020, 1, 1)),
        ("2024", date(2024, 1, 1)),
    ]
    assert query(folder, "SELECT count(*), count(DISTINCT province) FROM agencies") == [(49, 4)]
    assert query(folder, "SELECT agency_name, kind FROM agencies WHERE agency_code = '5500'") == [
        ("Pemerintah Provinsi Jambi", "province")
    ]


def test_the_database_needs_no_other_file_and_says_what_its_columns_are(warehouse, tmp_path):
    folder = publish(warehouse, 1, "run-000001").folder
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(folder / "kpi.duckdb", alone)
    assert {name for (name,) in query(alone, "SELECT table_name FROM duckdb_tables()")} == TABLES
    assert (
        query(alone, "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL")
        == []
    )
    assert query(
        alone, "SELECT comment FROM duckdb_columns() WHERE table_name = 'kpi_values' AND column_name = 'band_low'"
    ) == [("the value if every quarantined row counted against it [row]",)]
    assert query(alone, "SELECT comment FROM duckdb_tables() WHERE table_name = 'batches'") == [
        ("Every delivery that was taken in, and what became of its rows. Grain: one delivery.",)
    ]


def test_parquet_holds_the_same_rows_in_the_same_order(warehouse):
    folder = publish(warehouse, 2, "run-000002").folder
    for table in TABLES:
        with duckdb.connect(str(folder / "kpi.duckdb"), read_only=True) as reader:
            stored = reader.execute(f"FROM {table}").fetchall()
            copied = reader.execute("FROM read_parquet($1)", [str(folder / f"parquet/{table}.parquet")]).fetchall()
            codecs = reader.execute(
                "SELECT DISTINCT compression FROM parquet_metadata($1)", [str(folder / f"parquet/{table}.parquet")]
            ).fetchall()
        assert copied == stored
        assert codecs == [("ZSTD",)]


def test_same_content_same_bytes(warehouse):
    """More rows than one row group takes, delivered by the warehouse in another order each time."""
    connection = warehouse.connection
    connection.execute(
        f"{VALUE.replace('$period', 'CAST(i AS VARCHAR)')} FROM range(130000) AS many(i)",
        {"value": "1", "known_from": "2025-01-01", "known_to": None, "reason": None, "run": "run-000001"},
    )
    first = publish(warehouse, 1, "run-000001")
    connection.execute("CREATE OR REPLACE TABLE facts.kpi_values AS FROM facts.kpi_values ORDER BY hash(period)")
    second = publish(warehouse, 2, "run-000002")
    digests = [
        {path.name: sha256(path.read_bytes()).hexdigest() for path in (publication.folder / "parquet").iterdir()}
        for publication in (first, second)
    ]
    assert digests[0] == digests[1]
    assert query(second.folder, "SELECT count(*) FROM kpi_values") == [(130002,)]


# The description


def test_every_column_is_declared_and_every_declaration_is_published(warehouse):
    folder = publish(warehouse, 1, "run-000001").folder
    published: dict[str, list[str]] = {table: [] for table in TABLES}
    for table, column in query(
        folder,
        "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal ORDER BY table_name, column_index",
    ):
        published[table].append(column)
    assert published == {table.name: list(table.columns) for table in load_published().tables}
    package = json.loads((folder / "datapackage.json").read_text())
    described = {r["name"]: [field["name"] for field in r["schema"]["fields"]] for r in package["resources"]}
    assert described == published
    for resource_ in package["resources"]:
        for field in resource_["schema"]["fields"]:
            assert field["description"], field
            assert field["unit"] in package["units"], field


def test_every_query_states_its_table_and_grain_and_belongs_to_a_declaration():
    queries = {
        file.name: file.read_text() for file in files("warehouse.published").iterdir() if file.name.endswith(".sql")
    }
    assert queries.keys() == {f"{table.name}.sql" for table in load_published().tables}
    for table in load_published().tables:
        header = queries[f"{table.name}.sql"].splitlines()[:3]
        assert header[:2] == [f"-- table: {table.name}", f"-- grain: {table.grain}"]
        assert header[2].startswith("-- inputs: ")
        assert not re.search(r"SELECT\s+\*|\.\*", queries[f"{table.name}.sql"])


def test_datapackage_is_a_tabular_data_package(warehouse, home):
    folder = publish(warehouse, 3, "run-000003").folder
    text = (folder / "datapackage.json").read_text()
    package = json.loads(text)
    assert package["profile"] == "tabular-data-package"
    assert package["name"] == "kanreg-kpi"
    assert package["title"] == "Key performance indicators: Kantor Regional VII BKN Palembang"
    assert package["created"] == "2025-01-03T23:59:59.999999+07:00"
    assert str(home.root) not in text
    assert "://" not in text
    types = {"string", "integer", "number", "boolean", "date", "datetime", "object", "any"}
    for resource_ in package["resources"]:
        name, schema = resource_["name"], resource_["schema"]
        assert resource_["path"] == f"parquet/{name}.parquet"
        assert (folder / resource_["path"]).is_file()
        assert resource_["profile"] == "tabular-data-resource"
        assert resource_["format"] == "parquet"
        assert resource_["mediatype"] == "application/vnd.apache.parquet"
        assert resource_["title"]
        assert resource_["description"]
        fields = {field["name"]: field for field in schema["fields"]}
        assert len(fields) == len(schema["fields"])
        assert {field["type"] for field in fields.values()} <= types
        assert schema["missingValues"] == [""]
        assert schema["primaryKey"]
        assert all(fields[key]["constraints"]["required"] for key in schema["primaryKey"])
    values = {r["name"]: r for r in package["resources"]}["kpi_values"]
    assert values["schema"]["primaryKey"] == ["indicator", "period", "office"]
    fields = {field["name"]: field for field in values["schema"]["fields"]}
    assert fields["status"] == {
        "name": "status",
        "type": "string",
        "unit": "none",
        "description": "how the value came about, or why there is none",
        "constraints": {
            "required": True,
            "enum": [
                "derived",
                "reported",
                "not_yet_measured",
                "source_missing",
                "zero_denominator",
                "withheld_quality",
            ],
        },
    }
    assert fields["value"]["type"] == "number"
    assert fields["flags"]["type"] == "any"
    assert fields["excluded"]["type"] == "object"
    assert "constraints" not in fields["value"]


def test_standing_tables_have_no_end_and_no_reason(warehouse):
    folder = publish(warehouse, 1, "run-000001").folder
    assert query(
        folder,
        "SELECT DISTINCT table_name FROM duckdb_columns() WHERE column_name IN ('known_to', 'reason') ORDER BY 1",
    ) == [("kpi_scores_history",), ("kpi_values_history",), ("service_summary_history",)]


def test_no_column_of_a_person_or_a_record():
    forbidden = {"nip", "nama", "name", "person_name", "record_key", "proposal_id", "row_number"}
    assert forbidden.isdisjoint(load_published().columns)


def test_an_unknown_key_or_an_undefined_column_is_an_error():
    declared = load_published().model_dump(mode="json")
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Published.model_validate(declared | {"colums": {}})
    declared["tables"][0]["columns"].append("capaian")
    with pytest.raises(ValidationError, match="undefined or in no table: capaian"):
        Published.model_validate(declared)


def test_manifest_is_stable_text(warehouse):
    folder = publish(warehouse, 4, "run-000004").folder
    text = (folder / "manifest.json").read_text()
    manifest = json.loads(text)
    assert {key: value for key, value in manifest.items() if key != "files"} == {
        "publication_id": 1,
        "run": "run-000004",
        "schema_version": "1",
    }
    assert list(manifest["files"]) == FILES
    for name, entry in manifest["files"].items():
        content = (folder / name).read_bytes()
        assert entry == {"bytes": len(content), "sha256": sha256(content).hexdigest()}
    assert text == json.dumps(manifest, indent=2, sort_keys=True) + "\n"


def test_tampering_is_named(warehouse):
    folder = publish(warehouse, 1, "run-000001").folder
    assert verify_publication(folder) == []
    with (folder / "parquet/agencies.parquet").open("r+b") as file:
        file.seek(100)
        file.write(b"X")
    (folder / "kpi.duckdb").unlink()
    (folder / "lkj.xlsx").write_text("from elsewhere")
    assert verify_publication(folder) == ["kpi.duckdb", "lkj.xlsx", "parquet/agencies.parquet"]


@pytest.mark.parametrize("content", [None, "{", "[]", '{"files": {}}'])
def test_without_its_manifest_a_publication_proves_nothing(warehouse, content):
    folder = publish(warehouse, 1, "run-000001").folder
    (folder / "manifest.json").unlink()
    if content is not None:
        (folder / "manifest.json").write_text(content)
    assert verify_publication(folder) == ["manifest.json"]


# The switch


READER = """
import sys, duckdb
with duckdb.connect(sys.argv[1] + '/kpi.duckdb', read_only=True) as reader:
    print(reader.execute('SELECT count(*) FROM kpi_values_history').fetchone()[0], flush=True)
    sys.stdin.readline()
    print(reader.execute('SELECT count(*), max(value) FROM kpi_values_history').fetchone()[0], flush=True)
with duckdb.connect(sys.argv[1] + '/kpi.duckdb', read_only=True) as reader:
    print(reader.execute('SELECT count(*) FROM kpi_values_history').fetchone()[0], flush=True)
"""


def test_a_reader_keeps_what_he_opened_and_then_sees_the_new_one_whole(warehouse, home):
    publish(warehouse, 1, "run-000001")
    process = subprocess.Popen(
        [sys.executable, "-c", READER, str(home.published)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "3\n"
    add_value(warehouse.connection, "2024-Q3", "71.88")
    publish_runs(warehouse, 2, 5)
    assert not (home.publications / "000001").exists()
    answer, _ = process.communicate("\n", timeout=60)
    assert answer == "3\n4\n"
    assert process.returncode == 0


def test_there_is_no_moment_without_a_publication(warehouse, home):
    publish(warehouse, 1, "run-000001")
    seen, is_done = set(), threading.Event()

    def look():
        while not is_done.is_set():
            seen.add(json.loads((home.published / "manifest.json").read_text())["publication_id"])

    with ThreadPoolExecutor() as pool:
        looking = pool.submit(look)
        try:
            publish_runs(warehouse, 2, 4)
        finally:
            is_done.set()
        looking.result()
    assert seen == {1, 2, 3, 4}


def test_the_newest_three_are_kept(warehouse, home):
    publish_runs(warehouse, 1, 5)
    assert names_in(home.publications) == ["000003", "000004", "000005"]
    assert str(home.published.readlink()) == "publications/000005"
    assert [
        row[0] for row in warehouse.connection.execute("SELECT publication_id FROM ledger.publications").fetchall()
    ] == [1, 2, 3, 4, 5]


def test_the_home_can_be_moved(warehouse, home, tmp_path):
    publish(warehouse, 1, "run-000001")
    shutil.copytree(home.root, tmp_path / "moved", symlinks=True)
    moved = Home((tmp_path / "moved").resolve())
    assert current_publication(moved) == moved.root / "publications/000001"
    assert verify_publication(moved.publications / "000001") == []


def test_nothing_published_or_a_broken_link(home):
    home.make()
    assert current_publication(home) is None
    home.published.symlink_to("publications/000009")
    assert current_publication(home) is None
    home.published.unlink()
    home.published.symlink_to("published")
    assert current_publication(home) is None


def test_a_broken_link_is_replaced(warehouse, home):
    home.published.symlink_to("publications/000009")
    publication = publish(warehouse, 1, "run-000001")
    assert current_publication(home) == publication.folder


def test_a_folder_in_the_links_place_is_not_touched(warehouse, home):
    home.published.mkdir()
    (home.published / "note.txt").write_text("mine")
    with pytest.raises(EnvironmentProblem, match="move it away, then run this again"):
        publish(warehouse, 1, "run-000001")
    assert names_in(home.published) == ["note.txt"]
    assert names_in(home.publications) == []


# Failures


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


def test_a_rebuilt_warehouse_counts_on(warehouse, home):
    publish_runs(warehouse, 1, 2)
    warehouse.connection.execute("DELETE FROM ledger.publications")
    warehouse.connection.execute("DELETE FROM ledger.runs WHERE run_id <> 9")
    warehouse.connection.execute("DELETE FROM ledger.batches")
    warehouse.connection.execute("DELETE FROM ledger.validation_results")
    assert publish(warehouse, 9, "run-000009").publication_id == 3
    assert names_in(home.publications) == ["000001", "000002", "000003"]
