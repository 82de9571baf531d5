"""``kpi init``: make an installation."""

from typing import Annotated

import typer

from flows.command import Panel, command
from flows.options import (
    HomeOption,
    JsonOption,
    exit_codes,
    home_of,
)


@command("kpi init", "kpi init --home /srv/kpi", "kpi init --trial --home data/trial", panel=Panel.BEGINNING, place=1)
def init(
    trial: Annotated[bool, typer.Option("--trial", help="For trials: its runs may pretend a day yet to come.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Begin anew where the warehouse is lost or old; what is left is set aside.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an installation: its folders, its warehouse and the key of the pseudonyms. Changes none that is there."""
    from dataclasses import asdict  # noqa: PLC0415

    from flows.json_shapes import Installation  # noqa: PLC0415
    from flows.render import print_initialised, print_json  # noqa: PLC0415
    from warehouse.runs.initialise import initialise  # noqa: PLC0415

    with exit_codes():
        made = asdict(initialise(home_of(home), trial=trial, force=force))
        if as_json:
            print_json(made, Installation)
        else:
            print_initialised(made)
