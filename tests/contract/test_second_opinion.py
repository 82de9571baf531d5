"""Each rule is judged twice, apart: a quarantine predicate that is broken on purpose is found out by the validator."""

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.contract import Contract, load_contract, source_names
from expectations.rule import Rule
from expectations.rules import condition, told, validated_rows
from expectations.suite import EngineError, Validator
from expectations.typed_read import FileTraits, typed_rows
from sample_data.faults import fault_rows
from tests.in_memory import empty_warehouse
from warehouse.loading.group import require_equal

RULES = [(source, rule) for source in source_names() for rule in load_contract(source).all_rules]
APART = [(source, rule) for source, rule in RULES if told(load_contract(source), rule).judgement != "own condition"]
READ = "SELECT *, row_number() OVER () - 1 AS file_row_number FROM fault_frame"


class Faults:
    """The faulty rows of a source, typed, and what the validator counts on them."""

    def __init__(self, source: str) -> None:
        self.contract: Contract = load_contract(source)
        self.connection = duckdb.connect()
        empty_warehouse(self.connection)
        self.connection.register("fault_frame", fault_rows(source, 2024).to_arrow())
        typed = typed_rows(self.contract, FileTraits(), READ)
        self.connection.execute(
            f"CREATE TEMP TABLE stacked_rows AS SELECT *, false AS is_conflict FROM ({typed})", {"batch_id": 1}
        )
        self.shown = validated_rows(self.contract, "stacked_rows")
        self.connection.execute(f"CREATE TEMP VIEW validated_rows AS {self.shown}")
        validator = Validator(self.connection)
        validator.start()
        rows = self.connection.execute("SELECT count(*) FROM stacked_rows").fetchall()[0][0]
        self.counted = {count.rule: count.rows_failed for count in validator.count_broken_rules(self.contract, rows)}

    def held(self, rule: Rule) -> dict[str, int]:
        """The rows that the quarantine's predicate of the rule finds."""
        judged = f"SELECT ({condition(self.contract, rule)}) AS holds FROM stacked_rows"
        query = f"SELECT count(*) FROM ({judged}) WHERE holds IS FALSE"
        return {rule.id: self.connection.execute(query).fetchall()[0][0]}


@pytest.fixture(scope="module")
def faults() -> Iterator[dict[str, Faults]]:
    """By source; each made when the first of its rules asks."""
    made: dict[str, Faults] = {}
    yield made
    for found in made.values():
        found.connection.close()


def test_only_the_comparison_with_what_is_known_is_no_second_opinion() -> None:
    assert {rule.kind.key for pair in RULES if pair not in APART for rule in [pair[1]]} == {"identity"}


@pytest.mark.parametrize(("source", "rule"), APART, ids=[rule.id for _, rule in APART])
def test_a_broken_predicate_is_found_out(
    faults: dict[str, Faults], source: str, rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    if source not in faults:
        faults[source] = Faults(source)
    found = faults[source]
    theirs = {rule.id: found.counted[rule.id]}
    assert theirs[rule.id] >= 1
    require_equal(theirs, found.held(rule), ["whole"])
    kind = type(rule.kind)
    whole = kind.condition
    monkeypatch.setattr(
        kind, "condition", lambda self, name, column: "true" if name == rule.id else whole(self, name, column)
    )
    assert validated_rows(found.contract, "stacked_rows") == found.shown, (
        "the validator is told nothing of our predicate"
    )
    with pytest.raises(
        EngineError, match=f"rule {rule.id}: the validator counts {theirs[rule.id]} failing rows, the row rules 0"
    ):
        require_equal(theirs, found.held(rule), ["broken"])


digits = st.text(alphabet="0123456789", min_size=17, max_size=19)
number = st.one_of(
    digits,
    st.builds(
        "{:04d}{:02d}{:02d}{:04d}{:02d}1001".format, *[st.integers(0, high) for high in (2100, 13, 32, 2100, 99)]
    ),
)
values = {
    "nip": st.one_of(st.none(), number, st.text(max_size=19)),
    "procurement_type_code": st.one_of(st.none(), st.sampled_from(["C", "I", "01", "c", "", "ABC", "É"])),
}


@given(rows=st.lists(st.fixed_dictionaries(values), min_size=1, max_size=40))
@settings(max_examples=50, deadline=None)
def test_a_query_apart_finds_the_rows_that_the_predicate_finds(rows: list[dict[str, str | None]]) -> None:
    """Employee numbers of any kind under each rule that is said twice by hand."""
    contract = load_contract("nip")
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE given_rows (nip VARCHAR, procurement_type_code VARCHAR)")
        connection.executemany(
            "INSERT INTO given_rows VALUES ($1, $2)", [[r["nip"], r["procurement_type_code"]] for r in rows]
        )
        connection.execute(
            "CREATE VIEW typed AS SELECT *, regexp_full_match(nip, '[0-9]{18}') AS nip__is_number FROM given_rows"
        )
        for rule in contract.all_rules:
            stated = told(contract, rule).broken_where
            if stated is not None and rule.column in values:
                where = stated.replace("<rows>.", "typed.").replace("<rows>", "typed")
                apart = connection.execute(f"SELECT count(*) FROM typed WHERE {where}").fetchall()
                ours = connection.execute(
                    f"SELECT count(*) FROM typed WHERE ({condition(contract, rule)}) IS FALSE"
                ).fetchall()
                assert apart == ours, rule.id
