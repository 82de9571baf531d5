"""``kpi backfill``: years in full, or the plan of it."""

from enum import StrEnum
from typing import Annotated

import typer

from flows.command import Panel, command
from flows.options import (
    Format,
    FormatOption,
    HomeOption,
    JsonOption,
    PretendDay,
    PretendFuture,
    WideOption,
    chosen_format,
    exit_codes,
    exit_if_named,
    home_of,
    parse_years,
    pretended_day,
)


class Runner(StrEnum):
    local = "local"
    dask = "dask"


@command("kpi backfill 2020..2023 --dry-run", "kpi backfill 2020..2023 --workers 2", panel=Panel.EVERY_NIGHT, place=2)
def backfill(
    years: Annotated[str, typer.Argument(help="A year or a span, such as 2020..2023.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan; change nothing.")] = False,
    runner: Annotated[Runner, typer.Option(help="Where partitions are derived.")] = Runner.local,
    workers: Annotated[int, typer.Option(min=1, help="How many at once.")] = 2,
    as_of: PretendDay = None,
    pretend_future: PretendFuture = False,
    home: HomeOption = None,
    as_format: FormatOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take in what is new, then derive these years in full, whatever is missing or stale. Can be stopped and resumed."""
    from flows.command_run import failed_report, plan_backfill, run_backfill  # noqa: PLC0415
    from flows.json_shapes import Report  # noqa: PLC0415
    from flows.render import print_backfill_plan, print_json, print_report, say  # noqa: PLC0415
    from flows.sessions import Session  # noqa: PLC0415

    session = Session(say)

    def tell(code: int, message: str) -> None:
        if as_json:
            print_json(failed_report(session, code, message), Report)

    with exit_codes(tell):
        span = parse_years(years)
        form = chosen_format(as_format, as_json)
        if as_format is not None and as_format is not Format.json and not dry_run:
            raise ValueError("the report of a backfill is text, or --json; --format is for --dry-run")
        if dry_run:
            plan = plan_backfill(home_of(home), span, pretended_day(as_of, pretend_future))
            print_backfill_plan(plan, form, wide)
            return
        report = run_backfill(home_of(home), span, pretended_day(as_of, pretend_future), runner.value, workers, session)
        if form is Format.json:
            print_json(report, Report)
        else:
            print_report(report)
        exit_if_named(report)
