"""Deliveries of the pension log (Pertimbangan Teknis Pensiun). Year: that of the receipt."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from sample_data.draws import Draws
from sample_data.logs import counter_or_null, rejection, text_number, write_log
from sample_data.order import Order
from sample_data.people import full_name, permanent_number, untidy
from sample_data.proposals import Group, receipt_window

SOURCE = "pension"
_DATE = "%d-%m-%Y"
# Reaching the retirement age is by far the most frequent kind.
_KINDS = {"1": 60, "2": 8, "3": 4, "4": 14, "5": 4, "6": 2, "7": 2, "8": 2, "9": 2, "10": 2}
_RANKS = ("21", "22", "23", "24", "31", "32", "33", "34", "41", "42")


def write(order: Order) -> list[Path]:
    """Write the pension deliveries of every year ordered."""
    return write_log(SOURCE, order, _groups, _render)


def _groups(year: int, figures: Mapping[str, Any]) -> Iterable[Group]:
    for outcome, count in figures["outcomes"].items():
        yield Group(outcome, count, *receipt_window("late" if outcome == "IN_PROCESS" else SOURCE, year))
    for reason, count in figures["excluded"].items():
        yield Group(reason, count, *receipt_window(SOURCE, year))


def _render(states: pl.DataFrame, year: int, draws: Draws) -> pl.DataFrame:
    """Grain: one state, as the source system delivers it. A pension starts in the month after a birthday."""
    months = (draws.integer("lead", 9) + 3).cast(pl.String)
    starts = pl.col("received_date").dt.month_start().dt.offset_by(pl.concat_str([months, pl.lit("mo")]))
    age = draws.pick("retirement age", ("-58y", "-60y"))
    born = starts.dt.offset_by(age) - pl.duration(days=1 + draws.integer("birth day", 28))
    appointed = born.dt.year() + 19 + draws.integer("age", 17)
    submitted = pl.col("received_date") - pl.duration(days=7 + draws.integer("entered", 14))
    is_approved = pl.col("pertek_date").is_not_null()
    return states.select(
        id=text_number(f"PN{year}-", 7),
        nip=untidy(permanent_number(born, appointed, draws), draws),
        nama=full_name(draws),
        instansi_kode="instansi_kode",
        jenis_pensiun_id=draws.pick_weighted("kind", _KINDS),
        golongan_id=draws.pick("rank", _RANKS),
        tmt_pensiun=starts.dt.strftime("%Y-%m-%d 00:00:00"),
        tgl_usulan=submitted.dt.strftime(_DATE),
        tgl_pengiriman_kelayanan="received_at",
        tgl_update_layanan="state_at",
        status_usulan="status_usulan",
        counter_bts=counter_or_null(draws),
        no_pertek=pl.when(is_approved).then(text_number(f"PH-{year}07", 7)),
        tgl_pertek=pl.col("pertek_date").dt.strftime(_DATE),
        alasan_tolak=rejection(draws),
        kanreg_id_pengusul="office",
    )
