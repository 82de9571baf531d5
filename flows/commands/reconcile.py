"""``kpi reconcile``: printed against derived."""

from typing import Annotated

import typer

from flows.command import Panel, command
from flows.options import (
    FormatOption,
    HomeOption,
    JsonOption,
    Verdict,
    WideOption,
    chosen_format,
    exit_codes,
    home_of,
    note,
    note_if_empty,
)
from transforms.periods import FIRST_YEAR, LAST_YEAR


@command("kpi reconcile --year 2024", "kpi reconcile --year 2024 --verdict known --wide", panel=Panel.READING, place=5)
def reconcile(
    year: Annotated[
        int, typer.Option(min=FIRST_YEAR, max=LAST_YEAR, help="The year of the report, or of the printed numbers.")
    ],
    verdict: Annotated[Verdict | None, typer.Option(help="Only the lines with this verdict.")] = None,
    home: HomeOption = None,
    as_format: FormatOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print what is printed against what is derived, line by line."""
    from flows.fact_tables import print_reconciliation  # noqa: PLC0415
    from warehouse.reading.published_values import count_discrepancies, read_reconciliation  # noqa: PLC0415
    from warehouse.store.home import Home  # noqa: PLC0415

    with exit_codes():
        form = chosen_format(as_format, as_json)
        place = Home(home_of(home))
        rows = read_reconciliation(place, year)
        chosen = [row for row in rows if verdict in (None, row["verdict"])]
        print_reconciliation(chosen, count_discrepancies(place, year), form, wide)
        note_if_empty(
            rows, f"printed numbers of {year}", "the report of 2024 is in the product, others come as published_value"
        )
        if rows and not chosen:
            note(f"none of the {len(rows)} printed numbers of {year} is {verdict}")
