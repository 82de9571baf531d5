"""Accepting a derived value that a printed one contradicts: a decision of the sealed ledger, and a run that publishes what it releases."""

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from expectations.reconciliation import DIFFERENT, WAIVED, Acceptance
from transforms.names import did_you_mean
from transforms.printed import base_of
from transforms.reference import office, waivers
from transforms.sql import load_sql
from warehouse.reconciliation.waivers import keep_waivers
from warehouse.runs.pipeline import Pipeline, a_run
from warehouse.store.connection import open_warehouse
from warehouse.store.failures import WrongUsage
from warehouse.store.looking import look
from warehouse.store.queries import records
from warehouse.store.runs import run_clock

CHOICE, IN_FORCE, ENDED, REPLACED = "choice among printings, shipped", "in force", "ended", "replaced"


@dataclass(frozen=True)
class Waived:
    """What a waiver did: its run, what it accepted, the values that changed, what contradicts still, and what waits for a restatement."""

    run: str
    published: bool
    accepted: list[dict[str, Any]]
    changed: list[dict[str, Any]]
    contested: list[dict[str, Any]]
    pending: list[dict[str, Any]]


def waive(root: Path, as_of: date | None, item: str, reason: str, owner: str, until: date | None) -> Waived:
    """``kpi waive``: a run of its own, through to publication. New deliveries are left to the night.

    Raises WrongUsage where the reason or the owner is missing, where nothing of that name is contested, or ``until`` is past.
    """
    if not reason.strip() or not owner.strip():
        raise WrongUsage("a waiver needs --reason and --owner: it is explained wherever the value stands")
    with open_warehouse(root, "kpi waive") as warehouse:
        # Looked at before a run begins: what cannot be waived leaves no failed run.
        clock = run_clock(warehouse.connection, as_of)
        if until is not None and until < clock.date():
            raise WrongUsage(f"--until {until}: it is {clock:%Y-%m-%d}, and the waiver would have ended already")
        accepted = _contested(warehouse.connection, item, reason.strip(), owner.strip(), until)
        with a_run(root, as_of, "kpi waive") as pipeline:
            return _applied(pipeline, accepted)


def _applied(pipeline: Pipeline, accepted: list[Acceptance]) -> Waived:
    with pipeline.warehouse.transaction() as connection:
        keep_waivers(connection, pipeline.run.run_id, accepted, pipeline.run.clock)
    pipeline.renew()
    is_published = pipeline.publish()
    report = pipeline.end().as_dict()
    shown = [asdict(entry) for entry in accepted]
    return Waived(pipeline.run.name, is_published, shown, report["changed"], report["contested"], report["pending"])


def _contested(
    connection: duckdb.DuckDBPyConnection, item: str, reason: str, owner: str, until: date | None
) -> list[Acceptance]:
    """One entry a line that ``item`` names: with or without the office, and the place where it is printed."""
    rows = connection.execute(
        "SELECT item, published, derived, verdict, is_delivered FROM facts.reconciliation ORDER BY item"
    ).fetchall()
    lines = {name: rest for name, *rest in rows}
    named = [name for name in lines if item.casefold() in {form.casefold() for form in _forms(name)}]
    # What is waived already can be decided anew: for longer, for shorter, for another reason.
    open_ones = {
        name for name, (_, _, verdict, is_delivered) in lines.items() if is_delivered and verdict in (DIFFERENT, WAIVED)
    }
    found = [name for name in named if name in open_ones]
    if not found:
        raise WrongUsage(_why_not(item, named, lines, sorted(open_ones)))
    return [Acceptance(name, lines[name][0], lines[name][1], reason, owner, until) for name in found]


def _why_not(item: str, named: list[str], lines: dict[str, list[Any]], open_ones: list[str]) -> str:
    if named:
        why = f"{item} is not contested: {lines[named[0]][2]}" + (
            "" if lines[named[0]][3] else ", and only printed in the report"
        )
    else:
        why = f"no printed number is called {item!r}"
    near = did_you_mean(item, [form for name in open_ones for form in _forms(name)]) or ";"
    return f"{why}{near} contested: {', '.join(open_ones) or 'nothing'} (`kpi reconcile --year Y` lists every printed number)"


def _forms(name: str) -> list[str]:
    """The names of a printed number, from the whole one to office and place left out."""
    prefix = f"{office().office_code}|"
    return [form.removeprefix(cut) for form in (name, base_of(name)) for cut in ("", prefix)]


def read_waivers(root: Path) -> list[dict[str, Any]]:
    """``kpi waive --list``: every decision ever made, newest first, then the shipped choices among printings. ``state``: whether it holds."""
    with look(root) as warehouse:
        found = records(warehouse.connection, load_sql("warehouse.runs", "all_waivers.sql"))
    chosen = [
        {
            "item": choice.item, "published": choice.chosen, "derived": None, "reason": choice.reason, "owner": choice.owner,
            "until": None, "waived_at": None, "run": None, "state": CHOICE,
        }
        for choice in waivers()
    ]  # fmt: skip
    return [*({**_plain(row), "state": _state(row)} for row in found), *chosen]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    days = {name: row[name].isoformat() if row[name] else None for name in ("until", "waived_at")}
    return {name: value for name, value in (row | days).items() if name not in ("is_newest", "has_ended")}


def _state(row: dict[str, Any]) -> str:
    return REPLACED if not row["is_newest"] else ENDED if row["has_ended"] else IN_FORCE
