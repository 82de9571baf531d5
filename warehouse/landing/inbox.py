"""What lies in the inbox: one ``Delivery`` a file, in the order in which deliveries are taken in (ruling 5)."""

import os
from dataclasses import dataclass
from pathlib import Path

from expectations.contract import source_names
from warehouse.landing.delivery import sha256_of
from warehouse.store.home import Home

CORRECTIONS = "corrections"
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
    """A file of the inbox. ``file`` is its path under ``inbox/``; one in a folder ``corrections/`` replaces what it repeats.

    ``elsewhere``: where it lies if not there: a row that ``corrections.yml`` corrects is written by the product.
    """

    source: str
    file: str
    is_correction: bool
    elsewhere: str | None = None

    def path(self, home: Home) -> Path:
        return Path(self.elsewhere) if self.elsewhere else home.inbox / self.file

    def sha256(self, home: Home) -> str:
        return sha256_of(self.path(home), self.file)


def deliveries(home: Home) -> list[Delivery]:
    """All files under ``inbox/<source>/``: those outside ``corrections/`` first, each by path, bytewise. Hidden files are none."""
    found = [
        Delivery(
            source,
            os.path.relpath(folder / name, home.inbox),
            CORRECTIONS in Path(folder).relative_to(home.inbox / source).parts,
        )
        for source in source_names()
        for folder, names in _walk(home.inbox / source)
        for name in names
        # The totals that a delivery brings along are read with it.
        if not (name.endswith(CONTROL) and name.removesuffix(CONTROL) in names)
    ]
    return sorted(found, key=lambda delivery: (delivery.is_correction, os.fsencode(delivery.file)))


def strangers(home: Home) -> list[str]:
    """Files and folders directly in the inbox that belong to no source, so that nothing waits unseen."""
    if not home.inbox.is_dir():
        return []
    known = set(source_names())
    return sorted(
        entry.name for entry in home.inbox.iterdir() if not entry.name.startswith(".") and entry.name not in known
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
        if not delivery.is_correction
        and any(CORRECTIONS in part.casefold() for part in Path(delivery.file).parts[1:-1])
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
    walked = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        walked.append((Path(folder), [name for name in names if not name.startswith(".")]))
    return walked
