"""The command ``kpi``. Starts fast: everything heavy is imported by the command that needs it."""

import os
import sys
from contextlib import suppress
from typing import NoReturn

# Importing the modules registers their commands.
from flows import checking_commands, reading_commands, tracing_commands, working_commands  # noqa: F401
from flows.app import app


def main() -> NoReturn:
    """Entry point of the command ``kpi``. Leaves without Python's clean-up, in which DuckDB's binding writes pages of warnings."""
    code = 0
    try:
        app()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    with suppress(BrokenPipeError):
        sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
