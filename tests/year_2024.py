"""The year 2024 for tests of scores and reconciliation: its values as facts, and rows of the sources beside them."""

from contextlib import contextmanager
from datetime import datetime
from types import SimpleNamespace

import pytest

from transforms.reference import Waiver
from warehouse.facts.derive import View
from warehouse.facts.scores import enter_scores
from warehouse.facts.versions import KPI_VALUES, enter_fresh, make_fresh_table
from warehouse.reconciliation.compare import renew_reconciliation
from warehouse.store.connection import open_warehouse
from warehouse.store.home import Home
from warehouse.store.runs import Run

OBJECTIVES = {
    "IKU-01": "SS1", "IKU-02": "SS1", "IKU-03": "SS2", "IKU-04": "SS2", "IKU-05": "SS3", "IKU-06": "SS4", "IKU-07": "SS5",
    "IKU-08": "SS6", "IKU-09": "SS7", "IKU-10": "SS7", "IKU-11": "SS7", "IKU-12": "SS7", "IKU-13": "SS7", "IKU-14": "SS7",
}  # fmt: skip
# Realization as it is derived, and the target of the performance agreement.
VALUES_2024 = {
    "IKU-01": (None, "100"), "IKU-02": ("100", "100"), "IKU-03": ("99.01", "95"), "IKU-04": ("93.37", "95"),
    "IKU-05": ("100", "100"), "IKU-06": ("100", "100"), "IKU-07": ("91.67", "95"), "IKU-08": ("100", "100"),
    "IKU-09": ("85.01", "84"), "IKU-10": ("96.24", "100"), "IKU-11": ("81.15", "85"), "IKU-12": ("73.05", "85"),
    "IKU-13": ("98.40", "97"), "IKU-14": ("100", "100"),
}  # fmt: skip
BUDGET_2024 = {
    "IKU-01": ("289971000", "289951706"), "IKU-02": ("0", "0"), "IKU-03": ("0", "0"), "IKU-04": ("30400000", "29960485"),
    "IKU-05": ("0", "0"), "IKU-06": ("72928000", "72804577"), "IKU-07": ("200000000", "184103028"),
}  # fmt: skip
PROGRAMS_2024 = {"CO": ("15051788000", "14931373696"), "WA": ("14086808000", "13988200344")}

# Tables that the sources' contracts make; here only where no contract has made them.
STATE = "batch_id INTEGER, row_number BIGINT, replaced_by_batch_id INTEGER"
TABLES = {
    "budget": "record_key VARCHAR, budget_code VARCHAR, year BIGINT, revision_number BIGINT, revision_date DATE, data_date DATE, "
    f"allocated_rupiah DECIMAL(18,2), spent_rupiah DECIMAL(18,2), {STATE}",
    "published_value": "record_key VARCHAR, office_code VARCHAR, item_code VARCHAR, year BIGINT, measure_code VARCHAR, "
    f"printed_value DECIMAL(18,6), printed_decimals BIGINT, printed_in VARCHAR, {STATE}",
    "survey": "record_key VARCHAR, survey_code VARCHAR, year BIGINT, semester BIGINT, unit_code VARCHAR, response_date DATE, "
    + ", ".join(f"u{number}_score BIGINT" for number in range(1, 10))
    + f", {STATE}",
}

FIRST = Run(1, "run-000001", datetime(2025, 1, 10, 23, 59, 59, 999999))
SECOND = Run(2, "run-000002", datetime(2025, 6, 1, 23, 59, 59, 999999))
THIRD = Run(3, "run-000003", datetime(2025, 6, 2, 23, 59, 59, 999999))
FOURTH = Run(4, "run-000004", datetime(2025, 6, 3, 23, 59, 59, 999999))


def indicators(**changed):
    """The fourteen in the places that scoring and reconciliation ask for; each with one source of its own name."""
    return tuple(
        SimpleNamespace(
            **{
                "id": i,
                "objective": objective,
                "sources": [f"source_{i}"],
                "cut_off": "event",
                "year_from": "own",
                "compares_incomplete": False,
            }
            | changed.get(i.replace("-", "_"), {})
        )
        for i, objective in OBJECTIVES.items()
    )


def make_tables(connection):
    for source, columns in TABLES.items():
        connection.execute(f"CREATE TABLE IF NOT EXISTS states.{source} ({columns})")


def add_runs(connection):
    for run in (FIRST, SECOND, THIRD, FOURTH):
        connection.execute(
            "INSERT INTO ledger.runs VALUES ($1, $2, $3, NULL, $3, $3, 'done', NULL)", [run.run_id, run.name, run.clock]
        )


def add_row(connection, source, **columns):
    """One state; its key is not looked at."""
    row = {"batch_id": 1, "row_number": 1} | columns
    given = ", ".join(f"${name} AS {name}" for name in row)
    connection.execute(f"INSERT INTO states.{source} BY NAME SELECT {given}", row)


def add_result(connection, table, year, **columns):
    """One standing row of a table of results."""
    row = {"office": "07", "year": year, "definition_version": "2024", "is_provisional": False} | columns
    row |= {"cut_off": FIRST.clock, "known_from": FIRST.clock, "run": FIRST.name}
    marks = ", ".join(f"${name}" for name in row)
    connection.execute(f"INSERT INTO facts.{table} ({', '.join(row)}) VALUES ({marks})", row)


def add_budget(connection, code, allocated, spent, revision=0, decided="2024-01-02", of="2024-12-31", batch=1):
    add_row(
        connection,
        "budget",
        record_key=f"{code}|2024|{revision}",
        budget_code=code,
        year=2024,
        revision_number=revision,
        revision_date=decided,
        data_date=of,
        allocated_rupiah=allocated,
        spent_rupiah=spent,
        batch_id=batch,
    )


def add_print(connection, item, value, printed_in="LKj 2024: Tabel 3.2", row=1):
    """A delivered printed number; ``item`` is office|item|year|measure."""
    office, code, year, measure = item.split("|")
    add_row(
        connection,
        "published_value",
        record_key=f"{item}|{printed_in}",
        office_code=office,
        item_code=code,
        year=int(year),
        measure_code=measure,
        printed_value=value,
        printed_decimals=len(value.partition(".")[2]),
        printed_in=printed_in,
        row_number=row,
    )


def enter_values(connection, run, values, reason="late_data", period="2024", status="derived", flags=()):
    """Enters {indicator: (value, target)} of a period, as the renewal does."""
    make_fresh_table(connection, KPI_VALUES)
    for indicator, (value, target) in values.items():
        connection.execute(
            "INSERT INTO fresh_kpi_values BY NAME SELECT $indicator AS indicator, $period AS period, '07' AS office, "
            "'2024' AS definition_version, CAST($value AS DECIMAL(28,6)) AS value, 2 AS decimals, 'percent' AS unit, "
            "CAST($target AS DECIMAL(28,6)) AS target, CASE WHEN $value IS NULL THEN 'not_yet_measured' ELSE $status END AS status, "
            "'{}' AS excluded, $clock < make_date(left($period, 4)::INTEGER + 1, 1, 1) AS is_provisional, "
            "CAST($flags AS VARCHAR[]) AS flags, $clock AS cut_off",
            {
                "indicator": indicator,
                "period": period,
                "value": value,
                "target": target,
                "clock": run.clock,
                "status": status,
                "flags": list(flags),
            },
        )
    scope = f"fact.period = '{period}' AND fact.indicator IN ({', '.join(map(repr, values))})"
    enter_fresh(connection, KPI_VALUES, scope, f"'{reason}'", run.clock, run.name)


def waiver(item, **decision):
    return Waiver.model_validate({"item": item, "reason": "Letter 12/2025", "owner": "Bagian Tata Usaha"} | decision)


def place(monkeypatch, **changed):
    """Puts the fourteen, with what is changed of them, where scoring and reconciliation look for them."""
    for module in ("warehouse.facts.scores", "warehouse.reconciliation.derived_items"):
        monkeypatch.setattr(f"{module}.load_indicators", lambda: indicators(**changed))


@contextmanager
def opened_2024(home):
    """The warehouse of ``home`` with two runs and a table for every source that is asked."""
    with open_warehouse(home.root, "test") as opened:
        make_tables(opened.connection)
        add_runs(opened.connection)
        yield opened


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path / "home")
    made.make()
    return made


@pytest.fixture
def warehouse(home, monkeypatch):
    """The fourteen in their places, on an open warehouse of ``home``. A test file takes both fixtures by assignment."""
    place(monkeypatch)
    with opened_2024(home) as opened:
        yield opened


def enter(warehouse, run=FIRST, values=None, **more):
    with warehouse.transaction() as connection:
        enter_values(connection, run, VALUES_2024 if values is None else values, **more)
        enter_scores(connection, [2024], {}, run, View(run.clock))


def renewed(warehouse, run=FIRST, frozen=()):
    with warehouse.transaction() as connection:
        renew_reconciliation(connection, View(run.clock), run, frozen)
    return kept(warehouse.connection)


def kept(connection):
    """{item: (published, derived, verdict, discrepancy)}"""
    rows = connection.execute(
        "SELECT item, published, derived, verdict, discrepancy FROM facts.reconciliation"
    ).fetchall()
    return {item: tuple(rest) for item, *rest in rows}


def fill_2024(warehouse):
    for code, (allocated, spent) in (BUDGET_2024 | PROGRAMS_2024).items():
        add_budget(warehouse.connection, code, allocated, spent)
    with warehouse.transaction() as connection:
        enter_values(connection, FIRST, {"IKU-03": ("98.58", None), "IKU-04": ("92.88", None)}, period="2024-S1")
        enter_values(connection, FIRST, {"IKU-03": ("99.44", None), "IKU-04": ("93.85", None)}, period="2024-S2")
        for period, ikm in (("2024-S1", "92.88"), ("2024-S2", "93.85")):
            add_result(
                connection, "survey_units", 2024, survey_code="layanan", period=period, unit_code="total", ikm_value=ikm,
                respondent_count=1,
            )  # fmt: skip
    enter(warehouse)
