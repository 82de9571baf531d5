"""How the states of a proposal log become deliveries: cut by time, some late, some twice, some corrected."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import polars as pl

from sample_data.draws import Draws
from sample_data.formats import write_delivery
from sample_data.order import Order, figures_of, load_yaml
from sample_data.proposals import Group, make_states

# Turns states (grain: one state) into the log's own columns, in the source's order and with its text.
Render = Callable[[pl.DataFrame, int, Draws], pl.DataFrame]
# Gives the groups of proposals of one year from its figures.
Groups = Callable[[int, Any], Iterable[Group]]

REJECTIONS = (
    "Berkas tidak lengkap, SK terakhir belum dilampirkan",
    "Masa kerja golongan belum memenuhi syarat",
    "Penilaian kinerja dua tahun terakhir belum sesuai",
    "Dokumen tidak terbaca",
    "Data pada usulan berbeda dengan data SIASN",
)


def write_log(source: str, order: Order, groups: Groups, render: Render) -> list[Path]:
    """Write the deliveries of one proposal log for every year ordered."""
    written: list[Path] = []
    # All looked up before the first file, so that an unknown year leaves nothing half written.
    for year, figures in [(year, figures_of(source, year)) for year in order.years]:
        draws = Draws(order.seed, source, year)
        regions = figures["regions"]
        states = make_states(source, year, groups(year, figures), regions=regions, scale=order.scale, draws=draws)
        folder = order.inbox / source
        for number, (slot, rows) in enumerate(_by_file(states, source, draws)):
            kinds = load_yaml("deliveries.yml")[source]["formats"]
            stem = folder / str(year) / f"{source}_{slot}"
            written += write_delivery(render(rows, year, draws), stem, kinds[number % len(kinds)])
        corrected = _corrected(render(_to_correct(states, source, draws), year, draws), source)
        written += write_delivery(corrected, folder / "corrections" / f"{source}_{year}_correction", "csv")
    return written


def rejection(draws: Draws) -> pl.Expr:
    """Why a proposal was returned or rejected; null for every other state."""
    return pl.when("has_reason").then(draws.pick("rejection", REJECTIONS, "state_key"))


def text_number(prefix: str, width: int) -> pl.Expr:
    """A running number with a prefix, e.g. a proposal's id."""
    return pl.concat_str([pl.lit(prefix), pl.col("index").cast(pl.String).str.zfill(width)])


def counter_or_null(draws: Draws) -> pl.Expr:
    """counter_bts, which the source system leaves empty now and then where it is 0."""
    is_left_out = (draws.integer("no counter", 100, "state_key") == 0) & (pl.col("counter_bts") == 0)
    return pl.when(~is_left_out).then("counter_bts")


def _by_file(states: pl.DataFrame, source: str, draws: Draws) -> Iterable[tuple[str, pl.DataFrame]]:
    """Give each file's name and rows, in order. Rows are sorted by state time within a file."""
    plan = load_yaml("deliveries.yml")[source]
    every: str = plan["every"]
    last = pl.col("slot").max()
    is_late = (pl.col("step_number") == 0) & (draws.integer("late", plan["late_one_in"], "state_key") == 0)
    is_repeated = draws.integer("repeated", plan["repeated_one_in"], "state_key") == 0
    delayed = pl.min_horizontal(pl.col("slot").dt.offset_by(every), last)
    slotted = states.with_columns(pl.col("state_at").dt.truncate(every).dt.date().alias("slot")).with_columns(
        pl.when(is_late).then(delayed).otherwise("slot").alias("slot")
    )
    again = slotted.with_columns(delayed.alias("slot")).filter(is_repeated)
    for (slot,), rows in (
        pl.concat([slotted, again]).sort("slot", "state_at", "index").group_by("slot", maintain_order=True)
    ):
        yield _slot_name(slot, every), rows.drop("slot")


def _slot_name(slot: Any, every: str) -> str:
    if every == "1mo":
        return f"{slot:%Y-%m}"
    return f"{slot.year}-Q{(slot.month + 2) // 3}"


def _to_correct(states: pl.DataFrame, source: str, draws: Draws) -> pl.DataFrame:
    """The states that a correction changes: some of those that have the number to be corrected."""
    plan = load_yaml("deliveries.yml")[source]
    dated = {"no_sk": "sk_date", "no_pertek": "pertek_date"}[plan["corrected"]]
    candidates = states.filter(pl.col(dated).is_not_null())
    drawn_order = draws.integer("corrected", 2**31, "state_key")
    return candidates.sort(drawn_order, "state_key").head(plan["corrections"])


def _corrected(rendered: pl.DataFrame, source: str) -> pl.DataFrame:
    """The same key and state time, with another number: no count changes."""
    column = load_yaml("deliveries.yml")[source]["corrected"]
    return rendered.with_columns(pl.concat_str([pl.col(column), pl.lit("/R")]).alias(column))
