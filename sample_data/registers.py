"""Deliveries of the office's registers: what is opened and later closed, and which services are digital."""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from sample_data.draws import Draws
from sample_data.order import Order, figures_of, load_reference, load_yaml
from sample_data.yearly import REGISTERS, write_register, write_year

REGULATION, RECOMMENDATION, FINDING = "regulation", "supervision_recommendation", "audit_finding"
DIGITAL_SERVICE = "digital_service"
_AUDITORS = ("BPK", "Inspektorat")

# Turns states (number, opened, closed; grain: one state) into a register's own columns.
Render = Callable[[pl.DataFrame, int, Draws], pl.DataFrame]


def write_regulations(order: Order) -> list[Path]:
    """Write the regulations proposed in every year ordered."""
    return _write_states(order, REGULATION, _regulations)


def write_recommendations(order: Order) -> list[Path]:
    """Write the recommendations of the supervision made in every year ordered."""
    return _write_states(order, RECOMMENDATION, _recommendations)


def write_findings(order: Order) -> list[Path]:
    """Write the findings of the audits of every year ordered."""
    return _write_states(order, FINDING, _findings)


def write_digital_services(order: Order) -> list[Path]:
    """Write the list of services as it stood in every year ordered."""
    return write_register(order, DIGITAL_SERVICE, _digital_services)


def _write_states(order: Order, source: str, render: Render) -> list[Path]:
    """Write the states of every year, in one file or in one for the first half of the year and one for what follows."""
    written: list[Path] = []
    for year in order.years:
        draws = Draws(order.seed, source, year)
        states = _states(year, figures_of(source, year, REGISTERS), draws)
        parts = {"": pl.lit(True)}
        if load_yaml("deliveries.yml")[source]["in_halves"]:
            is_first = pl.coalesce("closed", "opened") < date(year, 7, 1)
            parts = {"H1": is_first, "H2": ~is_first}
        rows = {name: render(states.filter(kept), year, draws) for name, kept in parts.items()}
        written += write_year(order, source, year, rows)
    return written


def _states(year: int, figures: Mapping[str, int], draws: Draws) -> pl.DataFrame:
    """Everything opened in the year, first open and then closed. Grain: one state of one number."""
    plan = load_yaml("deliveries.yml")["open_and_close"]
    on_time = figures["on_time"]
    late_closing = pl.lit(date(year + 1, 1, plan["late_from"])) + pl.duration(
        days=draws.integer("late", plan["late_days"])
    )
    wait = plan["wait_from"] + draws.integer("wait", plan["wait_days"])
    opened = (
        pl.DataFrame({"index": range(on_time + figures["late"])})
        .with_columns(opened=pl.lit(date(year, 1, 15)) + pl.duration(days=draws.integer("opened", plan["open_days"])))
        .with_columns(
            closed=pl.when(pl.col("index") < on_time)
            .then(pl.col("opened") + pl.duration(days=wait))
            .otherwise(late_closing)
        )
        .sort("opened", "index")
        .with_row_index("number", offset=1)
    )
    return pl.concat([opened.with_columns(closed=pl.lit(None, pl.Date)), opened]).sort(
        pl.coalesce("closed", "opened"), "number"
    )


def _number(prefix: str) -> pl.Expr:
    return pl.concat_str([pl.lit(prefix), pl.col("number").cast(pl.String).str.zfill(3)])


def _regulations(states: pl.DataFrame, year: int, draws: Draws) -> pl.DataFrame:
    subjects = pl.Series(load_yaml(REGISTERS)["regulation_subjects"])
    subject = pl.lit(subjects).gather((pl.col("number") - 1) % subjects.len())
    return states.select(
        draft_id=_number(f"DR{year}-"),
        tahun=pl.lit(year),
        judul=pl.concat_str([pl.lit("Petunjuk teknis "), subject]),
        tgl_usul="opened",
        nomor=pl.when(pl.col("closed").is_not_null()).then(_number(f"SAMPLE/{year}/")),
        tgl_penetapan="closed",
    )


def _recommendations(states: pl.DataFrame, year: int, draws: Draws) -> pl.DataFrame:
    return states.select(
        rekomendasi_id=_number(f"RK{year}-"),
        tahun=pl.lit(year),
        instansi_kode=draws.pick("agency", load_reference("agencies.csv")["agency_code"].to_list()),
        tgl_rekomendasi="opened",
        tgl_tindak_lanjut="closed",
    )


def _findings(states: pl.DataFrame, year: int, draws: Draws) -> pl.DataFrame:
    return states.select(
        temuan_id=_number(f"TM{year}-"),
        tahun=pl.lit(year),
        auditor=draws.pick("auditor", _AUDITORS),
        tgl_temuan="opened",
        tgl_selesai="closed",
    )


def _digital_services(year: int, _figures: Any, _draws: Draws) -> pl.DataFrame:
    """Grain: one service."""
    services = load_yaml(REGISTERS)["digital_services"]
    is_digital = [service["since"] is not None and service["since"] <= year for service in services]
    return pl.DataFrame(
        {
            "tahun": [year] * len(services),
            "layanan_id": range(1, len(services) + 1),
            "nama": [service["name"] for service in services],
            "digital": is_digital,
            "dasar": ["SIASN" if digital else None for digital in is_digital],
        }
    )
