"""Runs read well in Prefect's history: what, of which years, on which day."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext

from flows.backfill import backfill
from flows.nightly import nightly, nightly_of
from transforms.periods import clock_now


@pytest.mark.parametrize(
    ("flow", "parameters", "name"),
    [
        (nightly, {"home": "data", "as_of": "2026-11-24"}, "nightly 2026-11-24"),
        (backfill, {"home": "data", "years": [2020, 2021, 2022], "as_of": "2026-11-24"}, "backfill 2020..2022 2026-11-24"),
        (backfill, {"home": "data", "years": [2024], "as_of": "2026-11-24"}, "backfill 2024 2026-11-24"),
        (nightly, {"home": "data", "as_of": None}, f"nightly {clock_now():%Y-%m-%d}"),
        (nightly_of(Path("data")), {}, f"nightly {clock_now():%Y-%m-%d}"),
    ],
)  # fmt: skip
def test_a_run_is_called_by_what_it_does_and_its_day(flow: Any, parameters: dict[str, Any], name: str) -> None:
    with FlowRunContext.model_construct(flow_run=FlowRun(flow_id=uuid4()), parameters=parameters):
        assert flow.flow_run_name() == name
