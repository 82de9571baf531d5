"""Prefect's SQLite database as a file: can it be used, and putting it aside where not."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

LOCK_SECONDS = 10
KEPT_ASIDE = 3
COMPANIONS = ("-wal", "-shm", "-journal")


def find_problem(database: Path) -> str | None:
    """Why the database cannot be used: damaged, unreadable, or locked for longer than any honest transaction takes."""
    if not database.exists():
        return None
    try:
        address = f"{database.resolve().as_uri()}?mode=rw"
        with closing(sqlite3.connect(address, uri=True, timeout=LOCK_SECONDS, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            [(found,)] = connection.execute("PRAGMA quick_check(1)").fetchall()
    except sqlite3.Error as problem:
        return str(problem)
    return None if found == "ok" else str(found)


def put_aside(database: Path, problem: str, say: Callable[[str], None]) -> None:
    """Renames the database with what belongs to it, and says so; the last three that were put aside are kept."""
    base = f"{database.name}.aside-"
    aside = database.with_name(f"{base}{datetime.now():%Y%m%dT%H%M%S%f}")
    # The log goes first: a new database must never be opened with the log of the old.
    for companion in COMPANIONS:
        if (log := Path(f"{database}{companion}")).exists():
            log.replace(f"{aside}{companion}")
    database.replace(aside)
    say(f"Prefect's database {database} cannot be used ({problem}): put aside as {aside.name}; a new history begins")
    kept = sorted(path for path in database.parent.glob(f"{base}*") if not path.name.endswith(COMPANIONS))
    for old in kept[:-KEPT_ASIDE]:
        for companion in ("", *COMPANIONS):
            Path(f"{old}{companion}").unlink(missing_ok=True)
