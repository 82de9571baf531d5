"""``kpi close``: a year whose values are final."""

from typing import Annotated

import typer

from flows.command import Panel, command
from flows.options import (
    HomeOption,
    PretendDay,
    PretendFuture,
    YesOption,
    exit_codes,
    home_of,
    is_asked,
    pretended_day,
)
from transforms.periods import FIRST_YEAR, LAST_YEAR


@command("kpi close 2024", "kpi close 2024 --yes", panel=Panel.KEEPING, place=1)
def close(
    year: Annotated[
        int, typer.Argument(min=FIRST_YEAR, max=LAST_YEAR, help="The year whose published values are final.")
    ],
    yes: YesOption = False,
    as_of: PretendDay = None,
    pretend_future: PretendFuture = False,
    home: HomeOption = None,
) -> None:
    """Close a year: from now on its published values change by a restatement alone. No command opens it again."""
    from warehouse.runs.closing import check_closable, close_year  # noqa: PLC0415
    from warehouse.runs.pipeline import a_run  # noqa: PLC0415
    from warehouse.store.connection import open_warehouse  # noqa: PLC0415
    from warehouse.store.runs import run_clock  # noqa: PLC0415

    with exit_codes():
        question = f"Close {year} for good? Its published values will change by a restatement alone."
        if is_asked(yes) and not typer.confirm(question):
            print(f"{year} stays open")
            return
        day = pretended_day(as_of, pretend_future)
        with open_warehouse(home_of(home), f"kpi close {year}") as warehouse:
            # Looked at before a run begins: a year that cannot be closed leaves no failed run.
            check_closable(warehouse.connection, year, run_clock(warehouse.connection, day))
            with a_run(home_of(home), day) as pipeline:
                is_new = close_year(pipeline.warehouse, year, pipeline.run)
                pipeline.end()
        print(f"{year} is closed" + ("" if is_new else " already") + "; what would change it waits for `kpi restate`")
