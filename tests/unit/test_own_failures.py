"""What the command says in one sentence is not printed with a stack of calls too."""

import io
import logging
from collections.abc import Iterator

import pytest
from prefect.logging.handlers import PrefectConsoleHandler

from expectations.suite import EngineError
from flows.own_failures import say_once
from warehouse.store.failures import EnvironmentProblem, GateFailed, WrongUsage


@pytest.fixture
def console() -> Iterator[io.StringIO]:
    """What Prefect's console prints, with the filter on it."""
    shown, root = io.StringIO(), logging.getLogger()
    handler = PrefectConsoleHandler(stream=shown)
    root.addHandler(handler)
    say_once()
    yield shown
    root.removeHandler(handler)


def tell(failure: BaseException) -> None:
    """As Prefect's engine tells of a task that failed."""
    logger = logging.getLogger("prefect.task_runs")
    try:
        raise failure
    except BaseException as caught:
        logger.exception("Encountered exception during execution: %r", caught)
    logger.error(f"Finished in state Failed('Task run encountered an exception {type(failure).__name__}: {failure}')")


@pytest.mark.parametrize("kind", [GateFailed, EngineError, EnvironmentProblem, WrongUsage, KeyboardInterrupt])
def test_our_own_failures_leave_no_stack(console: io.StringIO, kind: type[BaseException]) -> None:
    tell(kind("IKU-07 differs"))
    assert console.getvalue() == ""


def test_every_other_failure_is_shown_whole(console: io.StringIO) -> None:
    tell(ZeroDivisionError("a fault of the product"))
    assert "Traceback" in console.getvalue() and "Finished in state Failed" in console.getvalue()
