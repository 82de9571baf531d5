"""The commands that write: ``kpi sample``, ``run``, ``serve``."""

from enum import StrEnum
from typing import Annotated

import typer

from flows.options import EXIT_REFUSED, HomeOption, JsonOption, app, exit_codes, home_of, parse_day, parse_years


class Runner(StrEnum):
    local = "local"
    dask = "dask"


@app.command()
def sample(
    years: Annotated[str, typer.Option(help="A year or a span, such as 2024 or 2020..2024.")] = "2024",
    scale: Annotated[int, typer.Option(min=1, help="Multiplies the proposal logs; 1 gives the published counts.")] = 1,
    seed: Annotated[int, typer.Option(help="Another seed gives other records with the same counts.")] = 7,
    faults: Annotated[bool, typer.Option("--faults", help="Adds at least one row for every rule.")] = False,
    home: HomeOption = None,
) -> None:
    """Write deterministic sample deliveries into the inbox."""
    from flows.render import say  # noqa: PLC0415
    from sample_data import write_deliveries  # noqa: PLC0415
    from warehouse.home import Home  # noqa: PLC0415

    with exit_codes():
        place = Home(home_of(home))
        place.make()
        written = write_deliveries(place.inbox, parse_years(years), scale, seed, faults)
        say(f"{len(written)} deliveries ({sum(f.stat().st_size for f in written) / 1e6:,.1f} MB) in {place.inbox}")


@app.command()
def run(
    home: HomeOption = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="YYYY-MM-DD", help="Pretend that today is this day.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the nightly flow: what is new in the inbox, through to publication."""
    from flows.command_run import failed_report, run_nightly  # noqa: PLC0415
    from flows.render import print_json, print_report  # noqa: PLC0415

    def tell(code: int, message: str) -> None:
        if as_json:
            print_json(failed_report(home_of(home), code, message))

    with exit_codes(tell):
        report = run_nightly(home_of(home), parse_day(as_of))
        (print_json if as_json else print_report)(report)
        if report["refused"]:
            raise typer.Exit(EXIT_REFUSED)


@app.command()
def backfill(
    years: Annotated[str, typer.Argument(help="A year or a span, such as 2020..2023.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan; change nothing.")] = False,
    runner: Annotated[Runner, typer.Option(help="Where partitions are derived.")] = Runner.local,
    workers: Annotated[int, typer.Option(min=1, help="How many at once.")] = 2,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="YYYY-MM-DD", help="Pretend that today is this day.")
    ] = None,
    home: HomeOption = None,
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
        if dry_run:
            plan = plan_backfill(home_of(home), span, parse_day(as_of))
            (print_json if as_json else print_backfill_plan)(plan)
            return
        report = run_backfill(home_of(home), span, parse_day(as_of), runner.value, workers)
        (print_json if as_json else print_report)(report)
        if report["refused"]:
            raise typer.Exit(EXIT_REFUSED)


@app.command()
def serve(home: HomeOption = None) -> None:
    """Register the nightly schedule (01:00 Asia/Jakarta, one run at a time) with Prefect and serve it."""
    from flows.serving import serve_nightly  # noqa: PLC0415

    with exit_codes():
        serve_nightly(home_of(home))
