"""``kpi doctor``: the state of the environment and the home."""

from typing import Annotated

import typer

from flows.command import Panel, command
from flows.options import (
    EXIT_ENVIRONMENT,
    FormatOption,
    HomeOption,
    JsonOption,
    WideOption,
    chosen_format,
    exit_codes,
    home_of,
)


@command("kpi doctor", "kpi doctor --deep", "kpi doctor --json", panel=Panel.CHECKING, place=3)
def doctor(
    deep: Annotated[
        bool, typer.Option("--deep", help="Read every block of the warehouse and every file of the home as well.")
    ] = False,
    home: HomeOption = None,
    as_format: FormatOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Check the environment: versions, disk, locks, the key, the last run, damage, the freshness of every source."""
    from flows.render import CHECKS, answer  # noqa: PLC0415
    from warehouse.runs.doctor import examine  # noqa: PLC0415

    with exit_codes():
        checks = examine(home_of(home), is_deep=deep)
        answer(CHECKS, checks, chosen_format(as_format, as_json), wide)
        if any(check["verdict"] == "bad" for check in checks):
            raise typer.Exit(EXIT_ENVIRONMENT)
