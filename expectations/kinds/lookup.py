"""``lookup: {table, columns}``: the value stands in reference data."""

from functools import cache
from typing import Any, ClassVar

from pydantic import ConfigDict

from expectations.columns import Bilingual, Column, Strict
from expectations.kinds import Kind, Told, literal
from expectations.words import allowed_values
from transforms.sql import identifier

# A longer list is looked up by a query that joins it: as a list each row would be compared with every value.
LONGEST_SET = 100


class Span(Strict):
    """Codes besides the table: ``prefix`` and a number of ``digits`` digits from ``first`` to ``last``."""

    prefix: str
    digits: int
    first: int
    last: int


class Lookup(Kind):
    """``of``: SQL of the value where it is not the column itself (NULL: the rule does not apply). Of several columns of the table the
    values are joined by ``/``. ``or_span``: codes that count as known besides.

    Our condition asks the warehouse's table; the validator is given the list itself, read from the package's files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    key: ClassVar[str] = "lookup"
    means: ClassVar[Bilingual] = Bilingual(id="tercantum dalam data rujukan", en="the value stands in reference data")

    table: str
    columns: list[str]
    of: str | None = None
    or_span: Span | None = None

    def condition(self, rule_id: str, column: Column) -> str:
        value = self._value(column)
        columns = " || '/' || ".join(identifier(name) for name in self.columns)
        in_table = f"{value} IN (SELECT {columns} FROM reference.{identifier(self.table)})"
        if self.or_span is None:
            return in_table
        span = self.or_span
        number = f"substr({value}, {len(span.prefix) + 1})"
        in_span = (
            f"starts_with({value}, {literal(span.prefix)}) AND regexp_full_match({number}, '[0-9]{{{span.digits}}}') "
            f"AND try_cast({number} AS INTEGER) BETWEEN {span.first} AND {span.last}"
        )
        return f"({in_table} OR ({in_span}))"

    def told(self, rule_id: str, column: Column) -> Told:
        values = list(_listed(self.table, tuple(self.columns)))
        if len(values) > LONGEST_SET:
            value = self._value(column)
            listed = ", ".join(literal(str(known)) for known in values)
            known = f"SELECT unnest([{listed}]) AS code"
            return Told(broken_where=f"{value} IS NOT NULL AND CAST({value} AS VARCHAR) NOT IN ({known})")
        if self.of is None and self.or_span is None:
            return Told("ExpectColumnValuesToBeInSet", {"column": column.column, "value_set": values})
        judged, value = f"{rule_id}__value", self._value(column)
        if (span := self.or_span) is not None:
            # Every code of the span counts as its first one, so that the list stays short; written apart from the condition.
            first, last = (f"{span.prefix}{number:0{span.digits}d}" for number in (span.first, span.last))
            digits = f"substr({value}, {len(span.prefix) + 1})"
            in_span = (
                f"length({value}) = {len(first)} AND {value} BETWEEN {literal(first)} AND {literal(last)} "
                f"AND NOT regexp_matches({digits}, '[^0-9]')"
            )
            value, values = f"CASE WHEN {in_span} THEN {literal(first)} ELSE {value} END", [*values, first]
        return Told(
            "ExpectColumnValuesToBeInSet", {"column": judged, "value_set": values}, values={judged: f"({value})"}
        )

    def remedy(self, column: Column) -> Bilingual | None:
        if self.of is not None:
            return None
        return allowed_values([str(code) for code in sorted(_listed(self.table, tuple(self.columns)))])

    def _value(self, column: Column) -> str:
        return identifier(column.column) if self.of is None else f"({self.of})"


@cache
def _listed(table: str, columns: tuple[str, ...]) -> tuple[Any, ...]:
    # The frames of polars are loaded by who judges rows, not by who reads what was published.
    from transforms.reference.tables import static_tables  # noqa: PLC0415

    frame = static_tables()[table].select(columns)
    if len(columns) == 1:
        return tuple(frame[columns[0]].to_list())
    return tuple("/".join(row) for row in frame.iter_rows())
