"""Checks one file against its contract, in memory: loads nothing, keeps nothing, never shows a value."""

import tempfile
from pathlib import Path
from typing import Any

import duckdb

from expectations.contract import Contract, load_contract
from expectations.identity import clean_rows, standing
from expectations.layout import delivered_place, landed_rows, layouts_of
from expectations.rules import broken_rules, condition, row_rules
from expectations.typed_read import FileTraits, typed_rows
from transforms.odd_text import printable
from transforms.periods import clock_now
from warehouse.connection import SETTINGS, create_states_table, install_key, install_reference
from warehouse.delivery import Landed, land_delivery
from warehouse.delivery_checks import refuse_changed_types
from warehouse.marked_copy import said_of, write_marked_copy
from warehouse.queries import first_row, single_value
from warehouse.refusal import DeliveryRefused

FIRST_ROWS = 10


def validate_file(file: Path, source: str, language: str = "id") -> dict[str, Any]:
    """{file, source, ok, rows, faulty_rows, refused, marked_copy, notes, failures: [{rule, severity, column, message, rows, first_rows}]}.

    ``language`` is ``id`` or ``en``. Raises KeyError for an unknown source, ValueError for an unknown language.
    """
    if language not in ("id", "en"):
        raise ValueError(f"no messages in language {language!r}; use id or en")
    contract = load_contract(source).on(clock_now().date())
    shown = printable(file.name)
    if not file.exists():
        raise ValueError(f"there is no file {printable(str(file))}")
    with tempfile.TemporaryDirectory(prefix="kpi-validate-") as folder, duckdb.connect() as connection:
        landed = Path(folder) / "landed.parquet"
        try:
            traits = land_delivery(
                file, shown, contract.delivered_names, landed, Path(folder), layouts=layouts_of(contract)
            )
            _read(connection, contract, shown, landed, traits)
        except DeliveryRefused as refused:
            message = refused.message_id if language == "id" else refused.message
            return {
                "file": shown,
                "source": source,
                "ok": False,
                "rows": 0,
                "faulty_rows": 0,
                "refused": message,
                "notes": [],
                "failures": [],
                "marked_copy": None,
            }
        _judge(connection, contract)
        failures = _failures(connection, contract, language, traits.layout)
        faulty = single_value(connection, "SELECT count(*) FROM batch_broken")
        copy = None
        if file.suffix.lower() == ".xlsx":
            copy = write_marked_copy(connection, contract, landed, file, language, traits.layout)
    return {
        "file": shown,
        "source": source,
        "ok": faulty == 0 and not any(failure["severity"] == "refuse" for failure in failures),
        "rows": traits.rows,
        "faulty_rows": faulty,
        "refused": None,
        "notes": [said_id if language == "id" else en for _, en, said_id in traits.oddities],
        "failures": failures,
        "marked_copy": str(copy) if copy else None,
    }


def _read(connection: duckdb.DuckDBPyConnection, contract: Contract, name: str, landed: Path, traits: Landed) -> None:
    """``batch_typed``, as a load makes it. Raises DeliveryRefused as a load does."""
    for setting in SETTINGS:
        connection.execute(setting)
    install_reference(connection)
    create_states_table(connection, contract.source)
    # Keys are hashed only to be compared within this file.
    install_key(connection, b"kpi validate")
    typed = typed_rows(
        contract, FileTraits(traits.decimal_comma, traits.is_typed), landed_rows(contract, traits.layout)
    )
    connection.execute(f"CREATE TEMP TABLE batch_typed AS {typed}", {"landing": str(landed), "batch_id": 0})
    refuse_changed_types(connection, contract, name)


def _judge(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """The other tables that a load makes, without known states."""
    connection.execute(f"CREATE TEMP TABLE batch_broken AS {broken_rules(contract)}")
    connection.execute(f"CREATE TEMP TABLE batch_clean AS {clean_rows(contract)}")
    connection.execute(f"CREATE TEMP TABLE batch_standing AS {standing(contract, is_correction=False)}")
    connection.execute(
        "INSERT INTO batch_broken SELECT row_number, [$1] FROM batch_standing WHERE standing = 'conflict'",
        [f"{contract.prefix}-CONFLICT"],
    )


def _failures(
    connection: duckdb.DuckDBPyConnection, contract: Contract, language: str, layout: str | None
) -> list[dict[str, Any]]:
    held = {
        rule: (count, rows)
        for rule, count, rows in connection.execute(
            f"SELECT unnest(reasons) AS rule, count(*), list(row_number ORDER BY row_number)[1:{FIRST_ROWS}] FROM batch_broken GROUP BY rule"
        ).fetchall()
    }
    for rule in row_rules(contract):
        if rule.severity != "quarantine":
            row = first_row(
                connection,
                f"SELECT count(*), list(row_number ORDER BY row_number)[1:{FIRST_ROWS}] FROM batch_typed "
                f"WHERE ({condition(contract, rule)}) IS FALSE",
            )
            if row and row[0]:
                held[rule.id] = row
    return [
        {
            "rule": rule.id,
            "severity": rule.severity,
            "column": delivered_place(contract, contract.column_named(rule.column), layout),
            "message": said_of(contract, rule, layout, language),
            "rows": held[rule.id][0],
            "first_rows": held[rule.id][1],
        }
        for rule in contract.all_rules
        if rule.id in held
    ]
