"""The Great Expectations suite of a contract, and its run on the rows of one delivery: the only file that knows the validator.

Great Expectations counts on its own what each rule fails; the caller compares the counts with the rows it quarantined.
It works on the caller's open DuckDB connection, so it sees rows that are not committed yet and locks nothing.
"""

import atexit
import gc
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from expectations.contract import Contract, Rule
from expectations.rules import condition, has_own_column

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


TABLE = "validated_rows"
# After a failed query every other one of the transaction fails too, with this text.
_FOLLOWS = "transaction is aborted"


class EngineError(Exception):
    """The validator could not judge a rule: neither the data nor the rule may pass for good or for bad."""


@dataclass(frozen=True)
class RuleCount:
    """What the validator found for one rule: rows checked and rows that break it."""

    rule: str
    severity: str
    rows_checked: int
    rows_failed: int


class _BorrowedConnection:
    """The caller's connection as SQLAlchemy sees it: its transaction is the caller's, so it neither begins nor ends one.

    There is one a process, since the validator's own registries live as long: it is lent a connection for one validation at a time.
    """

    def __init__(self) -> None:
        self._wrapped: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrapped, name)

    @contextmanager
    def lent(self, connection: "DuckDBPyConnection") -> Iterator[None]:
        self._wrapped = connection
        try:
            yield
        finally:
            self._wrapped = None

    def begin(self) -> None: ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None: ...


_BORROWED = _BorrowedConnection()
_VALIDATING = Lock()


class Validator:
    """Great Expectations on one open connection."""

    def __init__(self, connection: "DuckDBPyConnection") -> None:
        self._connection = connection
        self.last_result: dict[str, Any] = {}

    def start(self) -> None:
        """Imports the validator: some seconds, that only a run with new rows pays, once."""
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
        with warnings.catch_warnings(), _garbage_left():
            warnings.simplefilter("ignore")
            import great_expectations.expectations  # noqa: F401, PLC0415
        # What an import made lives as long as the process: no later collection needs to look at it. At its end it is let go again:
        # else everything that was there by now, DuckDB's own objects too, would never be freed, and be reported as leaked.
        gc.freeze()
        atexit.register(gc.unfreeze)

    def count_broken_rules(self, contract: Contract, rows: int) -> list[RuleCount]:
        """Runs every rule on the ``rows`` rows of ``validated_rows``: one or more deliveries of the source. Order: as in the contract.

        Raises EngineError naming the rule where the validator raised an exception inside.
        """
        if rows == 0:
            return [RuleCount(rule.id, rule.severity, 0, 0) for rule in contract.all_rules]
        with _VALIDATING, _BORROWED.lent(self._connection), warnings.catch_warnings(), _garbage_left():
            warnings.simplefilter("ignore")
            batch_definition, suite = _built_suite(contract)
            # No failing values in the result: they would be personal data.
            result_format = {"result_format": "BASIC", "partial_unexpected_count": 0}
            outcome = batch_definition.get_batch().validate(suite, result_format=result_format)
        # As the validator tells it, with counts and without a failing value.
        self.last_result = outcome.to_json_dict()
        results = {result.expectation_config.meta["rule"]: result for result in outcome.results}
        _raise_for_exceptions(results, contract.all_rules)
        return [_rule_count(rule, results[rule.id], rows) for rule in contract.all_rules]


@contextmanager
def _garbage_left() -> Iterator[None]:
    """No garbage collection in the block: the validator makes so many objects that a quarter of its time goes into looking at them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


_SUITES: dict[tuple[Any, ...], tuple[Any, Any]] = {}


def _built_suite(contract: Contract) -> tuple[Any, Any]:
    """The suite of the contract as it judges; built once a process, since building costs more than running."""
    judged = (contract.source, *((rule.id, rule.severity, condition(contract, rule)) for rule in contract.all_rules))
    if judged not in _SUITES:
        _SUITES[judged] = _build_suite(_BORROWED, contract)
    return _SUITES[judged]


def _build_suite(connection: _BorrowedConnection, contract: Contract) -> tuple[Any, Any]:
    """(batch definition, suite) of the contract, in an ephemeral context that writes no file and calls nobody."""
    import great_expectations as gx  # noqa: PLC0415
    from duckdb_sqlalchemy import ConnectionWrapper  # noqa: PLC0415
    from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415
    from sqlalchemy.pool import StaticPool  # noqa: PLC0415

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    wrapped = ConnectionWrapper(cast(Any, connection))
    engine_options = {
        "creator": lambda: wrapped,
        "poolclass": StaticPool,
        "isolation_level": "AUTOCOMMIT",
        "skip_autocommit_rollback": True,
    }
    add_source: Any = context.data_sources.add_sql
    source = add_source(contract.source, connection_string="duckdb:///:memory:", kwargs=engine_options)
    asset = source.add_table_asset(contract.source, table_name=TABLE)
    # All at once: added one by one, each is compared with all before it.
    suite = gx.ExpectationSuite(
        name=contract.source, expectations=[_expectation(contract, rule) for rule in contract.all_rules]
    )
    return asset.add_batch_definition_whole_table("delivery"), context.suites.add(suite)


def _expectation(contract: Contract, rule: Rule) -> Any:
    """A native expectation on the column itself where there is one, else on the column of the rule's condition."""
    import great_expectations.expectations as gxe  # noqa: PLC0415

    meta = {"rule": rule.id, "severity": rule.severity}
    column = contract.column_named(rule.column)
    if rule.required and not column.can_be_unreadable:
        return gxe.ExpectColumnValuesToNotBeNull(column=rule.column, meta=meta)
    if rule.identity:
        return gxe.ExpectColumnValuesToBeInSet(column="is_conflict", value_set=[False], meta=meta)
    if rule.readable:
        return gxe.ExpectColumnValuesToBeInSet(column=f"{rule.column}__unreadable", value_set=[False], meta=meta)
    if rule.allowed is not None:
        return gxe.ExpectColumnValuesToBeInSet(column=rule.column, value_set=list(rule.allowed), meta=meta)
    if rule.range is not None:
        return gxe.ExpectColumnValuesToBeBetween(
            column=rule.column, min_value=rule.range.min, max_value=rule.range.max, meta=meta
        )
    if not has_own_column(contract, rule):
        raise EngineError(f"no expectation states rule {rule.id}")
    # A condition is a column of the view; NULL (the rule does not apply) is no failure, as with the row rules.
    return gxe.ExpectColumnValuesToBeInSet(column=rule.id, value_set=[True], meta=meta)


def _raise_for_exceptions(results: dict[str, Any], rules: list[Rule]) -> None:
    """A rule without a result, or with an exception inside, stops everything; names the rules at fault, not those they took along."""
    if lost := [rule.id for rule in rules if rule.id not in results]:
        raise EngineError(f"the validator gave no result for {', '.join(lost)}")
    messages = {rule.id: _exception_message(results[rule.id]) for rule in rules}
    failed = {rule: message for rule, message in messages.items() if message is not None}
    at_fault = {rule: message for rule, message in failed.items() if _FOLLOWS not in message} or failed
    if at_fault:
        raise EngineError(f"the validator failed at {', '.join(at_fault)}: {next(iter(at_fault.values()))}")


def _exception_message(result: Any) -> str | None:
    """What went wrong inside the validator; its report nests the exceptions of a rule's parts, by part."""
    info = result.exception_info or {}
    parts = [info, *(part for part in info.values() if isinstance(part, dict))]
    raised = [str(part.get("exception_message")) for part in parts if part.get("raised_exception")]
    return raised[0].strip().splitlines()[0] if raised else None


def _rule_count(rule: Rule, result: Any, rows: int) -> RuleCount:
    failed = result.result.get("unexpected_count", result.result.get("observed_value"))
    if failed is None:
        raise EngineError(f"the validator gave no count for {rule.id}")
    return RuleCount(rule.id, rule.severity, rows, int(failed))
