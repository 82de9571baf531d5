# ruff: noqa: PLC0415
# Prefect is imported inside the functions, after `prefect_api` has put its settings in place.
"""Serve a flow on a schedule: a Prefect server that starts runs, and a runner that executes them here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from flows.prefect_runtime import prefect_api

NIGHTLY_FLOW = "flows.nightly:nightly"
NIGHTLY_DEPLOYMENT = "nightly"
NIGHTLY_CRON = "0 1 * * *"
NIGHTLY_TIMEZONE = "Asia/Jakarta"


def serve_nightly(home: Path, say: Callable[[str], None] = print) -> None:
    """Register the deployment `nightly/nightly`, every night at 01:00 in Jakarta, and serve it until stopped."""
    serve_flow(NIGHTLY_FLOW, NIGHTLY_DEPLOYMENT, home, cron=NIGHTLY_CRON, timezone=NIGHTLY_TIMEZONE, say=say)


def serve_flow(
    flow: str,
    deployment: str,
    home: Path,
    *,
    cron: str | None = None,
    interval: timedelta | None = None,
    timezone: str,
    say: Callable[[str], None] = print,
) -> None:
    """Register `flow` ("module:function", with a parameter `home`) on a schedule, and serve it until stopped.

    Returns on Ctrl-C and exits on SIGTERM; the schedule is paused then, and goes on when it is served again.
    Where a server of our own is used it lives as long, with its pages.

    One run at a time, and a new one is cancelled while another still goes on: a run takes in whatever is new, so
    one that waited would find nothing to do, and after some time without a runner a queue of missed nights would
    run one after the other for the same result.
    """
    home = home.resolve()
    with prefect_api(home, say, serving=True):
        from prefect import serve
        from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
        from prefect.schedules import Schedule
        from prefect.settings import PREFECT_UI_URL
        from prefect.types.entrypoint import EntrypointType

        one_at_a_time = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
        registered = _flow_object(flow).to_deployment(
            name=deployment,
            schedule=Schedule(cron=cron, interval=interval, timezone=timezone),
            parameters={"home": str(home)},
            concurrency_limit=one_at_a_time,
            # The last stop has paused it.
            paused=False,
            # A run is a new process: it finds a module wherever this process was started, a file it may not.
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        say(f"Serving {registered.full_name} ({cron or f'every {interval}'}, {timezone}); stop with Ctrl-C")
        say(f"Prefect's pages: {PREFECT_UI_URL.value()}")
        serve(registered, print_starting_message=False)
    say(f"No longer serving {registered.full_name}")


def _flow_object(flow: str) -> Any:
    module, _, function = flow.partition(":")
    return getattr(import_module(module), function)
