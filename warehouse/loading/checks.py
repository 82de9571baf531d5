"""Checks of a delivery as a whole: the totals that it brought along, and its volume and shares against its source's own history.

Totals refuse it where they differ; what the history says is a note, and states the history that the bound rests on.
"""

import errno
import os
import stat
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Annotated

import duckdb
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from expectations.columns import TYPE_NAMES_ID
from expectations.contract import Contract
from transforms.sql import identifier
from warehouse.landing.delivery import Landed
from warehouse.landing.inbox import CONTROL
from warehouse.landing.refusal import DeliveryRefused
from warehouse.store.queries import first_row, single_value

MOST_CONTROL_BYTES = 64 * 1024
# The checks that concern the file alone; the others compare it with its source's history.
OF_THE_FILE = ("formulas", "hidden rows", "merged cells")
# A volume is odd beyond these times the median of at least so many earlier deliveries.
LEAST_DELIVERIES, ODD_TIMES = 5, 10
# A whole column that cannot be read is a changed type, not so many faulty rows; below this many rows nobody can tell.
LEAST_ROWS_OF_A_CHANGED_TYPE = 3
# The share of empty values, or of one value, is odd where it moved by so many hundredths, of at least so many rows.
ODD_HUNDREDTHS, LEAST_ROWS = 20, 100
SHOWN_KEYS = 5
# Not one that was judged again: it was delivered once.
DELIVERED = "batch_id NOT IN (SELECT batch_id FROM ledger.reprocessed)"


@dataclass(frozen=True)
class Finding:
    """What a check found, in both languages."""

    check: str
    is_good: bool
    en: str
    id: str


def _no_truth_value(value: object) -> object:
    """`true` is no number of rows, though Python takes it for 1."""
    if isinstance(value, bool):
        raise ValueError("a number is expected")
    return value


_Count = Annotated[int, BeforeValidator(_no_truth_value)]


class _Totals(BaseModel):
    """``<file>.control.json``: what the sender counted. ``received`` and ``outcomes`` are of proposal logs alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    rows: _Count
    received: _Count | None = None
    outcomes: dict[str, _Count] = {}


def refuse_changed_types(connection: duckdb.DuckDBPyConnection, contract: Contract, file: str) -> None:
    """Raises DeliveryRefused where no value of a column in ``batch_typed`` can be read as its type."""
    columns = [column for column in contract.columns if column.can_be_unreadable and column.identity]
    sums = ", ".join(
        f"count(*) FILTER ({c.mark('unreadable')}), "
        f"count(*) FILTER ({identifier(c.column)} IS NOT NULL OR {c.mark('unreadable')})"
        for c in columns
    )
    row = first_row(connection, f"SELECT {sums} FROM batch_typed") if columns else ()
    for column, unreadable, given in zip(columns, (row or ())[::2], (row or ())[1::2], strict=True):
        if unreadable == given >= LEAST_ROWS_OF_A_CHANGED_TYPE:
            form = f" ({column.format})" if column.format else ""
            raise DeliveryRefused(
                "changed_type",
                f"{file}: column {column.name}: none of its {given} values can be read as {column.type}{form}; "
                "deliver the column in its agreed type",
                f"{file}: kolom {column.name}: tidak satu pun dari {given} nilainya terbaca sebagai {TYPE_NAMES_ID[column.type]}{form}; "
                "kirim kolom ini dalam tipe yang disepakati",
            )


def check_totals(connection: duckdb.DuckDBPyConnection, contract: Contract, file: str, place: Path) -> list[Finding]:
    """Compares ``batch_typed`` with the control totals beside the file; none where it brought none.

    Raises DeliveryRefused where they differ or cannot be read.
    """
    content = _control_file(file, place.with_name(place.name + CONTROL))
    if content is None:
        return []
    try:
        stated = _Totals.model_validate_json(content)
    except ValidationError:
        raise _refused(
            file, "the control file cannot be read; it holds rows, and for a log received and outcomes"
        ) from None
    counted = _counted(connection, contract)
    wanted = {"rows": stated.rows, **stated.outcomes} | (
        {} if stated.received is None else {"received": stated.received}
    )
    if unknown := sorted(wanted.keys() - counted.keys()):
        raise _refused(file, f"its control totals name {', '.join(unknown)}, which {contract.source} does not have")
    if differing := [
        f"{name} {wanted[name]}, counted {counted[name]}" for name in sorted(wanted) if wanted[name] != counted[name]
    ]:
        raise _refused(file, f"its control totals differ: {'; '.join(differing)}")
    text = ", ".join(f"{name} {number}" for name, number in sorted(wanted.items()))
    return [Finding("totals", True, f"as its control file says: {text}", f"sesuai berkas kontrol: {text}")]


def _control_file(file: str, control: Path) -> bytes | None:
    """What stands in the control file; None where there is none. Raises DeliveryRefused where it is no small ordinary file."""
    try:
        status = control.lstat()
    except OSError as problem:
        # A name that leaves no room for the ending has no control file.
        if problem.errno in (errno.ENOENT, errno.ENAMETOOLONG):
            return None
        raise _refused(file, f"the control file cannot be opened ({problem.strerror})") from None
    if not stat.S_ISREG(status.st_mode):
        raise _refused(file, "the control file is a link, a pipe or a folder, not a file")
    try:
        # What has taken its place since must be neither followed nor waited for.
        descriptor = os.open(control, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            content = stream.read(MOST_CONTROL_BYTES + 1)
    except OSError as problem:
        raise _refused(file, f"the control file cannot be opened ({problem.strerror})") from None
    if len(content) > MOST_CONTROL_BYTES:
        raise _refused(file, f"the control file is larger than {MOST_CONTROL_BYTES} bytes")
    return content


def check_file(landed: Landed) -> list[Finding]:
    """What a person sees otherwise than it was taken in, of a workbook."""
    return [Finding(what, False, en, said_id) for what, en, said_id in landed.oddities]


def check_history(
    connection: duckdb.DuckDBPyConnection, contract: Contract, batch_id: int, clock: datetime
) -> list[Finding]:
    """Volume, age and shares of ``batch_typed`` against earlier deliveries; notes the shares for later ones."""
    return [
        *_volume(connection, contract),
        *_freshness(connection, contract, clock),
        *_empty_shares(connection, contract, batch_id),
        *_category_shares(connection, contract, batch_id),
    ]


def keep_findings(connection: duckdb.DuckDBPyConnection, batch_id: int, findings: list[Finding]) -> None:
    for found in findings:
        connection.execute(
            "INSERT INTO ledger.delivery_checks VALUES ($1, $2, $3, $4, $5)",
            [batch_id, found.check, found.is_good, found.en, found.id],
        )


def _counted(connection: duckdb.DuckDBPyConnection, contract: Contract) -> dict[str, int]:
    rows = first_row(connection, "SELECT count(*) FROM batch_typed") or (0,)
    counted = {"rows": int(rows[0])}
    if not any(column.column == "status_code" for column in contract.columns):
        return counted
    received = first_row(
        connection, "SELECT count(DISTINCT record_key) FROM batch_typed WHERE received_at IS NOT NULL"
    ) or (0,)
    outcomes = connection.execute(
        "SELECT outcome, count(record_key) FROM reference.proposal_status LEFT JOIN batch_typed USING (status_code) GROUP BY outcome"
    ).fetchall()
    return counted | {"received": int(received[0])} | dict(outcomes)


def _volume(connection: duckdb.DuckDBPyConnection, contract: Contract) -> list[Finding]:
    before = [
        count
        for (count,) in connection.execute(
            f"SELECT landed FROM ledger.batches WHERE source = $1 AND NOT is_correction AND {DELIVERED}",
            [contract.source],
        ).fetchall()
    ]
    if len(before) < LEAST_DELIVERIES:
        return []
    rows = (first_row(connection, "SELECT count(*) FROM batch_typed") or (0,))[0]
    middle = int(median(before))
    if middle <= rows * ODD_TIMES and rows <= middle * ODD_TIMES:
        return []
    return [
        Finding(
            "volume", False,
            f"{rows:,} rows, where the median of {len(before)} earlier deliveries is {middle:,}: look whether it is whole",
            f"{rows:,} baris, sedangkan median {len(before)} kiriman terdahulu {middle:,}: periksa apakah lengkap",
        )
    ]  # fmt: skip


def _freshness(connection: duckdb.DuckDBPyConnection, contract: Contract, clock: datetime) -> list[Finding]:
    """Whether the source let more time pass since its delivery before than its contract expects."""
    query = (
        "SELECT max(clock) FROM ledger.batches JOIN ledger.runs USING (run_id) "
        f"WHERE source = $1 AND NOT is_correction AND {DELIVERED}"
    )
    last = single_value(connection, query, [contract.source])
    days = (clock - last).days if last is not None else 0
    if days <= contract.cadence_days:
        return []
    return [
        Finding(
            "freshness", False,
            f"came {days} days after the delivery before; expected every {contract.cadence_days} days: look whether one is missing",
            f"datang {days} hari setelah kiriman sebelumnya; seharusnya tiap {contract.cadence_days} hari: periksa apakah ada yang terlewat",
        )
    ]  # fmt: skip


def _category_shares(connection: duckdb.DuckDBPyConnection, contract: Contract, batch_id: int) -> list[Finding]:
    """Which values of the columns of few values came much more or much less often than before."""
    columns = {column.column: column for column in contract.columns if column.category}
    if not columns:
        return []
    before, now = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    earlier = (
        "SELECT column_name, value, sum(rows) FROM ledger.shares JOIN ledger.batches USING (batch_id) "
        "WHERE source = $1 AND value IS NOT NULL GROUP BY ALL"
    )
    for name, value, rows in connection.execute(earlier, [contract.source]).fetchall():
        before[name, value] = int(rows)
    parts = " UNION ALL ".join(
        f"SELECT '{name}', CAST({identifier(name)} AS VARCHAR), count(*) FROM batch_typed WHERE {identifier(name)} IS NOT NULL GROUP BY ALL"
        for name in columns
    )
    for name, value, rows in connection.execute(parts).fetchall():
        now[name, value] = rows
    if now:
        counted = sorted(now.items())
        _note_shares(
            connection,
            batch_id,
            [name for (name, _), _ in counted],
            [v for (_, v), _ in counted],
            [n for _, n in counted],
        )
    totals = {
        name: [sum(n for (c, _), n in counts.items() if c == name) for counts in (now, before)] for name in columns
    }
    found = []
    for name, value in sorted({*now, *before}):
        total, earlier_total = totals[name]
        if total < LEAST_ROWS or earlier_total < LEAST_ROWS:
            continue
        share, then = 100 * now[name, value] // total, 100 * before[name, value] // earlier_total
        if abs(share - then) >= ODD_HUNDREDTHS:
            delivered = columns[name].name
            found.append(
                Finding(
                    "category share", False,
                    f"column {delivered}: {share} % are {value}, {then} % of {earlier_total:,} earlier rows were",
                    f"kolom {delivered}: {share} % bernilai {value}, terdahulu {then} % dari {earlier_total:,} baris",
                )
            )  # fmt: skip
    return found


def _empty_shares(connection: duckdb.DuckDBPyConnection, contract: Contract, batch_id: int) -> list[Finding]:
    columns = [column for column in contract.columns if column.is_kept and column.identity]
    counts = ", ".join(f"count(*) - count({identifier(column.column)})" for column in columns)
    row = first_row(connection, f"SELECT count(*), {counts} FROM batch_typed") or (0,) * (len(columns) + 1)
    rows, empty = row[0], dict(zip(columns, row[1:], strict=True))
    before = {
        name: (total, missing)
        for name, total, missing in connection.execute(
            "SELECT column_name, sum(landed), sum(rows) FROM ledger.shares JOIN ledger.batches USING (batch_id) "
            "WHERE source = $1 AND value IS NULL GROUP BY 1",
            [contract.source],
        ).fetchall()
    }
    names = [column.column for column in empty]
    _note_shares(connection, batch_id, names, [None] * len(names), list(empty.values()))
    found = []
    for column, missing in empty.items():
        total, earlier = before.get(column.column, (0, 0))
        if rows < LEAST_ROWS or total < LEAST_ROWS:
            continue
        now, then = 100 * missing // rows, int(100 * earlier // total)
        if abs(now - then) >= ODD_HUNDREDTHS:
            found.append(
                Finding(
                    "empty share", False,
                    f"column {column.name}: {now} % empty, {then} % of {int(total):,} earlier rows were",
                    f"kolom {column.name}: {now} % kosong, terdahulu {then} % dari {int(total):,} baris",
                )
            )  # fmt: skip
    return found


def _note_shares(
    connection: duckdb.DuckDBPyConnection,
    batch_id: int,
    names: list[str],
    values: Sequence[str | None],
    rows: list[int],
) -> None:
    """In one statement: one a value takes longer than all else of a small delivery."""
    connection.execute(
        "INSERT INTO ledger.shares SELECT $1, unnest($2), unnest($3::VARCHAR[]), unnest($4)",
        [batch_id, names, list(values), rows],
    )


def _refused(file: str, problem: str) -> DeliveryRefused:
    return DeliveryRefused(
        "control_totals",
        f"{file}: {problem}; deliver the file again whole, or mend the control file",
        f"{file}: jumlah kontrol tidak cocok ({problem}); kirim ulang berkas lengkap, atau perbaiki berkas kontrolnya",
    )
