"""Faulty rows, declared as data: a good row, and for each rule the values that break it and no other rule.

`faults/<source>.yml` holds `good` (column: text) and `faults`, a list of
  rules   ids of the rules that each row of the fault breaks
  rows    for each row, the columns that differ from the good row (null: no value)
Text may hold {year} and {last_year}; {number}, which counts the faults; and {agency}, an agency that goes with the
number. So every fault has a key of its own, and no good row ever releases it. What is not quarantined must not count;
the files say how they see to it.
"""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl

from sample_data.formats import write_delivery
from sample_data.order import Order, load_reference, load_yaml

_FOLDER = "faults"


def write_faults(order: Order) -> list[Path]:
    """Write one small delivery of faulty rows a source, for the newest year ordered."""
    year = max(order.years)
    return [
        path
        for source in _sources()
        for path in write_delivery(
            fault_rows(source, year), order.inbox / source / _FOLDER / f"{source}_{year}_faults", "csv"
        )
    ]


def fault_rows(source: str, year: int) -> pl.DataFrame:
    """The faulty rows of a source as delivered text, in the order of their declaration. Grain: one row."""
    declared = load_yaml(f"{_FOLDER}/{source}.yml")
    rows = list(_rows(declared["good"], declared["faults"], year))
    return pl.DataFrame(rows, schema=dict.fromkeys(declared["good"], pl.String))


def _sources() -> list[str]:
    names = (entry.name for entry in files("sample_data").joinpath(_FOLDER).iterdir())
    return sorted(name.removesuffix(".yml") for name in names if name.endswith(".yml"))


def _rows(good: Mapping[str, Any], faults: list[Any], year: int) -> Iterator[dict[str, str | None]]:
    agencies = load_reference("agencies.csv")["agency_code"]
    for number, fault in enumerate(faults, start=1):
        own = {"year": year, "last_year": year - 1, "number": number, "agency": agencies[number % agencies.len()]}
        for changes in fault["rows"]:
            row = {**good, **changes}
            if unknown := sorted(set(row) - set(good)):
                raise ValueError(f"{fault['rules']}: the good row has no column {', '.join(unknown)}")
            yield {column: None if text is None else str(text).format_map(own) for column, text in row.items()}
