"""The folders of an installation (``KPI_HOME``) and who may read them."""

from dataclasses import dataclass
from pathlib import Path

PRIVATE = 0o700


@dataclass(frozen=True)
class Home:
    """Paths under ``KPI_HOME``. ``landing``, ``quarantine``, ``secret`` and ``spool`` hold personal data: owner only."""

    root: Path

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def landing(self) -> Path:
        return self.root / "landing"

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
    def validation_reports(self) -> Path:
        return self.root / "reports" / "validation"

    def make(self) -> None:
        """Creates what is missing; keeps the private folders private."""
        for folder in (self.root, self.inbox, self.publications):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.landing, self.quarantine, self.secret, self.spool):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(PRIVATE)

    def landed_file(self, source: str, sha256: str) -> Path:
        return self.landing / source / f"{sha256}.parquet"

    def held_file(self, source: str, batch_id: int) -> Path:
        return self.quarantine / source / f"{batch_id:06d}.parquet"
