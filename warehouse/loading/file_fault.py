"""Which failures at one delivery are its own, so that the others go on, and how such a one is refused."""

import errno
import traceback
from pathlib import Path

import duckdb

from expectations.suite import EngineError
from warehouse.landing.refusal import DeliveryRefused, refusal
from warehouse.store.disk import is_full
from warehouse.store.failures import EnvironmentProblem, GateFailed, WrongUsage

# Whatever file it was, the next one would fail too.
_STOPPING = (
    GateFailed, WrongUsage, EnvironmentProblem, EngineError, duckdb.IOException, duckdb.FatalException, duckdb.InternalException,
    duckdb.ConnectionException, duckdb.TransactionException,
)  # fmt: skip


def is_fault_of(problem: Exception, place: Path) -> bool:
    """Whether a failure at one delivery (the file at ``place``) is that delivery's own, so that the others go on without it."""
    if isinstance(problem, OSError):
        # A full disk or a lost folder of ours is nobody's file; one that cannot be read, or whose name is too long, is.
        is_at_file = problem.filename is not None and str(problem.filename).startswith(str(place))
        return problem.errno == errno.ENAMETOOLONG or is_at_file
    return not isinstance(problem, _STOPPING) and not is_full(problem)


def unexpected(problem: Exception, file: str) -> DeliveryRefused:
    """The refusal of a file at which our own code failed: the kind of failure and its place, never its words, which may quote a cell."""
    frames = traceback.extract_tb(problem.__traceback__)
    own = [
        frame
        for frame in frames
        if {"warehouse", "expectations", "transforms"} & set(Path(frame.filename).parts[-4:-1])
    ]
    at = (own or frames)[-1:]
    place = f"{Path(at[0].filename).name}:{at[0].lineno}" if at else "?"
    return refusal("unexpected", file, kind=type(problem).__name__, place=place)
