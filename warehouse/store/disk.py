"""What files need of the disk: that they are there after a power cut, their SHA-256, and whether it is full."""

import errno
import hashlib
import os
from pathlib import Path
from typing import BinaryIO

# A full disk comes as several kinds of error (a failed commit is no I/O error), so its words tell.
_FULL = (errno.ENOSPC, errno.EDQUOT)
FULL_WORDS = tuple(os.strerror(code) for code in _FULL)


def sync(path: Path) -> None:
    """Onto the disk, a file or a folder's list of names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def digest_of(stream: BinaryIO) -> str:
    """Hexadecimal SHA-256 of what is left of the stream, read in pieces."""
    return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def is_full(problem: BaseException) -> bool:
    """Whether a disk, or what an account may use of it, is full."""
    return any(words in str(problem) for words in FULL_WORDS)
