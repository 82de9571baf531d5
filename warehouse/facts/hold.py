"""Holds numbers back in the transaction that derives them: each keeps its last published version, flagged, or has no number.

What the run has entered of them is taken back before anybody has seen it, and what is published meanwhile is entered in its place. So the
facts stay append-only, and what was contested when can be asked for as everything else can.
"""

from collections.abc import Collection, Sequence

import duckdb
import polars as pl

from expectations.contested import VALUE, Fact
from transforms.facts import FactTable
from transforms.reference import office
from transforms.sql import identifier, load_sql
from warehouse.facts.versions import KPI_SCORES, KPI_VALUES, enter_fresh
from warehouse.store.runs import Run

_COLUMNS = ("measure", "item", "period", "year", "office")
_SCHEMA = dict.fromkeys(_COLUMNS, pl.String) | {"year": pl.Int32}
# Of each table: the key's columns as they are named here.
_OF_VALUES = "SELECT item, period, office FROM judged_facts WHERE measure = 'value'"
_OF_SCORES = "SELECT measure, item, year, office FROM judged_facts WHERE measure <> 'value'"


def hold(
    connection: duckdb.DuckDBPyConnection,
    contested: Collection[Fact],
    waived: Collection[Fact],
    frozen: Collection[int],
    run: Run,
) -> set[Fact]:
    """Holds back the ``contested`` numbers as the run derives them, and flags the ``waived`` values. Gives all that is held back then.

    ``frozen``: years of which the run may enter nothing. A number without a value, before and now, is none to hold back.
    """
    may_change = {fact for fact in contested if fact.year not in frozen}
    values = {fact for fact in waived if fact.measure == VALUE}
    marked = {fact for fact in values | _flagged_waived(connection) if fact.year not in frozen} - may_change
    if may_change:
        _judge(connection, may_change)
        _enter_instead(connection, KPI_VALUES, _OF_VALUES, "hold_values.sql", run)
        _enter_instead(connection, KPI_SCORES, _OF_SCORES, "hold_scores.sql", run)
    if marked:
        _judge(connection, marked)
        names = [f"{fact.item} {fact.period}" for fact in values]
        _enter_instead(connection, KPI_VALUES, _OF_VALUES, "mark_waived.sql", run, names)
    connection.execute("DROP TABLE IF EXISTS judged_facts")
    for query in ("note_released_values.sql", "note_released_scores.sql"):
        connection.execute(load_sql("warehouse.facts", query), {"run": run.name})
    return held_facts(connection)


def held_facts(connection: duckdb.DuckDBPyConnection) -> set[Fact]:
    """The numbers that are held back now."""
    rows = connection.execute(
        load_sql("warehouse.facts", "held_facts.sql"), {"office": office().office_code}
    ).fetchall()
    return {Fact(*row) for row in rows}


def _flagged_waived(connection: duckdb.DuckDBPyConnection) -> set[Fact]:
    rows = connection.execute(
        load_sql("warehouse.facts", "waived_values.sql"), {"office": office().office_code}
    ).fetchall()
    return {Fact(VALUE, item, period) for item, period in rows}


def _judge(connection: duckdb.DuckDBPyConnection, facts: Collection[Fact]) -> None:
    """(Re)creates the temporary table ``judged_facts``."""
    rows = [[fact.measure, fact.item, fact.period, fact.year, office().office_code] for fact in sorted(facts)]
    connection.register("judged_frame", pl.DataFrame(rows, schema=_SCHEMA, orient="row").to_arrow())
    connection.execute("CREATE OR REPLACE TEMP TABLE judged_facts AS FROM judged_frame")
    connection.unregister("judged_frame")


def _enter_instead(
    connection: duckdb.DuckDBPyConnection,
    table: FactTable,
    judged: str,
    query: str,
    run: Run,
    waived: Sequence[str] | None = None,
) -> None:
    """Takes back what the run has entered of the judged facts of ``table`` and enters what ``query`` makes of it, if that differs.

    The query sees both: ``derived_facts``, what stood until now, and the table, in which the versions before the run stand again.
    """
    among = f"({', '.join(map(identifier, table.key))}) IN ({judged})"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE derived_facts AS SELECT * EXCLUDE (known_from, known_to, closed_by) FROM {table.name} "
        f"WHERE known_to IS NULL AND {among}"
    )
    connection.execute(f"DELETE FROM {table.name} WHERE run = $1 AND known_to IS NULL AND {among}", [run.name])
    connection.execute(
        f"UPDATE {table.name} SET known_to = NULL, closed_by = NULL WHERE closed_by = $1 AND {among}", [run.name]
    )
    parameters = {"run": run.name} if waived is None else {"run": run.name, "waived": list(waived)}
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {table.fresh} AS {load_sql('warehouse.facts', query)}", parameters
    )
    enter_fresh(connection, table, "false", "cause", run.clock, run.name)
