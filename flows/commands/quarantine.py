"""``kpi quarantine``: the quarantined rows."""

from typing import Annotated

import typer

from flows.command import Panel, command
from flows.options import (
    FormatOption,
    HomeOption,
    JsonOption,
    WideOption,
    chosen_format,
    exit_codes,
    home_of,
    note,
)


@command(
    "kpi quarantine",
    "kpi quarantine --source promotion --reason PRM-05",
    "kpi quarantine --source promotion --format csv > quarantined.csv",
    panel=Panel.CHECKING,
    place=2,
)
def quarantine(
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only rows that break this rule, such as PRM-05.")] = None,
    home: HomeOption = None,
    as_format: FormatOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the quarantined rows: counts by rule, then file and row."""
    from flows.held_tables import print_held_rows  # noqa: PLC0415
    from warehouse.reading.held_rows import read_held_rows  # noqa: PLC0415
    from warehouse.store.home import Home  # noqa: PLC0415

    with exit_codes():
        form = chosen_format(as_format, as_json)
        place = Home(home_of(home))
        _require_known(source, reason)
        rows = read_held_rows(place, source, reason)
        print_held_rows(place, rows, source, reason, form, wide)
        if not rows:
            note("no row is quarantined" + (" that was asked for" if source or reason else ""))


def _require_known(source: str | None, reason: str | None) -> None:
    """Raises KeyError or ValueError: an empty answer to a misspelt name would read as nothing quarantined."""
    from expectations.contract import load_contract, source_names  # noqa: PLC0415
    from transforms.names import did_you_mean  # noqa: PLC0415

    sources = [source] if source else source_names()
    rules = {rule.id for name in sources for rule in load_contract(name).all_rules}
    if reason and reason not in rules:
        raise ValueError(
            f"no rule {reason!r}{f' of {source}' if source else ''}{did_you_mean(reason, rules) or ';'} docs/dictionary/ lists them, a page a source"
        )
