"""Keeps Prefect's console from printing a stack of calls for what the command itself says in one sentence."""

import logging
import re

from prefect.logging.handlers import PrefectConsoleHandler

from expectations.suite import EngineError
from warehouse.store.failures import Damaged, EnvironmentProblem, GateFailed, WrongUsage
from warehouse.store.stopping import noted

# Said by the command, with what to do; in Prefect's history they stand with their stack all the same.
_SAID = (GateFailed, EngineError, EnvironmentProblem, Damaged, WrongUsage, KeyboardInterrupt)


_TOLD = re.compile(rf"encountered an exception:? ({'|'.join(failure.__name__ for failure in _SAID)})\b")


class _Said(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if noted() is not None:
            # What a signal breaks off is no failure, and what has come of it is said at the end.
            return False
        is_raised = record.exc_info is not None and isinstance(record.exc_info[1], _SAID)
        return not is_raised and not _TOLD.search(record.getMessage())


_SAID_ONCE = _Said()


def say_once() -> None:
    """Drops the records of such failures from the console; Prefect's history is another handler.

    For the flow to call: by then Prefect has set up its console.
    """
    for handler in logging.getLogger().handlers:
        if isinstance(handler, PrefectConsoleHandler):
            handler.addFilter(_SAID_ONCE)
