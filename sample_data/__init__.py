"""Deterministic sample deliveries that reproduce the office's published counts, out of synthetic people.

A source is one function, registered in SOURCES; sources of one family share a module.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from sample_data import assessments, employees, integration, nip, pension, plans, promotion, registers, survey
from sample_data.assessments import write_late_assessment
from sample_data.faults import write_faults
from sample_data.order import Order, figures_of

__all__ = ["SOURCES", "require_figures", "write_deliveries", "write_late_assessment"]

# Each writes the deliveries of one source and gives the files written.
SOURCES: tuple[Callable[[Order], list[Path]], ...] = (
    promotion.write,
    nip.write,
    pension.write,
    integration.write,
    survey.write,
    assessments.write_assessments,
    assessments.write_measurements,
    employees.write,
    registers.write_regulations,
    registers.write_digital_services,
    registers.write_recommendations,
    registers.write_findings,
    plans.write_scores,
    plans.write_budgets,
    plans.write_agreements,
    plans.write_published,
)


def require_figures(years: Sequence[int]) -> None:
    """Raises ValueError for a year without figures: before anything is written."""
    for year in years:
        figures_of("promotion", year)


def write_deliveries(inbox: Path, years: Sequence[int], scale: int, seed: int, faults: bool) -> list[Path]:
    """Write the deliveries of every source into the inbox and give the files written.

    The same arguments give the same bytes. `scale` multiplies the proposal logs; `faults` adds deliveries
    with at least one row for every rule. Raises ValueError for a year without figures.
    """
    require_figures(years)
    inbox.mkdir(parents=True, exist_ok=True)
    # Hidden until all are there: a night takes in whatever lies in the inbox, also half a file.
    with TemporaryDirectory(prefix=".sample-", dir=inbox) as place:
        order = Order(Path(place), tuple(years), scale, seed, faults)
        written = [path for write in SOURCES for path in write(order)] + (write_faults(order) if faults else [])
        return [_delivered(file, inbox / file.relative_to(place)) for file in written]


def _delivered(file: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return file.replace(target)
