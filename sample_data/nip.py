"""Deliveries of the log of new numbers (NIP of CPNS, NI of PPPK). Year: that of the receipt."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from sample_data.draws import Draws
from sample_data.logs import counter_or_null, rejection, text_number, write_log
from sample_data.order import Order
from sample_data.people import birth_day, contract_number, full_name, permanent_number, untidy
from sample_data.proposals import Group, receipt_window

SOURCE = "nip"
_CONTRACT = "C"


def write(order: Order) -> list[Path]:
    """Write the deliveries of the log of new numbers of every year ordered."""
    return write_log(SOURCE, order, _groups, _render)


def _groups(year: int, figures: Mapping[str, Any]) -> Iterable[Group]:
    for kind, outcomes in figures["kinds"].items():
        for outcome, count in outcomes.items():
            window = receipt_window("late" if outcome == "IN_PROCESS" else SOURCE, year)
            yield Group(outcome, count, *window, {"kind": kind})
    for reason, count in figures["excluded"].items():
        yield Group(reason, count, *receipt_window(SOURCE, year), {"kind": _CONTRACT})


def _render(states: pl.DataFrame, year: int, draws: Draws) -> pl.DataFrame:
    """Grain: one state, as the source system delivers it. The number is given with the approval."""
    own_year = pl.lit(year)
    born = birth_day(own_year - 20 - draws.integer("age", 20), draws)
    number = (
        pl.when(pl.col("kind") == _CONTRACT)
        .then(contract_number(born, own_year, draws))
        .otherwise(permanent_number(born, own_year, draws))
    )
    is_approved = pl.col("pertek_date").is_not_null()
    starts = pl.col("pertek_date").dt.month_start().dt.offset_by("1mo")
    submitted = pl.col("received_date") - pl.duration(days=7 + draws.integer("entered", 14))
    return states.select(
        id=text_number(f"NI{year}-", 7),
        nip=pl.when(is_approved).then(untidy(number, draws)),
        no_peserta=text_number(f"{year}07", 10),
        nama=full_name(draws),
        instansi_kode="instansi_kode",
        jenis_pengadaan_id="kind",
        tgl_usulan=submitted,
        tgl_pengiriman_kelayanan="received_at",
        tgl_update_layanan="state_at",
        status_usulan="status_usulan",
        counter_bts=counter_or_null(draws),
        no_pertek=pl.when(is_approved).then(text_number(f"NI-{year}07", 7)),
        tgl_pertek="pertek_date",
        tmt_mulai=starts,
        alasan_tolak=rejection(draws),
        kanreg_id_pengusul="office",
    )
