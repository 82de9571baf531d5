"""Personal values planted in every personal column reach landing and quarantine, and nothing else."""

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from expectations.contract import load_contract, source_names
from tests.rows import csv, row
from tests.workbook_twin import write_workbook
from warehouse.store.connection import open_warehouse
from warehouse.store.home import Home

# Numbers that keep every rule, so that the rows are accepted; texts that occur nowhere else.
CANARIES = {
    "promotion": {"nip": "198702282011031987", "nama": "KENARI PROMOSI", "alasan_tolak": "KENARI ALASAN SATU"},
    "nip": {"nip": "198702282021211987", "nama": "KENARI NIP", "no_peserta": "KENARI9876543210", "alasan_tolak": "KENARI ALASAN DUA"},
    "pension": {"nip": "196702281990031987", "nama": "KENARI PENSIUN", "alasan_tolak": "KENARI ALASAN TIGA"},
}  # fmt: skip
# The other sources' personal columns: kept as keyed hashes, of which no value may be read back.
PSEUDONYMS = {
    "ip_asn_employee": ("tahun,nip,kualifikasi,kompetensi,kinerja,disiplin", "2024,198702282011032987,20,30,25,5", "198702282011032987"),
    "survey": (
        "survei,tahun,semester,unit,responden_id,tanggal,u1,u2,u3,u4,u5,u6,u7,u8,u9",
        "layanan,2024,1,MUTASI,KENARI-RESPONDEN,2024-03-01,4,4,4,4,4,4,4,4,4", "KENARI-RESPONDEN",
    ),
}  # fmt: skip
# The other layouts: every cell of the workbook that tells of a person, also those that nobody reads, and what an answer nests.
WORKBOOK = {
    9: "KENARI GELAR", 10: "KENARI SARJANA", 11: "KENARI BUKU KERJA", 12: "198702282011032986", 13: "KENARI TEMPAT LAHIR", 14: "28-02-1987",
    40: "KENARI ALASAN EMPAT", 41: "198702282011034987", 42: "KENARI PEMERIKSA",
}  # fmt: skip
READ = {
    0: "Kota Palembang", 4: "28-12-2023", 5: "02-01-2024", 6: "MS", 8: "03-01-2024", 17: "III/a", 25: "III/b", 26: "01-02-2024", 39: "Reguler",
    43: "07", 46: "03-01-2024",
}  # fmt: skip
PAGE = {"nip": "196702281990032987", "nama": "KENARI HALAMAN", "alasan_tolak": "KENARI ALASAN LIMA"}
BIRTH = "28-02-1987"
PLANTED = (
    [*(value for value in WORKBOOK.values() if value != BIRTH), *PAGE.values()]
    + [value for values in CANARIES.values() for value in values.values()]
    + [value for *_, value in PSEUDONYMS.values()]
)


SPY = """
import os, sys
def note(event, arguments):
    if event == "socket.connect":
        with open(os.environ["SPY_FILE"], "a") as file:
            file.write(repr(arguments[1]) + "\\n")
sys.addaudithook(note)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, prefect_database: Path) -> Home:
    root = tmp_path_factory.mktemp("privacy")
    shutil.copytree(prefect_database, root / "prefect")
    for source, values in CANARIES.items():
        folder = root / "inbox" / source
        folder.mkdir(parents=True)
        faulty = row(source, id="HELD", instansi_kode="9999", **values)
        (folder / "a.csv").write_text(csv(row(source, **values), faulty, row(source, id="OTHER", **values)))
    for source, (header, line, _) in PSEUDONYMS.items():
        folder = root / "inbox" / source
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text(f"{header}\n{line}\n{line.replace('2024', '99999', 1)}\n")
    write_workbook(
        root / "inbox" / "promotion" / "b.xlsx", [], [READ | WORKBOOK, READ | WORKBOOK | {6: "tidak dikenal"}]
    )
    inside = {name: PAGE[name] for name in ("nama", "alasan_tolak")}
    entry = {k: v for k, v in row("pension", id="PAGE", nip=PAGE["nip"]).items() if k not in inside}
    entries = [
        entry | {"usulan_data": json.dumps(inside)},
        entry | {"usulan_data": inside, "instansi_kode": "9999", "id": "HELD2"},
    ]
    (root / "inbox" / "pension" / "b.json").write_text(json.dumps({"data": entries}))
    # Every Python process of the run notes whom it calls.
    (root / "sitecustomize.py").write_text(SPY)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(root), *sys.path]),
        "SPY_FILE": str(root / "calls.txt"),
    }
    kpi = [sys.executable, "-c", "from flows.cli import main; main()", "run", "--home", str(root)]
    done = subprocess.run(kpi, capture_output=True, text=True, env=environment, check=True)
    (root / "terminal.txt").write_text(done.stdout + done.stderr)
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


def test_no_process_of_a_run_calls_anybody_but_this_machine(home: Home) -> None:
    calls = (home.root / "calls.txt").read_text().splitlines()
    assert calls, "the spy is not blind: the command talks to its own Prefect server"
    assert {
        call for call in calls if not call.startswith(("('127.0.0.1'", "('::1'", "('localhost'", "'/", "b'"))
    } == set()


def test_every_personal_column_of_every_source_is_planted() -> None:
    personal = {
        (source, column.name)
        for source in source_names()
        for column in load_contract(source).columns
        if column.privacy in ("drop", "pseudonym")
    }
    planted = {(source, column) for source, values in CANARIES.items() for column in values if column != "alasan_tolak"}
    assert personal == planted | {("ip_asn_employee", "nip"), ("survey", "responden_id")}


def test_the_search_finds_what_is_there(home: Home) -> None:
    """The canaries are in landing, so a search that finds nothing elsewhere is not blind."""
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE landed AS FROM read_parquet('{home.landing}/nip/*.parquet')")
        assert {value for _, value in _found_in_tables(connection)} == set(CANARIES["nip"].values())


def test_the_other_layouts_are_taken_in_and_archived_with_every_cell(home: Home) -> None:
    with open_warehouse(home.root, "test") as warehouse:
        counts = warehouse.connection.execute(
            "SELECT file, accepted, quarantined FROM ledger.batches WHERE layout IS NOT NULL ORDER BY file"
        ).fetchall()
    assert counts == [("pension/b.json", 1, 1), ("promotion/b.xlsx", 1, 1)]
    with duckdb.connect() as connection:
        connection.execute(
            f"CREATE TABLE landed AS FROM read_parquet('{home.landing}/promotion/*.parquet', union_by_name=true)"
        )
        assert {value for value in WORKBOOK.values() if value != BIRTH} <= {v for _, v in _found_in_tables(connection)}


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
    private = {"inbox", "landing", "quarantine", "sitecustomize.py"}
    files = [f for f in home.root.rglob("*") if f.is_file() and f.relative_to(home.root).parts[0] not in private]
    kinds = {file.suffix for file in files}
    assert len(files) > 20 and {".html", ".json", ".txt", ".parquet", ".duckdb"} <= kinds
    assert any("prefect" in str(file) for file in files), "Prefect's own history is among them"
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
