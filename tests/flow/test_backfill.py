"""Backfill: the plan, partitions that survive a kill, the same facts as year by year; and what makes a partition stale."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

import warehouse.facts.derive
import warehouse.facts.digests
import warehouse.facts.enter
import warehouse.facts.plan
from flows.app import app
from tests.processes import begun, kpi
from tests.rows import row
from tests.time_home import TimeHome, letter
from transforms.definitions import load_indicators
from transforms.periods import end_of_day
from warehouse.facts.plan import plan_partitions
from warehouse.runs.backfill import stageable
from warehouse.runs.pipeline import Pipeline, a_run, run_pipeline
from warehouse.store.connection import open_warehouse
from warehouse.store.home import Home

YEARS = [2021, 2022, 2023]
CLOCK = date(2024, 2, 1)


def deliver_three_years(place: TimeHome) -> None:
    for year in YEARS:
        place.deliver(
            f"integration/{year}.csv",
            *(
                letter(agency, integrated=agency < "5504", tahun=year, tgl_surat=f"{year}-12-20")
                for agency in ("5500", "5501", "5502", "5503", "5504")
            ),
        )
        place.deliver(
            f"promotion/{year}.csv",
            *(
                row(
                    "promotion", id=f"P{year}-{n}", periode=f"01-{'04' if n % 2 else '10'}-{year}",
                    tgl_usulan=f"10-01-{year}", tgl_pengiriman_kelayanan=f"{year}-01-15T09:00:00",
                    tgl_update_layanan=f"{year}-01-1{6 + n % 3}T10:00:00", tgl_pertek=f"1{6 + n % 3}-01-{year}",
                    status_usulan=7 if n % 5 else 12,
                )
                for n in range(20)
            ),
        )  # fmt: skip


def backfill(root: Path, years: list[int], stop_after: int | None = None) -> Pipeline:
    """The steps of the flow, without Prefect; ``stop_after``: fails once that many partitions are kept."""
    with a_run(root, CLOCK, "test") as pipeline:
        for source, found in pipeline.find():
            pipeline.take_in(source, found, lambda line: None)
        for number, partition in enumerate(stageable(pipeline.plan(years))):
            if number == stop_after:
                raise KeyboardInterrupt
            pipeline.stage(partition.item.name, partition.year)
        pipeline.enter_staged(years)
        pipeline.publish()
        pipeline.end()
    return pipeline


def facts(root: Path) -> list[tuple[object, ...]]:
    with duckdb.connect(str(root / "published" / "kpi.duckdb"), read_only=True) as connection:
        return [
            line
            for table in ("kpi_values", "service_summary", "kpi_scores")
            for line in connection.execute(f"SELECT * EXCLUDE (known_from, run) FROM {table} ORDER BY ALL").fetchall()
        ]


@pytest.fixture
def place(tmp_path: Path) -> TimeHome:
    found = TimeHome(tmp_path / "home")
    deliver_three_years(found)
    return found


@pytest.fixture(scope="module")
def one_night(tmp_path_factory: pytest.TempPathFactory) -> TimeHome:
    """All three years, taken in and derived by a run. Read only: a test takes a copy."""
    found = TimeHome(tmp_path_factory.mktemp("one night"))
    deliver_three_years(found)
    run_pipeline(found.root, CLOCK)
    return found


@pytest.fixture(scope="module")
def cut_short(tmp_path_factory: pytest.TempPathFactory) -> TimeHome:
    """A backfill of all three years that was stopped after ten partitions. Read only."""
    found = TimeHome(tmp_path_factory.mktemp("cut short"))
    deliver_three_years(found)
    with pytest.raises(KeyboardInterrupt):
        backfill(found.root, YEARS, stop_after=10)
    return found


def test_what_a_backfill_makes_is_what_a_run_makes_and_year_by_year_too(
    place: TimeHome, tmp_path: Path, one_night: TimeHome
) -> None:
    backfill(place.root, YEARS)
    one_by_one = TimeHome(tmp_path / "one_by_one")
    deliver_three_years(one_by_one)
    for year in reversed(YEARS):
        backfill(one_by_one.root, [year])
    assert facts(place.root) == facts(one_night.root) == facts(one_by_one.root)
    assert place.value("IKU-06", "2022") == "8.16"


def test_only_the_years_that_are_asked_for(place: TimeHome) -> None:
    backfill(place.root, [2021])
    assert place.ledger("SELECT DISTINCT left(period, 4) FROM facts.kpi_values") == [("2021",)]
    report = run_pipeline(place.root, CLOCK)
    assert {change.period[:4] for change in report.changed} == {"2022", "2023"}, "the next night takes up the rest"


def test_a_stopped_backfill_goes_on_where_it_was(cut_short: TimeHome, tmp_path: Path) -> None:
    place = cut_short.copy(tmp_path / "home")
    assert place.ledger("SELECT count(*) FROM facts.kpi_values") == [(0,)], "nothing is entered by halves"
    backfill(place.root, YEARS)
    counts = place.ledger(
        "SELECT count(*), count(DISTINCT (item, year)) FROM ledger.derivations WHERE state = 'staged'"
    )
    # A year: fourteen indicators, one service, and the three tables of results that count letters or proposals.
    assert counts == [(54, 54)], "no finished partition is done again"
    assert place.ledger(
        "SELECT run_id, count(*) FROM ledger.derivations WHERE state = 'staged' GROUP BY 1 ORDER BY 1"
    ) == [(1, 10), (2, 35)]
    assert place.ledger("SELECT count(*) FROM facts.staged_kpi_values") == [(0,)]


def test_a_night_in_between_does_no_harm(cut_short: TimeHome, tmp_path: Path) -> None:
    place = cut_short.copy(tmp_path / "home")
    run_pipeline(place.root, CLOCK)
    known = facts(place.root)
    again = backfill(place.root, YEARS)
    assert again.report.changed == [] and not again.report.published
    assert facts(place.root) == known


def test_what_was_staged_before_a_delivery_is_done_anew(place: TimeHome) -> None:
    with pytest.raises(KeyboardInterrupt):
        backfill(place.root, YEARS, stop_after=40)
    place.deliver(
        "integration/late.csv", letter("5504", integrated=True, tahun=2022, tgl_surat="2022-12-28", number="L2")
    )
    backfill(place.root, YEARS)
    assert place.value("IKU-06", "2022") == "10.20"


def test_the_command_killed_and_run_again(place: TimeHome, tmp_path: Path, prefect_server: dict[str, str]) -> None:
    """The flow itself: killed hard among its partitions, then resumed; the plan says what is left."""
    command = ["backfill", "2022..2023", "--home", str(place.root), "--as-of", "2024-02-01"]
    log = tmp_path / "log"
    process = begun(*command, home=place.root, log=log, **prefect_server)
    while "\nIKU-04 2022" not in log.read_text():
        assert process.is_alive(), log.read_text()
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.join()
    (staged,) = place.ledger("SELECT count(*) FROM ledger.staged_partitions")[0]
    assert 0 < staged < 36
    dry = CliRunner().invoke(app, [*command, "--dry-run", "--format", "table"])
    assert dry.exit_code == 0 and " staged " in dry.stdout
    done = kpi(*command, "--workers", "3", **prefect_server)
    assert (done.returncode, "published" in done.stdout) == (0, True), done.stderr
    counts = place.ledger(
        "SELECT count(*), count(DISTINCT (item, year)) FROM ledger.derivations WHERE state = 'staged'"
    )
    assert counts == [(36, 36)]
    assert place.value("IKU-06", "2023") == "8.16"


def due(root: Path, clock: date = CLOCK) -> dict[tuple[str, int], str | None]:
    with open_warehouse(root, "test") as opened:
        plan = plan_partitions(opened.connection, end_of_day(clock))
        return {(p.item.name, p.year): p.why for p in plan.due if p.item.name != "scores"}


@pytest.fixture
def changed_definition(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """IKU-06 gets another version from 2023 on."""

    def changed() -> tuple[object, ...]:
        return tuple(_changed(indicator) for indicator in load_indicators())

    for module in (warehouse.facts.plan, warehouse.facts.enter):
        monkeypatch.setattr(module, "load_indicators", changed)
    yield


def _changed(indicator):  # type: ignore[no-untyped-def]
    if indicator.id != "IKU-06":
        return indicator
    first = indicator.versions[0]
    newer = first.model_copy(
        update={
            "version": "2023",
            "valid_from": date(2023, 1, 1),
            "parameters": first.parameters | {"history_types": ["skp"]},
        }
    )
    return indicator.model_copy(update={"versions": [first, newer, *indicator.versions[1:]]})


def test_a_changed_definition_makes_its_own_facts_stale_from_its_first_day_on(
    one_night: TimeHome, tmp_path: Path, changed_definition: None
) -> None:
    place = one_night.copy(tmp_path / "home")
    assert due(place.root) == {("IKU-06", 2023): "definition"}
    changed = run_pipeline(place.root, CLOCK).changed
    assert [
        (c.indicator, c.period, c.old, c.new, c.reason) for c in changed if c.period == "2023" and c.old != c.new
    ] == [("IKU-06", "2023", "8.16", "0.00", "definition")]
    assert place.value("IKU-06", "2022") == "8.16"


def test_what_makes_a_partition_stale(one_night: TimeHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = one_night.copy(tmp_path / "home")
    assert due(place.root) == {}
    place.deliver("promotion/corrections/c.csv", row("promotion", id="P2022-1", periode="01-04-2022", tgl_usulan="10-01-2022", tgl_pengiriman_kelayanan="2022-01-15T09:00:00", tgl_update_layanan="2022-01-17T10:00:00", status_usulan=5, tgl_pertek=""))  # fmt: skip
    report = run_pipeline(place.root, CLOCK)
    assert {c.reason for c in report.changed} <= {"correction"}
    last = place.ledger("SELECT item, year, cause FROM ledger.derivations WHERE run_id = 2 AND item <> 'scores'")
    assert last == [("promotion", 2022, "correction")]
    monkeypatch.setattr(
        warehouse.facts.plan,
        "code_digest",
        lambda indicator: "other" if indicator.id == "IKU-08" else warehouse.facts.digests.code_digest(indicator),
    )
    assert set(due(place.root)) == {("IKU-08", year) for year in YEARS}
    assert set(due(place.root).values()) == {"code"}


def test_a_home_without_deliveries_has_nothing_to_fill(tmp_path: Path) -> None:
    Home(tmp_path).make()
    done = CliRunner().invoke(
        app, ["backfill", "2020..2023", "--dry-run", "--format", "table", "--home", str(tmp_path)]
    )
    assert done.exit_code == 0 and "0 to derive" in done.stdout
    wrong = CliRunner().invoke(app, ["backfill", "2023..2020", "--dry-run", "--home", str(tmp_path)])
    assert wrong.exit_code == 2
