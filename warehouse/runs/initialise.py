"""``kpi init``: makes an installation, and is the only way to begin anew where one has lost its warehouse."""

from dataclasses import dataclass, field
from pathlib import Path

from transforms.periods import clock_now
from warehouse.publication.switch import current_publication, point_at_newest
from warehouse.store.connection import Warehouse, open_warehouse
from warehouse.store.failures import WrongUsage
from warehouse.store.home import PRIVATE, Home, own_folder
from warehouse.store.home_state import lost, require_newest, traces, unknown_publications
from warehouse.store.queries import single_value
from warehouse.store.runs import TRIAL, UNPUBLISHED, read_meta, write_meta


@dataclass
class Initialised:
    """What was made: ``is_new`` is false where an installation was there; ``set_aside`` is what was put out of the way, relative to it."""

    home: str
    is_new: bool
    is_trial: bool = False
    set_aside: list[str] = field(default_factory=list)


def initialise(root: Path, *, trial: bool = False, force: bool = False) -> Initialised:
    """Makes folders, warehouse and key where they are missing; of what is there it changes nothing but who may read it.

    ``trial``: a new home in which runs may pretend a day that is yet to come. ``force``: what a lost or older warehouse has left is set
    aside, never deleted. Raises EnvironmentProblem where a warehouse is lost or older than what is published, and ``force`` is not given;
    WrongUsage where ``force`` has nothing to do, or a home with runs would become one for trials.
    """
    home = Home(root.resolve())
    made = Initialised(str(home.root), is_new=not home.warehouse.exists())
    left = [] if home.warehouse.exists() else traces(home)
    if left:
        if not force:
            raise lost(home, left)
        home.refuse_links()
        orphans = (home.publications, home.landing, home.quarantine, home.reports, home.write_ahead_log)
        made.set_aside += _set_aside(home, [place for place in orphans if place.exists()])
    with open_warehouse(home.root, "kpi init", making=True) as warehouse:
        newer = unknown_publications(warehouse.connection, home)
        if newer and not force:
            require_newest(warehouse.connection, home)
        if force and not newer and not left:
            raise WrongUsage(
                f"the installation in {home.root} is whole: there is nothing to begin anew from; for another, name another --home"
            )
        if newer:
            made.set_aside += _set_aside(home, newer)
            # What readers have is older than what they had: the next run publishes in any case.
            write_meta(warehouse.connection, UNPUBLISHED, "yes")
        if trial:
            _mark(warehouse)
        made.is_trial = read_meta(warehouse.connection, TRIAL) == "yes"
    return made


def _mark(warehouse: Warehouse) -> None:
    if read_meta(warehouse.connection, TRIAL) == "yes":
        return
    if single_value(warehouse.connection, "SELECT count(*) FROM ledger.runs"):
        raise WrongUsage(
            f"the installation in {warehouse.home.root} has runs of its own: one for trials is made anew, under another --home"
        )
    write_meta(warehouse.connection, TRIAL, "yes")


def _set_aside(home: Home, places: list[Path]) -> list[str]:
    """Moves the places, each whole, into a private folder of this moment; readers go back to the newest publication that stays."""
    own_folder(home.set_aside, PRIVATE)
    target = home.set_aside / f"{clock_now():%Y-%m-%d-%H%M%S}"
    own_folder(target, PRIVATE)
    moved = []
    for place in places:
        there = target / place.relative_to(home.root)
        there.parent.mkdir(mode=PRIVATE, exist_ok=True)
        place.rename(there)
        moved.append(str(there.relative_to(home.root)))
    if current_publication(home) is None:
        point_at_newest(home)
    return moved
