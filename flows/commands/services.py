"""``kpi services``: the service indicators."""

from enum import StrEnum
from typing import Annotated

import typer

from flows.command import Panel, command
from flows.options import (
    AsOf,
    FormatOption,
    HomeOption,
    JsonOption,
    WideOption,
    YearOption,
    chosen_format,
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
    month = "month"
    type = "type"
    kind = "kind"


@command(
    "kpi services --year 2024 --by region",
    "kpi services --year 2024 --by agency --wide",
    "kpi services --year 2024 --by agency --format xlsx > services.xlsx",
    panel=Panel.READING,
    place=2,
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
            "`kpi values` lists the years (periods and types are of promotion, kinds of recruitment of nip)",
        )
