"""The commands that follow a number: to its records, and through time."""

from typing import Annotated

import typer

from flows.options import (
    EXIT_GATE,
    AsOf,
    HomeOption,
    JsonOption,
    PretendDay,
    PretendFuture,
    app,
    exit_codes,
    home_of,
    parse_day,
    pretended_day,
)

ItemArgument = Annotated[
    str, typer.Argument(metavar="ID", help="IKU-06, promotion.two_day, 'promotion|Sumatera Selatan', NPSS, SS2.")
]
PeriodOption = Annotated[str, typer.Option(help="2024, 2024-Q3, 2024-S1, or the date of a promotion period.")]


@app.command()
def explain(
    item: ItemArgument, period: PeriodOption, as_of: AsOf = None, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Show where a number comes from: formula, records by role, deliveries, rules, history."""
    from flows.explain_text import print_explanation  # noqa: PLC0415
    from flows.render import print_json  # noqa: PLC0415
    from warehouse.explain import explain as explain_item  # noqa: PLC0415

    with exit_codes():
        found = explain_item(home_of(home), item, period, parse_day(as_of))
        (print_json if as_json else print_explanation)(found)


@app.command()
def reproduce(
    item: ItemArgument, period: PeriodOption, as_of: AsOf = None, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Compute a number again from the archived deliveries alone, and compare exactly. Exit 1: it differs."""
    from flows.explain_text import print_reproduction  # noqa: PLC0415
    from flows.render import print_json  # noqa: PLC0415
    from warehouse.reproduction import reproduce as reproduce_item  # noqa: PLC0415

    with exit_codes():
        found = reproduce_item(home_of(home), item, period, parse_day(as_of))
        (print_json if as_json else print_reproduction)(found)
        if not found["equal"]:
            raise typer.Exit(EXIT_GATE)


@app.command()
def revisions(
    indicator: Annotated[str, typer.Argument(help="An indicator, such as IKU-06, or NPSS.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the revision triangle of an indicator: each period's value by the moment from which it was known."""
    from flows.render import print_json, print_revisions  # noqa: PLC0415
    from warehouse.home import Home  # noqa: PLC0415
    from warehouse.reading import read_revisions  # noqa: PLC0415

    with exit_codes():
        rows = read_revisions(Home(home_of(home)), indicator.upper())
        (print_json if as_json else print_revisions)(rows)


@app.command()
def close(
    year: Annotated[int, typer.Argument(help="The year whose published values are final.")],
    as_of: PretendDay = None,
    pretend_future: PretendFuture = False,
    home: HomeOption = None,
) -> None:
    """Close a year: from now on its published values change by a restatement alone."""
    from warehouse.closing import check_closable, close_year  # noqa: PLC0415
    from warehouse.connection import open_warehouse  # noqa: PLC0415
    from warehouse.ledger import run_clock  # noqa: PLC0415
    from warehouse.pipeline import a_run  # noqa: PLC0415

    with exit_codes(), open_warehouse(home_of(home), f"kpi close {year}") as warehouse:
        day = pretended_day(as_of, pretend_future)
        # Looked at before a run begins: a year that cannot be closed leaves no failed run.
        check_closable(warehouse.connection, year, run_clock(warehouse.connection, day))
        with a_run(home_of(home), day) as pipeline:
            is_new = close_year(pipeline.warehouse, year, pipeline.run)
            pipeline.end()
        print(f"{year} is closed" + ("" if is_new else " already") + "; what would change it waits for `kpi restate`")


@app.command()
def restate(
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what would change, by cause, and the deliveries to blame.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Change it.")] = False,
    reason: Annotated[str, typer.Option(help="Why: goes into the history.")] = "",
    approver: Annotated[str, typer.Option(help="Who approved it.")] = "",
    as_of: PretendDay = None,
    pretend_future: PretendFuture = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show, or apply, what would change the published values of closed years."""
    from flows.render import print_json, print_plan  # noqa: PLC0415
    from warehouse.failures import WrongUsage  # noqa: PLC0415
    from warehouse.restatement import read_plan  # noqa: PLC0415
    from warehouse.restatement import restate as restate_closed_years  # noqa: PLC0415

    with exit_codes():
        if plan == apply:
            raise WrongUsage("say either --plan or --apply")
        if plan:
            steps = read_plan(home_of(home), pretended_day(as_of, pretend_future))
        else:
            steps = restate_closed_years(home_of(home), pretended_day(as_of, pretend_future), reason, approver)
        (print_json if as_json else print_plan)(steps)
