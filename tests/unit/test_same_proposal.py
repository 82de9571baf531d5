"""One promotion with an id and without one: which of the two counts, in memory (ruling 40)."""

from datetime import date

import duckdb
import pytest

from tests.in_memory import give_states
from transforms.periods import end_of_day
from transforms.services import load_services
from warehouse.facts.derive import View, derive_service

STATES = """proposal_id,agency_code,promotion_type_code,old_grade_code,new_grade_code,period_date,proposed_date,received_at,state_at,status_code,returned_count,approval_number,approval_date,decree_number,decree_date,is_automatic,office_code
{key},5600,201,32,33,2024-04-01,,{received},{state},15,0,,,,,false,07
"""
PROMOTION = next(service for service in load_services().services if service.service == "promotion")
LATER = date(2025, 1, 10)


@pytest.fixture
def warehouse(memory: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The workbook's row is delivery 1, the log's row 2; that both are one proposal is known from 2 on."""
    for key, state in (("made", "2024-03-05 00:00:00"), ("P1", "2024-03-06 10:00:00")):
        give_states(memory, "promotion", STATES.format(key=key, received="2024-03-01 09:00:00", state=state))
    memory.execute("INSERT INTO ledger.same_records VALUES ('promotion', 2, 1, 'made', 2)")
    return memory


def reasons(connection: duckdb.DuckDBPyConnection, view: View) -> dict[str, str | None]:
    derive_service(connection, PROMOTION, 2024, view)
    return dict(connection.execute("SELECT record_key, reason FROM service_records").fetchall())


def test_the_row_with_an_id_counts(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert reasons(warehouse, View(end_of_day(LATER))) == {"made": "same_proposal", "P1": None}


def test_what_was_known_before_the_log_came_stays(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert reasons(warehouse, View(end_of_day(LATER), known_batch=1)) == {"made": None}


def test_a_row_of_a_later_day_takes_no_place_yet(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert reasons(warehouse, View(end_of_day(date(2024, 3, 5)))) == {"made": None}


def test_a_row_that_a_correction_has_replaced_takes_none(warehouse: duckdb.DuckDBPyConnection) -> None:
    """The correction says that it was another person: neither is the other's row any more."""
    give_states(
        warehouse, "promotion", STATES.format(key="P1", received="2024-03-01 09:00:00", state="2024-03-06 10:00:00")
    )
    warehouse.execute("UPDATE states.promotion SET replaced_by_batch_id = 3 WHERE batch_id = 2")
    assert reasons(warehouse, View(end_of_day(LATER))) == {"made": None, "P1": None}
    assert reasons(warehouse, View(end_of_day(LATER), known_batch=2)) == {"made": "same_proposal", "P1": None}


def test_it_is_the_first_reason(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("UPDATE states.promotion SET received_at = NULL WHERE record_key = 'made'")
    assert reasons(warehouse, View(end_of_day(LATER))) == {"made": "same_proposal", "P1": None}
