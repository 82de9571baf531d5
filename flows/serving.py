# ruff: noqa: PLC0415
# Prefect is imported inside the functions, after `prefect_api` has put its settings in place.
"""Serve a flow on a schedule: a Prefect server that plans the runs, and a runner that executes our own function for them.

What runs is fixed by this process: the flow is an object of it, with its home and without parameters. What the API holds of the
deployment (place of the code, parameters, variables) is shown to people and never followed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flows.prefect_environment import environment
from flows.prefect_internals import runner_with
from flows.prefect_runtime import prefect_api
from flows.prefect_secret import secret_file
from flows.served_runs import Outcomes, next_planned_run
from warehouse.store.stopping import noticing

if TYPE_CHECKING:
    from prefect.flows import Flow
    from prefect.schedules import Schedule

NIGHTLY_DEPLOYMENT = "nightly"
NIGHTLY_CRON = "0 1 * * *"
NIGHTLY_TIMEZONE = "Asia/Jakarta"
AGAIN_SECONDS = 10.0
Say = Callable[[str], None]


def serve_nightly(home: Path, port: int, say: Say = print) -> None:
    """Register the deployment `nightly/nightly`, every night at 01:00 in Jakarta, and serve it until stopped."""

    def nightly() -> Flow[[], Any]:
        from flows.nightly import nightly_of

        return nightly_of(home.resolve())

    serve_flow(nightly, NIGHTLY_DEPLOYMENT, home, port, cron=NIGHTLY_CRON, timezone=NIGHTLY_TIMEZONE, say=say)


def serve_flow(
    make_flow: Callable[[], Flow[[], Any]],
    deployment: str,
    home: Path,
    port: int,
    *,
    cron: str | None = None,
    interval: timedelta | None = None,
    timezone: str,
    say: Say = print,
) -> None:
    """Register the flow, which takes no parameters, on a schedule, and serve it until stopped, with a line for each run.

    Returns on Ctrl-C and SIGTERM. The schedule is paused then, and goes on when it is served again. A server of our own
    lives as long, and shows its pages at `port`; if it fails on the way, it is started again. Raises PrefectServerError if there
    is no server, or if it plans no run within a minute: a schedule that silently never runs would only be noticed by the
    missing nights.
    """
    home = home.resolve()
    due: datetime | None = None
    # That would be a web server which takes orders for this process from everybody.
    # And SIGTERM, as systemd stops a service, is to leave as little behind as Ctrl-C does, also while it starts.
    with environment({"PREFECT_RUNNER_SERVER_ENABLE": "false"}), noticing():
        while True:
            try:
                with prefect_api(home, say, port=port):
                    served = _Served(make_flow(), deployment, home, timezone, say)
                    try:
                        due = served.register(cron, interval, missed=due is not None and due < datetime.now(UTC))
                        asyncio.run(served.run_until_stopped())
                    except KeyboardInterrupt:
                        pass
                    return say(f"No longer serving {served.name}")
            except Exception as problem:
                if due is None:
                    raise
                say(f"Prefect has failed, and is started again in {AGAIN_SECONDS:.0f} s: {problem}")
                time.sleep(AGAIN_SECONDS)


class _Served:
    """One flow on a schedule, with one server."""

    def __init__(self, flow: Flow[[], Any], deployment: str, home: Path, timezone: str, say: Say) -> None:
        self.flow, self.deployment, self.home, self.timezone, self.say = flow, deployment, home, timezone, say
        self.name = f"{flow.name}/{deployment}"
        from prefect.settings import PREFECT_HOME

        self.runner = runner_with(PREFECT_HOME.value() / "runner")

    def register(self, cron: str | None, interval: timedelta | None, *, missed: bool) -> datetime:
        """Registers the schedule, with a run at once where one was missed, and says where to look. Gives the next moment."""
        from prefect.schedules import Schedule
        from prefect.settings import PREFECT_UI_URL

        schedule = Schedule(cron=cron, interval=interval, timezone=self.timezone)
        self.deployment_id = asyncio.run(self._add(schedule, missed))
        due = next_planned_run(self.deployment_id)
        local = due.astimezone(ZoneInfo(self.timezone))
        self.say(f"Serving {self.name}; next run {local:%Y-%m-%d %H:%M} {self.timezone}; stop with Ctrl-C")
        self.say(f"Prefect's pages: {PREFECT_UI_URL.value()}")
        if "PREFECT_SERVER_API_AUTH_STRING" in os.environ:
            self.say(f"They ask for a password: the line in {secret_file(self.home)}")
        return due

    async def _add(self, schedule: Schedule, missed: bool) -> UUID:
        from prefect.client.orchestration import get_client
        from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
        from prefect.types.entrypoint import EntrypointType

        deployment_id: UUID = await self.runner.aadd_flow(
            self.flow,
            name=self.deployment,
            schedule=schedule,
            parameters={},
            # One run at a time, and a new one is cancelled while another goes on. A run takes in whatever is new: one
            # that waited would find nothing left to do, and nights missed would all be run, one after the other.
            concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
            # The last stop has paused it.
            paused=False,
            # For the eye alone: the runner executes the function itself.
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        if missed:
            async with get_client() as client:
                await client.create_flow_run_from_deployment(deployment_id)
        return deployment_id

    async def run_until_stopped(self) -> None:
        """Executes what is due. Raises PrefectServerError where the server answers no more."""
        from prefect.client.orchestration import get_client

        outcomes = Outcomes(self.deployment_id, self.deployment, self.timezone, self.say)
        running = asyncio.create_task(self.runner.start())
        # The runner's first step sets a handler of its own, which leaves the run that goes on, and the schedule, as they
        # are. `astop` cancels the run, and the history shows it; then the runner pauses the schedule.
        await asyncio.sleep(0)
        stop = asyncio.Event()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
        watching, stopping = asyncio.create_task(outcomes.watch()), asyncio.create_task(stop.wait())
        await asyncio.wait({running, watching, stopping}, return_when=asyncio.FIRST_COMPLETED)
        while not (self.runner.started or running.done()):
            await asyncio.sleep(0.1)  # it refuses to be stopped before
        if watching.done():
            running.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await running
            await watching
        if stop.is_set():
            await self.runner.astop()
        await running
        watching.cancel()
        async with get_client() as client:
            await outcomes.tell(client)
