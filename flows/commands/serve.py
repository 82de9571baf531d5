"""``kpi serve``: the nightly schedule."""

from flows.command import Panel, command
from flows.options import (
    HomeOption,
    exit_codes,
    home_of,
)


@command("kpi serve", "kpi serve --home /srv/kpi", panel=Panel.EVERY_NIGHT, place=3)
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
