"""Checks one file against its contract, in memory: loads nothing, keeps nothing, never shows a value."""

import difflib
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
from xlsxwriter.exceptions import FileCreateError

from expectations.contract import Contract, load_contract, source_names
from expectations.layout import delivered_place, landed_names, layouts_of, lookup_hint
from expectations.remedy import SPELLINGS, remedy_of
from expectations.rule import Rule
from expectations.rules import condition, row_rules
from transforms.odd_text import printable
from transforms.periods import clock_now
from warehouse.landing.delivery import Landed, land_delivery
from warehouse.landing.line_numbers import keep_shifts, letter_of, line_of
from warehouse.landing.refusal import DeliveryRefused
from warehouse.loading.judged_rows import decide_identity, judge_rows, read_rows
from warehouse.loading.marked_copy import MARKED_FORMATS, Said, write_marked_copy
from warehouse.store.connection import configure, install_key, install_reference
from warehouse.store.failures import WrongUsage
from warehouse.store.places import Place, place
from warehouse.store.queries import first_row, single_value
from warehouse.store.states import prepare_states
from warehouse.store.stopping import interruptible

FIRST_ROWS = 10


def validate_file(file: Path, source: str, language: str = "id") -> dict[str, Any]:
    """{file, source, ok, rows, faulty_rows, refused, marked_copy, marked_copy_problem, failures: [{rule, severity, column, message, remedy,
    rows, first_rows, first_places: [{row, line, cell}]}], notes: [what is odd of a workbook]}.

    ``language`` is ``id`` or ``en``; of a marked copy that cannot be written, ``marked_copy_problem`` says why. Raises WrongUsage for an
    unknown source, a file that is not there, or an unknown language.
    """
    if language not in ("id", "en"):
        raise WrongUsage(f"no messages in language {language!r}; use id or en")
    if source not in source_names():
        raise WrongUsage(_unknown_source(source, language))
    contract = load_contract(source).on(clock_now().date())
    if not file.exists():
        gone = printable(str(file))
        raise WrongUsage(f"tidak ada berkas {gone}" if language == "id" else f"there is no file {gone}")
    shown = printable(file.name)
    with (
        tempfile.TemporaryDirectory(prefix="kpi-validate-") as folder,
        duckdb.connect() as connection,
        interruptible(connection),
    ):
        landed = Path(folder) / "landed.parquet"
        try:
            traits = land_delivery(
                file, shown, contract.delivered_names, landed, Path(folder), layouts=layouts_of(contract)
            )
            _prepare(connection, contract)
            read_rows(connection, contract, traits, landed, 0, shown)
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
                "marked_copy_problem": None,
            }
        judge_rows(connection, contract)
        decide_identity(connection, contract, is_correction=False)
        keep_shifts(connection, traits.places, landed, landed_names(contract, traits.layout), "batch_shifts")
        advice = _Advice(connection, contract, traits.layout)
        failures = _failures(connection, contract, language, traits, advice)
        faulty = single_value(connection, "SELECT count(*) FROM batch_broken")
        copy, problem = None, None
        if traits.format in MARKED_FORMATS:
            said = {rule.id: Said(*advice.of(rule, language)) for rule in contract.all_rules}
            copy, problem = _marked_copy(connection, contract, landed, file, language, traits, said)
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
        "marked_copy_problem": problem,
    }


def _unknown_source(source: str, language: str) -> str:
    known, near = ", ".join(source_names()), difflib.get_close_matches(source, source_names(), 1)
    if language == "id":
        meant = f" (maksud Anda {near[0]}?)" if near else ""
        return f"sumber {source!r} tidak dikenal{meant}; yang dikenal: {known}"
    meant = f" (did you mean {near[0]}?)" if near else ""
    return f"unknown source {source!r}{meant}; known: {known}"


def _marked_copy(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    landed: Path,
    file: Path,
    language: str,
    traits: Landed,
    said: dict[str, Said],
) -> tuple[Path | None, str | None]:
    """The copy, or why it could not be written: what was found must be told all the same."""
    try:
        return write_marked_copy(connection, contract, landed, file, language, traits, said), None
    except (OSError, FileCreateError) as problem:
        return None, str(problem)
    except DeliveryRefused as refused:
        # Another sheet than the first, which alone is judged, broke the reader.
        return None, refused.message_id if language == "id" else refused.message


class _Advice:
    """What the rules of a contract say to a clerk about a file of this layout."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, contract: Contract, layout: str | None) -> None:
        self._connection, self._contract, self._layout = connection, contract, layout

    def message(self, rule: Rule, language: str) -> str:
        """What is wrong; of a cell that is looked up, also that there is a list."""
        message = str(getattr(rule.message, language))
        hint = None if rule.is_kind("required") else lookup_hint(self._contract.column_named(rule.column), self._layout)
        if hint is None:
            return message
        # That a text is no whole number says nothing to whoever writes words.
        return str(getattr(hint, language)) if rule.is_kind("readable") else f"{message} {getattr(hint, language)}"

    def remedy(self, rule: Rule, language: str) -> str | None:
        """What to do, with the codes that are allowed; None where the message alone says it."""
        found = remedy_of(self._contract, rule, self._layout, self._codes)
        return None if found is None else str(getattr(found, language))

    def of(self, rule: Rule, language: str) -> tuple[str, str | None]:
        return self.message(rule, language), self.remedy(rule, language)

    def _codes(self, name: str) -> list[str]:
        table, _, column = name.partition(".")
        query = f"SELECT DISTINCT {column} FROM reference.{table} ORDER BY 1"
        if name.startswith(SPELLINGS):
            query = f"SELECT min(spelling) FROM reference.spellings WHERE kind = '{column}' GROUP BY code ORDER BY code"
        return [str(code) for (code,) in self._connection.execute(query).fetchall()]


def _prepare(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """What judging needs of a warehouse, with no state known."""
    configure(connection)
    install_reference(connection)
    prepare_states(connection, [contract.source])
    # Keys are hashed only to be compared within this file.
    install_key(connection, b"kpi validate")


def _failures(
    connection: duckdb.DuckDBPyConnection, contract: Contract, language: str, traits: Landed, advice: "_Advice"
) -> list[dict[str, Any]]:
    layout, places = traits.layout, traits.places

    def place_of(rule: Rule, row: int) -> Place:
        letter = letter_of(contract, contract.column_named(rule.column), layout, places)
        return place(row, line_of(connection, places, "batch_shifts", row), [letter] if letter else None)

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
            "message": advice.message(rule, language),
            "remedy": advice.remedy(rule, language),
            "rows": held[rule.id][0],
            "first_rows": held[rule.id][1],
            "first_places": [asdict(place_of(rule, row)) for row in held[rule.id][1]],
        }
        for rule in contract.all_rules
        if rule.id in held
    ]
