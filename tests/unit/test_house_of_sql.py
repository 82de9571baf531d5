"""What every .sql file of the product keeps: a question that many of them ask stands in one place."""

from pathlib import Path

import duckdb
import pytest

from warehouse.store.queries import install_macros

ROOT = Path(__file__).parents[2]
QUERIES = [
    file for room in ("transforms", "warehouse", "expectations") for file in sorted((ROOT / room).rglob("*.sql"))
]
ASKED_IN_ONE_PLACE = ("replaced_by_batch_id >", "known_to >", "known_from <=")


def test_which_rows_and_versions_count_is_asked_by_the_macros_alone() -> None:
    kept = [file for file in QUERIES if file.name != "macros.sql" and "migrations" not in file.parts]
    code = {file: [line for line in file.read_text("utf-8").splitlines() if not line.startswith("--")] for file in kept}
    assert [
        (file.name, line)
        for file, lines in code.items()
        for line in lines
        if any(t in line for t in ASKED_IN_ONE_PLACE)
    ] == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("row_is_known(2, NULL, 2)", True),
        ("row_is_known(3, NULL, 2)", False),
        ("row_is_known(1, 3, 2)", True),
        ("row_is_known(1, 2, 2)", False),
        ("version_is_known(DATE '2024-01-02', NULL, NULL)", True),
        ("version_is_known(DATE '2024-01-02', DATE '2024-01-05', NULL)", False),
        ("version_is_known(DATE '2024-01-02', DATE '2024-01-05', DATE '2024-01-02')", True),
        ("version_is_known(DATE '2024-01-02', DATE '2024-01-05', DATE '2024-01-05')", False),
        ("version_is_known(DATE '2024-01-02', NULL, DATE '2024-01-01')", False),
    ],
)
def test_what_is_known(query: str, expected: bool) -> None:
    with duckdb.connect() as connection:
        install_macros(connection)
        assert connection.execute(f"SELECT {query}").fetchall() == [(expected,)]
