"""The command ``kpi``. Starts fast, and heeds signals from its first line: whatever else it needs is imported once they are noticed."""

import os
import sys
from typing import NoReturn

from warehouse.store.stopping import SIGNAL_CODES, last_words, noted, noticing


def main() -> NoReturn:
    """Entry point of the command ``kpi``. Whatever a signal broke off, and wherever, it ends in one line and 128 + the signal (130, 143)."""
    code = 0
    with noticing(is_last=True):
        try:
            from flows.app import app  # noqa: PLC0415

            app()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:
            if noted() is None:
                raise
        if (number := noted()) is not None:
            print(f"kpi: {last_words()}", file=sys.stderr)
            code = SIGNAL_CODES + number
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            # Nobody reads on (`kpi values | head`). Python flushes again at its end, and would complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
