"""``kpi run``: the nightly flow, at once."""

from flows.command import Panel, command
from flows.options import (
    HomeOption,
    JsonOption,
    PretendDay,
    PretendFuture,
    exit_codes,
    exit_if_named,
    home_of,
    pretended_day,
)


@command("kpi run", "kpi run --home data/demo --json", panel=Panel.EVERY_NIGHT, place=1)
def run(
    home: HomeOption = None,
    as_of: PretendDay = None,
    pretend_future: PretendFuture = False,
    as_json: JsonOption = False,
) -> None:
    """Run the nightly flow: what is new in the inbox, through to publication."""
    from flows.command_run import failed_report, run_nightly  # noqa: PLC0415
    from flows.json_shapes import Report  # noqa: PLC0415
    from flows.render import print_json, print_report, say  # noqa: PLC0415
    from flows.sessions import Session  # noqa: PLC0415

    session = Session(say)

    def tell(code: int, message: str) -> None:
        if as_json:
            print_json(failed_report(session, code, message), Report)

    with exit_codes(tell):
        report = run_nightly(home_of(home), pretended_day(as_of, pretend_future), session)
        if as_json:
            print_json(report, Report)
        else:
            print_report(report)
        exit_if_named(report)
