"""``kpi surveys``: satisfaction by unit and by element."""

from enum import StrEnum
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


class Level(StrEnum):
    unit = "unit"
    element = "element"


@command(
    "kpi surveys --year 2024",
    "kpi surveys --year 2024 --survey layanan --period 2024-S1 --by element",
    "kpi surveys --year 2024 --by element --format xlsx > surveys.xlsx",
    panel=Panel.READING,
    place=6,
)
def surveys(
    year: YearOption,
    survey: Annotated[str | None, typer.Option(help="One survey: pembinaan or layanan.")] = None,
    period: Annotated[str | None, typer.Option(help="One semester, such as 2024-S1.")] = None,
    by: Annotated[Level, typer.Option(help="The index of each unit, or the mean of each element.")] = Level.unit,
    as_of: AsOf = None,
    home: HomeOption = None,
    as_format: FormatOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the satisfaction surveys: index, grade and respondents by unit, or the means of the elements."""
    from flows.render import answer  # noqa: PLC0415
    from flows.result_tables import SURVEY_ELEMENTS, SURVEY_UNITS  # noqa: PLC0415
    from warehouse.reading.results import read_survey  # noqa: PLC0415
    from warehouse.store.home import Home  # noqa: PLC0415

    with exit_codes():
        form = chosen_format(as_format, as_json)
        rows = read_survey(Home(home_of(home)), year, by.value, survey, period, parse_day(as_of))
        answer(SURVEY_ELEMENTS if by is Level.element else SURVEY_UNITS, rows, form, wide)
        note_if_empty(rows, f"the surveys of {year}", "`kpi values --indicator IKU-04` lists the years")
