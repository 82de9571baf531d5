"""For whoever only asks: a copy of the warehouse, outside the home, where nothing is written that stays.

So a question changes nothing and needs no home that it may write to; it may try what a change would give; and it holds the night up
no longer than the copy takes. An older schema is brought up in the copy.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warehouse.store.connection import (
    LEAST_FREE_BYTES,
    Warehouse,
    connected,
    install_key,
    key_fingerprint,
    open_here,
    prepare_tables,
)
from warehouse.store.damage import WAREHOUSE, damage_is_said
from warehouse.store.failures import EnvironmentProblem
from warehouse.store.home import Home, private_files
from warehouse.store.home_state import require_home, require_ledger, require_newest
from warehouse.store.key import load_key
from warehouse.store.lock import is_writing, reader_lock

_PREFIX = "kpi-look-"
# Seconds within which whoever makes a scratch folder takes hold of it.
_NEW = 60


@contextmanager
def look(root: Path) -> Iterator[Warehouse]:
    """The warehouse of ``root`` as it stands now, for the block; empty where no run has made one yet.

    Raises EnvironmentProblem where there is no installation, where it is not whole, while a run writes, or where the copy finds no room.
    """
    if (already := open_here(root)) is not None:
        yield already
        return
    home = Home(root.resolve())
    require_home(home)
    with scratch_folder() as folder, private_files(), damage_is_said(*WAREHOUSE):
        copy = folder / home.warehouse.name
        with reader_lock(home.lock) as writer:
            if writer is not None:
                raise is_writing(writer)
            for file in (home.warehouse, home.write_ahead_log):
                if file.exists():
                    _require_space(folder, file)
                    shutil.copyfile(file, folder / file.name)
        with connected(copy, folder) as connection:
            # DuckDB keeps hold of it: however this process ends, no copy stays.
            copy.unlink(missing_ok=True)
            require_ledger(connection, home)
            prepare_tables(connection, home)
            require_newest(connection, home)
            if (known := key_fingerprint(connection)) is not None:
                install_key(connection, load_key(home, known))
            yield Warehouse(home, connection)


@contextmanager
def scratch_warehouse(original: Warehouse) -> Iterator[Warehouse]:
    """A new warehouse with the archive and the key of ``original`` and nothing else, for the block."""
    with scratch_folder() as folder, private_files():
        home = Home(folder / "home", archive=original.home.landing)
        home.make()
        with connected(home.warehouse, home.spool) as connection:
            prepare_tables(connection, home)
            install_key(connection, load_key(original.home, key_fingerprint(original.connection)))
            yield Warehouse(home, connection)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A private folder in the machine's place for temporary files, gone after the block. Those of killed processes go first."""
    _sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name:
        descriptor = os.open(name, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield Path(name)
        finally:
            os.close(descriptor)


def _sweep(base: Path) -> None:
    """They may hold rows as they were delivered, and nobody would ever look at them again."""
    for left in base.glob(f"{_PREFIX}*"):
        try:
            about = left.lstat()
            if about.st_uid != os.getuid() or time.time() - about.st_mtime < _NEW:
                continue
            descriptor = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(descriptor)


def _require_space(folder: Path, file: Path) -> None:
    free, needed = shutil.disk_usage(folder).free, file.stat().st_size + LEAST_FREE_BYTES
    if free < needed:
        raise EnvironmentProblem(
            f"only {free // 1024**2} MiB are free in {folder.parent}, where the warehouse is copied to be looked at, and "
            f"{needed // 1024**2} are needed: make room, or name another place in TMPDIR"
        )
