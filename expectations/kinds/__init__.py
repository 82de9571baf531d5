"""The kinds of rules: one file a kind, which owns what the rule says in SQL, what the validator is told, and how it is explained.

A kind is the value under its key in a contract (``range: {min: 0}``). Its ``condition`` decides what is quarantined; ``told`` is
what Great Expectations is told, and whether that is a statement of its own or our condition, which it only counts.
A new kind is a new file here: it is found by itself.
"""

import pkgutil
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from expectations.columns import Bilingual, Column

# Stands in a row query for the rows that are judged.
ROWS = "<rows>"
Judgement = Literal["native", "native on a taken value", "row query", "own condition"]


@dataclass(frozen=True)
class Told:
    """What the validator is told of one rule.

    ``expectation`` and ``arguments`` name one of its expectations; from what that counts go the rows that break the column's rule of the
    kind ``less``, and are found by it too.
    ``broken_where`` is instead SQL, written apart from the condition, of the rows that break the rule, over ``<rows>``.
    ``values``: by name, SQL of plain values that it judges and that are no delivered column. Without an expectation and a
    query the validator counts our own condition.
    """

    expectation: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    less: str | None = None
    broken_where: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def judgement(self) -> Judgement:
        if self.expectation is not None:
            return "native on a taken value" if self.values else "native"
        return "own condition" if self.broken_where is None else "row query"


class Kind(BaseModel):
    """A kind of rule. ``key`` is its name in a contract, ``means`` says what it asks of a row."""

    model_config = ConfigDict(frozen=True)
    key: ClassVar[str]
    means: ClassVar[Bilingual]
    # Whether a cell that was looked up and not found breaks it: then the spellings that are known are the remedy.
    is_about_writing: ClassVar[bool] = True

    @abstractmethod
    def condition(self, rule_id: str, column: Column) -> str:
        """SQL that is FALSE for a row that breaks the rule (NULL: the rule does not apply). Grain: one typed row."""

    @abstractmethod
    def told(self, rule_id: str, column: Column) -> Told:
        """What Great Expectations is told."""

    def remedy(self, column: Column) -> Bilingual | None:
        """What a clerk does about it, where the kind alone tells; the rule may add to it."""
        return None


@cache
def kinds() -> dict[str, type[Kind]]:
    """All kinds by their key. Raises ValueError where two share one."""
    found: dict[str, type[Kind]] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        for value in vars(import_module(f"{__name__}.{module}")).values():
            if isinstance(value, type) and issubclass(value, Kind) and value.__module__ == f"{__name__}.{module}":
                if value.key in found:
                    raise ValueError(f"two kinds of rules have the key {value.key!r}")
                found[value.key] = value
    return found


def literal(value: str | int) -> str:
    """A value of a contract as an SQL literal."""
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
