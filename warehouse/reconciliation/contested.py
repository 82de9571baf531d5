"""What contradicts now: which printed number, delivered where, what it holds back, and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

import duckdb

from expectations.contested import CONTESTED, WITHHELD_CONTESTED
from expectations.report import ContestedLine
from transforms.exact import decimal_text
from transforms.printed import base_of
from transforms.reference import office
from transforms.sql import load_sql
from warehouse.facts.derive import EVERYTHING
from warehouse.landing.line_numbers import known_place
from warehouse.reconciliation.compare import Delivered, read_delivered

NOTHING_HELD_ID = "tidak ada angka yang ditahan (tahun sudah ditutup, atau bukan angka yang diterbitkan)"
REMEDY = (
    "find out which is wrong: mend the records, or deliver the printed number mended in inbox/published_value/corrections/, or accept the "
    "derived one by kpi waive '{}' --reason TEXT --owner NAME"
)
REMEDY_ID = (
    "cari tahu mana yang keliru: perbaiki catatannya, atau kirim angka cetak yang benar ke inbox/published_value/corrections/, atau terima "
    "angka turunan dengan kpi waive '{}' --reason ALASAN --owner NAMA"
)


@dataclass(frozen=True)
class HeldNumber:
    """A number that is held back: ``contested`` with its last published value, or ``withheld_contested`` without one."""

    item: str
    period: str
    status: str
    value: str | None

    @property
    def words(self) -> tuple[str, str]:
        """In English and in Indonesian."""
        name = f"{self.item} {self.period}"
        if self.value is None:
            return f"{name} (withheld)", f"{name} (tidak diterbitkan)"
        return f"{name} (stays {self.value})", f"{name} (tetap {self.value})"


@dataclass(frozen=True)
class Contradiction:
    """A delivered printed number that is derived otherwise, as ``kpi run --json`` names it. ``where``: the rows that deliver it."""

    item: str
    published: str
    derived: str
    printed_in: str | None
    where: list[str]
    held: list[HeldNumber]
    message: str
    message_id: str
    what_to_do: str
    what_to_do_id: str


def contradictions(connection: duckdb.DuckDBPyConnection) -> list[Contradiction]:
    """By item; empty where nothing contradicts."""
    rows = connection.execute(
        load_sql("warehouse.reconciliation", "contested.sql"), {"office": office().office_code}
    ).fetchall()
    if not rows:
        return []
    delivered = read_delivered(connection, EVERYTHING)
    found = []
    for (item, published, derived, printed_in, note), group in groupby(rows, key=itemgetter(0, 1, 2, 3, 4)):
        held = [_held(*row[5:]) for row in group if row[5] is not None]
        where = _where(connection, delivered, item, published)
        said = _said(item, published, derived, where, held, note)
        remedies = REMEDY.format(item), REMEDY_ID.format(item)
        found.append(Contradiction(item, published, derived, printed_in, where, held, *said, *remedies))
    return found


def page_lines(connection: duckdb.DuckDBPyConnection) -> list[ContestedLine]:
    """What the page of a run says: what contradicts, then what somebody answers for."""
    accepted = connection.execute(load_sql("warehouse.reconciliation", "waived_lines.sql")).fetchall()
    return [
        *(ContestedLine(c.message, c.message_id, c.what_to_do, c.what_to_do_id) for c in contradictions(connection)),
        *(
            ContestedLine(
                f"{item}: printed {published}, derived {derived}", f"{item}: tercetak {published}, turunan {derived}", note, "", is_waived=True
            )
            for item, published, derived, note in accepted
        ),
    ]  # fmt: skip


def _said(
    item: str, published: str, derived: str, where: list[str], held: list[HeldNumber], note: str
) -> tuple[str, str]:
    """The contradiction and what it holds back, in a sentence of each language."""
    place = f" ({'; '.join(where)})" if where else ""
    english, indonesian = (
        f"held back: {', '.join(n.words[0] for n in held)}",
        f"ditahan: {', '.join(n.words[1] for n in held)}",
    )
    if not held:
        english, indonesian = note, NOTHING_HELD_ID
    return (
        f"{item}: printed {published}, derived {derived}{place}; {english}",
        f"{item}: tercetak {published}, turunan {derived}{place}; {indonesian}",
    )


def _held(name: str, period: str, status: str, value: Decimal | None, decimals: int | None) -> HeldNumber:
    shown = WITHHELD_CONTESTED if status == WITHHELD_CONTESTED else CONTESTED
    return HeldNumber(name, period, shown, decimal_text(value, decimals))


def _where(
    connection: duckdb.DuckDBPyConnection, delivered: Sequence[Delivered], item: str, published: str
) -> list[str]:
    """File, place and column of the rows that deliver the number; a report may print it in several places."""
    return [
        f"{row.file}, {known_place(connection, row.batch_id, row.row).text('en')}, column nilai"
        for row in delivered
        if row.item.base == base_of(item) and row.item.number == Decimal(published)
    ]
