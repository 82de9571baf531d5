"""The commands that write: ``kpi init``, ``sample``, ``run``, ``backfill``, ``serve``."""

from enum import StrEnum
from typing import Annotated

import typer

from flows.app import command
from flows.options import (
    EXIT_REFUSED,
    Format,
    FormatOption,
    HomeOption,
    JsonOption,
    PretendDay,
    PretendFuture,
    WideOption,
    chosen_format,
    exit_codes,
    home_of,
    parse_years,
    pretended_day,
)


class Runner(StrEnum):
    local = "local"
    dask = "dask"


@command("kpi init", "kpi init --home /srv/kpi", "kpi init --trial --home data/trial")
def init(
    trial: Annotated[bool, typer.Option("--trial", help="For trials: its runs may pretend a day yet to come.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Begin anew where the warehouse is lost or old; what is left is set aside.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an installation: its folders, its warehouse and the key of the pseudonyms. Changes none that is there."""
    from dataclasses import asdict  # noqa: PLC0415

    from flows.render import print_initialised, print_json  # noqa: PLC0415
    from warehouse.runs.initialise import initialise  # noqa: PLC0415

    with exit_codes():
        made = asdict(initialise(home_of(home), trial=trial, force=force))
        (print_json if as_json else print_initialised)(made)


@command("kpi sample --home data/demo", "kpi sample --years 2020..2024 --faults --home data/trial")
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


@command("kpi run", "kpi run --home data/demo --json")
def run(
    home: HomeOption = None,
    as_of: PretendDay = None,
    pretend_future: PretendFuture = False,
    as_json: JsonOption = False,
) -> None:
    """Run the nightly flow: what is new in the inbox, through to publication."""
    from flows.command_run import failed_report, run_nightly  # noqa: PLC0415
    from flows.render import print_json, print_report  # noqa: PLC0415

    def tell(code: int, message: str) -> None:
        if as_json:
            print_json(failed_report(home_of(home), code, message))

    with exit_codes(tell):
        report = run_nightly(home_of(home), pretended_day(as_of, pretend_future))
        (print_json if as_json else print_report)(report)
        if report["refused"]:
            raise typer.Exit(EXIT_REFUSED)


@command("kpi backfill 2020..2023 --dry-run", "kpi backfill 2020..2023 --workers 2")
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
    from flows.render import print_backfill_plan, print_json, print_report  # noqa: PLC0415

    def tell(code: int, message: str) -> None:
        if as_json:
            print_json(failed_report(home_of(home), code, message))

    with exit_codes(tell):
        span = parse_years(years)
        form = chosen_format(as_format, as_json)
        if as_format is not None and as_format is not Format.json and not dry_run:
            raise ValueError("the report of a backfill is text, or --json; --format is for --dry-run")
        if dry_run:
            plan = plan_backfill(home_of(home), span, pretended_day(as_of, pretend_future))
            print_backfill_plan(plan, form, wide)
            return
        report = run_backfill(home_of(home), span, pretended_day(as_of, pretend_future), runner.value, workers)
        (print_json if form is Format.json else print_report)(report)
        if report["refused"]:
            raise typer.Exit(EXIT_REFUSED)


@command("kpi serve", "kpi serve --home /srv/kpi")
def serve(home: HomeOption = None) -> None:
    """Register the nightly schedule (01:00 Asia/Jakarta, one run at a time) with Prefect and serve it.

    Prefect's pages are at port 4200 of this machine, or KPI_UI_PORT, behind a password that lies in the home.
    """
    from flows.serving import serve_nightly  # noqa: PLC0415
    from flows.settings import Settings  # noqa: PLC0415
    from warehouse.store.home import Home  # noqa: PLC0415
    from warehouse.store.home_state import require_home  # noqa: PLC0415

    with exit_codes():
        place = Home(home_of(home))
        # Now, and not at one o'clock at night.
        require_home(place)
        serve_nightly(place.root, Settings().ui_port)
