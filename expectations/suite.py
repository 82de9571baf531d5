"""The Great Expectations suite of a contract, and its run on the rows of one delivery: the only file that knows the validator.

Great Expectations counts on its own what each rule fails; the caller compares the counts with the rows it quarantined.
It works on the caller's open DuckDB connection, so it sees rows that are not committed yet and locks nothing.
"""

import atexit
import gc
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from expectations.contract import Contract
from expectations.kinds import ROWS, Told
from expectations.rule import Rule
from expectations.rules import told

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
        """Imports the validator: some seconds, that only a run with new rows pays, once a process."""
        if "great_expectations.expectations" in sys.modules:
            return
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
        with warnings.catch_warnings(), _garbage_left():
            warnings.simplefilter("ignore")
            import great_expectations.expectations  # noqa: F401, PLC0415
        # What an import made lives as long as the process: no later collection needs to look at it.
        gc.freeze()
        atexit.register(_let_go)

    def count_broken_rules(self, contract: Contract, rows: int) -> list[RuleCount]:
        """Runs every rule on the ``rows`` rows of ``validated_rows``: one or more deliveries of the source. Order: as in the contract.

        Raises EngineError naming the rule where the validator raised an exception inside.
        """
        if rows == 0:
            return [RuleCount(rule.id, rule.severity, 0, 0) for rule in contract.all_rules]
        with self._at_work():
            results = self._validated(*_built_suite(contract))
        rested_on = _rested_on(contract)
        return [_rule_count(rule, rested_on, results, rows) for rule in contract.all_rules]

    def count_by_delivery(
        self, contract: Contract, rules: Sequence[str], batch_ids: Sequence[int]
    ) -> dict[int, dict[str, int]]:
        """Of some rules, the rows that break them in each of several deliveries of ``validated_rows``: {batch_id: {rule: rows}}.

        Raises EngineError as ``count_broken_rules`` does.
        """
        asked = [rule for rule in contract.all_rules if rule.id in rules]
        rested_on = _rested_on(contract)
        needed = {rule.id: rule for rule in [*asked, *(rested_on[name] for name in rules if name in rested_on)]}
        with self._at_work():
            batch_definition, context = _built_asset(_BORROWED, contract)
            expectations = [
                _expectation(contract, rule, batch_id) for batch_id in batch_ids for rule in needed.values()
            ]
            results = self._validated(batch_definition, _suite(context, f"{contract.source} by delivery", expectations))
        return {
            batch_id: {rule.id: _rule_count(rule, rested_on, results, 0, batch_id).rows_failed for rule in asked}
            for batch_id in batch_ids
        }

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        with _VALIDATING, _BORROWED.lent(self._connection), warnings.catch_warnings(), _garbage_left():
            warnings.simplefilter("ignore")
            yield

    def _validated(self, batch_definition: Any, suite: Any) -> dict[str, Any]:
        """The validator's result of each expectation by its name; none of them an exception inside."""
        # No failing values in the result: they would be personal data.
        result_format = {"result_format": "BASIC", "partial_unexpected_count": 0}
        outcome = batch_definition.get_batch().validate(suite, result_format=result_format)
        # As the validator tells it, with counts and without a failing value.
        self.last_result = outcome.to_json_dict()
        results = {result.expectation_config.meta["name"]: result for result in outcome.results}
        _raise_for_exceptions(results, [expectation.meta["name"] for expectation in suite.expectations])
        return results


def _let_go() -> None:
    """At the end of the process: so that what was made is freed. What of DuckDB is not, its binding reports as leaked, in pages of text.

    Python empties a module at its end only if the module itself is still there. polars, pyarrow and pydantic hold single objects of theirs for
    good, and a function holds its module's names, not its module: the module goes, the names stay, and by way of ``typing`` everything is
    reached from them that the validator has ever made. So every module is held until it has been emptied: ``sys`` is the last.
    """
    gc.unfreeze()
    vars(sys)["_modules_to_empty"] = list(sys.modules.values())


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
    judged = (contract.source, *((rule.id, rule.severity, repr(told(contract, rule))) for rule in contract.all_rules))
    if judged not in _SUITES:
        _SUITES[judged] = _build_suite(_BORROWED, contract)
    return _SUITES[judged]


def _build_suite(connection: _BorrowedConnection, contract: Contract) -> tuple[Any, Any]:
    """(batch definition, suite) of the contract."""
    batch_definition, context = _built_asset(connection, contract)
    return batch_definition, _suite(
        context, contract.source, [_expectation(contract, rule) for rule in contract.all_rules]
    )


def _suite(context: Any, name: str, expectations: list[Any]) -> Any:
    import great_expectations as gx  # noqa: PLC0415

    # All at once: added one by one, each is compared with all before it.
    return context.suites.add_or_update(gx.ExpectationSuite(name=name, expectations=expectations))


_ASSETS: dict[str, tuple[Any, Any]] = {}


def _built_asset(connection: _BorrowedConnection, contract: Contract) -> tuple[Any, Any]:
    """(batch definition, context) of the source's rows: an ephemeral context that writes no file and calls nobody."""
    if contract.source not in _ASSETS:
        _ASSETS[contract.source] = _build_asset(connection, contract.source)
    return _ASSETS[contract.source]


def _build_asset(connection: _BorrowedConnection, name: str) -> tuple[Any, Any]:
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
    source = add_source(name, connection_string="duckdb:///:memory:", kwargs=engine_options)
    asset = source.add_table_asset(name, table_name=TABLE)
    return asset.add_batch_definition_whole_table("delivery"), context


def _expectation(contract: Contract, rule: Rule, batch_id: int | None = None) -> Any:
    """What the validator is told of the rule, of all rows or of those of one delivery."""
    import great_expectations.expectations as gxe  # noqa: PLC0415
    from great_expectations.expectations.row_conditions import Column as GxColumn  # noqa: PLC0415

    stated = told(contract, rule)
    meta = {"rule": rule.id, "severity": rule.severity, "judged": stated.judgement, "name": _name(rule, batch_id)}
    if stated.judgement == "row query":
        return gxe.UnexpectedRowsExpectation(unexpected_rows_query=_row_query(stated, batch_id), meta=meta)
    rows: dict[str, Any] = {} if batch_id is None else {"row_condition": GxColumn("batch_id") == batch_id}
    if stated.expectation is None:
        # A condition is a column of the view; NULL (the rule does not apply) is no failure, as with the row rules.
        return gxe.ExpectColumnValuesToBeInSet(column=rule.id, value_set=[True], meta=meta, **rows)
    return getattr(gxe, stated.expectation)(**stated.arguments, meta=meta, **rows)


def _row_query(stated: Told, batch_id: int | None) -> str:
    """SELECT of the broken rows; the validator puts its table in for ``{batch}``, all other braces are doubled."""
    of_delivery = "" if batch_id is None else f" AND judged.batch_id = {batch_id:d}"
    where = str(stated.broken_where).replace("{", "{{").replace("}", "}}")
    # Under one name inside and outside of a nested query the columns would be told apart by nobody.
    return f"SELECT 1 AS broken FROM (SELECT * FROM {{batch}}) AS judged WHERE ({where}){of_delivery}".replace(
        f"{ROWS}.", "judged."
    ).replace(ROWS, "{batch}")


def _name(rule: Rule, batch_id: int | None) -> str:
    return rule.id if batch_id is None else f"{rule.id} of {batch_id}"


def _raise_for_exceptions(results: dict[str, Any], names: list[str]) -> None:
    """A rule without a result, or with an exception inside, stops everything; names the rules at fault, not those they took along."""
    if lost := [name for name in names if name not in results]:
        raise EngineError(f"the validator gave no result for {', '.join(lost)}")
    messages = {name: _exception_message(results[name]) for name in names}
    failed = {name: message for name, message in messages.items() if message is not None}
    at_fault = {name: message for name, message in failed.items() if _FOLLOWS not in message} or failed
    if at_fault:
        raise EngineError(f"the validator failed at {', '.join(at_fault)}: {next(iter(at_fault.values()))}")


def _exception_message(result: Any) -> str | None:
    """What went wrong inside the validator; its report nests the exceptions of a rule's parts, by part."""
    info = result.exception_info or {}
    parts = [info, *(part for part in info.values() if isinstance(part, dict))]
    raised = [str(part.get("exception_message")) for part in parts if part.get("raised_exception")]
    return raised[0].strip().splitlines()[0] if raised else None


def _rested_on(contract: Contract) -> dict[str, Rule]:
    """By rule: the one whose failing rows fail its expectation too, and are counted there."""
    rules = contract.all_rules
    by_place = {(rule.column, rule.kind.key): rule for rule in rules}
    stated = {rule.id: (rule.column, told(contract, rule).less) for rule in rules}
    return {name: by_place[column, less] for name, (column, less) in stated.items() if less}


def _rule_count(
    rule: Rule, rested_on: dict[str, Rule], results: dict[str, Any], rows: int, batch_id: int | None = None
) -> RuleCount:
    failed = _failed(results, _name(rule, batch_id))
    if less := rested_on.get(rule.id):
        failed -= _failed(results, _name(less, batch_id))
    return RuleCount(rule.id, rule.severity, rows, failed)


def _failed(results: dict[str, Any], name: str) -> int:
    result = results[name].result
    failed = result.get("unexpected_count", result.get("observed_value"))
    if failed is None:
        # Of rows without any value in the column it counts none, and says only that all of them lack one.
        if result.get("element_count") is None or result["element_count"] != result.get("missing_count", 0):
            raise EngineError(f"the validator gave no count for {name}: {sorted(result)}")
        return 0
    return int(failed)
