# ruff: noqa: PLC0415
# Prefect is imported inside the functions, after `prefect_api` has put its settings in place.
"""The runs of a served deployment as Prefect's server knows them: which is next, and how each ended."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from flows.prefect_environment import PrefectServerError
from flows.prefect_history import FINAL_STATES

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun

PLAN_SECONDS, ASK_SECONDS, ASKED_IN_VAIN = 60.0, 2.0, 5
_PREFIX = re.compile(r"^Flow run encountered an exception:? *")


def next_planned_run(deployment_id: UUID) -> datetime:
    """When the next run is due. Raises PrefectServerError where the scheduler plans none within a minute."""
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


class Outcomes:
    """Says a line for each run of a deployment that ends from here on."""

    def __init__(self, deployment_id: UUID, deployment: str, timezone: str, say: Callable[[str], None]) -> None:
        self.deployment_id, self.deployment, self.zone, self.say = deployment_id, deployment, ZoneInfo(timezone), say
        self.since = datetime.now(UTC)
        self.told: set[UUID] = set()

    async def watch(self) -> None:
        """Asks until it is cancelled. Raises PrefectServerError where the server answers no more."""
        import httpx
        from prefect.client.orchestration import get_client

        in_vain = 0
        async with get_client() as client:
            while True:
                try:
                    await self.tell(client)
                    in_vain = 0
                except httpx.HTTPError as problem:
                    in_vain += 1
                    if in_vain == ASKED_IN_VAIN:
                        raise PrefectServerError(f"the server answers no more: {problem}") from problem
                await asyncio.sleep(ASK_SECONDS)

    async def tell(self, client: PrefectClient) -> None:
        """Says what has ended since the last time."""
        from prefect.client.schemas.filters import (
            FlowRunFilter,
            FlowRunFilterDeploymentId,
            FlowRunFilterEndTime,
            FlowRunFilterState,
            FlowRunFilterStateType,
        )
        from prefect.client.schemas.objects import StateType

        ended = FlowRunFilter(
            deployment_id=FlowRunFilterDeploymentId(any_=[self.deployment_id]),
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType(state) for state in FINAL_STATES])),
            end_time=FlowRunFilterEndTime(after_=self.since),
        )
        runs = [run for run in await client.read_flow_runs(flow_run_filter=ended) if run.id not in self.told]
        for run in sorted(runs, key=lambda run: run.end_time or self.since):
            self.told.add(run.id)
            self.say(self.line(run))

    def line(self, run: FlowRun) -> str:
        """``2026-11-24 01:03 nightly 2026-11-24: completed; run-000012: ...``"""
        ended = (run.end_time or self.since).astimezone(self.zone)
        # A run has its name from its flow when it begins; until then Prefect's scheduler has made one up.
        planned = (run.expected_start_time or self.since).astimezone(self.zone)
        name = run.name if run.name.startswith(self.deployment) else f"{self.deployment} {planned:%Y-%m-%d}"
        state = run.state
        message = _PREFIX.sub("", (state.message or "") if state else "").partition("\n")[0]
        how = ((state.name if state else None) or "ended").lower()
        return f"{ended:%Y-%m-%d %H:%M} {name}: " + "; ".join(filter(None, [how, message]))
