"""The folders of an installation (``KPI_HOME``) and who may read them."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from warehouse.store.failures import EnvironmentProblem

PRIVATE, PUBLIC = 0o700, 0o755
PRIVATE_FILE, PUBLIC_FILE = 0o600, 0o644
_OTHERS_WRITE = 0o002


@dataclass(frozen=True)
class Home:
    """Paths under ``KPI_HOME``. ``landing``, ``quarantine``, ``secret`` and ``spool`` hold personal data: owner only.

    ``archive``: where the archive of another home is read from, for a scratch home that has none of its own.
    """

    root: Path
    archive: Path | None = None

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def landing(self) -> Path:
        return self.archive or self.root / "landing"

    @property
    def quarantine(self) -> Path:
        return self.root / "quarantine"

    @property
    def marked(self) -> Path:
        """Marked copies of workbooks that lie in the inbox; they hold what those hold."""
        return self.quarantine / "marked"

    @property
    def secret(self) -> Path:
        return self.root / "secret"

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def write_ahead_log(self) -> Path:
        """DuckDB's own, beside the warehouse, while a writer lives or after one was killed."""
        return self.root / "warehouse.duckdb.wal"

    @property
    def lock(self) -> Path:
        return self.root / "warehouse.lock"

    @property
    def published(self) -> Path:
        """A symbolic link to the current publication: replacing it is the one atomic switch."""
        return self.root / "published"

    @property
    def publications(self) -> Path:
        return self.root / "publications"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def validation_reports(self) -> Path:
        return self.reports / "validation"

    @property
    def set_aside(self) -> Path:
        """What ``kpi init --force`` put out of the way, a folder each time; it may hold personal data."""
        return self.root / "set-aside"

    def make(self) -> None:
        """Creates what is missing; keeps private what is private, and readable what is published, whatever the umask.

        An inbox that is there already stays as it was set for those who deliver. Raises EnvironmentProblem as ``refuse_links`` does.
        """
        self.refuse_links()
        _make_root(self.root)
        if not self.inbox.exists():
            own_folder(self.inbox, PRIVATE)
        for folder in (self.publications, self.reports, self.validation_reports):
            own_folder(folder, PUBLIC)
        private = (self.quarantine, self.secret, self.spool)
        for folder in private if self.archive else (self.landing, *private):
            own_folder(folder, PRIVATE)
        for file in (self.warehouse, self.write_ahead_log):
            if file.exists():
                _set_mode(file, PRIVATE_FILE)

    def refuse_links(self) -> None:
        """Raises EnvironmentProblem where one of our own places is a link: what is cleared, or made private, would lie elsewhere."""
        folders = [self.quarantine, self.publications, *([] if self.archive else [self.landing])]
        places = [self.secret, self.spool, self.reports, self.warehouse, self.write_ahead_log, self.lock, *folders]
        below = [
            entry for folder in folders if folder.is_dir() and not folder.is_symlink() for entry in folder.iterdir()
        ]
        for place in (*places, *below):
            if place.is_symlink():
                raise EnvironmentProblem(
                    f"{place} is a link to {place.readlink()}: nothing there was touched. Put the folder or file itself in "
                    "its place; a disk of its own is mounted there, or the whole home lies on it"
                )

    def landed_file(self, source: str, sha256: str) -> Path:
        return self.landing / source / f"{sha256}.parquet"

    def held_file(self, source: str, batch_id: int) -> Path:
        return self.quarantine / source / f"{batch_id:06d}.parquet"


@contextmanager
def private_files() -> Iterator[None]:
    """What the process makes in the block is its owner's alone, whatever the umask it was started with.

    The umask is the process's: of several threads the first sets it, and the last to leave brings back what it was.
    """
    with _PRIVATE.lock:
        if _PRIVATE.blocks == 0:
            _PRIVATE.umask = os.umask(0o077)
        _PRIVATE.blocks += 1
    try:
        yield
    finally:
        with _PRIVATE.lock:
            _PRIVATE.blocks -= 1
            if _PRIVATE.blocks == 0:
                os.umask(_PRIVATE.umask)


@dataclass
class _Private:
    """How many blocks of the process are in ``private_files``, and its umask outside of them."""

    blocks: int = 0
    umask: int = 0
    lock: Lock = field(default_factory=Lock)


_PRIVATE = _Private()


def own_folder(folder: Path, mode: int) -> None:
    """Makes the folder where it is missing, and gives it ``mode``. Raises EnvironmentProblem where a link stands in its place."""
    folder.mkdir(exist_ok=True)
    _set_mode(folder, mode)


def _set_mode(path: Path, mode: int) -> None:
    """By descriptor: between a look and a chmod by name, the name could come to lead elsewhere."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as problem:
        if problem.errno == errno.ELOOP:
            raise EnvironmentProblem(
                f"{path} is a link: nothing behind it was touched; put the real one there"
            ) from None
        raise
    try:
        if os.fstat(descriptor).st_mode & 0o7777 != mode:
            os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def _make_root(root: Path) -> None:
    """The way to what is published can be gone by everybody and changed by nobody else, also in folders that are made for it."""
    for folder in reversed([folder for folder in (root, *root.parents) if not folder.exists()]):
        own_folder(folder, PUBLIC)
    mode = root.stat().st_mode & 0o7777
    if mode & _OTHERS_WRITE:
        _set_mode(root, mode & ~_OTHERS_WRITE)


def write_public(target: Path, text: str) -> None:
    """Writes a file that everybody may read, whole or not at all."""
    unfinished = target.with_suffix(".tmp")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.chmod(PUBLIC_FILE)
    unfinished.replace(target)
