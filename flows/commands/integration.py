"""``kpi integration``: integration with SIASN by channel."""

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

ALL = "all"


@command(
    "kpi integration --year 2024",
    "kpi integration --year 2024 --history all --format xlsx > integration.xlsx",
    panel=Panel.READING,
    place=7,
)
def integration(
    year: YearOption,
    history: Annotated[str, typer.Option(help="The history type, such as skp; all: every one.")] = "jabatan",
    as_of: AsOf = None,
    home: HomeOption = None,
    as_format: FormatOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the integration with SIASN: agencies and integrated ones by quarter and channel, with the letter that says so."""
    from flows.render import answer  # noqa: PLC0415
    from flows.result_tables import INTEGRATION  # noqa: PLC0415
    from warehouse.reading.results import read_integration  # noqa: PLC0415
    from warehouse.store.home import Home  # noqa: PLC0415

    with exit_codes():
        form = chosen_format(as_format, as_json)
        rows = read_integration(Home(home_of(home)), year, None if history == ALL else history, parse_day(as_of))
        answer(INTEGRATION, rows, form, wide)
        note_if_empty(rows, f"the integration of {year}", "`kpi values --indicator IKU-06` lists the years")
