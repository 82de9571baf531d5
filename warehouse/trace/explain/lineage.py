"""What every explanation has: the version of the number, its history, the deliveries behind it and the rules that let them in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from expectations.contested import CONTESTED, WITHHELD_CONTESTED
from expectations.contract import load_contract
from expectations.identity import states_table
from transforms.exact import decimal_text
from transforms.periods import Period
from transforms.reference import office
from transforms.sql import identifier, load_sql
from warehouse.facts.derive import View
from warehouse.store.failures import NothingKnown
from warehouse.store.queries import records, single_value

Row = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """The period that is asked for, and the instant as of which (None: now)."""

    period: Period
    clock: datetime | None = None

    def then(self) -> str:
        return f" as known on {self.clock:%Y-%m-%d}" if self.clock else ""


@dataclass(frozen=True)
class Fact:
    """One version of a number with everything its table says of it, and all versions with the same key, oldest first."""

    row: Row
    versions: list[Row]

    @property
    def value(self) -> str | None:
        return _text(self.row)

    @property
    def origin(self) -> Row:
        """The version whose number this is: of one that stays although it is contested, the last one before that was not."""
        if not is_held_back(self.row) or self.row["value"] is None:
            return self.row
        before = [row for row in self.versions if row["known_from"] <= self.row["known_from"] and not is_held_back(row)]
        return before[-1] if before else self.row

    @property
    def missing_since(self) -> datetime:
        """From when on there has been no value, without a break, up to this version."""
        since: datetime = self.row["known_from"]
        for row in reversed([row for row in self.versions if row["known_from"] < since]):
            if row.get("value") is not None:
                break
            since = row["known_from"]
        return since

    def view(self, connection: duckdb.DuckDBPyConnection) -> View:
        """From where the run that entered this number looked: its clock and the deliveries that it knew."""
        query = (
            "SELECT coalesce(max(batch_id), 0) FROM ledger.batches "
            "WHERE run_id <= (SELECT run_id FROM ledger.runs WHERE run = $1)"
        )
        return View(self.origin["known_from"], int(single_value(connection, query, [self.origin["run"]])))

    def history(self, connection: duckdb.DuckDBPyConnection) -> list[Row]:
        """[{value, status, known_from, known_to, reason}]; a restatement with who approved it and why."""
        approved = {
            run: {"approver": approver, "restatement": reason}
            for run, approver, reason in connection.execute(
                "SELECT run, approver, restatements.reason FROM ledger.restatements JOIN ledger.runs USING (run_id)"
            ).fetchall()
        }
        return [
            {
                "value": _text(row),
                "status": CONTESTED if is_held_back(row) and row["value"] is not None else row.get("status"),
                "known_from": row["known_from"].isoformat(),
                "known_to": row["known_to"].isoformat() if row["known_to"] else None,
                "reason": row["reason"],
                **approved.get(row["run"], {}),
            }
            for row in self.versions
        ]


def is_held_back(row: Row) -> bool:
    """Whether a printed number contradicts what was derived when this version was entered."""
    return CONTESTED in (row.get("flags") or []) or row.get("status") in (CONTESTED, WITHHELD_CONTESTED)


def versions_of(connection: duckdb.DuckDBPyConnection, table: str, key: Row) -> list[Row]:
    """All versions of our office's number with this key in ``table`` (of schema ``facts``), oldest first."""
    key = key | {"office": office().office_code}
    where = " AND ".join(f"{identifier(column)} = ${column}" for column in key)
    return records(connection, f"SELECT * FROM {table} WHERE {where} ORDER BY known_from, run", key)


def find_fact(connection: duckdb.DuckDBPyConnection, table: str, key: Row, question: Question, name: str) -> Fact:
    """The version that was known. Raises NothingKnown where there is none."""
    versions = versions_of(connection, table, key)
    for row in reversed(versions):
        if question.clock is None and row["known_to"] is None:
            return Fact(row, versions)
        if (
            question.clock
            and row["known_from"] <= question.clock
            and (row["known_to"] or datetime.max) > question.clock
        ):
            return Fact(row, versions)
    raise NothingKnown(
        f"nothing is known of {name} {question.period.id}{question.then()}; `kpi values` and `kpi services` list what is"
    )


def deliveries_of_rows(
    connection: duckdb.DuckDBPyConnection, source: str, condition: str, parameters: Row, view: View
) -> list[tuple[int, int]]:
    """(batch, rows) of the standing states of a source that meet ``condition``, as the view sees them."""
    contract = load_contract(source)
    if contract.state:
        condition += f" AND CAST({identifier(contract.state.time)} AS TIMESTAMP) <= $clock"
        parameters = parameters | {"clock": view.clock}
    rows = connection.execute(
        f"SELECT batch_id, count(*) FROM {states_table(contract)} WHERE row_is_known(batch_id, replaced_by_batch_id, $known_batch) "
        f"AND ({condition}) GROUP BY batch_id",
        parameters | {"known_batch": view.known_batch},
    ).fetchall()
    return [(batch, count) for batch, count in rows]


def described(connection: duckdb.DuckDBPyConnection, rows_by_batch: Iterable[tuple[int, int]]) -> dict[str, Any]:
    """``deliveries`` (source, file, sha256, rows used), ``rules`` (what they were checked by) and ``corrections`` among them."""
    used = dict(rows_by_batch)
    batches = {"batches": sorted(used)}
    found = connection.execute(load_sql("warehouse.trace", "explained_deliveries.sql"), batches).fetchall()
    rules = connection.execute(load_sql("warehouse.trace", "explained_rules.sql"), batches).fetchall()
    corrected = connection.execute(load_sql("warehouse.trace", "explained_corrections.sql"), batches).fetchall()
    return {
        "deliveries": [
            {"source": source, "file": file, "sha256": sha256, "rows": used[batch]}
            for batch, source, file, sha256 in found
        ],
        "rules": [
            {"source": source, "rule": rule, "rows_checked": checked, "rows_failed": failed}
            for source, rule, checked, failed in rules
        ],
        "corrections": [
            {"id": name, "source": source, "key": key, "column": column, "reason": reason, "owner": owner}
            for name, source, key, column, reason, owner in corrected
        ],
    }


def reproduced(value: str | None, again: str | None) -> bool | None:
    """Whether the records give the value again; None where neither is one: nothing was reproduced then."""
    if value is None and again is None:
        return None
    return again == value


def merged(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The lineage of several numbers together: every delivery once, with all of its used rows."""
    deliveries: dict[str, Row] = {}
    rules: dict[tuple[str, str], Row] = {}
    corrections: dict[str, Row] = {}
    for part in parts:
        for delivery in part["deliveries"]:
            known = deliveries.setdefault(delivery["file"] + delivery["sha256"], delivery | {"rows": 0})
            known["rows"] += delivery["rows"]
        rules |= {(rule["source"], rule["rule"]): rule for rule in part["rules"]}
        corrections |= {entry["id"]: entry for entry in part["corrections"]}
    return {
        "deliveries": sorted(deliveries.values(), key=lambda delivery: (delivery["source"], delivery["file"])),
        "rules": [rules[key] for key in sorted(rules)],
        "corrections": list(corrections.values()),
    }


def _text(row: Row) -> str | None:
    """A number with its decimals; what is text already as it is."""
    value = row.get("value")
    return value if value is None or isinstance(value, str) else decimal_text(value, row.get("decimals"))
