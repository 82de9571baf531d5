"""The proposals of the three logs (promotion, nip, pension) and the states they pass through.

Work tables stay narrow (dates, codes, numbers); the text of a delivery is made file by file, so that memory
holds one file's text at a time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from sample_data.draws import Draws, place_exactly
from sample_data.order import holidays, load_reference, load_yaml, own_office

VERTICAL = "vertical"
_OTHER_OFFICE = "other_office"
# The clock of a day: receipts from half past seven, then one state every 80 minutes, so that the states of a
# day are in order.
_RECEIPT_MINUTE, _RECEIPT_SPREAD = 450, 29
_FIRST_MINUTE, _STEP_MINUTES, _STEP_SPREAD = 480, 80, 70
_STEPS_AT_MOST = 16


@dataclass(frozen=True)
class Group:
    """Proposals of one fate: `count` of them, received within `days` days from `first` on.

    `fate` names the paths they take: an outcome (then they are in scope), or the reason why they do not
    count. `fields` are further columns of the log, the same for the whole group.
    """

    fate: str
    count: int
    first: date
    days: int
    fields: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_in_scope(self) -> bool:
        return self.fate.isupper()


def receipt_window(name: str, year: int) -> tuple[date, int]:
    """First day and length of the receipts of a log, as paths.yml has them."""
    window = load_yaml("paths.yml")["receipts"][name]
    return date(year, *window["first"]), window["days"]


def make_states(
    log: str, year: int, groups: Iterable[Group], *, regions: Mapping[str, int], scale: int, draws: Draws
) -> pl.DataFrame:
    """Make every state of every proposal of one log and year.

    `regions` counts what is in scope. Grain: one state; sorted by proposal and step.
    """
    scaled = {region: count * scale for region, count in regions.items()}
    proposals = _with_agencies(_expand(groups, scale, draws), scaled, draws)
    return _with_times(_with_steps(proposals, log, draws), year, draws)


def _expand(groups: Iterable[Group], scale: int, draws: Draws) -> pl.DataFrame:
    """One row per proposal: its group's columns, `rank` within the group, `index` within log and year."""
    table = pl.DataFrame(
        [
            {
                "fate": group.fate,
                "is_in_scope": group.is_in_scope,
                "count": group.count * scale,
                "first": group.first,
                "days": group.days,
                **group.fields,
            }
            for group in groups
        ],
        infer_schema_length=None,
    )
    proposals = (
        table.with_columns(pl.int_ranges("count").alias("rank"))
        .filter(pl.col("count") > 0)
        .explode("rank")
        .with_row_index()
    )
    # A fixed large bound, then modulo: the windows differ from group to group.
    day = draws.integer("receipt day", 1_000_003) % pl.col("days")
    return proposals.with_columns(
        (pl.col("first") + pl.duration(days=day))
        .dt.add_business_days(0, holidays=holidays(), roll="forward")
        .alias("received_date")
    ).drop("count", "first", "days")


def _with_agencies(proposals: pl.DataFrame, regions: Mapping[str, int], draws: Draws) -> pl.DataFrame:
    """Add `instansi_kode`: exact by region for what counts, in the same proportion for the rest."""
    in_scope = proposals.filter("is_in_scope")
    placed = place_exactly(in_scope, "region", regions, draws.integer("region order", 2**31))
    rest = proposals.filter(~pl.col("is_in_scope")).with_columns(draws.pick_weighted("region", regions).alias("region"))
    code = pl.lit(None, dtype=pl.String)
    for region, weights in _agency_weights().items():
        drawn = draws.pick_weighted("agency", weights)
        code = pl.when(pl.col("region") == region).then(drawn).otherwise(code)
    stray = draws.pick("stray office", load_yaml("figures.yml")["other_offices"])
    return (
        pl.concat([placed, rest])
        .with_columns(
            instansi_kode=code,
            office=pl.when(pl.col("fate") == _OTHER_OFFICE).then(stray).otherwise(pl.lit(own_office())),
        )
        .drop("region", "is_in_scope")
    )


def _agency_weights() -> dict[str, dict[str, int]]:
    """By region, how much each of its agencies hands in: a province more than a city or a regency."""
    figures = load_yaml("figures.yml")
    by_kind = figures["agency_weights"]
    weights: dict[str, dict[str, int]] = {}
    for agency in load_reference("agencies.csv").iter_rows(named=True):
        weights.setdefault(agency["province"], {})[agency["agency_code"]] = by_kind[agency["kind"]]
    weights[VERTICAL] = {f"V{number:03}": 1 for number in range(1, figures["vertical_agencies"] + 1)}
    return weights


def _steps(log: str) -> pl.DataFrame:
    """The steps of every path of a log. Grain: fate, slot, step. A path fills as many slots as its weight."""
    declared = load_yaml("paths.yml")
    rows: list[dict[str, Any]] = []
    for fate, paths in declared["paths"][log].items():
        slots = [steps for weight, steps in paths for _ in range(weight)]
        for slot, steps in enumerate(slots):
            key = {"fate": fate, "slot": slot, "slots": len(slots)}
            rows.extend(_path_rows(declared["steps"], steps, key))
    return pl.DataFrame(rows, schema_overrides={"wait": pl.String}, infer_schema_length=None)


def _path_rows(declared: Mapping[str, Any], names: Sequence[str], key: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    returns, has_pertek = 0, False
    for number, name in enumerate(names):
        step = declared[name]
        returns += step.get("returned", False)
        has_pertek = has_pertek or step.get("pertek", False)
        yield {
            **key,
            "step_number": number,
            "outcome": step["outcome"],
            "wait": step.get("wait"),
            "clock": step.get("clock", "day"),
            "counter_bts": returns,
            "is_received": step.get("received", True),
            "gives_pertek": step.get("pertek", False),
            "has_pertek": has_pertek,
            "has_sk": step.get("sk", False),
            "has_reason": step.get("reason", False),
        }


def _with_steps(proposals: pl.DataFrame, log: str, draws: Draws) -> pl.DataFrame:
    """Lay each proposal out into the steps of its path. Grain: one state."""
    steps = _steps(log)
    slots = steps.select("fate", "slots").unique()
    states = (
        proposals.join(slots, on="fate")
        .with_columns((pl.col("rank") % pl.col("slots")).alias("slot"))
        .drop("slots", "rank")
        .join(steps.drop("slots"), on=["fate", "slot"])
        .sort("index", "step_number")
        .drop("slot")
    )
    state_key = pl.col("index") * _STEPS_AT_MOST + pl.col("step_number")
    keyed = states.with_columns(state_key=state_key)
    return keyed.with_columns(status_usulan=_status_code(draws)).drop("outcome")


def _status_code(draws: Draws) -> pl.Expr:
    """One of the status codes that stand for the step's outcome."""
    code = pl.lit(None, dtype=pl.Int64)
    statuses = load_reference("proposal_status.csv").with_columns(pl.col("status_usulan").cast(pl.Int64))
    by_outcome = statuses.group_by("outcome", maintain_order=True).agg("status_usulan")
    for outcome, codes in by_outcome.iter_rows():
        drawn = draws.pick("status", codes, "state_key")
        code = pl.when(pl.col("outcome") == outcome).then(drawn).otherwise(code)
    return code


def _waited(draws: Draws) -> pl.Expr:
    """Working days since the step before."""
    days = pl.lit(0, dtype=pl.Int64)
    for name, weights in load_yaml("paths.yml")["waits"].items():
        drawn = draws.pick_weighted(f"wait {name}", weights, "state_key")
        days = pl.when(pl.col("wait") == name).then(drawn).otherwise(days)
    return days


def _with_times(states: pl.DataFrame, year: int, draws: Draws) -> pl.DataFrame:
    """Add when each state was taken, when it was received, and the dates of approval and decree."""
    received_minute = _RECEIPT_MINUTE + draws.integer("receipt minute", _RECEIPT_SPREAD)
    received_at = _at_minute(pl.col("received_date"), received_minute)
    approved_on = pl.col("state_date").filter("gives_pertek").first().over("index")
    return (
        states.with_columns(state_date=_state_date(year, draws))
        .with_columns(
            state_at=_at_minute(pl.col("state_date"), _state_minute(draws))
            + pl.duration(seconds=draws.integer("second", 60, "state_key")),
            received_at=pl.when("is_received").then(received_at),
            pertek_date=pl.when("has_pertek").then(approved_on),
            sk_date=pl.when("has_sk").then("state_date"),
        )
        .drop("clock", "wait", "is_received", "gives_pertek", "has_pertek", "has_sk", "state_date", "fate")
    )


def _at_minute(day: pl.Expr, minute: pl.Expr) -> pl.Expr:
    return day.cast(pl.Datetime) + pl.duration(minutes=minute)


def _state_date(year: int, draws: Draws) -> pl.Expr:
    clock = pl.col("clock")
    ahead = -(draws.integer("days ahead", 3) + 1)
    january = pl.lit(date(year + 1, 1, 3)) + pl.duration(days=draws.integer("next year", 45))
    start = pl.when(clock == "next_year").then(january).otherwise("received_date")
    waited = pl.when(clock == "before").then(ahead).otherwise(_waited(draws).cum_sum().over("index"))
    worked = start.dt.add_business_days(waited, holidays=holidays(), roll="forward")
    return pl.when(clock == "new_year").then(pl.lit(date(year + 1, 1, 1))).otherwise(worked)


def _state_minute(draws: Draws) -> pl.Expr:
    spread = draws.integer("minute", _STEP_SPREAD, "state_key")
    in_order = _FIRST_MINUTE + _STEP_MINUTES * pl.col("step_number") + spread
    # The first hour of the year: still the old year where a clock runs in UTC.
    return pl.when(pl.col("clock") == "new_year").then(spread % 60).otherwise(in_order)
