"""What was agreed and what was printed of an indicator: the targets, and the values that stand in where there is no row."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from transforms.definitions import Indicator
from transforms.item_key import ItemKey
from transforms.reference import office, waived_values
from transforms.reported import PrintedValue
from transforms.sql import load_sql

AGREEMENTS, PRINT = "performance_agreement", "published_value"
# Deliveries of these can change the facts of every indicator.
SHARED_SOURCES = (AGREEMENTS, PRINT)
REALIZATION = "realisasi"


@dataclass(frozen=True)
class PrintedItem:
    """What an office has printed of one item: every reading, and the one of them that a waiver chooses."""

    office: str
    item: str
    measure: str
    year: int
    readings: list[PrintedValue]
    chosen: Decimal | None


@dataclass(frozen=True)
class Agreed:
    """Of one indicator: the target by year, and the printed realizations, also those of other offices (peers)."""

    targets: dict[int, Decimal]
    printed: list[PrintedItem]

    def of_own_office(self, year: int) -> PrintedItem | None:
        own = office().office_code
        return next((item for item in self.printed if (item.office, item.year) == (own, year)), None)

    def of_peers(self, years: list[int]) -> list[PrintedItem]:
        return [item for item in self.printed if item.office != office().office_code and item.year in years]


def read_agreed(connection: duckdb.DuckDBPyConnection, indicator: Indicator, known_batch: int) -> Agreed:
    """What is known of ``indicator`` up to the delivery ``known_batch``."""
    known = {"indicator": indicator.id, "known_batch": known_batch}
    targets = dict(connection.execute(load_sql("warehouse.facts", "read_targets.sql"), known).fetchall())
    return Agreed(targets, read_printed(connection, [indicator.id], [REALIZATION], known_batch))


def read_printed(
    connection: duckdb.DuckDBPyConnection, items: list[str] | None, measures: list[str], known_batch: int
) -> list[PrintedItem]:
    """What offices have printed of these items (None: all) and measures. Grain: one office, item, measure and year."""
    rows = connection.execute(
        load_sql("warehouse.facts", "read_printed.sql"),
        {"items": items, "measures": measures, "known_batch": known_batch},
    ).fetchall()
    readings: dict[tuple[str, str, str, int], list[PrintedValue]] = defaultdict(list)
    for printing_office, item, measure, year, *reading in rows:
        readings[printing_office, item, measure, year].append(PrintedValue(*reading))
    waived = waived_values()
    return [
        PrintedItem(of, item, measure, year, found, waived.get(ItemKey(of, item, str(year), measure).text))
        for (of, item, measure, year), found in sorted(readings.items())
    ]
