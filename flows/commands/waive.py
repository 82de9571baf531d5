"""``kpi waive``: a derived value that stands although a printed one contradicts it."""

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
    note,
    parse_day,
    pretended_day,
)


@command(
    'kpi waive \'07|IKU-02|2024|realisasi\' --reason "Letter 12/2025: one agency was counted twice" --owner "Bidang PDSK"',
    'kpi waive \'IKU-02|2024|realisasi\' --reason "Until the report is reprinted" --owner "Bidang PDSK" --until 2025-06-30',
    "kpi waive --list",
    panel=Panel.KEEPING,
    place=4,
)
def waive(
    item: Annotated[
        str | None,
        typer.Argument(metavar="ITEM", help="The contested printed number, as `kpi run` and `kpi reconcile` name it."),
    ] = None,
    reason: Annotated[
        str, typer.Option(help="Why the derived value is right: goes into the ledger and the report.")
    ] = "",
    owner: Annotated[str, typer.Option(help="Who answers for it.")] = "",
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="YYYY-MM-DD", help="The last day on which it holds; without it, for good."),
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="Print all that is accepted, what has ended too.")] = False,
    as_of: PretendDay = None,
    pretend_future: PretendFuture = False,
    home: HomeOption = None,
    as_format: FormatOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Accept a derived value that a printed one contradicts, and publish what it releases. It holds for this pair of numbers alone."""
    from dataclasses import asdict  # noqa: PLC0415

    from flows.json_shapes import Acceptance  # noqa: PLC0415
    from flows.render import CHANGES, WAIVERS, answer, print_contested, print_json  # noqa: PLC0415
    from warehouse.runs.waiving import read_waivers  # noqa: PLC0415
    from warehouse.runs.waiving import waive as accept  # noqa: PLC0415
    from warehouse.store.failures import WrongUsage  # noqa: PLC0415

    with exit_codes():
        form = chosen_format(as_format, as_json)
        if show == (item is not None):
            raise WrongUsage("name the ITEM to accept, or --list what is accepted")
        if item is None:
            answer(WAIVERS, read_waivers(home_of(home)), form, wide)
            return
        done = accept(home_of(home), pretended_day(as_of, pretend_future), item, reason, owner, parse_day(until))
        if form is Format.json:
            print_json(asdict(done), Acceptance)
        else:
            answer(CHANGES, done.changed, form, wide)
            print_contested(done.contested)
        for entry in done.accepted:
            end = f", until {entry['until']}" if entry["until"] else ""
            said = "published" if done.published else "nothing new was published"
            note(
                f"{done.run}: {entry['item']}: derived {entry['derived']} stands beside printed {entry['published']}{end}; {said}"
            )
        if done.pending:
            note(f"{len(done.pending)} values of closed years wait for a restatement; `kpi restate --plan` shows them")
        exit_if_named({"contested": done.contested})
