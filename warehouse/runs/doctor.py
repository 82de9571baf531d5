"""What an engineer looks at first when a night failed: versions, disk, locks, the last run, freshness, damage. Changes nothing.

The warehouse is read in a child process: what damage does to the library that reads it ends the child, and is a finding.
"""

import json
import platform
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import duckdb

from expectations.contract import load_contract, source_names
from expectations.identity import repeated_states
from transforms.periods import clock_now
from warehouse.landing.inbox import known_notice, notices
from warehouse.landing.known import renamed
from warehouse.loading.corrections import FILE as CORRECTIONS_FILE
from warehouse.loading.reprocess import outdated_sources
from warehouse.publication.switch import current_publication, verify_publication
from warehouse.reconciliation.contested import contradictions
from warehouse.reconciliation.waivers import in_force
from warehouse.runs.damage_checks import (
    RESTORE,
    Check,
    Look,
    archive_check,
    deep_checks,
    key_check,
    pages_check,
    published_check,
)
from warehouse.runs.damage_checks import check as _check
from warehouse.runs.home_checks import check_home, check_ledger
from warehouse.store.damage import damage_in, one_line
from warehouse.store.home import Home
from warehouse.store.lock import reader_lock
from warehouse.store.manifest import published_folders
from warehouse.store.migrations import newest_schema, schema_of
from warehouse.store.queries import first_row, has_table, install_macros, single_value
from warehouse.store.seal import find_break, last_seal, links_count

PACKAGES = ("duckdb", "great-expectations", "polars", "prefect", "fastapi", "duckdb-sqlalchemy", "pyarrow")
LEAST_FREE_GIB = 2
EARLIER = "the home is of an earlier release, and is not looked at before the next `kpi run` has brought it up"
# Whatever a damaged file makes the child do, it ends: these seconds, and one more for so many bytes of the home.
PATIENCE_SECONDS, BYTES_A_SECOND = 300, 2 * 1024**2


def examine(root: Path, *, is_deep: bool = False) -> list[Check]:
    """[{check, verdict (good, note, bad), finding}], the remedy in the finding. ``is_deep`` reads every block and file as well."""
    home = Home(root)
    checks = [_check("python", "good", platform.python_version()), *_versions(), _disk(root), *_privacy(home)]
    # Held until the end: a run that began meanwhile could not open the warehouse that is read here.
    with reader_lock(home.lock) as holder:
        if holder:
            checks.append(
                _check(
                    "lock",
                    "note",
                    f"process {holder['pid']} ({holder['purpose']}) is writing since {holder['since']} WIB",
                )
            )
        elif home.lock.exists():
            checks.append(_check("lock", "good", "nobody is writing"))
        checks.append(_publication(home))
        if holder is None and home.warehouse.exists():
            checks += _warehouse(home, is_deep)
    return [*checks, *_disabled()]


def _versions() -> list[Check]:
    return [_check(f"package {name}", "good", version(name)) for name in PACKAGES]


def _disk(root: Path) -> Check:
    place = next(folder for folder in (root, *root.parents) if folder.exists())
    free = shutil.disk_usage(place).free / 1024**3
    return _check(
        "disk",
        "good" if free >= LEAST_FREE_GIB else "bad",
        f"{free:.1f} GiB free; make room below {LEAST_FREE_GIB} GiB",
    )


def _privacy(home: Home) -> list[Check]:
    checks = [_check(*finding) for finding in check_home(home)]
    corrections = home.root / CORRECTIONS_FILE
    if corrections.exists() and (mode := stat.S_IMODE(corrections.stat().st_mode)) & 0o077:
        finding = f"mode {mode:04o}, and it may hold personal data; run chmod 600 on it"
        checks.append(_check(CORRECTIONS_FILE, "bad", finding))
    return checks


def _publication(home: Home) -> Check:
    folder = current_publication(home)
    if folder is None:
        if home.published.is_symlink() or published_folders(home):
            finding = "there are publications, but the link `published` leads to none; `kpi run` makes one anew"
            return _check("publication", "bad", finding)
        return _check("publication", "note", "nothing is published yet; run `kpi run`")
    damaged = verify_publication(folder)
    if damaged:
        return _check(
            "publication",
            "bad",
            f"{folder.name}: not as published: {', '.join(damaged)}; run `kpi run`, and find out who changed it",
        )
    return _check("publication", "good", f"{folder.name}, every file as its manifest says")


def _warehouse(home: Home, is_deep: bool) -> list[Check]:
    """What a child process finds in the warehouse, up to where it ended."""
    command = [sys.executable, "-P", "-m", "warehouse.runs.doctor", str(home.root), *(["deep"] if is_deep else [])]
    size = sum(file.stat().st_size for file in (home.warehouse, *home.landing.glob("*/*")))
    try:
        child = subprocess.run(
            command, capture_output=True, check=False, timeout=PATIENCE_SECONDS + size // BYTES_A_SECOND
        )
    except subprocess.TimeoutExpired as late:
        return [*_told(late.stdout), _check("warehouse", "bad", f"reading it came to no end; {RESTORE}")]
    checks = _told(child.stdout)
    if child.returncode == 0:
        return checks
    last = (child.stderr.decode(errors="replace").strip().splitlines() or [""])[-1]
    ended = f"signal {-child.returncode}" if child.returncode < 0 else last
    after = f" after the check of {checks[-1]['check']}" if checks else ""
    return [*checks, _check("warehouse", "bad", f"reading it ended{after} with {ended}; {RESTORE}")]


def _told(lines: bytes | None) -> list[Check]:
    """The whole lines of the child: the last one may have been cut."""
    return [json.loads(line) for line in (lines or b"").splitlines(keepends=True) if line.endswith(b"\n")]


def _warehouse_checks(home: Home, is_deep: bool) -> Iterator[Check]:
    """One check after the other, each with the warehouse opened anew: an error may make a connection useless."""
    looks: dict[str, Look] = {
        "warehouse": lambda connection: [_check(*finding) for finding in check_ledger(home, connection)],
        "last run": _last_run,
        "key": partial(key_check, home),
        "ledger": _chain,
        "published ledger": partial(published_check, home),
        "pages of runs": partial(pages_check, home),
        "archive": partial(archive_check, home),
        "inbox": partial(_inbox, home),
        "closed years": _pending,
        "printed numbers": _contested,
        "states": _uniqueness,
        "rules": rules_check,
        "sources": _freshness,
    }
    if is_deep:
        looks |= deep_checks(home)
    for name, look in looks.items():
        try:
            with duckdb.connect(str(home.warehouse), read_only=True) as connection:
                found = look(connection)
        except duckdb.Error as problem:
            remedy = (
                RESTORE
                if damage_in(problem)
                else "`kpi doctor` later again, then report this as a fault of the product"
            )
            found = _check(name, "bad", f"cannot be read: {one_line(problem)}; {remedy}")
        yield from found if isinstance(found, list) else [found]


def _is_newest(connection: duckdb.DuckDBPyConnection) -> bool:
    return schema_of(connection) == newest_schema()


def _chain(connection: duckdb.DuckDBPyConnection) -> Check:
    """The ledger as its runs were sealed."""
    if not _is_newest(connection):
        return _check("ledger", "note", EARLIER)
    if broken := find_break(connection):
        return _check(
            "ledger",
            "bad",
            f"not as it was sealed at {broken}; find out who changed it, and restore the warehouse from a backup",
        )
    return _check(
        "ledger", "good", f"{links_count(connection)} runs, each as it was sealed; last seal {last_seal(connection)}"
    )


def _inbox(home: Home, connection: duckdb.DuckDBPyConnection) -> Check:
    """What lies in the inbox and is not what its sender may think, until it is seen to."""
    known = [known_notice(delivery, known.file) for delivery, known in renamed(connection, home)]
    if found := [notice.message for notice in (*notices(home), *known)]:
        return _check("inbox", "note", "; ".join(found))
    return _check("inbox", "good", "every file is of a source, and none is the same as another")


def _uniqueness(connection: duckdb.DuckDBPyConnection) -> Check:
    """Over all deliveries, a key has one standing row a state time."""
    for source in source_names():
        query = f"SELECT count(*) FROM ({repeated_states(load_contract(source))})"
        if has_table(connection, "states", source) and (doubles := single_value(connection, query)):
            return _check(
                "states", "bad", f"{source}: {doubles} keys stand twice with one state time; restore a backup"
            )
    return _check("states", "good", "every key stands once with each state time, over all deliveries")


def _disabled() -> list[Check]:
    """Rules that their contracts disable, with owner and end."""
    today = clock_now().date()
    return [
        _check(
            f"rule {entry.rule}",
            "note",
            f"disabled by {entry.owner} until {entry.until}"
            if entry.state_on(today) != "expired"
            else f"was disabled by {entry.owner} until {entry.until}, and judges again; take the entry out of its contract",
        )
        for source in source_names()
        for entry in load_contract(source).disabled
    ]


def _pending(connection: duckdb.DuckDBPyConnection) -> Check:
    closed = [str(row[0]) for row in connection.execute("SELECT year FROM ledger.closings ORDER BY year").fetchall()]
    waiting = first_row(connection, "SELECT count(*) FROM ledger.pending_changes") or (0,)
    if waiting[0]:
        return _check("closed years", "note", f"{waiting[0]} published values would change; see `kpi restate --plan`")
    return _check("closed years", "good", f"closed: {', '.join(closed) or 'none'}; nothing is pending")


def rules_check(connection: duckdb.DuckDBPyConnection) -> Check:
    """Whether every row was taken in under the rules of today."""
    if not has_table(connection, "ledger", "intakes"):
        return _check(
            "rules", "note", "by which rules rows were taken in is not noted yet; the next `kpi run` judges them again"
        )
    if found := outdated_sources(connection):
        named = ", ".join(f"{outdated.source} ({outdated.deliveries} deliveries)" for outdated in found)
        return _check(
            "rules",
            "note",
            f"taken in under other rules than today's: {named}; the next `kpi run` judges them again, or says why not",
        )
    return _check("rules", "good", "every row was taken in under those of today")


def _contested(connection: duckdb.DuckDBPyConnection) -> Check:
    """What printed numbers contradict, and what somebody answers for."""
    if not _is_newest(connection):
        return _check("printed numbers", "note", EARLIER)
    install_macros(connection)
    found, accepted = contradictions(connection), len(in_force(connection, clock_now().date()))
    if found:
        said = "; ".join(f"{contradiction.message}: {contradiction.what_to_do}" for contradiction in found)
        return _check("printed numbers", "note", f"contested: {said}")
    words = f"; accepted by name: {accepted} (`kpi waive --list`)" if accepted else ""
    return _check("printed numbers", "good", f"nothing that was delivered as printed contradicts{words}")


def _last_run(connection: duckdb.DuckDBPyConnection) -> Check:
    row = first_row(connection, "SELECT run, status, started_at, message FROM ledger.runs ORDER BY run_id DESC LIMIT 1")
    if row is None:
        return _check("last run", "note", "no run yet")
    name, status, started_at, message = row
    if status == "done":
        return _check("last run", "good", f"{name} of {started_at:%Y-%m-%d %H:%M} is done")
    return _check(
        "last run",
        "bad",
        f"{name} of {started_at:%Y-%m-%d %H:%M} {status}: {message or 'it was ended from outside'}; run `kpi run` again",
    )


def _freshness(connection: duckdb.DuckDBPyConnection) -> list[Check]:
    last: dict[str, datetime] = dict(
        connection.execute(
            "SELECT source, max(delivered_at) FROM (SELECT source, min(started_at) AS delivered_at FROM ledger.batches "
            # A file that was judged again was delivered once.
            "JOIN ledger.runs USING (run_id) GROUP BY source, file, sha256) GROUP BY source"
        ).fetchall()
    )
    checks = []
    for source in source_names():
        if source not in last:
            checks.append(_check(f"source {source}", "note", "never delivered"))
            continue
        days, cadence = (clock_now() - last[source]).days, load_contract(source).cadence_days
        verdict = "good" if days <= cadence else "note"
        checks.append(
            _check(f"source {source}", verdict, f"last delivery {days} days ago, expected every {cadence} days")
        )
    return checks


if __name__ == "__main__":
    for _line in _warehouse_checks(Home(Path(sys.argv[1])), sys.argv[2:] == ["deep"]):
        print(json.dumps(_line), flush=True)
