"""``kpi`` as a person has it: standard input and output are a terminal, of a width, and somebody types."""

import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from fcntl import ioctl

SECONDS = 120


@dataclass(frozen=True)
class Said:
    """What stood on the screen, without the carriage returns, and the exit code."""

    text: str
    code: int


def on_terminal(*arguments: str, columns: int = 80, types: str = "") -> Said:
    """Runs ``kpi`` on a terminal of ``columns`` and types ``types`` there beforehand."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("KPI_", "COLUMNS"))}
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.write(ours, types.encode())
    command = [sys.executable, "-c", "from flows.cli import main; main()", *arguments]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    os.close(theirs)
    shown, end = b"", time.monotonic() + SECONDS
    try:
        while time.monotonic() < end:
            if not select.select([ours], [], [], 1)[0]:
                continue
            try:
                read = os.read(ours, 65536)
            except OSError:
                break
            if not read:
                break
            shown += read
    finally:
        os.close(ours)
        if process.poll() is None and time.monotonic() >= end:
            process.kill()
    return Said(shown.decode().replace("\r", ""), process.wait())
