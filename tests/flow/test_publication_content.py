"""What is published: a folder behind a link, every table with its rows, the same bytes for the same facts."""

import os
import shutil
import stat
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256

import duckdb

from tests import publication_home
from tests.publication_home import FILES, SCORE, TABLES, VALUE, VIEWS, add_value, names_in, query
from warehouse.publication.switch import Publication, current_publication, publish
from warehouse.runs.derive_and_enter import WORDS
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.connection import open_warehouse
from warehouse.store.home import Home
from warehouse.store.runs import write_meta

home = publication_home.home
warehouse = publication_home.warehouse


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
    assert sorted(names_in(publication.folder)) == [
        "datapackage.json",
        "kpi.duckdb",
        "manifest.json",
        "parquet",
        "site",
    ]
    assert sorted(names_in(home.root)) == sorted(
        [
            "inbox",
            "landing",
            "publications",
            "published",
            "quarantine",
            "reports",
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
    assert modes == dict.fromkeys((*FILES, "manifest.json"), "0o644") | {
        "parquet": "0o755", "site": "0o755", "site/validation": "0o755",
    }  # fmt: skip
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


def test_other_offices_have_a_table_of_their_own(warehouse):
    folder = publish(warehouse, 2, "run-000002").folder
    assert query(folder, "SELECT DISTINCT office FROM kpi_values UNION SELECT office FROM kpi_values_history") == [
        ("07",)
    ]
    for table in ("peer_values", "peer_values_history"):
        assert query(folder, f"SELECT office, indicator, period, value FROM {table}") == [
            ("03", "IKU-06", "2024", Decimal("98.000000"))
        ]


def test_a_value_says_its_year_the_days_of_its_period_and_its_title(warehouse):
    add_value(warehouse.connection, "2024-S2", "1")
    add_value(warehouse.connection, "2023", "2")
    folder = publish(warehouse, 2, "run-000002").folder
    said = "period_kind, year, period_start, period_end"
    assert query(folder, f"SELECT period, {said} FROM kpi_values") == [
        ("2023", "year", 2023, date(2023, 1, 1), date(2023, 12, 31)),
        ("2024-Q1", "quarter", 2024, date(2024, 1, 1), date(2024, 3, 31)),
        ("2024-Q2", "quarter", 2024, date(2024, 4, 1), date(2024, 6, 30)),
        ("2024-S2", "semester", 2024, date(2024, 7, 1), date(2024, 12, 31)),
    ]
    assert query(folder, "SELECT DISTINCT title_en, title_id FROM kpi_values_history") == [
        (
            "Share of agency HR systems integrated with SIASN",
            "Persentase sistem informasi kepegawaian pengelola ASN yang terintegrasi dengan SIASN",
        )
    ]


def test_an_indicator_that_is_defined_no_longer_keeps_its_values(warehouse):
    add_value(warehouse.connection, "2024", "1")
    warehouse.connection.execute("UPDATE facts.kpi_values SET indicator = 'IKU-88'")
    folder = publish(warehouse, 2, "run-000002").folder
    assert query(folder, "SELECT DISTINCT indicator, title_en FROM kpi_values") == [("IKU-88", "IKU-88")]


def test_a_view_a_question(warehouse):
    connection = warehouse.connection
    for period, value in (("2021", "40"), ("2023", "50.5"), ("2024", "60"), ("2025", "90.25")):
        add_value(connection, period, value)
    connection.execute("UPDATE facts.kpi_values SET definition_version = '2020' WHERE period < '2024'")
    connection.execute("UPDATE facts.kpi_values SET target = 95 WHERE period = '2025'")
    connection.execute(
        SCORE.replace("'nss'", "'capaian'").replace("'SS1'", "'IKU-06'").replace("2024 AS year, ", "2025 AS year, ")
    )
    folder = publish(warehouse, 2, "run-000002").folder
    trend = "SELECT year, value, previous_value, change, is_break FROM trend"
    assert query(folder, trend) == [
        (2021, Decimal(40), None, None, False),
        (2023, Decimal("50.5"), None, None, False),
        (2024, Decimal(60), Decimal("50.5"), None, True),
        (2025, Decimal("90.25"), Decimal(60), Decimal("30.25"), False),
    ]
    assert query(folder, "SELECT indicator, year, value, target, capaian_percent, objective FROM current_year") == [
        ("IKU-06", 2025, Decimal("90.25"), Decimal(95), Decimal(100), "SS4")
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
        ("promotion", "promotion/2024.csv", "PRM-02", "warn", 10, 0, 0, "native", "run-000002"),
        ("promotion", "promotion/2024.csv", "PRM-07", "quarantine", 10, 1, 1, "native", "run-000002"),
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
    assert {name for (name,) in query(alone, "SELECT view_name FROM duckdb_views() WHERE NOT internal")} == VIEWS
    assert query(alone, "SELECT comment FROM duckdb_views() WHERE view_name = 'trend'")[0][0].startswith(
        "How has an indicator changed from year to year? "
    )
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
        f"{VALUE.replace(chr(39) + 'IKU-06' + chr(39), 'CAST(i AS VARCHAR)')} FROM range(130000) AS many(i)",
        {
            "period": "2024",
            "office": "07",
            "value": "1",
            "known_from": "2025-01-01",
            "known_to": None,
            "reason": None,
            "run": "run-000001",
        },
    )
    first = publish(warehouse, 1, "run-000001")
    connection.execute("CREATE OR REPLACE TABLE facts.kpi_values AS FROM facts.kpi_values ORDER BY hash(indicator)")
    second = publish(warehouse, 2, "run-000002")
    digests = [
        {path.name: sha256(path.read_bytes()).hexdigest() for path in (publication.folder / "parquet").iterdir()}
        for publication in (first, second)
    ]
    assert digests[0] == digests[1]
    assert query(second.folder, "SELECT count(*) FROM kpi_values") == [(130002,)]


def test_another_declaration_of_what_is_published_is_published_by_the_next_run(tmp_path):
    """Readers of a new release would else be told to run again, and the run would find nothing new."""
    Home(tmp_path).make()
    run_pipeline(tmp_path, date(2025, 1, 10))
    assert not run_pipeline(tmp_path, date(2025, 1, 11)).published
    with open_warehouse(tmp_path, "test") as opened:
        # What a release says that declares other tables: the definitions are the same.
        write_meta(opened.connection, WORDS, "of another release")
    assert run_pipeline(tmp_path, date(2025, 1, 12)).published
