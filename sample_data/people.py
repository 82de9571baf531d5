"""Synthetic people: names out of syllables, and numbers that are well formed but nobody's."""

from collections.abc import Sequence

import polars as pl

from sample_data.draws import Draws

_SYLLABLES = ("ba", "da", "fi", "gu", "ha", "ja", "ke", "lu", "ma", "ni", "ra", "sa", "ti", "wa", "yu", "za")
_SERIALS = 999
_SEXES = ("1", "2")
# Entered by hand or by a spreadsheet, and to be cleaned: a leading apostrophe, or spaces between the parts.
_UNTIDY_ONE_IN = 1_000


def full_name(draws: Draws) -> pl.Expr:
    """Give each row a name of two words, of two and three syllables."""

    def word(name: str, syllables: int) -> pl.Expr:
        parts = [draws.pick(f"{name}{number}", _SYLLABLES) for number in range(syllables)]
        return pl.concat_str(parts).str.to_titlecase()

    return pl.concat_str([word("first", 2), word("last", 3)], separator=" ")


def birth_day(year: pl.Expr, draws: Draws) -> pl.Expr:
    """Give a day of birth within the given year; no later than the 28th of a month, so it always exists."""
    return pl.date(year, draws.integer("birth month", 12) + 1, draws.integer("birth day", 28) + 1)


def _number(parts: Sequence[pl.Expr], draws: Draws) -> pl.Expr:
    serial = (draws.integer("serial", _SERIALS) + 1).cast(pl.String).str.zfill(3)
    return pl.concat_str([*parts, draws.pick("sex", _SEXES), serial])


def permanent_number(born: pl.Expr, appointed_year: pl.Expr, draws: Draws) -> pl.Expr:
    """NIP of a permanent civil servant: birth date, year and month of appointment, sex, serial."""
    month = (draws.integer("appointment month", 12) + 1).cast(pl.String).str.zfill(2)
    return _number([born.dt.strftime("%Y%m%d"), appointed_year.cast(pl.String), month], draws)


def contract_number(born: pl.Expr, year: pl.Expr, draws: Draws) -> pl.Expr:
    """NI PPPK of a civil servant on contract: birth date, year, a code from 21, sex, serial."""
    code = (draws.integer("contract code", 2) + 21).cast(pl.String)
    return _number([born.dt.strftime("%Y%m%d"), year.cast(pl.String), code], draws)


def untidy(number: pl.Expr, draws: Draws) -> pl.Expr:
    """Deliver a few numbers with what is seen in real files and can be cleaned. Grain: one state."""
    chance = draws.integer("untidy number", _UNTIDY_ONE_IN, "state_key")
    spaced = pl.concat_str(
        [number.str.slice(0, 8), number.str.slice(8, 6), number.str.slice(14, 1), number.str.slice(15)],
        separator=" ",
    )
    quoted = pl.concat_str([pl.lit("'"), number])
    return pl.when(chance == 0).then(quoted).when(chance == 1).then(spaced).otherwise(number)
