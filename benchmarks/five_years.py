"""Five years of sample deliveries: a backfill that is killed hard among its partitions and resumed, against the years one by one.

What must come out: the trends of the report, no finished partition done again, the same facts to the byte in Parquet.

Usage: python -m benchmarks.five_years
"""

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from sample_data import write_deliveries

YEARS = [2020, 2021, 2022, 2023, 2024]
AS_OF = "2025-01-31"
KPI = [sys.executable, "-c", "from flows.cli import main; main()"]
KILLED_AT = "IKU-03 2022"
# As the report prints them; where it contradicts itself, as known_discrepancies.yml reads it.
TREND = {
    ("IKU-06", "2024"): "100.00",
    ("IKU-04", "2024"): "93.37",
    ("IKU-07", "2024"): "91.67",
    ("IKU-03", "2023"): "96.89",
}


def backfill(home: Path, years: str) -> list[str]:
    return [*KPI, "backfill", years, "--home", str(home), "--as-of", AS_OF]


def killed(home: Path) -> int:
    """Starts the backfill of all years, kills it among its partitions; gives how many are kept."""
    command = backfill(home, "2020..2024")
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True
    ) as process:
        for line in process.stderr or []:
            if line.startswith(KILLED_AT):
                os.killpg(process.pid, signal.SIGKILL)
    time.sleep(1)
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        return int(connection.execute("SELECT count(*) FROM ledger.staged_partitions").fetchall()[0][0])


def fingerprint(home: Path, folder: Path) -> str:
    """SHA-256 of the facts as one Parquet a table, without when and by which run they were entered."""
    digest = hashlib.sha256()
    with duckdb.connect(str(home / "published" / "kpi.duckdb"), read_only=True) as connection:
        for table in ("kpi_values", "service_summary", "kpi_scores"):
            file = folder / f"{table}.parquet"
            connection.execute(
                f"COPY (SELECT * EXCLUDE (known_from, run) FROM {table} ORDER BY ALL) TO '{file}' (FORMAT parquet)"
            )
            digest.update(file.read_bytes())
    return digest.hexdigest()


def main() -> int:
    # One key for both homes: pseudonyms are part of what the records' fingerprints are made of.
    os.environ["KPI_PSEUDONYM_KEY"] = "benchmark of five years"
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="kpi-years-") as name:
        at_once, one_by_one = Path(name) / "at_once", Path(name) / "one_by_one"
        for home in (at_once, one_by_one):
            write_deliveries(home / "inbox", YEARS, 1, 7, False)
        kept = killed(at_once)
        start = time.perf_counter()
        subprocess.run(backfill(at_once, "2020..2024"), check=True, capture_output=True)
        print(f"killed with {kept} partitions kept, resumed in {time.perf_counter() - start:.1f} s")
        for year in YEARS:
            subprocess.run(backfill(one_by_one, str(year)), check=True, capture_output=True)
        with duckdb.connect(str(at_once / "warehouse.duckdb"), read_only=True) as connection:
            again = connection.execute(
                "SELECT count(*) - count(DISTINCT (item, year)) FROM ledger.derivations WHERE state = 'staged'"
            ).fetchall()[0][0]
            values = {
                (indicator, period): f"{value:.2f}"
                for indicator, period, value in connection.execute(
                    "SELECT indicator, period, value FROM facts.kpi_values WHERE known_to IS NULL AND office = '07' AND value IS NOT NULL"
                ).fetchall()
            }
        if kept == 0 or again:
            problems.append(f"{kept} partitions were kept at the kill, {again} were done again")
        problems += [
            f"{key}: {values.get(key)}, printed {printed}"
            for key, printed in TREND.items()
            if values.get(key) != printed
        ]
        if fingerprint(at_once, Path(name)) != fingerprint(one_by_one, Path(name)):
            problems.append("the facts differ from those of the years one by one")
    print("\n".join(problems) or "good: no partition done again, facts equal to the byte, trends as printed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
