"""What was agreed and what was printed of an indicator: the targets, and the values that stand in where there is no row."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from transforms.definitions import Indicator
from transforms.reference import office, waived_values
from transforms.reported import PrintedValue
from transforms.sql import load_sql

AGREEMENTS, PRINT = "performance_agreement", "published_value"
# Deliveries of these can change the facts of every indicator.
SHARED_SOURCES = (AGREEMENTS, PRINT)
REALIZATION = "realisasi"


@dataclass(frozen=True)
class Agreed:
    """By year: the target, the printed realizations, and the one of them that a waiver chooses."""

    targets: dict[int, Decimal]
    printed: dict[int, list[PrintedValue]]
    chosen: dict[int, Decimal]


def read_agreed(connection: duckdb.DuckDBPyConnection, indicator: Indicator, known_batch: int) -> Agreed:
    """What is known of ``indicator`` up to the delivery ``known_batch``."""
    known = {"indicator": indicator.id, "known_batch": known_batch}
    targets = dict(connection.execute(load_sql("warehouse.sql", "read_targets.sql"), known).fetchall())
    printed: dict[int, list[PrintedValue]] = defaultdict(list)
    of_office = known | {"office": office().office_code, "measure": REALIZATION}
    rows = connection.execute(load_sql("warehouse.sql", "read_printed.sql"), of_office).fetchall()
    for year, *reading in rows:
        printed[year].append(PrintedValue(*reading))
    waived = waived_values()
    items = {year: f"{office().office_code}|{indicator.id}|{year}|{REALIZATION}" for year in printed}
    return Agreed(targets, dict(printed), {year: waived[item] for year, item in items.items() if item in waived})
