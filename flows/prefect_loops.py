"""Ends the threads of Prefect's that would run on until the process is gone.

They are daemons: at the end of the process they hold on to the last flow, and through it to all that its module knows. Nothing of that
would be freed, and DuckDB's binding would report its own share of it as leaked.
"""

from collections.abc import Iterator
from contextlib import contextmanager

JOIN_SECONDS = 5.0


@contextmanager
def ended_loops() -> Iterator[None]:
    """Around all that a command does with Prefect, which makes new ones where it needs them again."""
    try:
        yield
    finally:
        from prefect._internal.concurrency import threads  # noqa: PLC0415

        for loop in (threads.get_global_loop(), threads.get_run_sync_loop()):
            loop.shutdown()
            loop.thread.join(JOIN_SECONDS)
