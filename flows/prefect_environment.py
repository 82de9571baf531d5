"""The environment and the settings of Prefect for the time of a block: what its client, its server and its runs find."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

HOST = "127.0.0.1"


class PrefectServerError(RuntimeError):
    """Prefect's server did not start, or the configured one does not answer."""


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables of this process, and of those that it starts, for the time of the block."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            os.environ.pop(name, None)
        os.environ.update({name: value for name, value in before.items() if value is not None})


def quiet(home: Path) -> dict[str, str]:
    """What must be set before Prefect is imported: nothing is reported, no proxy asked, no ~/.prefect made."""
    return {"DO_NOT_TRACK": "1", **_no_proxy(), **_early_home(home)}


def state_folder(home: Path) -> Path:
    """Where Prefect keeps what it knows: ``home``/prefect, for the owner only."""
    state = home / "prefect"
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    state.chmod(0o700)
    return state


def _no_proxy() -> dict[str, str]:
    # A proxy must not be asked for the way to our own machine.
    before = {name: os.environ.get(name) for name in ("NO_PROXY", "no_proxy")}
    return {name: ",".join(filter(None, [value, HOST, "localhost"])) for name, value in before.items()}


def _early_home(home: Path) -> dict[str, str]:
    # Prefect makes ~/.prefect when it is imported. Without one there is no profile of the user's to read in it, and
    # the user of a service may not even have a place for it.
    if {"PREFECT_API_URL", "PREFECT_HOME"} & os.environ.keys() or Path("~/.prefect").expanduser().exists():
        return {}
    # One that cannot be made does not stop an import; the server says it.
    with suppress(OSError):
        state_folder(home)
    return {"PREFECT_HOME": str(home / "prefect")}
