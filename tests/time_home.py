"""A home whose deliveries and runs a test makes one by one, and what is known in it."""

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from tests.rows import csv, row
from transforms.facts import result_tables
from warehouse.reading.published_values import read_services, read_values
from warehouse.runs.pipeline import RunReport, run_pipeline
from warehouse.store.home import Home


@dataclass(frozen=True)
class TimeHome:
    root: Path

    @property
    def home(self) -> Home:
        return Home(self.root)

    def copy(self, to: Path) -> "TimeHome":
        """A home of its own, which a test may change: making one takes a hundred times as long."""
        shutil.copytree(self.root, to, symlinks=True)
        return TimeHome(to)

    def deliver(self, file: str, *rows: dict[str, str]) -> None:
        target = self.home.inbox / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(csv(*rows), encoding="utf-8")

    def run(self, day: str) -> RunReport:
        return run_pipeline(self.root, date.fromisoformat(day))

    def value(self, indicator: str, period: str, as_of: str | None = None) -> str | None:
        day = date.fromisoformat(as_of) if as_of else None
        return next(row["value"] for row in read_values(self.home, period=period, indicator=indicator, as_of=day))

    def service(self, name: str, year: int, as_of: str | None = None) -> dict[str, Any]:
        day = date.fromisoformat(as_of) if as_of else None
        return next(row for row in read_services(self.home, year, "year", day) if row["service"] == name)

    def ledger(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.home.warehouse), read_only=True) as connection:
            return connection.execute(query).fetchall()


def is_of_results(item: str) -> bool:
    """Whether a change is one of a row of a table of results, and not of a value, a service or a score."""
    return item.partition(".")[0] in {table.table for table in result_tables()}


def letter(
    agency: str, *, integrated: bool, channel: str = "webservice", number: str = "L1", **more: Any
) -> dict[str, str]:
    """One agency's `jabatan` row in a letter of the last quarter of 2024."""
    changed = {"tgl_surat": "2024-12-20", "tw": 4, "nomor_surat": number} | more
    return row("integration", instansi_kode=agency, kanal=channel, terintegrasi=str(integrated).lower(), **changed)
