"""``kpi restate``: changes of closed years."""

import sys
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
    YesOption,
    chosen_format,
    exit_codes,
    exit_if_named,
    home_of,
    is_asked,
    note,
    pretended_day,
)


@command(
    "kpi restate --plan",
    'kpi restate --apply --reason "Late letter of 30 December" --approver "Head of section INKA"',
    panel=Panel.KEEPING,
    place=2,
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
        for contradiction in done.contested:
            note(f"CONTESTED {contradiction['message']}. What to do: {contradiction['what_to_do']}")
        exit_if_named({"contested": done.contested})
