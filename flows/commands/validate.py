"""``kpi validate``: one file against its contract."""

from pathlib import Path
from typing import Annotated

import typer

from flows.command import Panel, command
from flows.options import (
    EXIT_GATE,
    HomeOption,
    JsonOption,
    exit_codes,
    home_of,
)


@command(
    "kpi validate promotion_2025-01.csv --source promotion",
    "kpi validate survey.xlsx --source survey --lang en",
    "kpi validate --open",
    panel=Panel.CHECKING,
    place=1,
)
def validate(
    file: Annotated[Path | None, typer.Argument(help="The file to check.")] = None,
    source: Annotated[str, typer.Option(help="The source whose contract it must keep.")] = "",
    show: Annotated[bool, typer.Option("--open", help="Open the validation report of the last run instead.")] = False,
    lang: Annotated[str, typer.Option(help="Language of the messages: id or en.")] = "id",
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Check one file against its contract; load nothing. Exit 0: every row is good; 1: it is not."""
    from flows.json_shapes import Validation  # noqa: PLC0415
    from flows.render import print_json  # noqa: PLC0415
    from flows.validation_text import validation_lines  # noqa: PLC0415
    from warehouse.loading.validate_file import validate_file  # noqa: PLC0415
    from warehouse.reports.validation_pages import last_page  # noqa: PLC0415
    from warehouse.store.failures import WrongUsage  # noqa: PLC0415
    from warehouse.store.home import Home  # noqa: PLC0415

    with exit_codes():
        if show:
            page = last_page(Home(home_of(home)))
            print(page)
            typer.launch(page.as_uri())
            return
        if file is None or not source:
            raise WrongUsage(
                "sebutkan BERKAS dan --source, atau --open untuk laporan proses terakhir"
                if lang == "id"
                else "name a FILE and its --source, or --open the report of the last run"
            )
        result = validate_file(file, source, lang)
        if as_json:
            print_json(result, Validation)
        else:
            print("\n".join(validation_lines(result, lang)))
        if not result["ok"]:
            raise typer.Exit(EXIT_GATE)
