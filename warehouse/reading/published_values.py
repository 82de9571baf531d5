"""Reads the published facts: opens ``published/kpi.duckdb`` read-only, so it never blocks a run nor is blocked by one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb

from expectations.contested import WITHHELD_CONTESTED, Fact
from transforms.definitions import load_indicators
from transforms.exact import count_or_text, decimal_text
from transforms.names import did_you_mean
from transforms.periods import end_of_day, parse_period
from transforms.reference import agency_names, office
from transforms.scoring.definition import NPSS, load_scoring
from transforms.services.measures import group_names, listed_measures
from transforms.sql import filled, identifier, load_sql
from warehouse.store.damage import damage_is_said
from warehouse.store.failures import Damaged, EnvironmentProblem, WrongUsage
from warehouse.store.home import Home
from warehouse.store.home_state import require_home
from warehouse.store.manifest import published_folders
from warehouse.store.queries import has_table, install_macros, records
from warehouse.store.stopping import interruptible

ANEW = "`kpi run` makes it anew from the warehouse"


@dataclass(frozen=True)
class ScoreSheet:
    """The score of a year. ``shape`` is what ``kpi scores --json`` prints, numbers as texts with two decimals; ``gaps`` says
    in words what has no number and left which mean; ``printed_npss`` is what the office has printed, carried as reported;
    ``is_known``: whether the year has any score, or why it has none."""

    shape: dict[str, Any]
    gaps: list[str]
    printed_npss: str | None
    is_known: bool


@contextmanager
def published(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """The current publication, read-only. Raises EnvironmentProblem where nothing has been published yet, Damaged where it is damaged."""
    folder = home.published.resolve()
    file = folder / "kpi.duckdb"
    if not file.exists():
        require_home(home)
        if home.published.is_symlink() or published_folders(home):
            lost = f"{folder.name} has lost kpi.duckdb" if folder.is_dir() else "the link `published` leads to none"
            raise Damaged(f"there are publications under {home.publications}, but {lost}; {ANEW}")
        raise EnvironmentProblem(
            f"nothing is published under {home.published} yet: put deliveries into {home.inbox}, then `kpi run`"
        )
    with (
        damage_is_said(f"the publication {folder.name} is damaged", ANEW),
        duckdb.connect(str(file), read_only=True) as connection,
        interruptible(connection),
    ):
        install_macros(connection)
        yield connection


def read_values(
    home: Home,
    year: int | None = None,
    period: str | None = None,
    as_of: date | None = None,
    indicator: str | None = None,
    of_office: str | None = None,
) -> list[dict[str, Any]]:
    """The facts of an office (None: our own) as known now or at the end of a day. Grain: one indicator and period.

    ``definition_break``: the value is of the first year under a changed definition, so that a trend breaks there. ``contested``: the
    printed numbers that hold it back now.
    """
    if period is not None:
        period = parse_period(period).id
    known = [known.id for known in load_indicators()]
    if indicator is not None and indicator not in known:
        raise WrongUsage(
            f"there is no indicator {indicator!r}{did_you_mean(indicator, known) or ';'} there are {', '.join(known)}"
        )
    with published(home) as connection:
        rows = read_records(
            connection,
            load_sql("warehouse.reading", "read_values.sql"),
            {
                "year": year,
                "period": period,
                "clock": as_known(as_of),
                "indicator": indicator,
                "office": of_office or office().office_code,
            },
        )
        contested = _contested(connection, year, as_of)
    breaks = {(i.id, str(version.valid_from.year)) for i in load_indicators() for version in i.versions[1:]}
    for row in rows:
        decimals = row["decimals"]
        row["value"] = decimal_text(row["value"], decimals)
        row["band"] = [decimal_text(row.pop("band_low"), decimals), decimal_text(row.pop("band_high"), decimals)]
        row["target"] = decimal_text(row["target"])
        for component in ("numerator", "denominator"):
            row[component] = count_or_text(row[component])
        row["excluded"] = json.loads(row["excluded"])
        row["definition_break"] = (row["indicator"], row["period"][:4]) in breaks
        row["contested"] = [
            _stated(line) for line in contested if _holds(line, "value", row["indicator"], row["period"])
        ]
    return rows


def read_services(home: Home, year: int, by: str = "year", as_of: date | None = None) -> list[dict[str, Any]]:
    """The service indicators of a year. Grain: one service and group; rates are percent texts with two decimals.

    ``group_name``: what the group stands for, where that is known: an agency of the region, a code.
    """
    names = agency_names() if by == "agency" else group_names(by)
    measures = listed_measures()
    columns = ", ".join(f"{identifier(measure.column)} AS {identifier(name)}" for name, measure in measures.items())
    with published(home) as connection:
        rows = read_records(
            connection,
            filled(load_sql("warehouse.reading", "read_services.sql"), measures=columns),
            {"year": year, "breakdown": by, "clock": as_known(as_of)},
        )
    for row in rows:
        row |= {name: decimal_text(row[name], m.decimals) for name, m in measures.items() if m.decimals}
        row["excluded"] = json.loads(row["excluded"])
        row["group_name"] = names.get(row["group"])
    return rows


def read_scores(home: Home, year: int, as_of: date | None = None) -> ScoreSheet:
    """Capaian, NSS, NKP, NPSS and efficiency of a year, as known now or at the end of a day."""
    with published(home) as connection:
        rows = read_records(
            connection,
            load_sql("warehouse.reading", "read_scores.sql"),
            {"year": year, "clock": as_known(as_of), "office": office().office_code},
        )
        contested = _contested(connection, year, as_of)
    found = {(row["measure"], row["item"]): row for row in rows}

    def number(measure: str, item: str) -> str | None:
        row = found.get((measure, item))
        return decimal_text(row["value"], 2) if row else None

    total = found.get(("npss", NPSS))
    without_target = [row["item"] for row in rows if row["measure"] == "capaian" and row["target"] is None]
    shape = {
        "year": year,
        "npss": number("npss", NPSS),
        "category": total["category"] if total and total["value"] is not None else None,
        "reason": _reason(year, total, without_target),
        "perspectives": [
            {"id": p.id, "score": number("perspective_score", p.id), "nkp": number("nkp", p.id)}
            for p in load_scoring().perspectives
        ],
        "objectives": [{"id": objective, "nss": number("nss", objective)} for objective in load_scoring().objectives],
        "indicators": [
            {
                "id": row["item"],
                "realization": decimal_text(row["realization"], 2),
                "target": decimal_text(row["target"], 2),
                "capaian": decimal_text(row["value"], 2),
                "efficiency": number("efficiency", row["item"]),
                "status": row["status"],
            }
            for row in rows
            if row["measure"] == "capaian"
        ],
        "contested": _by_print(contested),
        "missing_targets": without_target,
    }
    return ScoreSheet(
        shape,
        [gap for row in rows if row["measure"] in ("nss", "perspective_score") for gap in _gaps(row)],
        number("printed_npss", NPSS),
        bool(rows),
    )


def read_revisions(home: Home, item: str) -> list[dict[str, Any]]:
    """Every version of an indicator, or of the NPSS, with from when to when it was known. Grain: one period and version."""
    known = [*(indicator.id for indicator in load_indicators()), NPSS]
    if item not in known:
        raise WrongUsage(
            f"there is no indicator {item!r}{did_you_mean(item, known) or ';'} there are {', '.join(known)}"
        )
    with published(home) as connection:
        rows = read_records(
            connection,
            load_sql("warehouse.reading", "read_revisions.sql"),
            {"item": item, "office": office().office_code},
        )
    for row in rows:
        row["value"] = decimal_text(row["value"], row.pop("decimals"))
    return rows


def read_reconciliation(home: Home, year: int) -> list[dict[str, Any]]:
    """What the report of the year prints, and what is printed elsewhere of the year, each against what is derived of it."""
    with published(home) as connection:
        return read_records(connection, load_sql("warehouse.reading", "read_reconciliation.sql"), {"year": year})


def count_discrepancies(home: Home, year: int) -> dict[str, int]:
    """Of the report of the year, how many discrepancies a check or comparison of the last run found, only a reader can find (``text``), or
    can be found and were not (``not_found``). Empty where none is known, or where an earlier release has published.
    """
    with published(home) as connection:
        if not has_table(connection, "main", "discrepancies"):
            return {}
        return dict(
            connection.execute(load_sql("warehouse.reading", "count_discrepancies.sql"), {"year": year}).fetchall()
        )


def _reason(year: int, total: dict[str, Any] | None, without_target: list[str]) -> str | None:
    """Why there is no NPSS, with the targets that nobody has delivered; None where there is one."""
    if total is None:
        return f"no NPSS: nothing is known of {year}"
    if total["status"] == WITHHELD_CONTESTED:
        return "no NPSS: it is withheld, since a printed number contradicts it or what it rests on"
    if total["value"] is not None:
        return None
    targets = f"; no target of {year} for {', '.join(without_target)}: performance_agreement brings them"
    return f"no NPSS: no score for {', '.join(json.loads(total['missing']))}{targets if without_target else ''}"


def _contested(connection: duckdb.DuckDBPyConnection, year: int | None, as_of: date | None) -> list[dict[str, Any]]:
    """What is held back now; of a day in the past the versions say that much, and no more."""
    return (
        [] if as_of else read_records(connection, load_sql("warehouse.reading", "read_contested.sql"), {"year": year})
    )


def _holds(line: dict[str, Any], measure: str, item: str, period: str) -> bool:
    return (line["held_measure"], line["held_item"], line["period"]) == (measure, item, period)


def _stated(line: dict[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in ("item", "published", "derived")}


def _by_print(contested: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each printed number once, with the names of what it holds back."""
    found: dict[str, dict[str, Any]] = {}
    for line in contested:
        held = Fact(line["held_measure"], line["held_item"], line["period"])
        found.setdefault(line["item"], {**_stated(line), "held": []})["held"].append(f"{held.name} {held.period}")
    return list(found.values())


def _gaps(row: dict[str, Any]) -> Iterator[str]:
    for item, reason in json.loads(row["missing"]).items():
        if row["value"] is None:
            yield f"{row['item']} has no {'NSS' if row['measure'] == 'nss' else 'score'}: {item} is {reason}"
        else:
            yield f"{item} is {reason}: it leaves the mean of {row['item']}"


def read_records(connection: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        found = records(connection, query, parameters)
    except duckdb.CatalogException as missing:
        raise EnvironmentProblem(
            "the publication is of an older version of the product: `kpi run` renews it"
        ) from missing
    return [{name: _plain(value) for name, value in row.items()} for row in found]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def as_known(as_of: date | None) -> datetime | None:
    return end_of_day(as_of) if as_of else None
