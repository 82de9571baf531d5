"""What ``kpi doctor`` looks at of the home itself: that it is one and whole, who may read and write it, and whether its clock is ahead."""

import stat
from datetime import datetime

import duckdb

from transforms.periods import clock_now
from warehouse.store.failures import EnvironmentProblem
from warehouse.store.home import PRIVATE, PRIVATE_FILE, PUBLIC, Home
from warehouse.store.home_state import require_home, require_ledger, require_newest
from warehouse.store.queries import single_value
from warehouse.store.runs import TRIAL, read_meta

Finding = tuple[str, str, str]


def check_home(home: Home) -> list[Finding]:
    """(check, verdict, finding): that there is an installation, of which nothing is lost or led elsewhere; its modes."""
    try:
        require_home(home)
        home.refuse_links()
    except EnvironmentProblem as problem:
        return [("home", "bad", str(problem))]
    return [*_modes(home), *_secrets(home), *_inbox(home), *_set_aside(home), *_prefect_aside(home)]


def check_ledger(home: Home, connection: duckdb.DuckDBPyConnection) -> list[Finding]:
    """(check, verdict, finding): that the warehouse is not older than what is published, and not ahead of now."""
    try:
        require_ledger(connection, home)
        require_newest(connection, home)
    except EnvironmentProblem as problem:
        return [("warehouse", "bad", str(problem))]
    found = []
    is_trial = read_meta(connection, TRIAL) == "yes"
    if is_trial:
        found.append(
            ("trial", "note", "this home is for trials: its runs may have pretended days that are yet to come")
        )
    last: datetime | None = single_value(
        connection, "SELECT max(clock) FROM ledger.runs WHERE status NOT IN ('failed', 'stopped')"
    )
    if last is not None and last.date() > clock_now().date() and not is_trial:
        finding = (
            f"a run took {last:%Y-%m-%d %H:%M} for now, which is yet to come: until then no run can enter anything; "
            "docs/how-to/the-night-failed.md says the way out"
        )
        found.append(("clock", "bad", finding))
    return found


def _modes(home: Home) -> list[Finding]:
    private = {home.landing: PRIVATE, home.quarantine: PRIVATE, home.secret: PRIVATE, home.spool: PRIVATE}
    private |= dict.fromkeys((home.warehouse, home.write_ahead_log, home.lock), PRIVATE_FILE)
    wanted = private | {home.publications: PUBLIC}
    found = []
    root_mode = stat.S_IMODE(home.root.stat().st_mode)
    if root_mode & 0o002:
        found.append(
            ("home/", "bad", f"mode {root_mode:04o}: everybody may put another warehouse there; run chmod o-w on it")
        )
    for place, mode in wanted.items():
        if not place.exists():
            continue
        name = place.name + ("/" if place.is_dir() else "")
        actual = stat.S_IMODE(place.stat().st_mode)
        if actual == mode:
            found.append((name, "good", f"mode {actual:04o}"))
        else:
            found.append((name, "bad", f"mode {actual:04o}; run chmod {mode:o} on it, or `kpi run`, which does"))
    return found


def _secrets(home: Home) -> list[Finding]:
    """The key of the pseudonyms and the password of Prefect's pages: the folder's mode alone does not protect a file that is copied with its own."""
    modes = {file.name: stat.S_IMODE(file.lstat().st_mode) for file in sorted(home.secret.glob("*"))}
    return [
        (f"secret/{name}", "bad", f"mode {mode:04o}: others may read it or change it; run chmod {PRIVATE_FILE:o} on it")
        for name, mode in modes.items()
        if mode & 0o077
    ]


def _inbox(home: Home) -> list[Finding]:
    mode = stat.S_IMODE(home.inbox.stat().st_mode) if home.inbox.is_dir() else 0
    if mode & 0o007:
        rights = "read" if not mode & 0o002 else "change"
        return [("inbox/", "note", f"mode {mode:04o}: every account of the machine may {rights} what is delivered")]
    return []


def _set_aside(home: Home) -> list[Finding]:
    if not home.set_aside.is_dir():
        return []
    names = sorted(place.name for place in home.set_aside.iterdir())
    finding = f"{', '.join(names)}: of before `kpi init --force`, with personal data and no retention; remove it when nobody needs it"
    return [("set-aside/", "note", finding)]


def _prefect_aside(home: Home) -> list[Finding]:
    names = sorted(
        file.name
        for file in (home.root / "prefect").glob("*.aside-*")
        if not file.name.endswith(("-wal", "-shm", "-journal"))
    )
    if not names:
        return []
    finding = f"{', '.join(names)}: databases that could not be used, of Prefect's history alone; remove them when nobody needs them"
    return [("prefect/", "note", finding)]
