"""Repeatable chance: integers drawn from a row's own number, as polars expressions.

A draw depends on the seed, the scope, the name of the stream and the row's key only. So it needs no state,
runs vectorised, and gives a row the same value in whatever frame, order or file the row turns up.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import polars as pl

# The finaliser of splitmix64: it spreads neighbouring keys evenly, and unlike polars' own hash it is the same
# in every release of polars.
_ROUNDS = ((2**30, 0xBF58476D1CE4E5B9), (2**27, 0x94D049BB133111EB))
_LAST_SHIFT = 2**31
_STEP = 0x9E3779B97F4A7C15


def _constant(value: int) -> pl.Expr:
    return pl.lit(value, dtype=pl.UInt64)


class Draws:
    """The streams of one scope, e.g. one source and year."""

    def __init__(self, seed: int, *scope: object) -> None:
        self._prefix = "|".join(str(part) for part in (seed, *scope))

    def integer(self, stream: str, bound: int, key: str = "index") -> pl.Expr:
        """Draw an integer from 0 to bound - 1 for each row, by its `key` column."""
        salt = int.from_bytes(blake2b(f"{self._prefix}|{stream}".encode(), digest_size=8).digest(), "big")
        mixed = pl.col(key).cast(pl.UInt64) * _constant(_STEP) + _constant(salt)
        for shift, factor in _ROUNDS:
            mixed = (mixed ^ (mixed // _constant(shift))) * _constant(factor)
        mixed = mixed ^ (mixed // _constant(_LAST_SHIFT))
        return (mixed % _constant(bound)).cast(pl.Int64)

    def pick(self, stream: str, values: Sequence[Any], key: str = "index") -> pl.Expr:
        """Draw one of the values for each row, all equally likely."""
        return pl.lit(pl.Series(values)).gather(self.integer(stream, len(values), key))

    def pick_weighted(self, stream: str, weights: Mapping[Any, int], key: str = "index") -> pl.Expr:
        """Draw one of the mapping's keys for each row, as often as its whole-number weight says."""
        return self.pick(stream, [value for value, weight in weights.items() for _ in range(weight)], key)


def place_exactly(frame: pl.DataFrame, name: str, counts: Mapping[Any, int], order: pl.Expr) -> pl.DataFrame:
    """Add a column whose values occur exactly as often as counted, spread over the rows in a drawn order.

    Grain and order of `frame` are kept. Raises ValueError when the counts do not add up to the rows.
    """
    if (total := sum(counts.values())) != frame.height:
        raise ValueError(f"{name}: {total} in sample_data/figures.yml, but {frame.height} rows")
    values = pl.DataFrame({name: list(counts), "count": list(counts.values())})
    repeated = values.select(pl.col(name).repeat_by("count").explode()).to_series()
    return frame.sort(order, "index").with_columns(repeated).sort("index")


def spread_exactly(frame: pl.DataFrame, name: str, total: int, reach: int, draws: Draws) -> pl.DataFrame:
    """Add a column of whole numbers that add up to `total`, each within `reach` + 1 of their mean.

    Needs `index` from 0 on. A draw less its neighbour's, all around, leaves nothing over.
    """
    mean, left = divmod(total, frame.height)
    drawn = draws.integer(name, reach + 1)
    before = pl.coalesce(drawn.shift(1), drawn.last())
    return frame.with_columns((pl.lit(mean) + drawn - before + (pl.col("index") < left).cast(pl.Int64)).alias(name))


def decimal_of(whole: pl.Expr, places: int) -> pl.Expr:
    """A whole number of the last decimal as an exact decimal: 7545 with two places is 75.45."""
    unit = 10**places
    fraction = (whole % unit).cast(pl.String).str.zfill(places)
    text = pl.concat_str([(whole // unit).cast(pl.String), fraction], separator=".")
    return text.str.to_decimal(scale=places)
