"""What a clerk does about a row that breaks a rule: from the rule's condition, its list of codes, and what its contract says besides."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from expectations.contract import Bilingual, Column, ColumnType, Contract, Rule, plain_format
from expectations.layout import looked_up

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
}
# Reads the codes of `table.column`, in order; of a kind of spelling, one spelling a code.
Lookup = Callable[[str], Sequence[str]]
SPELLINGS = "spellings."
# A longer list of codes is shown in runs.
_PLAIN_CODES = 30


def remedy_of(  # noqa: PLR0911  one return a kind of rule
    contract: Contract, rule: Rule, layout: str | None, lookup: Lookup
) -> Bilingual | None:
    """What to do about a row that breaks ``rule``; None where the message alone says it."""
    column = contract.column_named(rule.column)
    if rule.required:
        return Bilingual(id="Isi kolom ini pada setiap baris.", en="Give this column a value in every row.")
    if rule.identity:
        return Bilingual(
            id="Bila baris ini perbaikan, kirim dalam folder corrections/; bila tidak, hapus yang salah dari kedua baris itu.",
            en="If this row mends the other, deliver it in a folder corrections/; if not, delete the wrong one of the two.",
        )
    if kind := looked_up(column, layout):
        return _allowed(lookup(SPELLINGS + kind))
    if rule.readable:
        return _example(column)
    if rule.allowed is not None:
        return _allowed([str(value) for value in rule.allowed])
    if rule.range is not None:
        return _span(rule.range.min, rule.range.max)
    if rule.codes is None:
        return rule.remedy
    codes = _allowed(lookup(rule.codes))
    return _joined(codes, rule.remedy) if rule.remedy else codes


def _allowed(codes: Sequence[str]) -> Bilingual:
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


def _span(least: int | None, most: int | None) -> Bilingual:
    if most is None:
        return Bilingual(id=f"Yang diizinkan: {least} atau lebih.", en=f"Allowed: {least} or more.")
    if least is None:
        return Bilingual(id=f"Yang diizinkan: paling banyak {most}.", en=f"Allowed: at most {most}.")
    return Bilingual(id=f"Yang diizinkan: {least} sampai {most}.", en=f"Allowed: {least} to {most}.")


def _example(column: Column) -> Bilingual:
    if column.type == "date":
        form = plain_format(column.format)
        day = form.replace("dd", "01").replace("mm", "02").replace("yyyy", "2024")
        return Bilingual(id=f"Tulis {form}, misalnya {day}.", en=f"Write {form}, such as {day}.")
    indonesian, english = _EXAMPLES.get(
        column.type, ("Salin nilainya dari sistem asal sebagai teks.", "Copy the value from its source system as text.")
    )
    return Bilingual(id=indonesian, en=english)


def _joined(first: Bilingual, second: Bilingual) -> Bilingual:
    return Bilingual(id=f"{first.id} {second.id}", en=f"{first.en} {second.en}")
