"""Personal values planted in every personal column reach landing and quarantine, and nothing else."""

import stat
from pathlib import Path

import duckdb
import pytest

from tests.rows import csv, row
from warehouse.connection import open_warehouse
from warehouse.home import Home
from warehouse.pipeline import run_pipeline

# Numbers that keep every rule, so that the rows are accepted; texts that occur nowhere else.
CANARIES = {
    "promotion": {"nip": "198702282011031987", "nama": "KENARI PROMOSI", "alasan_tolak": "KENARI ALASAN SATU"},
    "nip": {"nip": "198702282021211987", "nama": "KENARI NIP", "no_peserta": "KENARI9876543210", "alasan_tolak": "KENARI ALASAN DUA"},
    "pension": {"nip": "196702281990031987", "nama": "KENARI PENSIUN", "alasan_tolak": "KENARI ALASAN TIGA"},
}  # fmt: skip
PLANTED = [value for values in CANARIES.values() for value in values.values()]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    root = tmp_path_factory.mktemp("privacy")
    for source, values in CANARIES.items():
        folder = root / "inbox" / source
        folder.mkdir(parents=True)
        faulty = row(source, id="HELD", instansi_kode="9999", **values)
        (folder / "a.csv").write_text(csv(row(source, **values), faulty, row(source, id="OTHER", **values)))
    run_pipeline(root)
    return Home(root)


def _found_in_tables(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    tables = connection.execute("SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal").fetchall()
    found = []
    for schema, table in tables:
        for value in PLANTED:
            (count,) = connection.execute(
                f'SELECT count(*) FROM "{schema}"."{table}" AS content WHERE contains(CAST(content AS VARCHAR), $1)',
                [value],
            ).fetchall()[0]
            if count:
                found.append((f"{schema}.{table}", value))
    return found


def test_the_search_finds_what_is_there(home: Home) -> None:
    """The canaries are in landing, so a search that finds nothing elsewhere is not blind."""
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE landed AS FROM read_parquet('{home.landing}/nip/*.parquet')")
        assert {value for _, value in _found_in_tables(connection)} == set(CANARIES["nip"].values())


def test_no_warehouse_table_holds_a_personal_value(home: Home) -> None:
    with open_warehouse(home.root, "test") as warehouse:
        assert warehouse.connection.execute("SELECT count(*) FROM states.nip").fetchall() == [(2,)]
        assert _found_in_tables(warehouse.connection) == []


def test_no_published_table_holds_a_personal_value_or_a_key(home: Home) -> None:
    with duckdb.connect(str(home.published.resolve() / "kpi.duckdb"), read_only=True) as connection:
        assert _found_in_tables(connection) == []
        columns = {
            n for (n,) in connection.execute("SELECT column_name FROM duckdb_columns() WHERE NOT internal").fetchall()
        }
    assert not columns & {"record_key", "nip", "nama", "personal_digest"}
    with duckdb.connect() as connection:
        for file in sorted((home.published.resolve() / "parquet").iterdir()):
            connection.execute(f"CREATE TABLE {file.stem} AS FROM read_parquet('{file}')")
        assert _found_in_tables(connection) == []


def test_no_file_outside_the_private_folders_holds_a_personal_value(home: Home) -> None:
    private = {"inbox", "landing", "quarantine"}
    files = [f for f in home.root.rglob("*") if f.is_file() and f.relative_to(home.root).parts[0] not in private]
    assert len(files) > 10
    for file in files:
        content = file.read_bytes()
        for value in PLANTED:
            assert value.encode() not in content, f"{file.name} holds {value}"


@pytest.mark.parametrize("name", ["landing", "quarantine", "secret", "spool"])
def test_private_folders_are_the_owners_alone(home: Home, name: str) -> None:
    assert stat.S_IMODE((home.root / name).stat().st_mode) == 0o700


def test_the_key_file_is_the_owners_alone_and_outside_the_warehouse(home: Home) -> None:
    key = home.secret / "pseudonym.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_text().strip().encode() not in home.warehouse.read_bytes()


def test_the_spool_is_empty_after_a_run(home: Home) -> None:
    assert [f for f in Path(home.spool).rglob("*") if f.is_file()] == []
