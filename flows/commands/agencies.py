"""``kpi agencies``: who counts in an indicator, and who is still missing."""

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
    note,
    note_if_empty,
    parse_day,
)


@command(
    "kpi agencies --indicator IKU-02",
    "kpi agencies --indicator IKU-06 --period 2024-Q3 --missing",
    "kpi agencies --indicator IKU-01 --period 2023 --format xlsx > agencies.xlsx",
    panel=Panel.READING,
    place=8,
)
def agencies(
    indicator: Annotated[str, typer.Option(help="IKU-01, IKU-02, IKU-06 or IKU-08.")],
    period: Annotated[str | None, typer.Option(help="2024, of IKU-06 2024-Q3. [default: the newest]")] = None,
    missing: Annotated[bool, typer.Option("--missing", help="Only those that are not in the numerator.")] = False,
    as_of: AsOf = None,
    home: HomeOption = None,
    as_format: FormatOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the agencies in an indicator: who counts, with score, grade or channel, and who does not, and why."""
    from flows.render import answer  # noqa: PLC0415
    from flows.result_tables import AGENCIES  # noqa: PLC0415
    from warehouse.reading.results import read_agencies  # noqa: PLC0415
    from warehouse.store.home import Home  # noqa: PLC0415

    with exit_codes():
        form = chosen_format(as_format, as_json)
        rows = read_agencies(Home(home_of(home)), indicator.upper(), period, parse_day(as_of))
        chosen = [row for row in rows if not (missing and row["counts"])]
        answer(AGENCIES, chosen, form, wide)
        asked = " ".join(part for part in (indicator.upper(), period) if part)
        note_if_empty(rows, f"agencies in {asked}", f"`kpi values --indicator {indicator.upper()}` lists the periods")
        if rows and not chosen:
            note(f"no agency is missing in {asked}")
