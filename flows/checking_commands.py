"""The commands that check: ``kpi validate``, ``doctor``."""

from pathlib import Path
from typing import Annotated

import typer

from flows.options import (
    EXIT_ENVIRONMENT,
    EXIT_GATE,
    HomeOption,
    JsonOption,
    app,
    exit_codes,
    home_of,
    parse_day,
)


@app.command()
def validate(
    file: Annotated[Path | None, typer.Argument(help="The file to check.")] = None,
    source: Annotated[str, typer.Option(help="The source whose contract it must keep.")] = "",
    show: Annotated[bool, typer.Option("--open", help="Open the validation report of the last run instead.")] = False,
    lang: Annotated[str, typer.Option(help="Language of the messages: id or en.")] = "id",
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Check one file against its contract; load nothing. Exit 0: every row is good; 1: it is not."""
    from flows.render import print_json, print_validation  # noqa: PLC0415
    from warehouse.failures import WrongUsage  # noqa: PLC0415
    from warehouse.home import Home  # noqa: PLC0415
    from warehouse.validation import validate_file  # noqa: PLC0415
    from warehouse.validation_report import last_page  # noqa: PLC0415

    with exit_codes():
        if show:
            page = last_page(Home(home_of(home)))
            print(page)
            typer.launch(page.as_uri())
            return
        if file is None or not source:
            raise WrongUsage("name a FILE and its --source, or --open the report of the last run")
        result = validate_file(file, source, lang)
        if as_json:
            print_json(result)
        else:
            print_validation(result)
        if not result["ok"]:
            raise typer.Exit(EXIT_GATE)


@app.command()
def purge(
    days: Annotated[
        int | None, typer.Option(min=1, help="Keep this many days; default KPI_RETENTION_DAYS, else 3650.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go; remove nothing.")] = False,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="YYYY-MM-DD", help="Pretend that today is this day.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove archived and held rows at the end of their retention; facts and counts stay."""
    from dataclasses import asdict  # noqa: PLC0415

    from flows.render import print_json, print_purged  # noqa: PLC0415
    from flows.settings import Settings  # noqa: PLC0415
    from warehouse.pipeline import a_run  # noqa: PLC0415
    from warehouse.purge import purge as purge_archive  # noqa: PLC0415

    with exit_codes(), a_run(home_of(home), parse_day(as_of), "kpi purge") as pipeline:
        found = [asdict(line) for line in purge_archive(pipeline, days or Settings().retention_days, is_dry=dry_run)]
        pipeline.end()
        if as_json:
            print_json(found)
        else:
            print_purged(found, dry_run)


@app.command()
def doctor(
    deep: Annotated[
        bool, typer.Option("--deep", help="Read every block of the warehouse and every file of the home as well.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check the environment: versions, disk, locks, the key, the last run, damage, the freshness of every source."""
    from flows.render import print_checks, print_json  # noqa: PLC0415
    from warehouse.doctor import examine  # noqa: PLC0415

    with exit_codes():
        checks = examine(home_of(home), is_deep=deep)
        if as_json:
            print_json(checks)
        else:
            print_checks(checks)
        if any(check["verdict"] == "bad" for check in checks):
            raise typer.Exit(EXIT_ENVIRONMENT)
