"""Properties: however deliveries are split into runs and ordered, the same is known; as-of gives what was known; explain adds up.

In memory: the states of the deliveries, then the plan, the derivation and the entering of the facts that a run has. That whole runs do
it too is asked in tests/flow (test_runs, test_rulings_time, test_closed_years, test_explain).
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.columns import Column
from expectations.contract import load_contract
from tests.in_memory import give_states, lent_warehouse
from tests.rows import row
from tests.time_home import letter
from transforms.exact import decimal_text, round_half_up
from transforms.periods import end_of_day, parse_period
from warehouse.facts.enter import derive_partitions, enter_derived, settle
from warehouse.facts.plan import plan_partitions
from warehouse.store.queries import records
from warehouse.store.runs import begin_run, end_run
from warehouse.store.stopwatch import Stopwatch
from warehouse.trace.explain import explain_in
from warehouse.trace.explain.lineage import Question

FIRST_DAY = date(2025, 1, 10)
LAST = 2
AGENCIES = ("5500", "5501", "5502", "5503")
many = settings(
    max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
Facts = dict[str, list[dict[str, Any]]]


@st.composite
def letters(draw: st.DrawFn) -> list[dict[str, str]]:
    """Rows of distinct letters (no conflicts): an agency may change its mind from letter to letter."""
    days = draw(st.lists(st.integers(1, 28), min_size=2, max_size=6, unique=True))
    return [
        letter(
            draw(st.sampled_from(AGENCIES)), integrated=draw(st.booleans()), number=f"L{day}", tgl_surat=f"2024-12-{day:02d}",
            channel=draw(st.sampled_from(("webservice", "simpegnas"))),
        )
        for day in days
    ]  # fmt: skip


@st.composite
def proposals(draw: st.DrawFn) -> list[dict[str, str]]:
    """States of a few proposals, each at a time of its own."""
    minutes = draw(st.lists(st.integers(0, 59), min_size=3, max_size=8, unique=True))
    codes = st.sampled_from((12, 5, 7))
    rows = []
    for minute in minutes:
        day = draw(st.integers(16, 28))
        code = draw(codes)
        rows.append(
            row(
                "promotion", id=draw(st.sampled_from(("P1", "P2", "P3"))), status_usulan=code,
                tgl_update_layanan=f"2024-{draw(st.integers(2, 12)):02d}-{day}T10:{minute:02d}:00",
                tgl_pertek="28-12-2024" if code == 7 else "", counter_bts=0,
            )
        )  # fmt: skip
    return rows


Deliveries = list[tuple[str, dict[str, str]]]


@st.composite
def split_deliveries(draw: st.DrawFn) -> tuple[Deliveries, list[int], list[int]]:
    """(source and row of each delivery, an order of them, the run that each is taken in by)."""
    rows = [("integration", line) for line in draw(letters())] + [("promotion", line) for line in draw(proposals())]
    order = draw(st.permutations(range(len(rows))))
    runs = draw(st.lists(st.integers(0, LAST), min_size=len(rows), max_size=len(rows)))
    return rows, list(order), runs


ITEMS = ("IKU-06", "promotion")
# When and by which run a fact was entered: that differs from order to order.
MOVING = "known_from, known_to, closed_by, reason, run, cut_off"


@pytest.fixture(scope="module")
def office() -> Iterator[SimpleNamespace]:
    """A warehouse in memory (``connection``). An example begins where the last one began: what it did is taken back."""
    with lent_warehouse() as lent:
        yield lent


def kept_as_csv(source: str, rows: list[dict[str, str]]) -> str:
    """Rows as delivered, as the states keep them: without personal columns, days as yyyy-mm-dd."""
    columns = [column for column in load_contract(source).columns if column.is_kept]

    def text(column: Column, line: dict[str, str]) -> str:
        given = line[column.name]
        return "-".join(reversed(given.split("-"))) if column.sql_type == "DATE" and given[2:3] == "-" else given

    lines = [[column.column for column in columns], *([text(column, line) for column in columns] for line in rows)]
    return "\n".join(map(",".join, lines)) + "\n"


def night(connection: duckdb.DuckDBPyConnection, day: date, deliveries: Deliveries) -> None:
    """Takes the rows in, a delivery a source, and enters what is due of the items."""
    run = begin_run(connection, day)
    for source in ("integration", "promotion"):
        if rows := [line for of, line in deliveries if of == source]:
            give_states(connection, source, kept_as_csv(source, rows))
            (batch,) = connection.execute("SELECT max(batch_id) FROM ledger.batches").fetchone() or (0,)
            connection.execute(
                "UPDATE ledger.batches SET run_id = $1, file = $2, sha256 = $2, is_correction = false WHERE batch_id = $3",
                [run.run_id, f"{source}/{batch}.csv", batch],
            )
            connection.execute("INSERT INTO ledger.touched_years VALUES ($1, 2024, $2)", [source, batch])
    plan, watch = plan_partitions(connection, run.clock, [2024]), Stopwatch()
    due = [partition for partition in plan.due if partition.item.name in ITEMS]
    derive_partitions(connection, due, plan.view, watch)
    enter_derived(connection, plan, due, run, watch)
    settle(connection, due, run, are_entered=True)
    end_run(connection, run, "done", {})


def taken_in(
    connection: duckdb.DuckDBPyConnection,
    rows: Deliveries,
    order: list[int],
    runs: list[int],
    check: Callable[[date], None] = lambda day: None,
) -> Facts:
    """What is known after as many runs as ``runs`` names; ``check`` is called after each."""
    connection.execute("BEGIN")
    try:
        for run in sorted(set(runs)):
            day = FIRST_DAY + timedelta(days=run)
            night(connection, day, [rows[number] for number in order if runs[number] == run])
            check(day)
        return known(connection)
    finally:
        connection.execute("ROLLBACK")


def known(connection: duckdb.DuckDBPyConnection, as_of: date | None = None) -> Facts:
    """All facts but when and by which run they were entered."""
    then = end_of_day(as_of) if as_of else datetime.max
    where = "known_from <= $1 AND coalesce(known_to > $1, true)"
    return {
        table: records(connection, f"SELECT * EXCLUDE ({MOVING}) FROM facts.{table} WHERE {where} ORDER BY ALL", [then])
        for table in ("kpi_values", "service_summary")
    }


@many
@given(given_rows=split_deliveries())
def test_any_split_and_any_order_gives_the_same_current_facts(
    office: SimpleNamespace, given_rows: tuple[Deliveries, list[int], list[int]]
) -> None:
    rows, order, runs = given_rows
    at_once = taken_in(office.connection, rows, list(range(len(rows))), [LAST] * len(rows))
    assert all(at_once.values())
    assert taken_in(office.connection, rows, order, runs) == at_once


@many
@given(given_rows=split_deliveries())
def test_as_of_any_past_time_gives_what_a_run_at_that_time_gave(
    office: SimpleNamespace, given_rows: tuple[Deliveries, list[int], list[int]]
) -> None:
    seen: dict[date, Facts] = {}

    def remember(day: date) -> None:
        seen[day] = known(office.connection)
        for past, facts in seen.items():
            assert known(office.connection, past) == facts

    taken_in(office.connection, *given_rows, remember)
    assert seen.keys() == {FIRST_DAY + timedelta(days=run) for run in given_rows[2]}


@many
@given(given_rows=split_deliveries())
def test_the_records_that_explain_lists_reproduce_the_value(
    office: SimpleNamespace, given_rows: tuple[Deliveries, list[int], list[int]]
) -> None:
    rows, order, _ = given_rows

    def explained(_day: date) -> None:
        found = explain_in(office.connection, "IKU-06", Question(parse_period("2024")))
        assert found["reproduced"] is not False
        if found["value"] is not None:
            groups: dict[str, list[int]] = {}
            for line in found["evidence"]:
                groups.setdefault(line["group"], []).append(int(line["role"] == "numerator"))
            means = [Fraction(100 * sum(group), len(group)) for group in groups.values()]
            assert decimal_text(round_half_up(sum(means, Fraction(0)) / len(means), 2), 2) == found["value"]
        found = explain_in(office.connection, "promotion.completion", Question(parse_period("2024")))
        numerator, denominator = (len(found["records"][role]) for role in ("numerator", "denominator"))
        (line,) = [line for line in known(office.connection)["service_summary"] if line["breakdown"] == "year"]
        assert (denominator, found["value"]) == (line["received_count"], decimal_text(line["completion_percent"], 2))
        assert decimal_text(round_half_up(Fraction(100 * numerator, denominator), 2), 2) == found["value"]

    taken_in(office.connection, rows, order, [0] * len(rows), explained)
