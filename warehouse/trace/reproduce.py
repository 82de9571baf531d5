"""A number once more, from the archived deliveries alone: a fresh warehouse takes them in again and derives it anew."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from expectations.contested import CONTESTED, WAIVED
from expectations.contract import load_contract
from transforms.exact import decimal_text
from transforms.facts import FactTable
from transforms.services.measures import listed_measures
from warehouse.facts.derive import View
from warehouse.facts.enter import derive_partitions, enter_derived
from warehouse.facts.plan import Basis, Item, Partition, Plan, all_items
from warehouse.facts.versions import KPI_SCORES, KPI_VALUES, SERVICE_SUMMARY
from warehouse.landing.archive import Archived, archived_deliveries, readable, require_archive
from warehouse.landing.refusal import DeliveryRefused
from warehouse.loading.batch import DeliveryLoad
from warehouse.store.connection import Warehouse
from warehouse.store.failures import GateFailed, NothingKnown
from warehouse.store.looking import look, scratch_warehouse
from warehouse.store.runs import Run
from warehouse.store.stopwatch import Stopwatch
from warehouse.trace.explain import Named, question_of, resolve
from warehouse.trace.explain.lineage import Fact, Question, find_fact, is_held_back, versions_of
from warehouse.trace.explain.scores import measure_of
from warehouse.trace.explain.services import breakdown_of


@dataclass(frozen=True)
class _Subject:
    """Where a number stands: its table, its key there, the column that is asked for, and the items that it is derived with."""

    table: FactTable
    key: dict[str, Any]
    column: str
    items: list[Item]


def reproduce(root: Path, item: str, period: str | None = None, as_of: date | None = None) -> dict[str, Any]:
    """``{indicator, period, value, recomputed, equal}``, and of a difference every column that differs; ``reprocessed_since``: sources that were
    judged again since by other rules.

    Raises EnvironmentProblem where an archived delivery is gone, WrongUsage where nothing of that name is known.
    """
    question = question_of(item, period, as_of)
    named = resolve(item)
    with look(root) as warehouse:
        subject = _subject(named, question)
        fact = find_fact(warehouse.connection, subject.table.name, subject.key, question, item)
        if is_held_back(fact.row) and fact.row["value"] is None:
            raise NothingKnown(
                f"{item} {question.period.id} is withheld: a printed number contradicts it, or what it rests on"
            )
        view = fact.view(warehouse.connection)
        batches = _archived(warehouse, subject.items, view)
        again = _derived_afresh(warehouse, batches, subject, question, view)
        since = _reprocessed_since(warehouse, subject.items, view)
    compared = _compared(item, question.period.id, subject, fact, again)
    return compared | {"deliveries": len(batches), "reprocessed_since": since}


def _subject(named: Named, question: Question) -> _Subject:
    items, year = {item.name: item for item in all_items()}, question.period.year
    if named.kind == "indicator":
        return _Subject(
            KPI_VALUES, {"indicator": named.name, "period": question.period.id}, "value", [items[named.name]]
        )
    if named.kind == "service":
        breakdown, group = breakdown_of(named.name, named.group, question)
        key = {"service": named.name, "year": year, "breakdown": breakdown, "group_name": group}
        measure = listed_measures()[named.measure]
        return _Subject(SERVICE_SUMMARY, key, measure.column, [items[named.name]])
    if named.row is not None:
        return _Subject(named.row.table, named.row.key, named.row.explained.value, [items[named.name]])
    whole = [item for item in items.values() if item.kind in ("indicator", "scores")]
    return _Subject(KPI_SCORES, {"measure": measure_of(named.name), "item": named.name, "year": year}, "value", whole)


def _archived(warehouse: Warehouse, items: list[Item], view: View) -> list[Archived]:
    """The deliveries that the version knew, in the order in which they were taken in.

    Raises EnvironmentProblem for one whose archive is gone, or is not as it was written.
    """
    sources = sorted({source for item in items for source in (*item.sources, *item.shared)})
    found = archived_deliveries(warehouse.connection, sources, view.known_batch)
    for archived in found:
        require_archive(warehouse.home, archived)
    return found


def _reprocessed_since(warehouse: Warehouse, items: list[Item], view: View) -> list[str]:
    """Sources of which a delivery came out otherwise after the version was entered, when it was judged again: the number is made by those rules."""
    sources = [source for item in items for source in (*item.sources, *item.shared)]
    rows = warehouse.connection.execute(
        "SELECT DISTINCT source FROM ledger.reprocessed JOIN ledger.batches USING (batch_id) "
        "WHERE batch_id > $1 AND list_contains($2, source) ORDER BY source",
        [view.known_batch, sources],
    ).fetchall()
    return [source for (source,) in rows]


def _derived_afresh(
    original: Warehouse, batches: list[Archived], subject: _Subject, question: Question, view: View
) -> dict[str, Any] | None:
    """The row of the fact as a warehouse makes it that has the archive and the key, and nothing else."""
    with scratch_warehouse(original) as warehouse:
        for archived in batches:
            _take_in(warehouse, archived)
        basis = Basis("", "", "", view.known_batch, view.clock)
        partitions = [Partition(item, question.period.year, "missing", "first", basis) for item in subject.items]
        plan, run = Plan(partitions, view), Run(1, "reproduction", view.clock)
        with warehouse.transaction() as connection:
            derive_partitions(connection, partitions, view, Stopwatch())
            enter_derived(connection, plan, partitions, run, Stopwatch())
        # Derived once, so there is one version, or none.
        return next(iter(versions_of(warehouse.connection, subject.table.name, subject.key)), None)


def _take_in(warehouse: Warehouse, archived: Archived) -> None:
    delivery, sha256, clock = archived.delivery, archived.sha256, archived.clock
    # The rules of the day on which it was taken in.
    contract, run = load_contract(delivery.source).on(clock.date()), Run(1, "reproduction", clock)
    landed = readable(warehouse.connection, warehouse.home, contract, archived)
    try:
        with warehouse.transaction():
            DeliveryLoad(warehouse, contract, delivery, sha256, run, landed, Stopwatch(), archived.batch_id).run()
    except DeliveryRefused as refused:
        raise GateFailed(f"the archive of {delivery.file} is no longer taken in: {refused.message}") from refused


def _compared(item: str, period: str, subject: _Subject, fact: Fact, again: dict[str, Any] | None) -> dict[str, Any]:
    known = fact.origin
    differences = {
        column: [str(known[column]), str(again[column]) if again else None]
        for column in subject.table.compared
        if again is None or _without_judgement(known[column]) != _without_judgement(again[column])
    }
    return {
        "indicator": item,
        "period": period,
        "value": _text(subject, fact.row),
        "recomputed": _text(subject, again) if again else None,
        "equal": not differences,
        "differences": differences,
        "has_fingerprint": "evidence_hash" in subject.table.compared,
        "known_from": fact.row["known_from"].isoformat(),
    }


def _text(subject: _Subject, row: dict[str, Any]) -> str | None:
    value = row[subject.column]
    return (
        decimal_text(value, row["decimals"])
        if subject.column == "value"
        else subject.table.columns[subject.column].shown(value)
    )


def _without_judgement(content: Any) -> Any:
    """What a printed number makes of a value is no part of its records: flags of that kind stand apart."""
    return [flag for flag in content if flag not in (CONTESTED, WAIVED)] if isinstance(content, list) else content
