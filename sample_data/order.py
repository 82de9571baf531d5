"""What is asked of the maker of sample deliveries, and where its own data files are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl
import yaml


@dataclass(frozen=True)
class Order:
    """One request for deliveries. The same order always gives the same bytes.

    `scale` multiplies every figure of the proposal logs; surveys, registers and letters do not scale.
    """

    inbox: Path
    years: Sequence[int]
    scale: int = 1
    seed: int = 1
    faults: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for an order that nobody can meet."""
        if not self.years:
            raise ValueError("order at least one year")
        if self.scale < 1:
            raise ValueError(f"scale must be 1 or more, not {self.scale}")


@cache
def load_yaml(name: str) -> Any:
    """Read a data file of this package, e.g. `figures.yml`."""
    return yaml.safe_load(files("sample_data").joinpath(name).read_text(encoding="utf-8"))


@cache
def load_reference(name: str) -> pl.DataFrame:
    """Read a reference table of the product as text, e.g. `agencies.csv`."""
    content = files("transforms.reference").joinpath(name).read_bytes()
    return pl.read_csv(content, infer_schema=False)


def own_office() -> str:
    """Code of the office that the deliveries are for."""
    office = yaml.safe_load(files("transforms.reference").joinpath("office.yml").read_text(encoding="utf-8"))
    code: str = office["office_code"]
    return code


@cache
def holidays() -> list[date]:
    """Public holidays and joint leave: nobody works, so nothing is decided."""
    return load_reference("holidays.csv")["holiday_date"].str.to_date().to_list()


def figures_of(source: str, year: int, name: str = "figures.yml") -> Mapping[str, Any]:
    """Give the figures that the deliveries of one source and year must come out at, from the data file `name`.

    Raises ValueError for a year without figures, naming the years there are.
    """
    figures = load_yaml(name)[source]
    if year not in figures:
        there = ", ".join(str(key) for key in figures)
        raise ValueError(f"sample_data/{name} has no {source} figures for {year}; it has {there}")
    found: Mapping[str, Any] = figures[year]
    return found
