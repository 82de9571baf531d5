"""``kpi backlog``: the queue of a service."""

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
    chosen_format,
    exit_codes,
    home_of,
    note_if_empty,
    parse_day,
)
from transforms.periods import FIRST_YEAR, LAST_YEAR


class Step(StrEnum):
    day = "day"
    week = "week"
    month = "month"


@command(
    "kpi backlog --service pension --by month",
    "kpi backlog --service promotion --year 2024 --by week",
    "kpi backlog --service nip --format csv > backlog.csv",
    panel=Panel.READING,
    place=10,
)
def backlog(
    service: Annotated[str, typer.Option(help="promotion, nip or pension.")],
    by: Annotated[Step, typer.Option(help="A line a day, week (from Monday) or month.")] = Step.day,
    year: Annotated[int | None, typer.Option(min=FIRST_YEAR, max=LAST_YEAR, help="[default: the newest]")] = None,
    as_of: AsOf = None,
    home: HomeOption = None,
    as_format: FormatOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the queue of a service: received, decided, open at the end, late, and how long the oldest waits."""
    from flows.render import answer  # noqa: PLC0415
    from flows.result_tables import BACKLOG  # noqa: PLC0415
    from warehouse.reading.results import read_backlog  # noqa: PLC0415
    from warehouse.store.home import Home  # noqa: PLC0415

    with exit_codes():
        form = chosen_format(as_format, as_json)
        rows = read_backlog(Home(home_of(home)), service, by.value, year, parse_day(as_of))
        answer(BACKLOG, rows, form, wide)
        note_if_empty(
            rows, f"the backlog of {service}" + (f" in {year}" if year else ""), "`kpi services` lists the services"
        )
