"""What every .sql file of the product keeps: a question that many of them ask stands in one place."""

import re
from pathlib import Path

import duckdb
import pytest

from warehouse.store.queries import install_macros

ROOT = Path(__file__).parents[2]
QUERIES = [
    file for room in ("transforms", "warehouse", "expectations") for file in sorted((ROOT / room).rglob("*.sql"))
]
NO_QUERIES = ("ledger.sql", "macros.sql")
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


@pytest.mark.parametrize(
    "file", [f for f in QUERIES if "migrations" not in f.parts and f.name not in NO_QUERIES], ids=lambda f: f.name
)
def test_a_query_is_as_the_house_writes_it(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    head = "\n".join(line for line in lines if line.startswith("--"))
    code = "\n".join(line.split("--", maxsplit=1)[0] for line in lines)
    assert lines[0].startswith("-- ") and "grain" in head, "a header that says what a row is"
    assert set(re.findall(r"\$([a-z]\w*)", code)) <= set(re.findall(r"\$([a-z]\w*)", head)), (
        "every parameter stands in the header"
    )
    assert not re.search(r"SELECT \*(?! EXCLUDE| REPLACE)", code), "columns by name"
    assert not re.search(r"\b(select|from|where|join|group by|order by|union)\b", code), "keywords in capitals"
