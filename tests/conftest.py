"""Shared homes: the 2024 sample is written and run once a session; tests that change a home make their own."""

import fcntl
import gc
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from sample_data import write_deliveries
from tests.in_memory import empty_warehouse
from warehouse.runs.pipeline import RunReport, run_pipeline
from warehouse.store.home import Home


@dataclass(frozen=True)
class RunHome:
    """A home and the report of its one run."""

    root: Path
    report: RunReport

    @property
    def home(self) -> Home:
        return Home(self.root)


@pytest.fixture(scope="session")
def sample_2024(tmp_path_factory: pytest.TempPathFactory) -> RunHome:
    """The clean sample of 2024, run once. Read only."""
    return _sample(tmp_path_factory, "sample")


@pytest.fixture(scope="session")
def faulty_2024(tmp_path_factory: pytest.TempPathFactory) -> RunHome:
    """The same sample with a faulty row for every rule, run once. Read only."""
    return _sample(tmp_path_factory, "faulty")


@pytest.fixture(scope="session")
def prefect_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prefect's folder as its first start leaves it, made once: in a copy of it a server starts in a third of the time."""
    with _made_once(tmp_path_factory, "prefect") as (shared, is_made):
        if not is_made:
            script = "import sys; from pathlib import Path; from flows.prefect_runtime import prefect_api\nwith prefect_api(Path(sys.argv[1])): pass"
            environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
            subprocess.run(
                [sys.executable, "-c", script, str(shared / "home")], check=True, env=environment, capture_output=True
            )
    return shared / "home" / "prefect"


@pytest.fixture
def prefect_server(_shared_server: tuple[int, dict[str, str]]) -> Iterator[dict[str, str]]:
    """A server for those tests that ask nothing of its start: what a command's environment says to use it. Between them it is halted, for it
    takes half a core also where nobody asks it."""
    server, environment = _shared_server
    os.kill(server, signal.SIGCONT)
    yield environment
    os.kill(server, signal.SIGSTOP)


@pytest.fixture(scope="session")
def _shared_server(
    tmp_path_factory: pytest.TempPathFactory, prefect_database: Path
) -> Iterator[tuple[int, dict[str, str]]]:
    """(process id of the server, environment of a command that uses it)."""
    home = tmp_path_factory.mktemp("server") / "home"
    shutil.copytree(prefect_database, home / "prefect")
    script = (
        "import sys; from pathlib import Path; from flows.prefect_runtime import prefect_api\n"
        "with prefect_api(Path(sys.argv[1])) as address: print(address, flush=True), sys.stdin.read()"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    command = [sys.executable, "-c", script, str(home)]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin and process.stdout
        address = process.stdout.readline().strip()
        password = (home / "secret" / "prefect-api").read_text().strip()
        # The server is a session of its own, a child of the process that has started it.
        [server] = [
            int(pid)
            for task in Path(f"/proc/{process.pid}/task").iterdir()
            for pid in (task / "children").read_text().split()
        ]
        yield server, {"PREFECT_API_URL": address, "PREFECT_API_AUTH_STRING": password}
        os.kill(server, signal.SIGCONT)
        process.stdin.close()


@pytest.fixture(scope="session")
def _empty_warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        empty_warehouse(connection)
        yield connection


@pytest.fixture
def memory(_empty_warehouse: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The empty warehouse in memory, in a transaction that leaves it empty."""
    _empty_warehouse.execute("BEGIN")
    yield _empty_warehouse
    _empty_warehouse.execute("ROLLBACK")


@contextmanager
def _made_once(factory: pytest.TempPathFactory, name: str) -> Iterator[tuple[Path, bool]]:
    """(folder, whether its content is made) that the processes of one test run share; one at a time is in the block."""
    base = factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"shared-{name}"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield shared, (shared / "made").exists()
        (shared / "made").touch()


def _sample(factory: pytest.TempPathFactory, name: str) -> RunHome:
    """The processes that share the tests make each sample once; every one works on a copy of its own, for a home has one writer."""
    with _made_once(factory, name) as (shared, is_made):
        made, report = shared / "home", shared / "report.pickle"
        if not is_made:
            write_deliveries(made / "inbox", [2024], 1, 7, faults=name == "faulty")
            report.write_bytes(pickle.dumps(run_pipeline(made)))
    own = factory.mktemp(name) / "home"
    shutil.copytree(made, own, symlinks=True)
    return RunHome(own, pickle.loads(report.read_bytes()))


@pytest.fixture
def deliver(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes ``text`` as ``inbox/<name>`` of the test's own home (``tmp_path``)."""

    def write(name: str, text: str) -> Path:
        file = tmp_path / "inbox" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    return write


# The files that take longest go first, so that at the end no process waits for one that began late. The first makes both samples, the second
# waits for servers of Prefect meanwhile.
LONGEST = (
    "test_runs", "test_prefect_history_lost", "test_serving", "test_rule_parity", "test_properties_of_time", "test_closed_years",
    "test_prefect_runtime", "test_backfill", "test_migrations", "test_stopping", "test_whole_deliveries", "test_explain", "test_damage_commands",
    "test_damage", "test_flow", "test_rulings_time", "test_layout_workbook", "test_home_kept", "test_corrections_file", "test_prefect_door",
    "test_answers", "test_contested_values", "test_privacy", "test_home_rights", "test_rulings_iku_06", "test_rulings_rows", "test_asking",
    "test_reprocess", "test_indicator_facts", "test_looking", "test_inbox_notices", "test_publication_switch",
)  # fmt: skip
SAMPLES = {"sample_2024", "faulty_2024"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Orders the files, and marks what needs the sample of a whole year: `make quick` goes without."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))
    for item in items:
        if SAMPLES & set(getattr(item, "fixturenames", ())):
            item.add_marker("sample")


def pytest_unconfigure() -> None:
    """Lets go of the last failure, which pytest leaves for a debugger: its frames hold connections, and DuckDB's binding would report them as leaks."""
    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        vars(sys).pop(name, None)
    gc.collect()
