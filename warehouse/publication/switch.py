"""What people read: a folder a publication, and one symbolic link to the current one. Replacing the link is the switch.

A reader opens files through the link and sees one publication whole; it neither blocks a run nor is blocked by one. Until
the link is replaced nobody sees anything of a new publication, and a failure leaves the last one as it was.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from warehouse.publication.datapackage import DATAPACKAGE, datapackage_text
from warehouse.publication.declared import load_published
from warehouse.publication.site import write_site
from warehouse.publication.tables import write_tables
from warehouse.store.connection import Warehouse
from warehouse.store.disk import is_full, sync
from warehouse.store.failures import EnvironmentProblem
from warehouse.store.home import PUBLIC, PUBLIC_FILE, Home
from warehouse.store.home_state import require_newest
from warehouse.store.manifest import (
    MANIFEST,
    Manifest,
    Seal,
    describe_files,
    published_folders,
    read_manifest,
    sha256_of,
    verify_publication,
)
from warehouse.store.seal import chain_head

__all__ = ["Publication", "current_publication", "publish", "verify_publication"]

KEPT = 3
BUILDING = ".building-"
NEW_LINK = ".published-"


@dataclass(frozen=True)
class Publication:
    """A finished publication. ``manifest_sha256`` stands in the ledger: with it the manifest proves every file."""

    publication_id: int
    folder: Path
    manifest_sha256: str


def current_publication(home: Home) -> Path | None:
    """The folder that people read now; None where there is none, or the link leads nowhere."""
    try:
        folder = home.published.resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: a link that leads to itself
        return None
    return folder if folder.is_dir() else None


def publish(warehouse: Warehouse, run_id: int, run: str) -> Publication:
    """Publishes what the warehouse knows, as the work of this run: all of it is visible, or nothing.

    Raises EnvironmentProblem where it cannot be written or the ledger is older than the last publication, GateFailed where a table is not what is declared of it; the last
    publication stands then.
    """
    home = warehouse.home
    with _said(home):
        _require_link(home)
        require_newest(warehouse.connection, home)
        _clean_up(warehouse)
        publication_id = _next_id(warehouse)
        building = home.publications / f"{BUILDING}{publication_id:06d}"
        final = home.publications / f"{publication_id:06d}"
        try:
            manifest_sha256 = _build(warehouse, building, publication_id, run_id, run)
            building.rename(final)
            sync(home.publications)
            _switch(warehouse, final, [publication_id, run_id, manifest_sha256])
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            if not _is_current(home, final):
                shutil.rmtree(final, ignore_errors=True)
            raise
        _prune(home)
    return Publication(publication_id, final, manifest_sha256)


@contextmanager
def _said(home: Home) -> Iterator[None]:
    """Says what is wrong with the machine. A full disk comes as several kinds of error: a failed commit is no IO error."""
    try:
        yield
    except (OSError, duckdb.Error) as problem:
        if is_full(problem):
            raise EnvironmentProblem(
                f"the disk of {home.root} is full: nothing was published, the last publication stands; "
                "make room, then run this again"
            ) from problem
        is_unwritten = isinstance(problem, (OSError, duckdb.IOException, duckdb.OutOfMemoryException))
        if is_unwritten or "Failed to commit" in str(problem):
            raise EnvironmentProblem(
                f"the publication could not be written: {problem}; nothing was published, the last publication stands; "
                "put it right, then run this again"
            ) from problem
        raise


def _require_link(home: Home) -> None:
    if home.published.exists() and not home.published.is_symlink():
        raise EnvironmentProblem(
            f"{home.published} is not the link to the current publication but a file or folder of its own; "
            "move it away, then run this again"
        )


def _clean_up(warehouse: Warehouse) -> None:
    """Makes good what a killed run left: half-made folders, folders that nobody was switched to, a switch not in the ledger."""
    home = warehouse.home
    for folder in home.publications.glob(f"{BUILDING}*"):
        shutil.rmtree(folder)
    for link in home.root.glob(f"{NEW_LINK}*"):
        link.unlink()
    current = current_publication(home)
    if current is None:
        return
    _enter_missed(warehouse.connection, current)
    on_disk, known = published_folders(home), _known_ids(warehouse.connection)
    current_id = max((known_id for known_id, folder in on_disk.items() if _is_current(home, folder)), default=0)
    for publication_id, folder in on_disk.items():
        if publication_id > current_id > 0 and publication_id not in known:
            shutil.rmtree(folder)


def _enter_missed(connection: duckdb.DuckDBPyConnection, current: Path) -> None:
    """A run that was killed after the switch could not say so in the ledger; the manifest does."""
    manifest = read_manifest(current)
    if manifest is None or manifest.publication_id in _known_ids(connection):
        return
    connection.execute(
        "INSERT INTO ledger.publications SELECT $1, run_id, $2 FROM ledger.runs WHERE run = $3",
        [manifest.publication_id, sha256_of(current / MANIFEST), manifest.run],
    )


def _known_ids(connection: duckdb.DuckDBPyConnection) -> set[int]:
    return {row[0] for row in connection.execute("SELECT publication_id FROM ledger.publications").fetchall()}


def _next_id(warehouse: Warehouse) -> int:
    """Higher than any in the ledger or on the disk, also of those that were set aside: a number names one publication for ever."""
    aside = {number for place in warehouse.home.set_aside.glob("*") for number in published_folders(Home(place))}
    return max(_known_ids(warehouse.connection) | published_folders(warehouse.home).keys() | aside, default=0) + 1


def _build(warehouse: Warehouse, folder: Path, publication_id: int, run_id: int, run: str) -> str:
    """Makes the whole publication in ``folder`` and sees it onto the disk. Gives the SHA-256 of its manifest."""
    folder.mkdir()
    write_tables(warehouse, folder)
    linked = write_site(warehouse.home, folder, current_publication(warehouse.home))
    (folder / DATAPACKAGE).write_text(datapackage_text(_clock(warehouse.connection, run_id)), encoding="utf-8")
    sealed_run, seal = chain_head(warehouse.connection)
    manifest = Manifest(
        publication_id=publication_id,
        run=run,
        schema_version=load_published().schema_version,
        seal=Seal(run_id=sealed_run, sha256=seal),
        files=describe_files(folder, linked),
    )
    (folder / MANIFEST).write_text(manifest.text(), encoding="utf-8")
    for path in (*folder.rglob("*"), folder):
        path.chmod(PUBLIC if path.is_dir() else PUBLIC_FILE)
        # What is linked stands on the disk already, in the publication before.
        if path.relative_to(folder).as_posix() not in linked:
            sync(path)
    return sha256_of(folder / MANIFEST)


def _clock(connection: duckdb.DuckDBPyConnection, run_id: int) -> datetime:
    row = connection.execute("SELECT clock FROM ledger.runs WHERE run_id = $1", [run_id]).fetchone()
    if row is None:
        raise LookupError(f"run {run_id} is not in the ledger")
    clock: datetime = row[0]
    return clock


def _switch(warehouse: Warehouse, final: Path, entry: list[object]) -> None:
    """Points the link to ``final`` and enters that into the ledger; back again where the ledger cannot take it."""
    home = warehouse.home
    before = home.published.readlink() if home.published.is_symlink() else None
    try:
        # Relative, so that the home can be moved.
        _point(home, final.relative_to(home.root))
        warehouse.connection.execute("INSERT INTO ledger.publications VALUES ($1, $2, $3)", entry)
    except BaseException:
        if _is_current(home, final):
            _point(home, before)
        raise


def _point(home: Home, target: Path | None) -> None:
    """Replaces the link in one step; takes it away where there is no target."""
    if target is None:
        home.published.unlink(missing_ok=True)
    else:
        link = home.root / f"{NEW_LINK}{target.name}"
        link.symlink_to(target)
        link.replace(home.published)
    sync(home.root)


def point_at_newest(home: Home) -> None:
    """Leads readers to the newest publication that is there; where there is none, nowhere."""
    if home.published.is_symlink():
        newest = max(published_folders(home).items(), default=None)
        _point(home, newest[1].relative_to(home.root) if newest else None)


def _prune(home: Home) -> None:
    """Removes old publications. Who has a file of one open keeps it; what cannot be removed is tried again next time."""
    for _, folder in sorted(published_folders(home).items())[:-KEPT]:
        if not _is_current(home, folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_current(home: Home, folder: Path) -> bool:
    current = current_publication(home)
    return current is not None and folder.exists() and folder.samefile(current)
