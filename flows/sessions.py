"""What a command and the tasks of its flow share of a home. A task is given the home's path and no object: it finds the rest here.

The pipeline has the warehouse's one connection, so all tasks of a run are in the process that opened it; see decision 0045.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from warehouse.runs.pipeline import Pipeline, RunReport
from warehouse.store.failures import EnvironmentProblem

Say = Callable[[str], None]


@dataclass
class Session:
    """One command on one home. ``say``: where its lines of progress go besides Prefect's log. ``report``: of its run, also when that has ended."""

    say: Say = lambda line: None
    pipeline: Pipeline | None = None
    report: RunReport | None = None


_SESSIONS: dict[Path, Session] = {}


@contextmanager
def opened(home: Path, session: Session) -> Iterator[Session]:
    """``session`` is that of ``home`` for the block. Its owner has the writer's lock of the home, so there is one at a time."""
    key = home.resolve()
    _SESSIONS[key] = session
    try:
        yield session
    finally:
        del _SESSIONS[key]


@contextmanager
def running(home: str, pipeline: Pipeline) -> Iterator[None]:
    """The tasks of the block work on ``pipeline``. Without a command around it, as on a schedule, the run is a session of its own."""
    with ExitStack() as own:
        session = _SESSIONS.get(Path(home).resolve()) or own.enter_context(opened(Path(home), Session()))
        session.pipeline, session.report = pipeline, pipeline.report
        try:
            yield
        finally:
            session.pipeline = None


def pipeline_of(home: str) -> Pipeline:
    """Raises EnvironmentProblem for a task that a stopped run has left behind, or that was sent to a process which has not opened the warehouse."""
    session = _SESSIONS.get(Path(home).resolve())
    if session is None or session.pipeline is None:
        raise EnvironmentProblem(
            f"no run is at work on {home} in process {os.getpid()}: the run was stopped before this task began"
        )
    return session.pipeline


def tell(home: str, line: str) -> None:
    """A line of progress for whoever has started the run of ``home``."""
    if (session := _SESSIONS.get(Path(home).resolve())) is not None:
        session.say(line)
