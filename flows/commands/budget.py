"""``kpi budget``: what was allocated and spent, revision by revision."""

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


@command(
    "kpi budget --year 2024",
    "kpi budget --year 2024 --in-force --format csv > budget.csv",
    panel=Panel.READING,
    place=9,
)
def budget(
    year: YearOption,
    in_force: Annotated[bool, typer.Option("--in-force", help="Only the revisions in force at the cut-off.")] = False,
    as_of: AsOf = None,
    home: HomeOption = None,
    as_format: FormatOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the budget: allocation and spending of each indicator and program by revision, and when each was in force."""
    from flows.render import answer  # noqa: PLC0415
    from flows.result_tables import BUDGET  # noqa: PLC0415
    from warehouse.reading.results import read_budget  # noqa: PLC0415
    from warehouse.store.home import Home  # noqa: PLC0415

    with exit_codes():
        form = chosen_format(as_format, as_json)
        rows = read_budget(Home(home_of(home)), year, parse_day(as_of))
        answer(BUDGET, [row for row in rows if row["in_force"] or not in_force], form, wide)
        note_if_empty(rows, f"the budget of {year}", "deliver it into inbox/budget/, then `kpi run`")
