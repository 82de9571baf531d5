"""Sentences that tell a clerk, in both languages, what may stand in a cell."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from expectations.columns import Bilingual, Column, ColumnType, plain_format

# An example of each type, as every format of a delivery may hold it.
_EXAMPLES: dict[ColumnType, tuple[str, str]] = {
    "integer": (
        "Tulis bilangan bulat dengan angka saja, misalnya 12.",
        "Write a whole number in digits alone, such as 12.",
    ),
    "decimal": (
        "Tulis angka tanpa pemisah ribuan, misalnya 93.36 (dengan koma desimal hanya dalam CSV berpemisah titik koma).",
        "Write a number without thousands separators, such as 93.36 (a decimal comma only in a CSV with semicolons).",
    ),
    "timestamp": (
        "Tulis yyyy-mm-dd hh:mm:ss, misalnya 2024-01-31 14:05:00.",
        "Write yyyy-mm-dd hh:mm:ss, such as 2024-01-31 14:05:00.",
    ),
    "boolean": ("Tulis true atau false.", "Write true or false."),
    "id": (
        "Salin nomornya dari sistem asal sebagai teks biasa, tanpa rumus dan tanpa karakter yang tidak terlihat.",
        "Copy the id from its source system as plain text, without a formula and without characters that nobody sees.",
    ),
}
# A longer list of codes is shown in runs.
_PLAIN_CODES = 30


def allowed_values(codes: Sequence[str]) -> Bilingual:
    listed = ", ".join(codes if len(codes) <= _PLAIN_CODES else _in_runs(codes))
    return Bilingual(id=f"Yang diizinkan: {listed}.", en=f"Allowed: {listed}.")


def _in_runs(codes: Sequence[str]) -> Iterator[str]:
    """Many codes in short: three and more whole numbers that follow each other as `1-53`."""
    keyed = enumerate(codes)
    for _, group in groupby(keyed, lambda entry: int(entry[1]) - entry[0] if entry[1].isdecimal() else entry[1]):
        run = [code for _, code in group]
        if len(run) < 3 or (len(run[0]) > 1 and run[0][0] == "0"):
            yield from run
        else:
            yield f"{run[0]}-{run[-1]}"


def allowed_span(least: int | None, most: int | None) -> Bilingual:
    if most is None:
        return Bilingual(id=f"Yang diizinkan: {least} atau lebih.", en=f"Allowed: {least} or more.")
    if least is None:
        return Bilingual(id=f"Yang diizinkan: paling banyak {most}.", en=f"Allowed: at most {most}.")
    return Bilingual(id=f"Yang diizinkan: {least} sampai {most}.", en=f"Allowed: {least} to {most}.")


def how_to_write(column: Column) -> Bilingual:
    """How a value of the column's type is written."""
    if column.type == "date":
        form = plain_format(column.format)
        day = form.replace("dd", "01").replace("mm", "02").replace("yyyy", "2024")
        return Bilingual(id=f"Tulis {form}, misalnya {day}.", en=f"Write {form}, such as {day}.")
    indonesian, english = _EXAMPLES.get(
        column.type, ("Salin nilainya dari sistem asal sebagai teks.", "Copy the value from its source system as text.")
    )
    return Bilingual(id=indonesian, en=english)


def joined(parts: Sequence[Bilingual]) -> Bilingual | None:
    """The sentences after each other; None where there is none."""
    if not parts:
        return None
    return Bilingual(id=" ".join(part.id for part in parts), en=" ".join(part.en for part in parts))
