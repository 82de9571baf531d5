"""How a row of a table of results is named in an ID: ``survey|layanan|2024-S1|MUTASI|U3``, ``agency|IKU-02|2024|5500``. Pure."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from transforms.facts import Explained, FactTable, result_tables
from transforms.periods import parse_period, year_period


@dataclass(frozen=True)
class ResultName:
    """A row by its table and ``key`` (the columns of the key but for the office, typed). ``period``: the one that the row is about."""

    table: FactTable
    explained: Explained
    key: dict[str, Any]
    period: str

    @property
    def year(self) -> int:
        return int(self.key["year"])

    @property
    def text(self) -> str:
        return "|".join([self.explained.name, *(str(self.key[part]) for part in self.explained.parts)])


def patterns() -> list[str]:
    """How the rows of each table are named, for people."""
    return [
        "|".join([e.name, *(f"<{part}>" for part in e.parts)]) for table in result_tables() if (e := table.explained)
    ]


def parse_result(text: str) -> ResultName | None:
    """None where the first word names no table of results. Raises ValueError where the others are not its parts."""
    name, *words = text.split("|")
    known = [(table, table.explained) for table in result_tables() if table.explained and table.explained.name == name]
    if not known:
        return None
    for table, explained in known:
        missing = explained.parts[len(words) :]
        if len(words) <= len(explained.parts) and all(part in explained.defaults for part in missing):
            return _named(table, explained, [*words, *(explained.defaults[part] for part in missing)])
    forms = [pattern for pattern in patterns() if pattern.split("|")[0] == name]
    raise ValueError(f"not the name of a row: {text!r}; use {' or '.join(forms)}")


def _named(table: FactTable, explained: Explained, words: list[str]) -> ResultName:
    key = {part: _typed(table, part, word) for part, word in zip(explained.parts, words, strict=True)}
    period = str(key.get("period") or key.get("day") or key["year"])
    return ResultName(table, explained, {"year": parse_period(period).year} | key, period)


def _typed(table: FactTable, part: str, word: str) -> Any:
    """The value of a part of the key. Raises ValueError where it is not of the column's type."""
    try:
        match table.columns[part].type:
            case "integer":
                return int(word)
            case "date":
                return date.fromisoformat(word)
    except ValueError:
        raise ValueError(f"{part} of {table.table} is no {table.columns[part].type}: {word!r}") from None
    return parse_period(word).id if part == "period" else word


def period_of(name: ResultName | None, period: str | None, item: str) -> str:
    """The period of a question. Raises ValueError where neither the name nor the question says it, or they say different ones."""
    if name is None:
        if period is None:
            raise ValueError(f"name the period of {item}: --period 2024, 2024-Q3, 2024-S1 or a date")
        return period
    if period not in (None, name.period, year_period(name.year).id):
        raise ValueError(f"{name.text} is of {name.period}, not of {period}: its name says so, leave --period out")
    return name.period
