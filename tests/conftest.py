"""Shared homes: the 2024 sample is written and run once a session; tests that change a home make their own."""

import fcntl
import os
import pickle
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sample_data import write_deliveries
from warehouse.home import Home
from warehouse.pipeline import RunReport, run_pipeline


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


def _sample(factory: pytest.TempPathFactory, name: str) -> RunHome:
    """The processes that share the tests make each sample once; every one works on a copy of its own, for a home has one writer."""
    base = factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"shared-{name}"
    shared.mkdir(exist_ok=True)
    made, report = shared / "home", shared / "report.pickle"
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not report.exists():
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


_exit_status: list[int] = []


def pytest_sessionfinish(exitstatus: int) -> None:
    _exit_status.append(int(exitstatus))


def pytest_unconfigure() -> None:
    """Leaves at once: at Python's clean-up DuckDB's binding writes pages of warnings below the test report."""
    sys.stdout.flush()
    sys.stderr.flush()
    if _exit_status:
        os._exit(_exit_status[-1])
