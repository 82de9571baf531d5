"""What lies in the inbox: one ``Delivery`` a file, in the order in which deliveries are taken in (ruling 5)."""

import os
from dataclasses import dataclass
from pathlib import Path

from expectations.contract import source_names
from transforms.odd_text import printable
from warehouse.landing.delivery import sha256_of
from warehouse.store.home import Home

CORRECTIONS = "corrections"
# What people call the folder who mean that one.
_MEANT = ("correction", "koreksi", "perbaikan")
# A delivery may bring its totals along, in a file beside it with this at the end of its name.
CONTROL = ".control.json"


@dataclass(frozen=True)
class Notice:
    """What somebody must look at in the inbox, though nothing of it is refused; ``kind``: known, not_a_source, folder."""

    kind: str
    file: str
    message: str
    message_id: str


@dataclass(frozen=True)
class Delivery:
    """A file of the inbox. ``file`` is its path under ``inbox/`` as it is shown; one in a folder ``corrections/`` replaces what it repeats.

    ``elsewhere``: where it lies if not there: a row that ``corrections.yml`` corrects is written by the product, and a name
    that could steer a terminal, or is no UTF-8, is known everywhere by its escaped form.
    """

    source: str
    file: str
    is_correction: bool
    elsewhere: str | None = None

    def path(self, home: Home) -> Path:
        return Path(self.elsewhere) if self.elsewhere else home.inbox / self.file

    @property
    def mistaken_folder(self) -> str | None:
        """A folder of its path that looks as if ``corrections`` was meant; the file is an ordinary delivery all the same."""
        folders = () if self.is_correction else Path(self.file).parts[1:-1]
        return next((folder for folder in folders if any(word in folder.casefold() for word in _MEANT)), None)

    def sha256(self, home: Home) -> str:
        return sha256_of(self.path(home), self.file)


def deliveries(home: Home) -> list[Delivery]:
    """All files under ``inbox/<source>/``: those outside ``corrections/`` first, each by path, bytewise. Hidden files are none."""
    found = [
        (path, source)
        for source in source_names()
        for folder, names in _walk(home.inbox / source)
        for path in (folder / name for name in names)
        # The totals that a delivery brings along are read with it.
        if not (path.name.endswith(CONTROL) and path.name.removesuffix(CONTROL) in names)
    ]
    found.sort(key=lambda entry: (_is_correction(home, *entry), os.fsencode(entry[0])))
    return [_delivery(home, path, source) for path, source in found]


def _is_correction(home: Home, path: Path, source: str) -> bool:
    return CORRECTIONS in path.relative_to(home.inbox / source).parts[:-1]


def _delivery(home: Home, path: Path, source: str) -> Delivery:
    file = os.path.relpath(path, home.inbox)
    shown = printable(file)
    return Delivery(source, shown, _is_correction(home, path, source), None if shown == file else str(path))


def strangers(home: Home) -> list[str]:
    """Files and folders directly in the inbox that belong to no source, so that nothing waits unseen."""
    if not home.inbox.is_dir():
        return []
    known = set(source_names())
    return sorted(
        printable(entry.name)
        for entry in home.inbox.iterdir()
        if not entry.name.startswith(".") and entry.name not in known
    )


def notices(home: Home) -> list[Notice]:
    """Entries of no source, and folders that look as if they were meant to be ``corrections/``."""
    beside = [
        Notice(
            "not_a_source",
            name,
            f"inbox/{name}: no contract has this name, so nothing of it is read; move it, or add a contract",
            f"inbox/{name}: tidak ada kontrak dengan nama ini, jadi isinya tidak dibaca; pindahkan, atau tambahkan kontrak",
        )
        for name in strangers(home)
    ]
    return beside + [
        Notice(
            "folder",
            delivery.file,
            f"inbox/{delivery.file}: taken as an ordinary delivery; did you mean the folder {CORRECTIONS}/ (this very name)?",
            f"inbox/{delivery.file}: dibaca sebagai kiriman biasa; apakah maksudnya folder {CORRECTIONS}/ (persis nama ini)?",
        )
        for delivery in deliveries(home)
        if delivery.mistaken_folder
    ]


def known_notice(delivery: Delivery, known_file: str) -> Notice:
    """Of a file that is not taken in, since the same bytes were, under another name."""
    return Notice(
        "known",
        delivery.file,
        f"inbox/{delivery.file}: not taken in: the same bytes came as {known_file}; remove one of the two, or deliver what was meant",
        f"inbox/{delivery.file}: tidak dimuat: isi yang sama sudah diterima sebagai {known_file}; hapus salah satu, atau kirim yang dimaksud",
    )


def _walk(root: Path) -> list[tuple[Path, list[str]]]:
    """Every folder with its files. A linked folder, and one that cannot be opened, stands as a file of the one above, to be refused."""
    walked: dict[Path, list[str]] = {}

    def closed(problem: OSError) -> None:
        place = Path(problem.filename)
        if place != root or place.exists():
            walked.setdefault(place.parent, []).append(place.name)

    for name, folders, names in os.walk(root, onerror=closed):
        folder = Path(name)
        files = names + [inner for inner in folders if (folder / inner).is_symlink()]
        folders[:] = [inner for inner in folders if not inner.startswith(".")]
        walked.setdefault(folder, []).extend(file for file in files if not file.startswith("."))
    return list(walked.items())
