"""The manifest of a publication: which files it consists of, and the fingerprint of each."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from warehouse.store.disk import digest_of
from warehouse.store.home import Home

MANIFEST = "manifest.json"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FileEntry(Strict):
    bytes: int
    sha256: str


class Seal(Strict):
    """The newest link of the ledger's chain as the publication was made: kept outside the warehouse, it shows a chain cut short."""

    run_id: int
    sha256: str


class Manifest(Strict):
    """``files`` by path relative to the publication; the manifest itself is none of them. ``seal``: None in one of before there was any."""

    publication_id: int
    run: str
    schema_version: str
    seal: Seal | None = None
    files: dict[str, FileEntry]

    def text(self) -> str:
        """Stable: sorted keys, no moment of writing."""
        return json.dumps(self.model_dump(), indent=2, sort_keys=True) + "\n"


def published_folders(home: Home) -> dict[int, Path]:
    """The publications that stand, by number, whether they are whole or not."""
    if not home.publications.is_dir():
        return {}
    return {int(path.name): path for path in home.publications.iterdir() if re.fullmatch(r"\d{6,}", path.name)}


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a publication; None where there is none that can be read."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None


def describe_files(folder: Path, known: Mapping[str, FileEntry]) -> dict[str, FileEntry]:
    """Size and SHA-256 of every file of the publication but the manifest; of those in ``known`` as given."""
    return {name: known.get(name) or file_entry(path) for name, path in _files(folder).items()}


def verify_publication(folder: Path) -> list[str]:
    """Names of files that are not as the manifest says: changed, missing, or not of the publication. [] is good.

    The manifest itself is named where it cannot be read; that it is the one that was written, ledger.publications says.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        return [MANIFEST]
    found = _files(folder)
    changed = {name for name in found.keys() & manifest.files.keys() if not _matches(found[name], manifest.files[name])}
    return sorted(changed | (found.keys() ^ manifest.files.keys()))


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return digest_of(file)


def file_entry(path: Path) -> FileEntry:
    return FileEntry(bytes=path.stat().st_size, sha256=sha256_of(path))


def _matches(path: Path, entry: FileEntry) -> bool:
    """A file that cannot be read does not match."""
    try:
        return file_entry(path) == entry
    except OSError:
        return False


def _files(folder: Path) -> dict[str, Path]:
    paths = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }
    return {name: path for name, path in paths.items() if name != MANIFEST}
