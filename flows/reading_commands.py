"""The commands that read what is published: values, scores, services, reconcile, quarantine."""

from enum import StrEnum
from typing import Annotated

import typer

from flows.options import (
    AsOf,
    HomeOption,
    JsonOption,
    app,
    exit_codes,
    home_of,
    note_if_empty,
    parse_day,
)


class By(StrEnum):
    year = "year"
    period = "period"
    region = "region"
    agency = "agency"


@app.command()
def values(
    year: Annotated[int | None, typer.Option(help="All indicators of a year.")] = None,
    period: Annotated[str | None, typer.Option(help="2024, 2024-Q3 or 2024-S1.")] = None,
    indicator: Annotated[str | None, typer.Option(help="One indicator, such as IKU-06.")] = None,
    as_of: AsOf = None,
    office: Annotated[str | None, typer.Option(help="A peer's reported values, such as 03; default: our own.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the KPI values, as known now or on a day."""
    from flows.render import print_json, print_values  # noqa: PLC0415
    from warehouse.home import Home  # noqa: PLC0415
    from warehouse.reading import read_values  # noqa: PLC0415

    with exit_codes():
        rows = read_values(Home(home_of(home)), year, period, parse_day(as_of), indicator and indicator.upper(), office)
        (print_json if as_json else print_values)(rows)
        asked = [str(part) for part in (indicator, period, year, office and f"office {office}") if part]
        when = f" as known on {as_of}" if as_of else ""
        note_if_empty(rows, (" ".join(asked) or "any value") + when, "`kpi values` lists all that is")


@app.command()
def scores(
    year: Annotated[int, typer.Option(help="The year.")],
    as_of: AsOf = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the score of a year: capaian, NSS, NKP, NPSS, budget efficiency."""
    from flows.render import print_json, print_scores  # noqa: PLC0415
    from warehouse.home import Home  # noqa: PLC0415
    from warehouse.reading import read_scores  # noqa: PLC0415

    with exit_codes():
        sheet = read_scores(Home(home_of(home)), year, parse_day(as_of))
        if as_json:
            print_json(sheet.shape)
        else:
            print_scores(sheet)


@app.command()
def services(
    year: Annotated[int, typer.Option(help="The year.")],
    by: Annotated[By, typer.Option(help="Break the year down.")] = By.year,
    as_of: AsOf = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the service indicators: promotion, nip, pension."""
    from flows.render import print_json, print_services  # noqa: PLC0415
    from warehouse.home import Home  # noqa: PLC0415
    from warehouse.reading import read_services  # noqa: PLC0415

    with exit_codes():
        rows = read_services(Home(home_of(home)), year, by.value, parse_day(as_of))
        (print_json if as_json else print_services)(rows)
        note_if_empty(
            rows,
            f"the services of {year} by {by.value}",
            "`kpi values` lists the years (nip and pension have no periods)",
        )


@app.command()
def reconcile(
    year: Annotated[int, typer.Option(help="The year of the report, or of the printed numbers.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what is printed against what is derived, line by line."""
    from flows.render import RECONCILED, print_json, print_reconciliation  # noqa: PLC0415
    from warehouse.home import Home  # noqa: PLC0415
    from warehouse.reading import read_reconciliation  # noqa: PLC0415

    with exit_codes():
        rows = read_reconciliation(Home(home_of(home)), year)
        if as_json:
            print_json([{name: row[name] for name in RECONCILED} for row in rows])
        else:
            print_reconciliation(rows)
        note_if_empty(
            rows, f"printed numbers of {year}", "the report of 2024 is in the product, others come as published_value"
        )


@app.command()
def quarantine(
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only rows that break this rule, such as PRM-05.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the rows that are held back: counts by rule, then file and row."""
    from dataclasses import asdict  # noqa: PLC0415

    from flows.render import print_held_rows, print_json  # noqa: PLC0415
    from warehouse.held_rows import read_held_rows  # noqa: PLC0415
    from warehouse.home import Home  # noqa: PLC0415

    with exit_codes():
        place = Home(home_of(home))
        _require_known(source, reason)
        rows = read_held_rows(place, source, reason)
        if as_json:
            print_json([asdict(row) for row in rows])
        else:
            print_held_rows(place, rows, source, reason)


def _require_known(source: str | None, reason: str | None) -> None:
    """Raises KeyError or ValueError: an empty answer to a misspelt name would read as nothing held."""
    from expectations.contract import load_contract, source_names  # noqa: PLC0415

    sources = [source] if source else source_names()
    rules = {rule.id for name in sources for rule in load_contract(name).all_rules}
    if reason and reason not in rules:
        raise ValueError(
            f"no rule {reason!r}{f' of {source}' if source else ''}; docs/dictionary/ lists them, a page a source"
        )
