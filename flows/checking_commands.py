"""The commands that check: ``kpi validate``, ``doctor``."""

from pathlib import Path
from typing import Annotated

import typer

from flows.app import command
from flows.options import (
    EXIT_ENVIRONMENT,
    EXIT_GATE,
    FormatOption,
    HomeOption,
    JsonOption,
    PretendDay,
    PretendFuture,
    WideOption,
    chosen_format,
    exit_codes,
    home_of,
    note,
    pretended_day,
)


@command(
    "kpi validate promotion_2025-01.csv --source promotion",
    "kpi validate survey.xlsx --source survey --lang en",
    "kpi validate --open",
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
            print_json(result)
        else:
            print("\n".join(validation_lines(result, lang)))
        if not result["ok"]:
            raise typer.Exit(EXIT_GATE)


@command("kpi purge --dry-run", "kpi purge --days 1825")
def purge(
    days: Annotated[
        int | None, typer.Option(min=1, help="Keep this many days; default KPI_RETENTION_DAYS, else 3650.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go; remove nothing.")] = False,
    as_of: PretendDay = None,
    pretend_future: PretendFuture = False,
    home: HomeOption = None,
    as_format: FormatOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Remove archived and held rows at the end of their retention; facts and counts stay."""
    from dataclasses import asdict  # noqa: PLC0415

    from flows.render import PURGED, TO_PURGE, answer  # noqa: PLC0415
    from flows.settings import Settings  # noqa: PLC0415
    from warehouse.runs.pipeline import a_run  # noqa: PLC0415
    from warehouse.runs.purge import plan_purge  # noqa: PLC0415
    from warehouse.runs.purge import purge as purge_archive  # noqa: PLC0415

    with exit_codes():
        form = chosen_format(as_format, as_json)
        root, day, kept_days = home_of(home), pretended_day(as_of, pretend_future), days or Settings().retention_days
        if dry_run:
            purged = plan_purge(root, day, kept_days)
        else:
            with a_run(root, day, "kpi purge") as pipeline:
                purged = purge_archive(pipeline, kept_days)
                pipeline.end()
        found = [asdict(line) for line in purged]
        answer(TO_PURGE if dry_run else PURGED, found, form, wide)
        if not found:
            note("no delivery has reached the end of its retention")


@command("kpi doctor", "kpi doctor --deep", "kpi doctor --json")
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
