"""The pages of a publication. A page that has not changed since the standing publication is a hard link to the one there.

A page is written once and then replaced as a whole, never in place, so one file may stand in several publications: each keeps it
when another is removed. Between the publications and ``reports/`` nothing is linked: a damaged page is made good from the other.
"""

import shutil
from pathlib import Path

from warehouse.store.home import Home
from warehouse.store.manifest import FileEntry, Manifest, file_entry, read_manifest

SITE = "site"
PAGES = "validation"


def write_site(home: Home, folder: Path, standing: Path | None) -> dict[str, FileEntry]:
    """Writes ``site/`` of the publication in ``folder``: the validation pages of all runs, and the way in to them.

    Gives the manifest's entries, by path relative to the publication, of the files that are linked from ``standing``.
    """
    pages = sorted(home.validation_reports.glob("*.html")) if home.validation_reports.is_dir() else []
    target = folder / SITE / PAGES
    target.mkdir(parents=True)
    manifest = read_manifest(standing) if standing else None
    linked = {}
    for page in pages:
        name = f"{SITE}/{PAGES}/{page.name}"
        if (
            standing
            and manifest
            and _is_unchanged(page, standing / name, manifest, name)
            and _link(standing, folder, name)
        ):
            linked[name] = manifest.files[name]
        else:
            shutil.copyfile(page, target / page.name)
    links = [
        f'<li><a href="{PAGES}/{page.name}">{page.stem}</a></li>'
        for page in pages
        if not page.stem.startswith("batch-")
    ]
    (folder / SITE / "index.html").write_text(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>kanreg-kpi</title></head><body>'
        f"<h1>Validation reports / laporan validasi</h1><ul>{''.join(links)}</ul></body></html>\n",
        encoding="utf-8",
    )
    return linked


def _is_unchanged(page: Path, published: Path, manifest: Manifest, name: str) -> bool:
    """Whether the page is the published one, and that one is whole: a damaged page is not handed on."""
    entry = manifest.files.get(name)
    if entry is None or published.is_symlink() or not published.is_file():
        return False
    return file_entry(page) == entry == file_entry(published)


def _link(standing: Path, folder: Path, name: str) -> bool:
    """False where the file system has no such links, or no more of them: the page is copied then."""
    try:
        (folder / name).hardlink_to(standing / name)
    except OSError:
        return False
    return True
