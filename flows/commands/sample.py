"""``kpi sample``: sample deliveries into the inbox."""

from typing import Annotated

import typer

from flows.command import Panel, command
from flows.options import (
    HomeOption,
    exit_codes,
    home_of,
    parse_years,
)


@command(
    "kpi sample --home data/demo",
    "kpi sample --years 2020..2024 --faults --home data/trial",
    panel=Panel.BEGINNING,
    place=2,
)
def sample(
    years: Annotated[str, typer.Option(help="A year or a span, such as 2024 or 2020..2024.")] = "2024",
    scale: Annotated[int, typer.Option(min=1, help="Multiplies the proposal logs; 1 gives the published counts.")] = 1,
    seed: Annotated[int, typer.Option(help="Another seed gives other records with the same counts.")] = 7,
    faults: Annotated[bool, typer.Option("--faults", help="Adds at least one row for every rule.")] = False,
    home: HomeOption = None,
) -> None:
    """Write deterministic sample deliveries into the inbox."""
    from flows.render import say  # noqa: PLC0415
    from sample_data import require_figures, write_deliveries  # noqa: PLC0415
    from warehouse.store.home import Home, private_files  # noqa: PLC0415

    with exit_codes(), private_files():
        span = parse_years(years)
        require_figures(span)
        place = Home(home_of(home))
        place.make()
        written = write_deliveries(place.inbox, span, scale, seed, faults)
        say(f"{len(written)} deliveries ({sum(f.stat().st_size for f in written) / 1e6:,.1f} MB) in {place.inbox}")
