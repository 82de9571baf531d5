"""Deterministic sample deliveries that reproduce the office's published counts, out of synthetic people.

A source is one module with one function, registered in SOURCES.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from sample_data import integration, nip, pension, promotion
from sample_data.faults import write_faults
from sample_data.order import Order

# Each writes the deliveries of one source and gives the files written.
SOURCES: tuple[Callable[[Order], list[Path]], ...] = (
    promotion.write,
    nip.write,
    pension.write,
    integration.write,
)


def write_deliveries(inbox: Path, years: Sequence[int], scale: int, seed: int, faults: bool) -> list[Path]:
    """Write the deliveries of every source into the inbox and give the files written.

    The same arguments give the same bytes. `scale` multiplies the proposal logs; `faults` adds deliveries
    with at least one row for every rule. Raises ValueError for a year without figures.
    """
    order = Order(inbox, tuple(years), scale, seed, faults)
    written = [path for write in SOURCES for path in write(order)]
    return [*written, *write_faults(order)] if faults else written
