# ruff: noqa: PLC0415
# Prefect is imported inside the functions, after `prefect_api` has put its settings in place.
"""Serve a flow on a schedule: a Prefect server that plans the runs, and a runner that executes them here."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flows.prefect_runtime import PrefectServerError, prefect_api

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment
    from prefect.runner import Runner

NIGHTLY_FLOW = "flows.nightly:nightly"
NIGHTLY_DEPLOYMENT = "nightly"
NIGHTLY_CRON = "0 1 * * *"
NIGHTLY_TIMEZONE = "Asia/Jakarta"
PLAN_SECONDS = 60.0


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

    Returns on Ctrl-C and SIGTERM. The schedule is paused then, and goes on when it is served again. A server
    of our own lives as long, and shows its pages. Raises PrefectServerError if there is no server, or if it plans no
    run within a minute: a schedule that silently never runs would only be noticed by the missing nights.
    """
    home = home.resolve()
    with prefect_api(home, say, serving=True):
        from prefect.runner import Runner
        from prefect.schedules import Schedule
        from prefect.settings import PREFECT_UI_URL

        schedule = Schedule(cron=cron, interval=interval, timezone=timezone)
        registered = _deployment(flow, deployment, schedule=schedule, parameters={"home": str(home)})
        runner = Runner()
        try:
            deployment_id = asyncio.run(runner.aadd_deployment(registered))
            next_run = _next_planned_run(deployment_id).astimezone(ZoneInfo(timezone))
            say(f"Serving {registered.full_name}; next run {next_run:%Y-%m-%d %H:%M} {timezone}; stop with Ctrl-C")
            say(f"Prefect's pages: {PREFECT_UI_URL.value()}")
            asyncio.run(_run_until_stopped(runner))
        except KeyboardInterrupt:
            pass
        say(f"No longer serving {registered.full_name}")


async def _run_until_stopped(runner: Runner) -> None:
    running = asyncio.create_task(runner.start())
    # The runner's first step sets a handler of its own, which leaves the run that goes on, and the schedule, as they
    # are. `astop` cancels the run, and the history shows it; then the runner pauses the schedule.
    await asyncio.sleep(0)
    stop = asyncio.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await asyncio.wait({running, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        await runner.astop()
    await running


def _deployment(flow: str, name: str, **options: Any) -> RunnerDeployment:
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.types.entrypoint import EntrypointType

    module, _, function = flow.partition(":")
    deployment: RunnerDeployment = getattr(import_module(module), function).to_deployment(
        name=name,
        # One run at a time, and a new one is cancelled while another goes on. A run takes in whatever is new: one
        # that waited would find nothing left to do, and nights missed would all be run, one after the other.
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
        # The last stop has paused it.
        paused=False,
        # A run is a process of its own. It finds a module wherever this one was started; a file it may not.
        entrypoint_type=EntrypointType.MODULE_PATH,
        **options,
    )
    return deployment


def _next_planned_run(deployment_id: UUID) -> datetime:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterDeploymentId,
        FlowRunFilterExpectedStartTime,
    )
    from prefect.client.schemas.sorting import FlowRunSort

    planned = FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[deployment_id]),
        expected_start_time=FlowRunFilterExpectedStartTime(after_=datetime.now(UTC)),
    )
    deadline = time.monotonic() + PLAN_SECONDS
    with get_client(sync_client=True) as client:
        while time.monotonic() < deadline:
            runs = client.read_flow_runs(flow_run_filter=planned, sort=FlowRunSort.EXPECTED_START_TIME_ASC, limit=1)
            if runs and runs[0].expected_start_time:
                return runs[0].expected_start_time
            time.sleep(0.5)
    raise PrefectServerError(
        f"Prefect's scheduler has planned no run within {PLAN_SECONDS:.0f} s: the server's log says why."
    )
