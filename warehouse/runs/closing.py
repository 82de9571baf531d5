"""Closing a year: from then on its published facts change by a restatement alone."""

from datetime import datetime

import duckdb

from transforms.periods import year_period
from warehouse.facts.hold import held_facts
from warehouse.store.connection import Warehouse
from warehouse.store.failures import WrongUsage
from warehouse.store.queries import single_value
from warehouse.store.runs import UNPUBLISHED, Run, read_meta


def closed_years(connection: duckdb.DuckDBPyConnection) -> frozenset[int]:
    return frozenset(row[0] for row in connection.execute("SELECT year FROM ledger.closings").fetchall())


def check_closable(connection: duckdb.DuckDBPyConnection, year: int, clock: datetime) -> int | None:
    """The publication under which ``year`` can be closed; None where it is closed already.

    Raises WrongUsage where the year still runs, where nothing of it is published, where the warehouse knows more than that, or holds
    a number of it back.
    """
    if year in closed_years(connection):
        return None
    if year_period(year).is_running(clock):
        raise WrongUsage(f"{year} still runs on {clock:%Y-%m-%d}: a year is closed after its end")
    publication = single_value(connection, "SELECT max(publication_id) FROM ledger.publications")
    published = "SELECT 1 FROM facts.kpi_values WHERE known_to IS NULL AND period = $1 LIMIT 1"
    if publication is None or single_value(connection, published, [str(year)]) is None:
        raise WrongUsage(
            f"nothing of {year} is published; run `kpi run`, look at `kpi values --year {year}`, then close it"
        )
    provisional = (
        "SELECT 1 FROM facts.kpi_values WHERE known_to IS NULL AND left(period, 4) = $1 AND is_provisional LIMIT 1"
    )
    if read_meta(connection, UNPUBLISHED) == "yes" or single_value(connection, provisional, [str(year)]):
        raise WrongUsage(f"what is published of {year} is not final yet; `kpi run`, then close it")
    if held := sorted(fact.name for fact in held_facts(connection) if fact.year == year):
        raise WrongUsage(
            f"of {year} printed numbers contradict what is derived, and {', '.join(held)} {'is' if len(held) == 1 else 'are'} held back: "
            "mend it or accept it (`kpi waive`), then close the year"
        )
    return int(publication)


def close_year(warehouse: Warehouse, year: int, run: Run) -> bool:
    """Closes ``year`` as it is published now; False where it is closed already. Raises WrongUsage as ``check_closable`` does."""
    connection = warehouse.connection
    publication = check_closable(connection, year, run.clock)
    if publication is None:
        return False
    connection.execute(
        "INSERT INTO ledger.closings VALUES ($1, $2, $3, $4)", [year, run.clock, publication, run.run_id]
    )
    return True
