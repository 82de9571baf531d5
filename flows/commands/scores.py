"""``kpi scores``: the score of a year."""

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
    note,
    parse_day,
)


@command("kpi scores --year 2024", "kpi scores --year 2024 --json", panel=Panel.READING, place=3)
def scores(
    year: YearOption,
    as_of: AsOf = None,
    home: HomeOption = None,
    as_format: FormatOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the score of a year: capaian, NSS, NKP, NPSS, budget efficiency."""
    from flows.fact_tables import print_scores  # noqa: PLC0415
    from warehouse.reading.published_values import read_scores  # noqa: PLC0415
    from warehouse.store.home import Home  # noqa: PLC0415

    with exit_codes():
        form = chosen_format(as_format, as_json)
        sheet = read_scores(Home(home_of(home)), year, parse_day(as_of))
        print_scores(sheet, form, wide)
        if not sheet.is_known:
            note(f"nothing is known of the scores of {year}; `kpi values` lists all that is")
