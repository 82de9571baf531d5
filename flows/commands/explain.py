"""``kpi explain``: where a number comes from."""

from flows.command import Panel, command
from flows.options import (
    AsOf,
    HomeOption,
    ItemArgument,
    JsonOption,
    PeriodOption,
    exit_codes,
    home_of,
    note,
    parse_day,
)


@command(
    "kpi explain IKU-06 --period 2024",
    "kpi explain promotion.two_day --period 2024-04-01",
    "kpi explain 'promotion|Sumatera Selatan' --period 2024",
    "kpi explain 'survey|layanan|2024-S1|MUTASI|U3'",
    "kpi explain NPSS --period 2024 --as-of 2025-03-31",
    panel=Panel.TRACING,
    place=1,
)
def explain(
    item: ItemArgument,
    period: PeriodOption = None,
    as_of: AsOf = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show where a number comes from: formula, records by role, deliveries, rules, history."""
    from flows.explain_shapes import Explanation  # noqa: PLC0415
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
                print_json(None, Explanation | None)
            return
        if as_json:
            print_json(found, Explanation)
        else:
            print_explanation(found)
