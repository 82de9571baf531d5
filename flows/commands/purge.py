"""``kpi purge``: the end of the retention."""

from typing import Annotated

import typer

from flows.command import Panel, command
from flows.options import (
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


@command("kpi purge --dry-run", "kpi purge --days 1825", panel=Panel.KEEPING, place=3)
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
    """Remove archived and quarantined rows at the end of their retention; facts and counts stay."""
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
