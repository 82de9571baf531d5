"""Whatever is damaged, every command ends with exit 3 and one sentence that says what mends it: no traceback, no exit 1."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from flows.app import app
from tests.processes import kpi
from tests.time_home import TimeHome, letter
from warehouse.runs.pipeline import run_pipeline
from warehouse.store.key import VARIABLE

HEADERS, BLOCK = 3 * 4096, 256 * 1024


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> TimeHome:
    place = TimeHome(tmp_path_factory.mktemp("made"))
    place.deliver("integration/a.csv", letter("5500", integrated=False), letter("9999", integrated=True))
    place.run("2025-01-10")
    return place


@pytest.fixture
def place(made: TimeHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TimeHome:
    monkeypatch.delenv(VARIABLE, raising=False)
    shutil.copytree(made.root, tmp_path / "home", symlinks=True)
    return TimeHome(tmp_path / "home")


def flip(file: Path, at: int) -> None:
    file.chmod(0o600)
    content = bytearray(file.read_bytes())
    content[at] ^= 4
    file.write_bytes(content)


def header(file: Path) -> None:
    flip(file, 5000)


def cut(file: Path) -> None:
    """What is cut off further behind may be nothing that a command reads."""
    os.truncate(file, min(file.stat().st_size // 2, HEADERS + 1000))


def nothing_left(file: Path) -> None:
    os.truncate(file, 0)


def other_file(file: Path) -> None:
    file.write_text("not a database\n" * 2000)


def block_of(table: str) -> Callable[[Path], None]:
    """Damages a block of the table's data, which shows only once it is read."""

    def harm(file: Path) -> None:
        with duckdb.connect(str(file), read_only=True) as connection:
            found = connection.execute(
                "SELECT DISTINCT block_id FROM pragma_storage_info($1) WHERE block_id >= 0", [table]
            ).fetchall()
        for (block,) in found:
            flip(file, HEADERS + block * BLOCK + 1000)

    return harm


def catalog(file: Path) -> None:
    with duckdb.connect(str(file)) as connection:
        for (name,) in connection.execute(
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE schema_name NOT IN ('reference')"
        ).fetchall():
            if name not in ("ledger.meta", "ledger.runs"):
                connection.execute(f"DROP TABLE {name}")


def ends_well(place: TimeHome, *arguments: str) -> str:
    """The sentence on standard error of a command that ends with exit 3."""
    done = CliRunner().invoke(app, [*arguments, "--home", str(place.root)])
    assert (done.exit_code, done.stderr.startswith("kpi: "), len(done.stderr.splitlines())) == (3, True, 1), done.output
    return done.stderr


WRITERS = [
    ("close", "2024"),
    ("restate", "--plan"),
    ("backfill", "2024", "--dry-run"),
    ("explain", "IKU-06", "--period", "2024"),
    ("reproduce", "IKU-06", "--period", "2024"),
    ("purge", "--days", "1"),
]


@pytest.mark.parametrize(
    "harm", [header, cut, nothing_left, other_file, block_of("ledger.runs"), block_of("ledger.batches"), catalog]
)
def test_a_damaged_warehouse(place: TimeHome, harm: Callable[[Path], None]) -> None:
    harm(place.home.warehouse)
    for command in WRITERS:
        said = ends_well(place, *command)
        assert "restore warehouse.duckdb from a backup" in said, command


@pytest.mark.parametrize("harm", [header, block_of("ledger.batches"), block_of("ledger.validation_results")])
def test_a_run_on_a_damaged_warehouse(
    place: TimeHome, harm: Callable[[Path], None], prefect_server: dict[str, str]
) -> None:
    harm(place.home.warehouse)
    place.deliver("integration/b.csv", letter("5500", integrated=True, number="L2", tgl_surat="2024-12-27"))
    done = kpi("run", home=place.root, **prefect_server)
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert "restore warehouse.duckdb from a backup" in done.stderr.splitlines()[-1]


READERS = [
    ("values",),
    ("services", "--year", "2024"),
    ("scores", "--year", "2024"),
    ("revisions", "IKU-06"),
    ("reconcile", "--year", "2024"),
]


def every_block(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for at in range(HEADERS + 1000, len(content), BLOCK):
        content[at] ^= 4
    file.write_bytes(content)


@pytest.mark.parametrize("harm", [header, cut, nothing_left, other_file, every_block, Path.unlink])
def test_a_damaged_publication(place: TimeHome, harm: Callable[[Path], None]) -> None:
    harm(place.root / "published" / "kpi.duckdb")
    for command in READERS:
        assert "`kpi run` makes it anew" in ends_well(place, *command)
    assert run_pipeline(place.root).published
    assert CliRunner().invoke(app, ["values", "--home", str(place.root)]).exit_code == 0


def test_a_lost_publication(place: TimeHome) -> None:
    place.home.published.unlink()
    for command in READERS:
        assert "`kpi run` makes it anew" in ends_well(place, *command)


@pytest.mark.parametrize("name", ["manifest.json", "datapackage.json", "parquet/kpi_values.parquet"])
def test_another_damaged_file_of_a_publication_stops_no_reader_and_is_made_anew(place: TimeHome, name: str) -> None:
    (place.root / "published" / name).write_bytes(b"\xff\x00")
    for command in READERS:
        assert CliRunner().invoke(app, [*command, "--home", str(place.root)]).exit_code == 0
    assert run_pipeline(place.root).published


@pytest.mark.parametrize("harm", [cut, nothing_left, other_file])
def test_a_damaged_index_of_held_rows(place: TimeHome, harm: Callable[[Path], None]) -> None:
    harm(place.home.quarantine / "open_rows.parquet")
    assert "`kpi run` writes it anew" in ends_well(place, "quarantine")
    run_pipeline(place.root)
    assert CliRunner().invoke(app, ["quarantine", "--home", str(place.root)]).exit_code == 0


@pytest.mark.parametrize("content", [b"", b"\xff\xfe"])
def test_a_file_that_is_no_key(place: TimeHome, content: bytes) -> None:
    (place.home.secret / "pseudonym.key").write_bytes(content)
    for command in WRITERS:
        assert "put it back from its backup" in ends_well(place, *command)
