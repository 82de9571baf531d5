"""Exact numbers: fractions inside, decimals outside, and no binary float anywhere between them."""

from decimal import Decimal
from fractions import Fraction

Exact = int | Decimal | Fraction


def fraction(number: Exact) -> Fraction:
    """``number`` as a fraction. Raises TypeError for a float: it has already lost what was written."""
    if isinstance(number, bool) or not isinstance(number, (int, Decimal, Fraction)):
        raise TypeError(f"not an exact number: {type(number).__name__}")
    return Fraction(number)


def round_half_up(number: Exact, decimals: int) -> Decimal:
    """``number`` rounded once, half away from zero, as a decimal with ``decimals`` places (0.005 -> 0.01, -0.005 -> -0.01)."""
    scaled = abs(fraction(number)) * 10**decimals
    units = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    sign = 1 if fraction(number) < 0 else 0
    return Decimal((sign, tuple(int(digit) for digit in str(units)), -decimals))


def mean(numbers: list[Fraction]) -> Fraction:
    """Arithmetic mean; the caller sees to it that there is at least one number."""
    return sum(numbers, Fraction(0)) / len(numbers)


def count_or_text(number: Decimal | None) -> int | str | None:
    """A count as an integer; a sum with decimals as exact text."""
    if number is None:
        return None
    return int(number) if number == number.to_integral_value() else decimal_text(number)


def decimal_text(number: Decimal | None, decimals: int | None = None) -> str | None:
    """The number as a reader sees it: ``decimals`` places where given, else without trailing zeros and without exponent."""
    if number is None:
        return None
    if decimals is not None:
        return f"{round_half_up(number, decimals):f}"
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
