"""How surveys, assessments and registers become files: a few small ones a year, whose formats take turns."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from sample_data.draws import Draws
from sample_data.formats import write_delivery
from sample_data.order import Order, figures_of, load_yaml

REGISTERS = "registers.yml"

# Makes the rows of one source and year, as delivered, out of its figures.
Make = Callable[[int, Any, Draws], pl.DataFrame]


def write_register(order: Order, source: str, make: Make) -> list[Path]:
    """Write one file a year."""
    written: list[Path] = []
    for year in order.years:
        rows = make(year, figures_of(source, year, REGISTERS), Draws(order.seed, source, year))
        written += write_year(order, source, year, {"": rows})
    return written


def write_year(order: Order, source: str, year: int, parts: Mapping[str, pl.DataFrame]) -> list[Path]:
    """Write the parts of one year, each headed by the first rows of the one before, once more and unchanged.

    A part without rows is no delivery.
    """
    plan = load_yaml("deliveries.yml")[source]
    kinds = plan["formats"]
    folder = order.inbox / source / str(year)
    written: list[Path] = []
    before: pl.DataFrame | None = None
    for number, (name, rows) in enumerate((name, rows) for name, rows in parts.items() if rows.height):
        again = rows.clear() if before is None else before.head(plan["repeated"])
        stem = folder / "_".join(part for part in (source, str(year), name) if part)
        written += write_delivery(pl.concat([again, rows]), stem, kinds[(year + number) % len(kinds)])
        before = rows
    return written
