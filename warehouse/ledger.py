"""The ledger of runs: who ran when, on which clock, what was refused, how long each step took."""

from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from transforms.periods import clock_now, end_of_day
from warehouse.failures import WrongUsage
from warehouse.inbox import Delivery
from warehouse.queries import first_row, single_value
from warehouse.refusal import DeliveryRefused

# Set while the warehouse holds what readers do not have yet; an interrupted run leaves it set, and the next one publishes.
UNPUBLISHED = "unpublished_changes"


@dataclass(frozen=True)
class Run:
    """A run. ``clock`` is what it takes for now: the end of the as-of day, or the moment at which it began (WIB)."""

    run_id: int
    name: str
    clock: datetime


def run_clock(connection: duckdb.DuckDBPyConnection, as_of: date | None) -> datetime:
    """What a run takes for now. Raises WrongUsage where it would go back behind what is known already."""
    clock = end_of_day(as_of) if as_of else clock_now()
    last = first_row(
        connection,
        "SELECT max(clock), coalesce(max(run_id), 0) FROM ledger.runs WHERE status NOT IN ('failed', 'stopped')",
    )
    if last and last[0] is not None and clock < last[0]:
        raise WrongUsage(
            f"as of {clock:%Y-%m-%d}: this warehouse knows more already, up to {last[0]:%Y-%m-%d %H:%M}; "
            f"use --as-of {last[0]:%Y-%m-%d} or later, or another --home"
        )
    return clock


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


def enter_refusal(
    connection: duckdb.DuckDBPyConnection, run: Run, delivery: Delivery, sha256: str | None, refused: DeliveryRefused
) -> None:
    connection.execute(
        "INSERT INTO ledger.refusals VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [run.run_id, delivery.source, delivery.file, sha256, refused.code, refused.message, refused.message_id],
    )


def read_meta(connection: duckdb.DuckDBPyConnection, name: str) -> str | None:
    value = single_value(connection, "SELECT value FROM ledger.meta WHERE name = $1", [name])
    return None if value is None else str(value)


def write_meta(connection: duckdb.DuckDBPyConnection, name: str, value: str) -> None:
    connection.execute("DELETE FROM ledger.meta WHERE name = $1", [name])
    connection.execute("INSERT INTO ledger.meta VALUES ($1, $2)", [name, value])
