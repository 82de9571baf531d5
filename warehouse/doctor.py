"""What an engineer looks at first when a night failed: versions, disk, locks, the last run, freshness. Changes nothing."""

import platform
import shutil
import stat
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from expectations.contract import load_contract, source_names
from expectations.identity import repeated_states
from transforms.periods import clock_now
from warehouse.chain import find_break, last_seal, links_count
from warehouse.corrections import FILE as CORRECTIONS_FILE
from warehouse.delivery import sha256_of
from warehouse.home import Home
from warehouse.inbox import known_notice, notices
from warehouse.known import renamed
from warehouse.lock import lock_holder
from warehouse.publication import current_publication, verify_publication
from warehouse.queries import first_row, has_table, single_value

PACKAGES = ("duckdb", "great-expectations", "polars", "prefect", "fastapi", "duckdb-sqlalchemy", "pyarrow")
LEAST_FREE_GIB = 2
Check = dict[str, Any]


def examine(root: Path) -> list[Check]:
    """[{check, verdict (good, note, bad), finding}], the remedy in the finding."""
    home = Home(root)
    checks = [_check("python", "good", platform.python_version()), *_versions(), _disk(root), *_privacy(home)]
    holder = lock_holder(home.lock)
    if holder:
        checks.append(
            _check(
                "lock", "note", f"process {holder['pid']} ({holder['purpose']}) is writing since {holder['since']} WIB"
            )
        )
    elif home.lock.exists():
        checks.append(_check("lock", "good", "nobody is writing"))
    checks.append(_publication(home))
    if holder is None and home.warehouse.exists():
        checks += _warehouse(home)
    return checks


def _check(name: str, verdict: str, finding: str) -> Check:
    return {"check": name, "verdict": verdict, "finding": finding}


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
    checks = []
    for folder in (home.landing, home.quarantine, home.secret):
        if folder.exists():
            mode = stat.S_IMODE(folder.stat().st_mode)
            verdict = "good" if mode == 0o700 else "bad"
            checks.append(
                _check(
                    f"{folder.name}/",
                    verdict,
                    f"mode {mode:04o}" + ("" if verdict == "good" else "; run chmod 700 on it"),
                )
            )
    corrections = home.root / CORRECTIONS_FILE
    if corrections.exists() and (mode := stat.S_IMODE(corrections.stat().st_mode)) & 0o077:
        finding = f"mode {mode:04o}, and it may hold personal data; run chmod 600 on it"
        checks.append(_check(CORRECTIONS_FILE, "bad", finding))
    return checks


def _publication(home: Home) -> Check:
    folder = current_publication(home)
    if folder is None:
        return _check("publication", "note", "nothing is published yet; run `kpi run`")
    damaged = verify_publication(folder)
    if damaged:
        return _check(
            "publication",
            "bad",
            f"{folder.name}: not as published: {', '.join(damaged)}; run `kpi run`, and find out who changed it",
        )
    return _check("publication", "good", f"{folder.name}, every file as its manifest says")


def _warehouse(home: Home) -> list[Check]:
    try:
        connection = duckdb.connect(str(home.warehouse), read_only=True)
    except duckdb.Error as problem:
        return [_check("warehouse", "bad", f"cannot be opened: {problem}")]
    with connection:
        return [
            _last_run(connection),
            _chain(connection),
            _archive(home, connection),
            _inbox(home, connection),
            _pending(connection),
            _uniqueness(connection),
            *_disabled(),
            *_freshness(connection),
        ]


def _chain(connection: duckdb.DuckDBPyConnection) -> Check:
    """The ledger as its runs were sealed."""
    try:
        broken = find_break(connection)
    except duckdb.Error as problem:
        broken = f"it cannot be read: {problem}"
    if broken:
        return _check(
            "ledger",
            "bad",
            f"not as it was sealed at {broken}; find out who changed it, and restore the warehouse from a backup",
        )
    return _check(
        "ledger", "good", f"{links_count(connection)} runs, each as it was sealed; last seal {last_seal(connection)}"
    )


def _archive(home: Home, connection: duckdb.DuckDBPyConnection) -> Check:
    """Every delivery that was taken in is archived, as it was written."""
    rows = connection.execute(
        "SELECT source, file, sha256, archive_sha256, batch_id IN (SELECT batch_id FROM ledger.purges) "
        "FROM ledger.batches ORDER BY batch_id"
    ).fetchall()
    purged = 0
    for source, file, sha256, archive_sha256, is_purged in rows:
        archive = home.landed_file(source, sha256)
        if not archive.exists():
            if not is_purged:
                return _check(
                    "archive", "bad", f"{file}: landing/{source}/{archive.name} is lost; restore it from a backup"
                )
            purged += 1
        elif sha256_of(archive) != archive_sha256:
            return _check(
                "archive",
                "bad",
                f"{file}: landing/{source}/{archive.name} is not as it was written; restore it from a backup",
            )
    if purged:
        return _check(
            "archive",
            "note",
            f"{purged} of {len(rows)} deliveries were purged at the end of their retention: they cannot be reproduced",
        )
    return _check("archive", "good", f"{len(rows)} deliveries, each as it was written")


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
            "SELECT source, max(started_at) FROM ledger.batches JOIN ledger.runs USING (run_id) GROUP BY source"
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
