"""Opens the warehouse: the writer's file, one process at a time, and nobody else's."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import RLock

import duckdb

from expectations.contract import source_names
from expectations.suite import Validator
from transforms.reference.tables import static_tables
from transforms.sql import identifier
from warehouse.store.damage import WAREHOUSE, as_damaged, damage_is_said
from warehouse.store.failures import EnvironmentProblem
from warehouse.store.home import Home, private_files
from warehouse.store.home_state import require_home, require_ledger, require_newest
from warehouse.store.key import content_secret, fingerprint, hmac_pads, load_key
from warehouse.store.lock import writer_lock
from warehouse.store.migrations import migrate
from warehouse.store.queries import install_macros, roll_back, single_value
from warehouse.store.settings import SETTINGS
from warehouse.store.states import prepare_states
from warehouse.store.stopping import interruptible

MEMORY_LIMIT = "1500MB"
THREADS = 2
LEAST_FREE_BYTES = 200 * 1024**2


class Warehouse:
    """The open warehouse. ``connection`` is the only way in; ``turn`` lets one task of a flow at a time onto it."""

    def __init__(self, home: Home, connection: duckdb.DuckDBPyConnection) -> None:
        self.home = home
        self.connection = connection
        self.validator = Validator(connection)
        self.turn = RLock()

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """All or nothing: commits at the end of the block, rolls back on any error."""
        self.connection.execute("BEGIN")
        try:
            yield self.connection
            self.connection.execute("COMMIT")
        except BaseException:
            roll_back(self.connection)
            raise

    @contextmanager
    def trial(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """To see what would change: whatever the block does is taken back at its end."""
        self.connection.execute("BEGIN")
        try:
            yield self.connection
        finally:
            self.connection.execute("ROLLBACK")


# What the block that we are in has open. Another thread is in none of it: it opens a home of its own, or is refused.
_OPEN: ContextVar[tuple[Warehouse, ...]] = ContextVar("open", default=())


@contextmanager
def open_warehouse(root: Path, purpose: str, *, making: bool = False) -> Iterator[Warehouse]:
    """The warehouse of ``root`` for the block; inside a block that already has it, the same one.

    For those who write; whoever only asks has ``warehouse.store.looking``. ``making``: `kpi init`, which may find no home, or what is left of one.
    Raises EnvironmentProblem where there is no installation, or one that has lost its warehouse or holds an old one; where another process
    holds it, the disk is full, or the key is not its own; Damaged, also out of the block, where its file is.
    """
    resolved = root.resolve()
    if (already := open_here(resolved)) is not None:
        yield already
        return
    home = Home(resolved)
    if not making:
        require_home(home)
    # Also DuckDB's own files, which it makes anew as it likes.
    with private_files():
        home.make()
        _require_space(home)
        with damage_is_said(*WAREHOUSE), writer_lock(home.lock, purpose):
            _sweep(home)
            with connected(home.warehouse, home.spool) as connection:
                if not making:
                    require_ledger(connection, home)
                prepare(connection, home)
                if not making:
                    require_newest(connection, home)
                warehouse = Warehouse(home, connection)
                before = _OPEN.set((*_OPEN.get(), warehouse))
                try:
                    yield warehouse
                finally:
                    _OPEN.reset(before)


def open_here(root: Path) -> Warehouse | None:
    """The warehouse of ``root`` where the block that we are in has it open."""
    return next((warehouse for warehouse in _OPEN.get() if warehouse.home.root == root.resolve()), None)


def _sweep(home: Home) -> None:
    """Removes what a killed run left half-made: it may hold personal data, and nobody would ever read it again."""
    for unfinished in (*home.landing.glob("*/.*.part"), *home.quarantine.glob("*/*.part")):
        unfinished.unlink()
    for left in home.spool.iterdir():
        # A link goes, and what it leads to stays.
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink()


def _require_space(home: Home) -> None:
    free = shutil.disk_usage(home.root).free
    if free < LEAST_FREE_BYTES:
        raise EnvironmentProblem(
            f"only {free // 1024**2} MiB are free on the disk of {home.root}; make room, then run this again"
        )


@contextmanager
def connected(file: Path, spool: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse file open for writing, made where it is missing. What does not fit into memory goes to ``spool``; a signal interrupts its queries."""
    try:
        connection = duckdb.connect(
            str(file),
            config={"memory_limit": MEMORY_LIMIT, "threads": THREADS, "temp_directory": str(spool)},
        )
    except duckdb.IOException as problem:
        unopened = EnvironmentProblem(f"the warehouse {file} cannot be opened: {problem}")
        raise as_damaged(problem, *WAREHOUSE) or unopened from problem
    try:
        with interruptible(connection):
            yield connection
    finally:
        connection.close()


def prepare(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Schema, reference tables, session settings and the key, which is made for a new warehouse. Does nothing twice."""
    prepare_tables(connection, home)
    known = key_fingerprint(connection)
    key = load_key(home, known)
    if known is None:
        connection.execute("INSERT INTO ledger.meta VALUES ('key_fingerprint', $1)", [fingerprint(key)])
    install_key(connection, key)


def key_fingerprint(connection: duckdb.DuckDBPyConnection) -> str | None:
    """Of the key that the data were made with; None where there are none yet."""
    found: str | None = single_value(connection, "SELECT value FROM ledger.meta WHERE name = 'key_fingerprint'")
    return found


def prepare_tables(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """The same without the key."""
    configure(connection)
    migrate(connection, str(home.warehouse))
    # In one transaction: each statement by itself would be put on disk by itself.
    connection.execute("BEGIN")
    try:
        install_reference(connection)
        prepare_states(connection, source_names())
    except BaseException:
        roll_back(connection)
        raise
    connection.execute("COMMIT")


def configure(connection: duckdb.DuckDBPyConnection) -> None:
    """What a connection needs that derives: it is lost with the connection."""
    for setting in SETTINGS:
        connection.execute(setting)
    install_macros(connection)


def install_key(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Puts the padded keys into session variables: they never reach the file or a query's text."""
    names = ("hmac_inner_pad", "hmac_outer_pad", "content_secret")
    for name, secret in zip(names, (*hmac_pads(key), content_secret(key)), strict=True):
        connection.execute(f"SET VARIABLE {name} = $1::BLOB", [secret])


def install_reference(connection: duckdb.DuckDBPyConnection) -> None:
    """(Re)creates the tables of schema ``reference`` that rules and evidence look things up in."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS reference")
    for name, frame in static_tables().items():
        connection.register("reference_frame", frame.to_arrow())
        connection.execute(f"CREATE OR REPLACE TABLE reference.{identifier(name)} AS SELECT * FROM reference_frame")
        connection.unregister("reference_frame")
