"""One million promotion rows in one CSV: our whole way against the limit of the machine, measured in one run.

(a) the limit: a typed `read_csv` into a DuckDB table plus the aggregate, nothing else.
(b) our own work from landing to publication, start-up apart: hash, landing, rules, validation by Great Expectations,
    identity, states, working days, facts, publication.
The two take turns three times, each in a process of its own; the medians are compared. (b) may take 4 times (a), and 2 GiB.

Usage: python -m benchmarks.million_rows [rows]
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

ROWS = 1_000_000
ROUNDS = 3
MOST_TIMES_THE_LIMIT = 4
MOST_MEMORY_GIB = 2

TYPES = {
    "id": "VARCHAR", "nip": "VARCHAR", "nama": "VARCHAR", "instansi_kode": "VARCHAR", "jenis_kp_id": "INTEGER",
    "golongan_lama_id": "INTEGER", "golongan_baru_id": "INTEGER", "periode": "DATE", "tgl_usulan": "DATE",
    "tgl_pengiriman_kelayanan": "TIMESTAMP", "tgl_update_layanan": "TIMESTAMP", "status_usulan": "INTEGER",
    "counter_bts": "INTEGER", "no_pertek": "VARCHAR", "tgl_pertek": "DATE", "no_sk": "VARCHAR", "tgl_sk": "DATE",
    "alasan_tolak": "VARCHAR", "is_otomatis": "BOOLEAN", "kanreg_id_pengusul": "VARCHAR",
}  # fmt: skip

# Two states a proposal: in process, then decided; one in fifty returned, one in a thousand rejected.
DELIVERY = """
COPY (
  SELECT 'KP' || lpad(CAST(i // 2 AS VARCHAR), 8, '0') AS id,
    '1980' || lpad(CAST(i // 2 % 12 + 1 AS VARCHAR), 2, '0') || '15' || '200501' || '1' || lpad(CAST(i // 2 % 999 + 1 AS VARCHAR), 3, '0') AS nip,
    'Contoh ' || i // 2 AS nama, CAST(5500 + i // 2 % 10 AS VARCHAR) AS instansi_kode, 201 + i // 2 % 11 AS jenis_kp_id,
    32 AS golongan_lama_id, 33 AS golongan_baru_id,
    strftime(make_date(2024, CAST(2 * (i // 2 % 6) + 2 AS INTEGER), 1), '%d-%m-%Y') AS periode, '15-12-2023' AS tgl_usulan,
    strftime(TIMESTAMP '2024-01-02 08:00:00' + INTERVAL (i // 2 % 200) DAY, '%Y-%m-%dT%H:%M:%S') AS tgl_pengiriman_kelayanan,
    strftime(TIMESTAMP '2024-01-02 09:00:00' + INTERVAL (i // 2 % 200 + i % 2 * (1 + i // 2 % 4)) DAY, '%Y-%m-%dT%H:%M:%S') AS tgl_update_layanan,
    CASE WHEN i % 2 = 0 THEN 12 WHEN i // 2 % 1000 = 1 THEN 6 WHEN i // 2 % 50 = 0 THEN 5 ELSE 7 END AS status_usulan,
    CASE WHEN i % 2 = 1 AND i // 2 % 50 = 0 THEN 1 ELSE 0 END AS counter_bts,
    CASE WHEN i % 2 = 1 THEN 'PG-' || i // 2 END AS no_pertek, CASE WHEN i % 2 = 1 THEN '30-12-2024' END AS tgl_pertek,
    NULL AS no_sk, NULL AS tgl_sk, CASE WHEN i % 2 = 1 AND i // 2 % 1000 = 1 THEN 'tidak memenuhi syarat' END AS alasan_tolak,
    'false' AS is_otomatis, '07' AS kanreg_id_pengusul
  FROM range($1) AS numbers(i)
) TO '{file}' (HEADER)
"""


def limit(file: Path, folder: Path) -> dict[str, float]:
    """(a) in this process: seconds of the typed read and of the aggregate."""
    with duckdb.connect(str(folder / "limit.duckdb"), config={"threads": 2}) as connection:
        start = time.perf_counter()
        connection.execute(
            "CREATE TABLE promotion AS SELECT * FROM read_csv($1, header = true, auto_detect = false, columns = $2, dateformat = '%d-%m-%Y')",
            [str(file), TYPES],
        )
        read = time.perf_counter()
        connection.execute(
            "SELECT instansi_kode, count(DISTINCT id), count(*) FILTER (status_usulan = 7) FROM promotion GROUP BY instansi_kode"
        ).fetchall()
        return {"typed read": read - start, "aggregate": time.perf_counter() - read}


def ours(folder: Path) -> dict[str, float]:
    """(b) in this process: seconds of each step; the file lies in the inbox of ``folder``."""
    from warehouse.runs.pipeline import run_pipeline  # noqa: PLC0415
    from warehouse.store.connection import open_warehouse  # noqa: PLC0415
    from warehouse.store.stopwatch import START_UP  # noqa: PLC0415

    # A new warehouse makes its schema first; a nightly run finds it there.
    with open_warehouse(folder, "benchmark"):
        start = time.perf_counter()
        report = run_pipeline(folder)
        elapsed = time.perf_counter() - start
    steps = {step: seconds for step, seconds in report.seconds.items() if step != START_UP}
    return steps | {"the rest": elapsed - sum(report.seconds.values())}


def measure(what: str, file: Path, folder: Path) -> tuple[dict[str, float], float]:
    """Runs one measurement in a child process. Gives seconds by step and the peak of memory in GiB."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.million_rows", f"--{what}", str(file), str(folder)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    result = json.loads(done.stdout.splitlines()[-1])
    return result["seconds"], result["peak_gib"]


def main(rows: int) -> int:
    limits, times, peaks = [], [], []
    with tempfile.TemporaryDirectory(prefix="kpi-bench-") as name:
        file = Path(name) / "promotion.csv"
        duckdb.execute(DELIVERY.format(file=file), [rows])
        print(f"{rows:,} rows, {file.stat().st_size / 1e6:,.0f} MB of CSV")
        for number in range(ROUNDS):
            home = Path(name) / f"home{number}"
            (home / "inbox" / "promotion").mkdir(parents=True)
            (home / "inbox" / "promotion" / file.name).hardlink_to(file)
            seconds, _ = measure("limit", file, home)
            limits.append(sum(seconds.values()))
            print(f"(a) limit {limits[-1]:.2f} s: " + ", ".join(f"{k} {v:.2f}" for k, v in seconds.items()))
            seconds, peak = measure("ours", file, home)
            times.append(sum(seconds.values()))
            peaks.append(peak)
            print(
                f"(b) ours {times[-1]:.2f} s, {peak:.2f} GiB: " + ", ".join(f"{k} {v:.2f}" for k, v in seconds.items())
            )
    ratio = statistics.median(times) / statistics.median(limits)
    good = ratio <= MOST_TIMES_THE_LIMIT and max(peaks) < MOST_MEMORY_GIB
    print(
        f"ours / limit = {ratio:.2f} (at most {MOST_TIMES_THE_LIMIT}), peak {max(peaks):.2f} GiB (under {MOST_MEMORY_GIB}): {'good' if good else 'TOO MUCH'}"
    )
    return 0 if good else 1


def child(what: str, file: Path, folder: Path) -> None:
    seconds = limit(file, folder) if what == "--limit" else ours(folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(json.dumps({"seconds": seconds, "peak_gib": peak}))


if __name__ == "__main__":
    if len(sys.argv) == 4:
        child(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS))
