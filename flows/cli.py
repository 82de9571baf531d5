"""The command ``kpi``. Starts fast, and heeds signals from its first line on: what else it needs is imported once they are noticed."""

import os
import signal
import sys


def main() -> None:
    """Entry point of the command ``kpi``. Whatever a signal broke off, and wherever, it ends in one line and 128 + the signal (130, 143)."""
    # They wait until somebody is there to notice them.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    from warehouse.store.stopping import SIGNAL_CODES, last_words, noted, noticing  # noqa: PLC0415

    code = 0
    with noticing(is_last=True):
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
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
        _flush()
    sys.exit(code)


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody reads on (`kpi values | head`). Python flushes again at its end, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
