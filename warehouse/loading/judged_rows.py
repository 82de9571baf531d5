"""How the rows of one landed delivery are judged: the one way, for a load and for `kpi validate` alike.

Temporary tables: ``batch_typed`` (typed rows), ``batch_broken`` (rows that break a rule of quarantine, or conflict, with all reasons),
``batch_clean`` (the others, as they would be kept), ``batch_decisions`` (what those are whose key and state time occur more than once).
"""

from pathlib import Path

import duckdb

from expectations.contract import Contract
from expectations.identity import clean_rows, decisions
from expectations.layout import landed_rows
from expectations.rules import broken_rules
from expectations.typed_read import FileTraits, typed_rows
from warehouse.landing.delivery import Landed
from warehouse.loading.checks import refuse_changed_types


def read_rows(
    connection: duckdb.DuckDBPyConnection, contract: Contract, landed: Landed, archive: Path, batch_id: int, file: str
) -> None:
    """``batch_typed``, from the landed ``archive``. Raises DeliveryRefused for columns that have changed their type."""
    traits = FileTraits(landed.decimal_comma, landed.is_typed)
    typed = typed_rows(contract, traits, landed_rows(contract, landed.layout, absent=landed.absent))
    query = f"CREATE OR REPLACE TEMP TABLE batch_typed AS {typed}"
    connection.execute(query, {"landing": str(archive), "batch_id": batch_id})
    refuse_changed_types(connection, contract, file)


def judge_rows(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """``batch_broken``, by the rules of single rows and of groups."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE batch_broken AS {broken_rules(contract)}")


def decide_identity(connection: duckdb.DuckDBPyConnection, contract: Contract, is_correction: bool) -> None:
    """``batch_clean`` and ``batch_decisions``, against the known states; conflicts join ``batch_broken``."""
    # A view: keyed hashes are computed once, for the rows that are compared or kept.
    connection.execute(f"CREATE OR REPLACE TEMP VIEW batch_clean AS {clean_rows(contract)}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE batch_decisions AS {decisions(contract, is_correction)}")
    connection.execute(
        "INSERT INTO batch_broken SELECT row_number, [$1] FROM batch_decisions WHERE decision = 'conflict'",
        [f"{contract.prefix}-CONFLICT"],
    )
