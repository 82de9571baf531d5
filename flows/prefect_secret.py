"""The password of our own Prefect server: made at random, once a home, readable by the service's account alone."""

import os
import secrets
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from warehouse.store.home import PRIVATE, Home

USER = "kpi"


def secret_file(home: Path) -> Path:
    """``secret/prefect-api`` of the home: one line, ``user:password``."""
    return Home(home).secret / "prefect-api"


def api_secret(home: Path) -> str:
    """``user:password``. One that anybody else could read, that is a link, or that is damaged is replaced.

    Raises OSError where the folder cannot be written.
    """
    file = secret_file(home)
    file.parent.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    if (known := _read(file)) is None:
        # Written whole before it has its name: another command that starts now reads it whole, or makes none.
        with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix=".prefect-api-") as made:
            made.write(f"{USER}:{secrets.token_urlsafe(32)}\n")
            made.flush()
            with suppress(FileExistsError):
                os.link(made.name, file)
        known = _read(file)
    if known is None:
        raise OSError(f"{file} is damaged, or others can read it: remove it, then run this again")
    return known


def _read(file: Path) -> str | None:
    """None where there is none; one that cannot be trusted is removed first."""
    with suppress(FileNotFoundError):
        found = file.lstat()
        if stat.S_ISREG(found.st_mode) and not found.st_mode & 0o077 and found.st_uid == os.geteuid():
            user, _, password = file.read_text(encoding="ascii", errors="replace").strip().partition(":")
            if user == USER and len(password) >= 32:
                return f"{user}:{password}"
        file.unlink()
    return None
