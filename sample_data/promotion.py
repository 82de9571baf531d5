"""Deliveries of the promotion log (Kenaikan Pangkat). Year: that of the TMT (`periode`)."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from sample_data.draws import Draws
from sample_data.logs import counter_or_null, rejection, text_number, write_log
from sample_data.order import Order
from sample_data.people import birth_day, full_name, permanent_number, untidy
from sample_data.proposals import Group

SOURCE = "promotion"
_DATE = "%d-%m-%Y"

# Rank codes, lowest first. From 43 on the promotion is not this office's to approve.
_RANKS = (11, 12, 13, 14, 21, 22, 23, 24, 31, 32, 33, 34, 41, 42, 43, 44, 45)
_HIGHEST_OWN_RANK = 42
_KINDS = {"101": 40, **{str(kind): 6 for kind in range(201, 212)}}
_UNBOUND_KINDS = ("301", "302")


def write(order: Order) -> list[Path]:
    """Write the promotion deliveries of every year ordered."""
    return write_log(SOURCE, order, _groups, _render)


def _groups(year: int, figures: Mapping[str, Any]) -> Iterable[Group]:
    for periode, outcomes in figures["periods"].items():
        # Agencies hand in during the two months before the TMT; five weeks leave time for the longest path.
        for outcome, count in outcomes.items():
            yield Group(outcome, count, _two_months_before(periode), 35, _fields(periode))
    for periode, outcomes in figures["unbound"].items():
        for outcome, count in outcomes.items():
            yield Group(outcome, count, periode + timedelta(days=3), 14, _fields(periode, is_bound=False))
    last = max(figures["periods"])
    for reason, count in figures["excluded"].items():
        is_late = reason == "received_after_cut_off"
        first = date(year + 1, 1, 12) if is_late else _two_months_before(last)
        yield Group(reason, count, first, 21, _fields(last, is_own=reason != "other_authority"))


def _two_months_before(first_of_month: date) -> date:
    # No two months together are shorter than 59 days, and none longer than 62.
    return (first_of_month - timedelta(days=59)).replace(day=1)


def _fields(periode: date, *, is_bound: bool = True, is_own: bool = True) -> dict[str, object]:
    return {"periode": periode, "is_bound": is_bound, "is_own": is_own}


def _rank_step(draws: Draws) -> pl.Expr:
    """Position of the present rank in _RANKS; the new rank is the next one."""
    own = _RANKS.index(_HIGHEST_OWN_RANK)
    return (
        pl.when("is_own")
        .then(draws.integer("rank", own))
        .otherwise(own + draws.integer("high rank", len(_RANKS) - 1 - own))
    )


def _render(states: pl.DataFrame, year: int, draws: Draws) -> pl.DataFrame:
    """Grain: one state, as the source system delivers it."""
    ranks = pl.lit(pl.Series(_RANKS))
    appointed = year - 4 - draws.integer("seniority", 26)
    born = birth_day(appointed - 19 - draws.integer("age", 17), draws)
    bound_kind, unbound_kind = draws.pick_weighted("kind", _KINDS), draws.pick("unbound", _UNBOUND_KINDS)
    submitted = pl.col("received_date") - pl.duration(days=7 + draws.integer("entered", 14))
    return states.with_columns(_rank_step(draws).alias("rank_step")).select(
        id=text_number(f"KP{year}-", 7),
        nip=untidy(permanent_number(born, appointed, draws), draws),
        nama=full_name(draws),
        instansi_kode="instansi_kode",
        jenis_kp_id=pl.when("is_bound").then(bound_kind).otherwise(unbound_kind),
        golongan_lama_id=ranks.gather(pl.col("rank_step")).cast(pl.String),
        golongan_baru_id=ranks.gather(pl.col("rank_step") + 1).cast(pl.String),
        periode=pl.col("periode").dt.strftime(_DATE),
        tgl_usulan=submitted.dt.strftime(_DATE),
        tgl_pengiriman_kelayanan="received_at",
        tgl_update_layanan="state_at",
        status_usulan="status_usulan",
        counter_bts=counter_or_null(draws),
        no_pertek=pl.when(pl.col("pertek_date").is_not_null()).then(text_number(f"PG-{year}07", 7)),
        tgl_pertek=pl.col("pertek_date").dt.strftime(_DATE),
        no_sk=pl.when(pl.col("sk_date").is_not_null()).then(text_number(f"823/{year}/", 7)),
        tgl_sk=pl.col("sk_date").dt.strftime(_DATE),
        alasan_tolak=rejection(draws),
        is_otomatis=draws.integer("automatic", 10) == 0,
        kanreg_id_pengusul="office",
    )
