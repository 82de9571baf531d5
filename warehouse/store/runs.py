"""The ledger of runs: who ran when, on which clock, what was refused, how long each step took."""

from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from transforms.periods import clock_now, end_of_day
from warehouse.store.failures import WrongUsage
from warehouse.store.queries import single_value

# 'yes' in a home that was made for trials: there a run may pretend a day that is yet to come.
TRIAL = "trial"
# Set while the warehouse holds what readers do not have yet; an interrupted run leaves it set, and the next one publishes.
UNPUBLISHED = "unpublished_changes"


@dataclass(frozen=True)
class Run:
    """A run. ``clock`` is what it takes for now: the end of the as-of day, or the moment at which it began (WIB)."""

    run_id: int
    name: str
    clock: datetime


def run_clock(connection: duckdb.DuckDBPyConnection, as_of: date | None) -> datetime:
    """What a run takes for now: the end of the as-of day, or this moment; on a day that a run has taken to its end already, its end.

    Raises WrongUsage for a day that is yet to come, but in a home for trials, and where it would go back behind what is known already.
    """
    now = clock_now()
    is_trial = read_meta(connection, TRIAL) == "yes"
    if as_of is not None and as_of > now.date() and not is_trial:
        raise yet_to_come(as_of)
    last: datetime | None = single_value(
        connection, "SELECT max(clock) FROM ledger.runs WHERE status NOT IN ('failed', 'stopped')"
    )
    clock = end_of_day(as_of) if as_of else now
    if last is None or clock >= last:
        return clock
    if as_of is None and last.date() == now.date():
        return last
    if last.date() > now.date() and not is_trial:
        raise WrongUsage(
            f"this warehouse has been ahead of the clock: it knows of {last:%Y-%m-%d %H:%M}, and it is {now:%Y-%m-%d %H:%M} now; "
            "nothing can be entered before then. docs/how-to/the-night-failed.md says the way out"
        )
    raise WrongUsage(
        f"as of {clock:%Y-%m-%d}: this warehouse knows more already, up to {last:%Y-%m-%d %H:%M}; "
        f"use --as-of {last:%Y-%m-%d} or later, or another --home"
    )


def yet_to_come(day: date) -> WrongUsage:
    return WrongUsage(
        f"{day} is yet to come: what is known from then on would block this home until that day. Pretend it by --pretend-future, "
        "in a home that `kpi init --trial` has made"
    )


def begin_run(connection: duckdb.DuckDBPyConnection, as_of: date | None) -> Run:
    """Enters a new run. Raises WrongUsage as ``run_clock`` does."""
    now, clock = clock_now(), run_clock(connection, as_of)
    run_id = int(single_value(connection, "SELECT coalesce(max(run_id), 0) + 1 FROM ledger.runs"))
    # A run that was killed never ended; whoever runs next says so in the ledger.
    connection.execute("UPDATE ledger.runs SET status = 'interrupted' WHERE status = 'running'")
    connection.execute(
        "INSERT INTO ledger.runs VALUES ($1, $2, $3, $4, $5, NULL, 'running', NULL)",
        [run_id, run_name(run_id), clock, as_of, now],
    )
    return Run(run_id, run_name(run_id), clock)


def run_name(run_id: int) -> str:
    return f"run-{run_id:06d}"


def end_run(
    connection: duckdb.DuckDBPyConnection, run: Run, status: str, seconds: dict[str, float], message: str | None = None
) -> None:
    """Closes the run with its status (done, failed, stopped) and the seconds of each step."""
    connection.execute(
        "UPDATE ledger.runs SET finished_at = $1, status = $2, message = $3 WHERE run_id = $4",
        [clock_now(), status, message, run.run_id],
    )
    for step, elapsed in seconds.items():
        connection.execute("INSERT INTO ledger.steps VALUES ($1, $2, $3)", [run.run_id, step, round(elapsed, 3)])


def read_meta(connection: duckdb.DuckDBPyConnection, name: str) -> str | None:
    value = single_value(connection, "SELECT value FROM ledger.meta WHERE name = $1", [name])
    return None if value is None else str(value)


def write_meta(connection: duckdb.DuckDBPyConnection, name: str, value: str) -> None:
    connection.execute("DELETE FROM ledger.meta WHERE name = $1", [name])
    connection.execute("INSERT INTO ledger.meta VALUES ($1, $2)", [name, value])
