"""Whether a folder is an installation, and whether it is whole: its warehouse is there, and knows all that was published."""

from pathlib import Path

import duckdb

from warehouse.store.failures import EnvironmentProblem
from warehouse.store.home import Home
from warehouse.store.manifest import published_folders, read_manifest
from warehouse.store.migrations import schema_of

_ANEW = "`kpi init --force` alone begins anew: it keeps the key, and sets everything else aside in set-aside/; every known_from, closing and restatement is lost then"


def is_home(home: Home) -> bool:
    """A folder with an inbox or a warehouse is an installation; any other may be a slip of the pen."""
    return home.inbox.is_dir() or home.warehouse.exists()


def require_home(home: Home) -> None:
    """Raises EnvironmentProblem for a folder that is no installation, and for one that has lost its warehouse."""
    if not home.warehouse.exists() and (left := traces(home)):
        raise lost(home, left)
    if not is_home(home):
        raise EnvironmentProblem(
            f"there is no installation in {home.root}: name the right one by --home or KPI_HOME; to make one there, `kpi init`, "
            "then put deliveries into its inbox, then `kpi run`"
        )


def require_ledger(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Raises EnvironmentProblem where another, empty file stands in the place of the warehouse that has left its traces here."""
    if schema_of(connection) is None and (left := traces(home)):
        raise lost(home, left)


def traces(home: Home) -> list[str]:
    """What only a warehouse can have left here, in words; [] is a new home."""
    archived = sum(1 for _ in home.landing.glob("*/*.parquet"))
    held = sum(1 for _ in home.quarantine.glob("*/*.parquet"))
    found = {
        "the key of the pseudonyms (secret/pseudonym.key)": (home.secret / "pseudonym.key").exists(),
        f"{archived:,} archived deliveries (landing/)": archived,
        f"quarantined rows of {held:,} deliveries (quarantine/)": held,
        f"publications {', '.join(f'{number:06d}' for number in sorted(published_folders(home)))}": published_folders(
            home
        ),
        "what its last writer had not put into it yet (warehouse.duckdb.wal)": home.write_ahead_log.exists(),
    }
    return [words for words, is_there in found.items() if is_there]


def lost(home: Home, left: list[str]) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"the warehouse {home.warehouse} is lost, but what it has left is there: {'; '.join(left)}. Nothing was changed. "
        f"Put the file back from a backup, then run this again; {_ANEW}"
    )


def unknown_publications(connection: duckdb.DuckDBPyConnection, home: Home) -> list[Path]:
    """Publications that the ledger knows nothing of, by number: it is older than they are.

    One that a killed run could not enter is known by its run; half of one that nobody was switched to yet is none.
    """
    (newest,) = connection.execute("SELECT coalesce(max(publication_id), 0) FROM ledger.publications").fetchall()[0]
    runs = {row[0] for row in connection.execute("SELECT run FROM ledger.runs").fetchall()}
    found = []
    for number, folder in sorted(published_folders(home).items()):
        if number > newest:
            manifest = read_manifest(folder)
            is_read = home.published.exists() and folder.samefile(home.published)
            if is_read if manifest is None else manifest.run not in runs:
                found.append(folder)
    return found


def require_newest(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Raises EnvironmentProblem where the ledger is shorter than what is published: it would be overwritten by older knowledge."""
    if newer := unknown_publications(connection, home):
        names = ", ".join(folder.name for folder in newer)
        raise EnvironmentProblem(
            f"the warehouse {home.warehouse} is older than what is published: it knows nothing of publication {names}. Nothing was changed. "
            "Put the newest warehouse back from a backup, then run this again; without one, `kpi init --force` goes on from this "
            "warehouse, and sets the newer publications aside in set-aside/"
        )
