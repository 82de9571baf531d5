"""One writer: a lock file that names its holder. The kernel releases it when the holder dies, however it dies."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transforms.periods import clock_now
from warehouse.failures import EnvironmentProblem


@contextmanager
def writer_lock(path: Path, purpose: str) -> Iterator[None]:
    """Holds the lock for the block. Raises EnvironmentProblem naming the holder where another process has it."""
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EnvironmentProblem(
                f"{_described(lock_holder(path))} is writing; wait for it to end, then run this again"
            ) from None
        file.truncate(0)
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


def lock_holder(path: Path) -> dict[str, Any] | None:
    """Who holds the lock now; None where nobody does."""
    if not path.exists():
        return None
    with path.open("r", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = file.read()
            return json.loads(text) if text else {"pid": None, "purpose": "another command", "since": "just now"}
        return None


def _described(holder: dict[str, Any] | None) -> str:
    if holder is None:
        return "another process"
    return f"process {holder['pid']} ({holder['purpose']}, since {holder['since']} WIB)"
