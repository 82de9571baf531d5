"""What runs are called in Prefect's history: what, of which years, and on which day."""

from collections.abc import Callable

from prefect import runtime

from transforms.periods import clock_now


def dated(what: str) -> Callable[[], str]:
    """The name of a flow run: ``nightly 2026-11-24``, ``backfill 2020..2023 2026-11-24``; the day is that of ``as_of``, else today."""

    def name() -> str:
        parameters = runtime.flow_run.parameters or {}
        years = parameters.get("years")
        span = f" {years[0]}" + f"..{years[-1]}" * (len(years) > 1) if years else ""
        return f"{what}{span} {parameters.get('as_of') or clock_now().date().isoformat()}"

    return name
