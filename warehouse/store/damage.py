"""Damage of a file that DuckDB reads, said in one sentence with its remedy: whatever the kind of error in which it comes to light.

A block whose checksum differs comes as a bare ``duckdb.Error``, a cut file as an IO error, a broken catalog as several others; a query
after the first failure says only that the database is invalid. So the whole chain of causes is looked through.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from warehouse.store.disk import FULL_WORDS
from warehouse.store.failures import Damaged, EnvironmentProblem

_KINDS = (duckdb.SerializationException, duckdb.InternalException, duckdb.FatalException, duckdb.CatalogException)
# Of the other kinds (a cut file or WAL, a Parquet file) the words tell.
_WORDS = (
    "orrupt",
    "checksum",
    "Could not read enough bytes",
    "not a valid DuckDB",
    "magic bytes",
    "Parquet",
    "Snappy",
    "ZSTD",
    "Thrift",
)
# These come in the same kinds, and are no damage.
_OTHERWISE = (*FULL_WORDS, "Could not set lock", "Permission denied")

# What a broken Parquet file raises: DuckDB's own words on it may quote bytes that are no text.
UNREADABLE = (duckdb.Error, UnicodeDecodeError)
# What is damaged, and what mends it.
WAREHOUSE = (
    "the warehouse of this home is damaged",
    "`kpi doctor --deep` names what is; restore warehouse.duckdb from a backup, then `kpi run`",
)


def damage_in(problem: BaseException | None) -> duckdb.Error | None:
    """The first error of the chain of causes that tells of damage; None where none does."""
    found = None
    while problem is not None:
        if isinstance(problem, duckdb.Error) and _tells_damage(problem):
            found = problem
        problem = problem.__cause__ or problem.__context__
    return found


def as_damaged(problem: BaseException, what: str, remedy: str) -> Damaged | None:
    """The sentence on the damage behind ``problem``; None where it is something else."""
    if (damage := damage_in(problem)) is None:
        return None
    return Damaged(f"{what}: {one_line(damage)}; {remedy}")


@contextmanager
def damage_is_said(what: str, remedy: str) -> Iterator[None]:
    """Whatever the block raises because of damage becomes ``Damaged``; what has its own sentence, and all else, stays what it is."""
    try:
        yield
    except EnvironmentProblem:
        raise
    except Exception as problem:
        if (damaged := as_damaged(problem, what, remedy)) is not None:
            raise damaged from problem
        raise


def one_line(problem: BaseException) -> str:
    """The first line of what DuckDB says: a stack of addresses may follow."""
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0].strip()


def _tells_damage(problem: duckdb.Error) -> bool:
    text = str(problem)
    if any(word in text for word in _OTHERWISE):
        return False
    return type(problem) is duckdb.Error or isinstance(problem, _KINDS) or any(word in text for word in _WORDS)
