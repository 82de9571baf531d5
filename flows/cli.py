"""The command ``kpi``. Starts fast: everything heavy is imported by the command that needs it."""

import os
import sys
from contextlib import suppress
from typing import NoReturn

# Importing the modules registers their commands.
from flows import checking_commands, reading_commands, tracing_commands, working_commands  # noqa: F401
from flows.app import app
from flows.options import SIGNAL_CODES
from warehouse.store.stopping import last_words, noted, noticing


def main() -> NoReturn:
    """Entry point of the command ``kpi``. Whatever a signal broke off, and wherever, it ends in one line and 128 + the signal (130, 143)."""
    code = 0
    with noticing():
        try:
            app()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:
            if noted() is None:
                raise
        if (number := noted()) is not None:
            print(f"kpi: {last_words()}", file=sys.stderr)
            code = SIGNAL_CODES + number
        with suppress(BrokenPipeError):
            sys.stdout.flush()
        sys.stderr.flush()
    # A night of several files still holds objects of DuckDB at Python's clean-up, of which its binding would write pages.
    os._exit(code)
