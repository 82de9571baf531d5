"""``kpi reproduce``: a number again, from the archive alone."""

import typer

from flows.command import Panel, command
from flows.options import (
    EXIT_GATE,
    AsOf,
    HomeOption,
    ItemArgument,
    JsonOption,
    PeriodOption,
    exit_codes,
    home_of,
    note,
    parse_day,
)


@command(
    "kpi reproduce IKU-06 --period 2024",
    "kpi reproduce NPSS --period 2024",
    "kpi reproduce 'integration|2024-Q4|webservice'",
    panel=Panel.TRACING,
    place=2,
)
def reproduce(
    item: ItemArgument,
    period: PeriodOption = None,
    as_of: AsOf = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compute a number again from the archived deliveries alone, and compare exactly. Exit 1: it differs."""
    from flows.explain_text import print_reproduction  # noqa: PLC0415
    from flows.json_shapes import Reproduction  # noqa: PLC0415
    from flows.render import print_json  # noqa: PLC0415
    from warehouse.store.failures import NothingKnown  # noqa: PLC0415
    from warehouse.trace.reproduce import reproduce as reproduce_item  # noqa: PLC0415

    with exit_codes():
        try:
            found = reproduce_item(home_of(home), item, period, parse_day(as_of))
        except NothingKnown as nothing:
            note(f"{nothing}. There is no number to make again, so nothing was compared")
            if as_json:
                print_json(None, Reproduction | None)
            return
        if as_json:
            print_json(found, Reproduction)
        else:
            print_reproduction(found)
        if not found["equal"]:
            raise typer.Exit(EXIT_GATE)
