"""One writer: a lock file that names its holder. The kernel releases it when the holder dies, however it dies.

Whoever only looks shares the lock while it reads the warehouse: it writes nothing into the file, and a writer waits for it.
"""

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from transforms.periods import clock_now
from warehouse.store.failures import EnvironmentProblem
from warehouse.store.home import PRIVATE_FILE

Holder = dict[str, Any]
# Seconds for which a writer waits for those who only look: they copy the warehouse, which takes a second a gigabyte.
PATIENCE = 60.0
_POLL = 0.1


@contextmanager
def writer_lock(path: Path, purpose: str) -> Iterator[None]:
    """Holds the lock for the block. Raises EnvironmentProblem naming the holder where another process has it."""
    # Never through a link: what the name leads to is emptied below.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
    with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
        # Who can open the file can hold it, and stop the night.
        os.fchmod(descriptor, PRIVATE_FILE)
        _take(file)
        file.seek(0)
        file.truncate()
        json.dump(
            {
                "pid": os.getpid(),
                "host": socket.gethostname(),
                "purpose": purpose,
                "since": f"{clock_now():%Y-%m-%d %H:%M:%S}",
            },
            file,
        )
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


@contextmanager
def reader_lock(path: Path) -> Iterator[Holder | None]:
    """Keeps writers out for the block, and gives None; where one is writing, who it is. Writes nothing, not even the lock file."""
    if not path.exists():
        yield None
        return
    with path.open("r", encoding="utf-8") as file:
        yield None if _taken(file, fcntl.LOCK_SH) else _holder(file)


def is_writing(holder: Holder) -> EnvironmentProblem:
    """What a command says that cannot go on beside ``holder``."""
    return EnvironmentProblem(
        f"process {holder['pid']} ({holder['purpose']}, since {holder['since']} WIB) is writing; "
        "wait for it to end, then run this again"
    )


def _take(file: TextIO) -> None:
    """Takes the lock; waits for those who only look, and raises EnvironmentProblem for a writer."""
    deadline = time.monotonic() + PATIENCE
    while not _taken(file, fcntl.LOCK_EX):
        # What they have can be shared with them; the name in the file may be that of a writer who was killed.
        if not _taken(file, fcntl.LOCK_SH):
            raise is_writing(_holder(file))
        fcntl.flock(file, fcntl.LOCK_UN)
        if time.monotonic() > deadline:
            raise EnvironmentProblem(
                "a command that reads the warehouse, such as `kpi doctor`, has not ended for a minute; "
                "wait for it or end it, then run this again"
            )
        time.sleep(_POLL)


def _taken(file: TextIO, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(file: TextIO) -> Holder:
    file.seek(0)
    try:
        found: Holder = json.loads(file.read())
    except ValueError:
        # It has the lock and has not written its name yet.
        return {"pid": None, "purpose": "another command", "since": "just now"}
    return found
