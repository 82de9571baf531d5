"""``kpi`` as a person has it: standard input and output are a terminal, of a width, and somebody types."""

import os
import pty
import select
import struct
import termios
import time
from dataclasses import dataclass
from fcntl import ioctl

from tests.processes import started

SECONDS = 120


@dataclass(frozen=True)
class Said:
    """What stood on the screen, without the carriage returns, and the exit code."""

    text: str
    code: int


def on_terminal(*arguments: str, columns: int = 80, types: str = "") -> Said:
    """Runs ``kpi`` on a terminal of ``columns`` and types ``types`` there beforehand."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.write(ours, types.encode())
    process = started(*arguments, terminal=os.ttyname(theirs))
    shown, end, has_ended = b"", time.monotonic() + SECONDS, False
    try:
        while time.monotonic() < end:
            # Their side stays open here, so there is no end to be read: one more look after the process has ended.
            if select.select([ours], [], [], 0.02)[0]:
                shown += os.read(ours, 65536)
            elif has_ended:
                break
            else:
                has_ended = not process.is_alive()
    finally:
        os.close(theirs)
        os.close(ours)
        if process.is_alive():
            process.kill()
        process.join()
    return Said(shown.decode().replace("\r", ""), process.exitcode)
