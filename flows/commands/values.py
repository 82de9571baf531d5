"""``kpi values``: the KPI values."""

from typing import Annotated

import typer

from flows.command import Panel, command
from flows.options import (
    AsOf,
    FormatOption,
    HomeOption,
    JsonOption,
    WideOption,
    chosen_format,
    exit_codes,
    home_of,
    note_if_empty,
    parse_day,
)
from transforms.periods import FIRST_YEAR, LAST_YEAR


@command(
    "kpi values --year 2024",
    "kpi values --indicator IKU-06 --period 2024-Q3",
    "kpi values --year 2024 --as-of 2025-03-31 --format csv > values.csv",
    panel=Panel.READING,
    place=1,
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
