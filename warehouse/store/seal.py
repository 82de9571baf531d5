"""The hash chain of the ledger: what each run did is sealed with the seal of the run before, so that no past can be changed unseen.

A link holds a digest a table of what the run entered; ``find_break`` computes them all again and names the first that differs.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

import duckdb

from transforms.facts import fact_tables
from warehouse.store.fact_tables import columns_added_after
from warehouse.store.migrations import FIRST_SCHEMA, columns_since, newest_schema
from warehouse.store.queries import first_row, has_table, single_value

FIRST = "0" * 64
_OF_BATCH = "(SELECT run_id FROM ledger.batches WHERE batches.batch_id = entry.batch_id)"
_OF_NAME = "(SELECT run_id FROM ledger.runs WHERE runs.run = entry.run)"
_OF_END = "(SELECT run_id FROM ledger.runs WHERE runs.run = entry.closed_by)"


@dataclass(frozen=True)
class _Sealed:
    """Rows of a table that belong to a run: ``of`` is the SQL of its id, ``without`` are columns that later runs still set."""

    table: str
    of: str = "entry.run_id"
    without: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.table + (" (ended)" if self.of == _OF_END else "")

    def digests(self, schema: int, added: Mapping[str, tuple[str, ...]]) -> str:
        """SELECT run_id, digest: of all rows that belong to a run, whatever their order, as a seal of ``schema`` saw them.

        ``added``: by table, columns that were declared after the run. Parameters: $first, $last (run ids).
        """
        without = (*self.without, *columns_since(self.table, schema), *added.get(self.table, ()))
        left_out = f" EXCLUDE ({', '.join(without)})" if without else ""
        return (
            f"WITH entries AS (SELECT {self.of} AS run_id, CAST(to_json(entry) AS VARCHAR) AS line "
            f"FROM (SELECT *{left_out} FROM {self.table}) AS entry WHERE {self.of} BETWEEN $first AND $last) "
            "SELECT run_id, sha256(string_agg(line, chr(10) ORDER BY line)) FROM entries GROUP BY run_id"
        )


SEALED = (
    _Sealed("ledger.runs"),
    _Sealed("ledger.batches"),
    _Sealed("ledger.refusals"),
    _Sealed("ledger.validation_results", _OF_BATCH),
    _Sealed("ledger.touched_years", _OF_BATCH),
    _Sealed("ledger.corrections", _OF_BATCH),
    _Sealed("ledger.derivations"),
    _Sealed("ledger.closings"),
    _Sealed("ledger.restatements"),
    _Sealed("ledger.waivers"),
    _Sealed("ledger.purges"),
    _Sealed("ledger.intakes"),
    _Sealed("ledger.reprocessed"),
    _Sealed("ledger.added_columns", "entry.first_run_id"),
    _Sealed("quarantine.held_rows", _OF_BATCH, ("closed_by_batch_id",)),
    *(
        sealed
        for table in fact_tables()
        for sealed in (_Sealed(table.name, _OF_NAME, ("known_to", "closed_by")), _Sealed(table.name, _OF_END))
    ),
)


def seal_runs(connection: duckdb.DuckDBPyConnection) -> None:
    """Adds a link for every run that has ended and has none: this one, and those that were killed before it."""
    sealed_up_to, previous = chain_head(connection)
    runs = connection.execute(
        "SELECT run_id FROM ledger.runs WHERE run_id > $1 AND status <> 'running' ORDER BY run_id", [sealed_up_to]
    ).fetchall()
    if not runs:
        return
    schema = newest_schema()
    contents: dict[int, dict[str, str]] = {}
    for first, last in _alike(connection, [run_id for (run_id,) in runs]):
        contents |= _contents(connection, first, last, schema)
    for (run_id,) in runs:
        text = _text(contents.get(run_id, {}), _publications(connection, run_id), schema)
        sha256 = _link(previous, run_id, text)
        connection.execute("INSERT INTO ledger.chain VALUES ($1, $2, $3, $4)", [run_id, text, previous, sha256])
        previous = sha256


def find_break(connection: duckdb.DuckDBPyConnection) -> str | None:
    """What of which run is not as it was sealed, of the first such link; None where the chain holds."""
    links = connection.execute(
        "SELECT run_id, contents, previous_sha256, sha256 FROM ledger.chain ORDER BY run_id"
    ).fetchall()
    ended = connection.execute("SELECT run_id FROM ledger.runs WHERE status <> 'running' ORDER BY run_id").fetchall()
    found: dict[int, dict[str, str]] = {}
    for schema, group in groupby(links, key=lambda link: _schema(link[1])):
        for first, last in _alike(connection, [link[0] for link in group]):
            found |= _contents(connection, first, last, schema)
    previous = FIRST
    for run_id, text, stated_previous, sha256 in links:
        if stated_previous != previous or _link(previous, run_id, text) != sha256:
            return f"run {run_id}: the link itself"
        now_text = _text(found.get(run_id, {}), _publications(connection, run_id), _schema(text))
        sealed, now = json.loads(text), json.loads(now_text)
        # A run that was killed after the switch did not enter its publication: the next one does, after the seal.
        names = {name for name in sealed.keys() | now.keys() if name in sealed or not name.startswith("publication ")}
        if differing := sorted(name for name in names if sealed.get(name) != now.get(name)):
            return f"run {run_id}: {', '.join(differing)}"
        previous = sha256
    lost = {run_id for (run_id,) in ended} - {link[0] for link in links}
    # The newest run may have been killed just before it was sealed; the next one seals it.
    if lost - {max((run_id for (run_id,) in ended), default=0)}:
        return f"run {min(lost)}: its link is missing"
    return None


def links_count(connection: duckdb.DuckDBPyConnection) -> int:
    return int(single_value(connection, "SELECT count(*) FROM ledger.chain"))


def chain_head(connection: duckdb.DuckDBPyConnection) -> tuple[int, str]:
    """(run_id, SHA-256) of the newest link; (0, zeros) where no run is sealed yet."""
    row = first_row(connection, "SELECT run_id, sha256 FROM ledger.chain ORDER BY run_id DESC LIMIT 1")
    return (int(row[0]), str(row[1])) if row else (0, FIRST)


def last_seal(connection: duckdb.DuckDBPyConnection) -> str:
    """SHA-256 of the newest link: noted elsewhere, it proves later that nothing before it was changed."""
    run_id, sha256 = chain_head(connection)
    return sha256 if run_id else "none yet"


def _alike(connection: duckdb.DuckDBPyConnection, run_ids: list[int]) -> Iterator[tuple[int, int]]:
    """Runs in order as (first, last), each stretch of which saw the same columns."""
    starts = {
        run_id for (run_id,) in connection.execute("SELECT DISTINCT first_run_id FROM ledger.added_columns").fetchall()
    }
    for _, group in groupby(run_ids, key=lambda run_id: sum(start <= run_id for start in starts)):
        stretch = list(group)
        yield stretch[0], stretch[-1]


def _contents(connection: duckdb.DuckDBPyConnection, first: int, last: int, schema: int) -> dict[int, dict[str, str]]:
    added, bounds = columns_added_after(connection, last), {"first": first, "last": last}
    found: dict[int, dict[str, str]] = {}
    for sealed in SEALED:
        if not has_table(connection, *sealed.table.split(".")):
            # Of a later schema than this warehouse, which no run has brought up yet.
            continue
        for run_id, digest in connection.execute(sealed.digests(schema, added), bounds).fetchall():
            found.setdefault(run_id, {})[sealed.name] = digest
    return found


def _publications(connection: duckdb.DuckDBPyConnection, run_id: int) -> dict[str, str]:
    """The manifests of the run, also one that only the next run could enter."""
    rows = connection.execute(
        "SELECT publication_id, manifest_sha256 FROM ledger.publications WHERE run_id = $1 ORDER BY publication_id",
        [run_id],
    ).fetchall()
    return {f"publication {publication_id}": manifest for publication_id, manifest in rows}


def _text(contents: dict[str, str], publications: dict[str, str], schema: int) -> str:
    """What a link says. A column that a later migration adds is no part of it, so the schema stands in it."""
    of_schema = {} if schema == FIRST_SCHEMA else {"layout": str(schema)}
    return json.dumps(contents | publications | of_schema, sort_keys=True)


def _schema(text: str) -> int:
    return int(json.loads(text).get("layout", FIRST_SCHEMA))


def _link(previous: str, run_id: int, text: str) -> str:
    return hashlib.sha256(f"{previous}\n{run_id}\n{text}".encode()).hexdigest()
