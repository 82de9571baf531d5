"""Reads the published tables of results, as known now or at the end of a day; numbers are exact texts, counts are integers."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from transforms.exact import count_or_text, decimal_text
from transforms.facts import fact_table
from transforms.names import did_you_mean
from transforms.periods import parse_period
from transforms.services import load_services
from transforms.sql import load_sql
from warehouse.reading.published_values import as_known, published, read_records
from warehouse.store.failures import WrongUsage
from warehouse.store.home import Home

Rows = list[dict[str, Any]]


def read_survey(
    home: Home, year: int, level: str, survey: str | None, period: str | None, as_of: date | None = None
) -> Rows:
    """``level``: unit, or element of a unit. Grain: one survey, semester and unit, or element of it. Raises WrongUsage for an unknown survey."""
    _require(survey, [evidence.label for evidence in _derivation("survey_units").evidence], "survey")
    asked = {"year": year, "survey": survey, "period": _period(period)}
    return _read(home, f"read_survey_{level}s.sql", asked, as_of)


def read_integration(home: Home, year: int, history_type: str | None, as_of: date | None = None) -> Rows:
    """``history_type``: None for all. Grain: one quarter, channel and history type. Raises WrongUsage for an unknown history type."""
    _require(
        history_type, [evidence.label for evidence in _derivation("integration_channels").evidence], "history type"
    )
    return _read(home, "read_integration.sql", {"year": year, "history_type": history_type}, as_of)


def read_agencies(home: Home, indicator: str, period: str | None, as_of: date | None = None) -> Rows:
    """``period``: None for the newest. Grain: one agency. Raises WrongUsage for an indicator that counts no agencies."""
    _require(
        indicator,
        [evidence.indicator for evidence in _derivation("agency_results").evidence],
        "indicator that counts agencies",
    )
    return _read(home, "read_agencies.sql", {"indicator": indicator, "period": _period(period)}, as_of)


def read_budget(home: Home, year: int, as_of: date | None = None) -> Rows:
    """Grain: one indicator or program and revision."""
    return _read(home, "read_budget.sql", {"year": year}, as_of)


def read_backlog(home: Home, service: str, by: str, year: int | None, as_of: date | None = None) -> Rows:
    """``by``: day, week or month; ``year``: None for the newest. Raises WrongUsage for an unknown service."""
    _require(service, [known.service for known in load_services().services], "service")
    return _read(home, "read_backlog.sql", {"service": service, "by": by, "year": year}, as_of)


def _derivation(table: str) -> Any:
    return fact_table(table).derivation


def _require(asked: str | None, known: Sequence[str], what: str) -> None:
    if asked is not None and asked not in known:
        raise WrongUsage(
            f"there is no {what} {asked!r}{did_you_mean(asked, known) or ';'} there are {', '.join(known)}"
        )


def _period(text: str | None) -> str | None:
    return None if text is None else parse_period(text).id


def _read(home: Home, query: str, asked: Mapping[str, Any], as_of: date | None) -> Rows:
    with published(home) as connection:
        rows = read_records(connection, load_sql("warehouse.reading", query), {**asked, "clock": as_known(as_of)})
    return [{name: _shown(name, value) for name, value in row.items()} for row in rows]


def _shown(name: str, value: Any) -> Any:
    """An index, a mean and a share have two decimals; a score those that it has; an amount is a whole number, mostly."""
    if not isinstance(value, Decimal):
        return value
    if name in ("allocated", "spent"):
        return count_or_text(value)
    return decimal_text(value, 2 if name in ("ikm", "mean", "share") else None)
