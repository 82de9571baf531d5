"""The commands that follow a number: to its records, and through time."""

import sys
from typing import Annotated

import typer

from flows.app import command
from flows.options import (
    EXIT_GATE,
    AsOf,
    FormatOption,
    HomeOption,
    JsonOption,
    PretendDay,
    PretendFuture,
    WideOption,
    YesOption,
    chosen_format,
    exit_codes,
    home_of,
    is_asked,
    note,
    note_if_empty,
    parse_day,
    pretended_day,
)
from transforms.periods import FIRST_YEAR, LAST_YEAR

ItemArgument = Annotated[
    str, typer.Argument(metavar="ID", help="IKU-06, promotion.two_day, 'promotion|Sumatera Selatan', NPSS, SS2.")
]
PeriodOption = Annotated[str, typer.Option(help="2024, 2024-Q3, 2024-S1, or the date of a promotion period.")]


@command(
    "kpi explain IKU-06 --period 2024",
    "kpi explain promotion.two_day --period 2024-04-01",
    "kpi explain 'promotion|Sumatera Selatan' --period 2024",
    "kpi explain NPSS --period 2024 --as-of 2025-03-31",
)
def explain(
    item: ItemArgument, period: PeriodOption, as_of: AsOf = None, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Show where a number comes from: formula, records by role, deliveries, rules, history."""
    from flows.explain_text import print_explanation  # noqa: PLC0415
    from flows.render import print_json  # noqa: PLC0415
    from warehouse.store.failures import NothingKnown  # noqa: PLC0415
    from warehouse.trace.explain import explain as explain_item  # noqa: PLC0415

    with exit_codes():
        try:
            found = explain_item(home_of(home), item, period, parse_day(as_of))
        except NothingKnown as nothing:
            note(str(nothing))
            if as_json:
                print_json(None)
            return
        (print_json if as_json else print_explanation)(found)


@command("kpi reproduce IKU-06 --period 2024", "kpi reproduce NPSS --period 2024")
def reproduce(
    item: ItemArgument, period: PeriodOption, as_of: AsOf = None, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Compute a number again from the archived deliveries alone, and compare exactly. Exit 1: it differs."""
    from flows.explain_text import print_reproduction  # noqa: PLC0415
    from flows.render import print_json  # noqa: PLC0415
    from warehouse.store.failures import NothingKnown  # noqa: PLC0415
    from warehouse.trace.reproduce import reproduce as reproduce_item  # noqa: PLC0415

    with exit_codes():
        try:
            found = reproduce_item(home_of(home), item, period, parse_day(as_of))
        except NothingKnown as nothing:
            note(f"{nothing}. There is no number to make again, so nothing was compared")
            if as_json:
                print_json(None)
            return
        (print_json if as_json else print_reproduction)(found)
        if not found["equal"]:
            raise typer.Exit(EXIT_GATE)


@command("kpi revisions IKU-06", "kpi revisions NPSS --format csv")
def revisions(
    indicator: Annotated[str, typer.Argument(help="An indicator, such as IKU-06, or NPSS.")],
    home: HomeOption = None,
    as_format: FormatOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the revision triangle of an indicator: each period's value by the moment from which it was known."""
    from flows.fact_tables import print_revisions  # noqa: PLC0415
    from warehouse.reading.published_values import read_revisions  # noqa: PLC0415
    from warehouse.store.home import Home  # noqa: PLC0415

    with exit_codes():
        form = chosen_format(as_format, as_json)
        rows = read_revisions(Home(home_of(home)), indicator.upper())
        print_revisions(rows, form, wide)
        note_if_empty(rows, indicator.upper(), "`kpi values` lists all that is")


@command("kpi close 2024", "kpi close 2024 --yes")
def close(
    year: Annotated[
        int, typer.Argument(min=FIRST_YEAR, max=LAST_YEAR, help="The year whose published values are final.")
    ],
    yes: YesOption = False,
    as_of: PretendDay = None,
    pretend_future: PretendFuture = False,
    home: HomeOption = None,
) -> None:
    """Close a year: from now on its published values change by a restatement alone. No command opens it again."""
    from warehouse.runs.closing import check_closable, close_year  # noqa: PLC0415
    from warehouse.runs.pipeline import a_run  # noqa: PLC0415
    from warehouse.store.connection import open_warehouse  # noqa: PLC0415
    from warehouse.store.runs import run_clock  # noqa: PLC0415

    with exit_codes():
        question = f"Close {year} for good? Its published values will change by a restatement alone."
        if is_asked(yes) and not typer.confirm(question):
            print(f"{year} stays open")
            return
        day = pretended_day(as_of, pretend_future)
        with open_warehouse(home_of(home), f"kpi close {year}") as warehouse:
            # Looked at before a run begins: a year that cannot be closed leaves no failed run.
            check_closable(warehouse.connection, year, run_clock(warehouse.connection, day))
            with a_run(home_of(home), day) as pipeline:
                is_new = close_year(pipeline.warehouse, year, pipeline.run)
                pipeline.end()
        print(f"{year} is closed" + ("" if is_new else " already") + "; what would change it waits for `kpi restate`")


@command(
    "kpi restate --plan",
    'kpi restate --apply --reason "Late letter of 30 December" --approver "Head of section INKA"',
)
def restate(
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what would change, by cause, and the deliveries to blame.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Change it.")] = False,
    reason: Annotated[str, typer.Option(help="Why: goes into the history.")] = "",
    approver: Annotated[str, typer.Option(help="Who approved it.")] = "",
    yes: YesOption = False,
    as_of: PretendDay = None,
    pretend_future: PretendFuture = False,
    home: HomeOption = None,
    as_format: FormatOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show, or apply, what would change the published values of closed years."""
    from flows.render import RESTATEMENT, answer  # noqa: PLC0415
    from warehouse.runs.restatement import read_plan, require_approval  # noqa: PLC0415
    from warehouse.runs.restatement import restate as restate_closed_years  # noqa: PLC0415
    from warehouse.store.failures import WrongUsage  # noqa: PLC0415

    with exit_codes():
        form = chosen_format(as_format, as_json)
        if plan == apply:
            raise WrongUsage("say either --plan or --apply")
        if apply:
            require_approval(reason, approver)
        shown, day = None, pretended_day(as_of, pretend_future)
        if plan or is_asked(yes):
            shown = read_plan(home_of(home), day)
            answer(RESTATEMENT, shown, form, wide)
            if not shown:
                note("no published value of a closed year would change")
        if plan:
            return
        if shown and not typer.confirm(f"Restate these values, approved by {approver}?"):
            print("nothing was changed", file=sys.stderr)
            return
        done = restate_closed_years(home_of(home), day, reason, approver, shown)
        if shown is None:
            answer(RESTATEMENT, done.steps, form, wide)
        print(done.sentence(), file=sys.stderr)
