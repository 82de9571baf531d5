"""``kpi revisions``: the revision triangle of an indicator."""

from typing import Annotated

import typer

from flows.command import Panel, command
from flows.options import (
    FormatOption,
    HomeOption,
    JsonOption,
    WideOption,
    chosen_format,
    exit_codes,
    home_of,
    note_if_empty,
)


@command("kpi revisions IKU-06", "kpi revisions NPSS --format csv", panel=Panel.READING, place=4)
def revisions(
    indicator: Annotated[str, typer.Argument(help="An indicator, such as IKU-06, or NPSS.")],
    home: HomeOption = None,
    as_format: FormatOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the revision triangle of an indicator: each period's value by the moment from which it was known."""
    from flows.fact_tables import print_revisions  # noqa: PLC0415
    from warehouse.reading.published_values import read_revisions  # noqa: PLC0415
    from warehouse.store.home import Home  # noqa: PLC0415

    with exit_codes():
        form = chosen_format(as_format, as_json)
        rows = read_revisions(Home(home_of(home)), indicator.upper())
        print_revisions(rows, form, wide)
        note_if_empty(rows, indicator.upper(), "`kpi values` lists all that is")
