"""The commands that read what is published: values, scores, services, reconcile, quarantine."""

from enum import StrEnum
from typing import Annotated

import typer

from flows.app import command
from flows.options import (
    AsOf,
    FormatOption,
    HomeOption,
    JsonOption,
    Verdict,
    WideOption,
    YearOption,
    chosen_format,
    exit_codes,
    home_of,
    note,
    note_if_empty,
    parse_day,
)
from transforms.periods import FIRST_YEAR, LAST_YEAR


class By(StrEnum):
    year = "year"
    period = "period"
    region = "region"
    agency = "agency"


@command(
    "kpi values --year 2024",
    "kpi values --indicator IKU-06 --period 2024-Q3",
    "kpi values --year 2024 --as-of 2025-03-31 --format csv > values.csv",
)
def values(
    year: Annotated[int | None, typer.Option(min=FIRST_YEAR, max=LAST_YEAR, help="All indicators of a year.")] = None,
    period: Annotated[str | None, typer.Option(help="2024, 2024-Q3 or 2024-S1.")] = None,
    indicator: Annotated[str | None, typer.Option(help="One indicator, such as IKU-06.")] = None,
    as_of: AsOf = None,
    office: Annotated[str | None, typer.Option(help="A peer's reported values, such as 03; default: our own.")] = None,
    home: HomeOption = None,
    as_format: FormatOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the KPI values, as known now or on a day."""
    from flows.fact_tables import print_values  # noqa: PLC0415
    from warehouse.reading.published_values import read_values  # noqa: PLC0415
    from warehouse.store.home import Home  # noqa: PLC0415

    with exit_codes():
        form = chosen_format(as_format, as_json)
        rows = read_values(Home(home_of(home)), year, period, parse_day(as_of), indicator and indicator.upper(), office)
        print_values(rows, form, wide)
        asked = [str(part) for part in (indicator, period, year, office and f"office {office}") if part]
        when = f" as known on {as_of}" if as_of else ""
        note_if_empty(rows, (" ".join(asked) or "any value") + when, "`kpi values` lists all that is")


@command("kpi scores --year 2024", "kpi scores --year 2024 --json")
def scores(
    year: YearOption,
    as_of: AsOf = None,
    home: HomeOption = None,
    as_format: FormatOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the score of a year: capaian, NSS, NKP, NPSS, budget efficiency."""
    from flows.fact_tables import print_scores  # noqa: PLC0415
    from warehouse.reading.published_values import read_scores  # noqa: PLC0415
    from warehouse.store.home import Home  # noqa: PLC0415

    with exit_codes():
        form = chosen_format(as_format, as_json)
        sheet = read_scores(Home(home_of(home)), year, parse_day(as_of))
        print_scores(sheet, form, wide)
        if not sheet.is_known:
            note(f"nothing is known of the scores of {year}; `kpi values` lists all that is")


@command(
    "kpi services --year 2024 --by region",
    "kpi services --year 2024 --by agency --wide",
    "kpi services --year 2024 --by agency --format xlsx > services.xlsx",
)
def services(
    year: YearOption,
    by: Annotated[By, typer.Option(help="Break the year down.")] = By.year,
    as_of: AsOf = None,
    home: HomeOption = None,
    as_format: FormatOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the service indicators: promotion, nip, pension."""
    from flows.fact_tables import print_services  # noqa: PLC0415
    from warehouse.reading.published_values import read_services  # noqa: PLC0415
    from warehouse.store.home import Home  # noqa: PLC0415

    with exit_codes():
        form = chosen_format(as_format, as_json)
        rows = read_services(Home(home_of(home)), year, by.value, parse_day(as_of))
        print_services(rows, by.value, form, wide)
        note_if_empty(
            rows,
            f"the services of {year} by {by.value}",
            "`kpi values` lists the years (nip and pension have no periods)",
        )


@command("kpi reconcile --year 2024", "kpi reconcile --year 2024 --verdict known --wide")
def reconcile(
    year: Annotated[
        int, typer.Option(min=FIRST_YEAR, max=LAST_YEAR, help="The year of the report, or of the printed numbers.")
    ],
    verdict: Annotated[Verdict | None, typer.Option(help="Only the lines with this verdict.")] = None,
    home: HomeOption = None,
    as_format: FormatOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print what is printed against what is derived, line by line."""
    from flows.fact_tables import print_reconciliation  # noqa: PLC0415
    from warehouse.reading.published_values import read_reconciliation  # noqa: PLC0415
    from warehouse.store.home import Home  # noqa: PLC0415

    with exit_codes():
        form = chosen_format(as_format, as_json)
        rows = read_reconciliation(Home(home_of(home)), year)
        chosen = [row for row in rows if verdict in (None, row["verdict"])]
        print_reconciliation(chosen, form, wide)
        note_if_empty(
            rows, f"printed numbers of {year}", "the report of 2024 is in the product, others come as published_value"
        )
        if rows and not chosen:
            note(f"none of the {len(rows)} printed numbers of {year} is {verdict}")


@command(
    "kpi quarantine",
    "kpi quarantine --source promotion --reason PRM-05",
    "kpi quarantine --source promotion --format csv > held.csv",
)
def quarantine(
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only rows that break this rule, such as PRM-05.")] = None,
    home: HomeOption = None,
    as_format: FormatOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the rows that are held back: counts by rule, then file and row."""
    from flows.held_tables import print_held_rows  # noqa: PLC0415
    from warehouse.reading.held_rows import read_held_rows  # noqa: PLC0415
    from warehouse.store.home import Home  # noqa: PLC0415

    with exit_codes():
        form = chosen_format(as_format, as_json)
        place = Home(home_of(home))
        _require_known(source, reason)
        rows = read_held_rows(place, source, reason)
        print_held_rows(place, rows, source, reason, form, wide)
        if not rows:
            note("no row is held back" + (" that was asked for" if source or reason else ""))


def _require_known(source: str | None, reason: str | None) -> None:
    """Raises KeyError or ValueError: an empty answer to a misspelt name would read as nothing held."""
    from expectations.contract import load_contract, source_names  # noqa: PLC0415
    from transforms.names import did_you_mean  # noqa: PLC0415

    sources = [source] if source else source_names()
    rules = {rule.id for name in sources for rule in load_contract(name).all_rules}
    if reason and reason not in rules:
        raise ValueError(
            f"no rule {reason!r}{f' of {source}' if source else ''}{did_you_mean(reason, rules) or ';'} docs/dictionary/ lists them, a page a source"
        )
