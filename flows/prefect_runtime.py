# ruff: noqa: PLC0415
# Prefect is imported inside the functions: that takes a second, reads the settings and may report its use.
"""Run Prefect flows with no set-up: a server for the time of a command, and a history without gaps.

A command keeps a server of its own (`prefect_api`, `flows/prefect_server.py`) and waits for its records before it stops it
(`wait_for_history`, `flows/prefect_history.py`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flows.prefect_environment import PrefectServerError, environment, quiet
from flows.prefect_history import recorded_events, wait_for_history
from flows.prefect_internals import settings_in_force

__all__ = ["PrefectServerError", "prefect_api", "wait_for_history"]


@contextmanager
def prefect_api(home: Path, progress: Callable[[str], None] | None = None, *, port: int | None = None) -> Iterator[str]:
    """Give the address of a Prefect API and make it the one that flows use in this block.

    A configured server (PREFECT_API_URL in the environment or the active profile) is used and left alone. Otherwise a
    server of our own runs on the loopback for the time of the block, with its database in PREFECT_HOME or else in
    `home`/prefect, its log in `home`/prefect/server.log and its password in `home`/secret. With a `port` (0: any that is
    free) it answers there, and has what a schedule needs: Prefect's scheduler and pages. Raises PrefectServerError if the
    configured server does not answer, if ours does not start, or if one fails in the block.
    """
    say, home = progress or (lambda _line: None), home.resolve()
    with ExitStack() as stack:
        stack.enter_context(environment(quiet(home)))
        from prefect.settings import get_current_settings

        from flows.prefect_server import own_server

        user = get_current_settings()
        if "level" not in user.logging.model_fields_set:
            # For the console alone: the history gets the flow's log as always.
            stack.enter_context(environment({"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING"}))
        configured = os.environ.get("PREFECT_API_URL") or user.api.url
        if configured:
            stack.enter_context(_configured_server(configured))
        address = configured or stack.enter_context(own_server(home, user, say, port))
        stack.enter_context(recorded_events(address, ours=not configured))
        import httpx
        from prefect.exceptions import ObjectNotFound

        try:
            yield address
        except (httpx.HTTPError, ObjectNotFound) as problem:
            raise PrefectServerError(f"Prefect's server failed: {type(problem).__name__}: {problem}") from problem


@contextmanager
def _configured_server(address: str) -> Iterator[None]:
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, get_current_settings

    settings = get_current_settings().copy_with_update(updates={PREFECT_API_URL: address})
    with environment({"PREFECT_API_URL": address}), settings_in_force(settings):
        with get_client(sync_client=True) as client:
            problem = client.api_healthcheck()
        if problem:
            advice = "Start it, or unset PREFECT_API_URL to have one for the time of the command."
            raise PrefectServerError(f"No Prefect server answers at {address} ({problem}). {advice}")
        yield
