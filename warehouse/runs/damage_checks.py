"""Checks of ``kpi doctor`` that find damage: blocks, files, the key, and a ledger that is shorter than what it has published.

A check gives its line, and raises ``duckdb.Error`` where DuckDB cannot read what it looks at: the caller says that.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from transforms.sql import identifier
from warehouse.landing.delivery import sha256_of
from warehouse.landing.refusal import DeliveryRefused
from warehouse.publication.switch import current_publication, verify_publication
from warehouse.reading.held_rows import INDEX, is_whole, open_rows
from warehouse.store.damage import UNREADABLE, one_line
from warehouse.store.failures import EnvironmentProblem
from warehouse.store.home import Home
from warehouse.store.key import VARIABLE, fingerprint, key_file, read_key
from warehouse.store.manifest import MANIFEST, Manifest, published_folders, read_manifest
from warehouse.store.queries import first_row, single_value
from warehouse.store.runs import UNPUBLISHED, read_meta

Check = dict[str, Any]
# A check of the open warehouse: one line, or several.
Look = Callable[[duckdb.DuckDBPyConnection], Check | list[Check]]
RESTORE = "restore warehouse.duckdb from a backup, then `kpi run`"
NAMED = 3


def check(name: str, verdict: str, finding: str) -> Check:
    """A line of the doctor: ``verdict`` is good, note or bad."""
    return {"check": name, "verdict": verdict, "finding": finding}


def key_check(home: Home, connection: duckdb.DuckDBPyConnection) -> Check:
    """The key of the pseudonyms against the token that the warehouse keeps of it."""
    known = read_meta(connection, "key_fingerprint")
    where = f"put the right one back from its backup, into {key_file(home)} or into {VARIABLE}"
    try:
        key = read_key(home)
    except (EnvironmentProblem, OSError) as problem:
        return check("key", "bad", str(problem))
    if key is None:
        return (
            check("key", "bad", f"the pseudonym key is missing; {where}") if known else check("key", "note", "none yet")
        )
    if known != fingerprint(key):
        return check("key", "bad", f"the pseudonym key is not the one of this warehouse; {where}")
    return check("key", "good", "the one that the data were made with")


def published_check(home: Home, connection: duckdb.DuckDBPyConnection) -> Check:
    """The ledger against the publication in force, which knows its run and the head of the chain as it was made."""
    name, folder, entered = "published ledger", current_publication(home), _entered(connection)
    newest = max(entered, default=0)
    if folder is None:
        if newest:
            return check(
                name, "bad", f"publication {newest:06d} was made, and none is in force; `kpi run` makes one anew"
            )
        return check(name, "note", "nothing is published yet")
    manifest = read_manifest(folder)
    if manifest is None:
        return check(name, "bad", f"{folder.name}: {MANIFEST} cannot be read; `kpi run` makes a publication anew")
    number, bad = manifest.publication_id, ""
    if lost := _lost(connection, manifest):
        bad = f"the ledger does not know {lost}, which publication {folder.name} states: it was cut short; {RESTORE}"
    elif number > newest:
        return check(
            name, "note", f"{folder.name} was published by a run that was killed; the next `kpi run` enters it"
        )
    elif entered.get(number) != sha256_of(folder / MANIFEST):
        bad = f"{folder.name}: {MANIFEST} is not the one that was entered; remove the link `published`, then `kpi run`"
    elif number < newest:
        bad = f"{folder.name} is in force, and {newest:06d} was made; remove the link `published`, then `kpi run`"
    return check(name, "bad" if bad else "good", bad or f"it knows publication {folder.name}, its run and its seal")


def _entered(connection: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """SHA-256 of the manifest of every publication that the ledger knows."""
    return dict(connection.execute("SELECT publication_id, manifest_sha256 FROM ledger.publications").fetchall())


def _lost(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> str | None:
    """What the manifest states of the ledger that does not stand in it."""
    if single_value(connection, "SELECT 1 FROM ledger.runs WHERE run = $1", [manifest.run]) is None:
        return manifest.run
    seal = manifest.seal
    if seal is None or seal.run_id == 0:
        return None
    link = "SELECT 1 FROM ledger.chain WHERE run_id = $1 AND sha256 = $2"
    return None if single_value(connection, link, [seal.run_id, seal.sha256]) else f"the seal of run {seal.run_id}"


def pages_check(home: Home, connection: duckdb.DuckDBPyConnection) -> Check:
    """Each run leaves a page outside the warehouse: a page of a run that the ledger does not know shows a ledger cut short."""
    known = {run for (run,) in connection.execute("SELECT run FROM ledger.runs").fetchall()}
    unknown = sorted({page.stem for page in home.validation_reports.glob("run-*.html")} - known)
    if unknown:
        return check("pages of runs", "bad", f"the ledger does not know {_some(unknown)}: it was cut short; {RESTORE}")
    return check("pages of runs", "good", "of runs that the ledger knows")


def archive_check(home: Home, connection: duckdb.DuckDBPyConnection) -> Check:
    """Every delivery that was taken in is archived, as it was written."""
    rows = connection.execute(
        "SELECT source, file, sha256, archive_sha256, batch_id IN (SELECT batch_id FROM ledger.purges) "
        "FROM ledger.batches ORDER BY batch_id"
    ).fetchall()
    purged = 0
    coming: list[str] = []
    lost: list[str] = []
    changed: list[str] = []
    for source, file, sha256, archive_sha256, is_purged in rows:
        archive = home.landed_file(source, sha256)
        named = f"{file}: landing/{source}/{archive.name}"
        if not archive.exists():
            purged += is_purged
            if not is_purged:
                (coming if _sha256(home.inbox / file) == sha256 else lost).append(named)
        elif _sha256(archive) != archive_sha256:
            changed.append(named)
    findings = [
        f"{_some(names)} {says}"
        for names, says in (
            (lost, "is lost; restore it from a backup"),
            (coming, "is lost; `kpi run` lands it again from the inbox"),
            (
                changed,
                "is not as it was written; restore it from a backup, or remove it: "
                "`kpi run` lands it again where the inbox still has the delivery",
            ),
        )
        if names
    ]
    if findings:
        return check("archive", "bad", "; ".join(findings))
    if purged:
        finding = (
            f"{purged} of {len(rows)} deliveries were purged at the end of their retention: they cannot be reproduced"
        )
        return check("archive", "note", finding)
    return check("archive", "good", f"{len(rows)} deliveries, each as it was written")


def _sha256(file: Path) -> str | None:
    """None where there is no ordinary file to read."""
    try:
        return sha256_of(file)
    except DeliveryRefused:
        return None


def deep_checks(home: Home) -> dict[str, Look]:
    """Checks that read all that there is: every block of the warehouse, and every file against what must stand in it."""
    return {
        "blocks": blocks_check,
        "states of deliveries": states_check,
        "quarantined rows": partial(held_check, home),
        "index of quarantined rows": partial(index_check, home),
        "older publications": partial(older_publications_check, home),
    }


def blocks_check(connection: duckdb.DuckDBPyConnection) -> Check:
    """Every column of every table is read to its end, so that DuckDB compares each block with its checksum."""
    tables = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal ORDER BY ALL"
    ).fetchall()
    damaged, rows = [], 0
    for schema, table in tables:
        name = f"{schema}.{table}"
        # A hash over whole rows: counts and bounds alone are answered from statistics, without a look at the blocks.
        query = f"SELECT count(*), bit_xor(hash(entry)) FROM {identifier(schema)}.{identifier(table)} AS entry"
        try:
            rows += (first_row(connection, query) or (0,))[0]
        except duckdb.Error as problem:
            damaged.append(f"{name} ({one_line(problem)})")
    if damaged:
        return check("blocks", "bad", f"damaged: {_some(damaged)}; {RESTORE}")
    return check("blocks", "good", f"{len(tables)} tables, {rows:,} rows, each read to its end")


def states_check(connection: duckdb.DuckDBPyConnection) -> Check:
    """Each delivery has as many states as the (sealed) ledger says that it brought."""
    batches = connection.execute(
        "SELECT source, batch_id, file, accepted FROM ledger.batches ORDER BY batch_id"
    ).fetchall()
    kept: dict[tuple[str, int], int] = {}
    for (source,) in connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'states'"
    ).fetchall():
        counts = connection.execute(f"SELECT batch_id, count(*) FROM states.{identifier(source)} GROUP BY batch_id")
        kept |= {(source, batch_id): count for batch_id, count in counts.fetchall()}
    wrong = [
        f"{file}: {kept.get((source, batch_id), 0):,} of {accepted:,}"
        for source, batch_id, file, accepted in batches
        if kept.get((source, batch_id), 0) != accepted
    ]
    if wrong or kept.keys() - {(source, batch_id) for source, batch_id, *_ in batches}:
        return check("states of deliveries", "bad", f"not as many as were taken in: {_some(wrong)}; {RESTORE}")
    return check("states of deliveries", "good", "as many as the ledger says")


def held_check(home: Home, connection: duckdb.DuckDBPyConnection) -> Check:
    """Each file of quarantined rows has the rows of the archive that the (sealed) ledger holds, with their reasons."""
    batches = connection.execute(
        "SELECT batch_id, source, file, sha256 FROM ledger.batches "
        "WHERE quarantined > 0 AND batch_id NOT IN (SELECT batch_id FROM ledger.purges) ORDER BY batch_id"
    ).fetchall()
    found: dict[str, list[str]] = {}
    for batch_id, source, file, sha256 in batches:
        held, archive = home.held_file(source, batch_id), home.landed_file(source, sha256)
        named = f"{file}: quarantine/{source}/{held.name}"
        if not held.exists():
            remedy = "`kpi run` writes it anew from the archive" if archive.exists() else "restore it from a backup"
            found.setdefault(f"is lost; {remedy}", []).append(named)
        elif archive.exists() and not _has_its_rows(connection, batch_id, held, archive):
            found.setdefault(
                "is not as it was written; remove it: `kpi run` writes it anew from the archive", []
            ).append(named)
    if found:
        return check("quarantined rows", "bad", "; ".join(f"{_some(names)} {says}" for says, names in found.items()))
    return check("quarantined rows", "good", f"{len(batches)} files, each with its rows of the archive")


def _has_its_rows(connection: duckdb.DuckDBPyConnection, batch_id: int, held: Path, archive: Path) -> bool:
    """Also False where one of the two files can be read no more."""
    query = "SELECT row_number, reasons FROM quarantine.held_rows WHERE batch_id = $1"
    found = "SELECT * REPLACE (list_sort(reasons) AS reasons) FROM read_parquet($held)"
    due = (
        "SELECT row_number, reasons, landed.* EXCLUDE (file_row_number) FROM known "
        "JOIN read_parquet($archive, file_row_number = true) AS landed ON landed.file_row_number + 1 = row_number"
    )
    with _beside(connection, query, [batch_id]) as apart:
        try:
            return _are_equal(apart, found, due, {"held": str(held)}, {"archive": str(archive)})
        except UNREADABLE:
            return False


def index_check(home: Home, connection: duckdb.DuckDBPyConnection) -> Check:
    """The index that ``kpi quarantine`` reads, against the warehouse."""
    index, name = home.quarantine / INDEX, "index of quarantined rows"
    renewed = f"quarantine/{INDEX} {{}}; `kpi run` writes it anew"
    # Of what a run took in and could not publish, the next one writes it.
    is_due = read_meta(connection, UNPUBLISHED) == "yes"
    if not index.exists():
        is_needed = first_row(connection, f"FROM ({open_rows()}) LIMIT 1") is not None and not is_due
        return check(name, "bad" if is_needed else "note", renewed.format("is not there"))
    with _beside(connection, open_rows(), []) as apart:
        try:
            is_as_written = is_whole(apart, index)
            found = "SELECT * FROM read_parquet($index)"
            is_of_now = _are_equal(apart, found, "SELECT * FROM known", {"index": str(index)}, {})
        except UNREADABLE as problem:
            return check(name, "bad", renewed.format(f"is damaged ({one_line(problem)})"))
    if not is_as_written:
        return check(name, "bad", renewed.format("is not as it was written"))
    if not is_of_now:
        return check(name, "note" if is_due else "bad", renewed.format("has other rows than the warehouse"))
    return check(name, "good", "as the warehouse says")


@contextmanager
def _beside(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: list[Any]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database of its own with the answer as table ``known``: a broken file makes the database that reads it invalid."""
    with duckdb.connect() as apart:
        apart.register("known", connection.sql(query, params=parameters).to_arrow_table())
        yield apart


def older_publications_check(home: Home, connection: duckdb.DuckDBPyConnection) -> Check:
    """The publications that are kept beside the one in force, each against its manifest, and that against the ledger."""
    entered, current, older = _entered(connection), current_publication(home), 0
    damaged: list[str] = []
    for publication_id, folder in sorted(published_folders(home).items()):
        if folder == current or publication_id not in entered:
            continue
        older += 1
        changed = verify_publication(folder)
        if not changed and sha256_of(folder / MANIFEST) != entered[publication_id]:
            changed = [MANIFEST]
        if changed:
            damaged.append(f"{folder.name} ({', '.join(changed)})")
    if damaged:
        finding = (
            f"not as published: {_some(damaged)}; nobody is led there: restore it from a backup, or remove the folder"
        )
        return check("older publications", "bad", finding)
    return check("older publications", "good", f"{older}, each as its manifest says")


def _are_equal(
    connection: duckdb.DuckDBPyConnection, left: str, right: str, of_left: dict[str, Any], of_right: dict[str, Any]
) -> bool:
    """Whether two queries give the same columns (name, type) and the same rows, each as often."""
    columns = [
        [column[:2] for column in connection.execute(f"DESCRIBE {query}", parameters).fetchall()]
        for query, parameters in ((left, of_left), (right, of_right))
    ]
    query = f"SELECT 1 FROM ((({left}) EXCEPT ALL ({right})) UNION ALL (({right}) EXCEPT ALL ({left}))) LIMIT 1"
    return columns[0] == columns[1] and first_row(connection, query, of_left | of_right) is None


def _some(names: list[str]) -> str:
    """The first few of them, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
