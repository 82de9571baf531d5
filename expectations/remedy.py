"""What a clerk does about a row that breaks a rule: from the rule's kind, its list of codes, and what its contract says besides."""

from collections.abc import Callable, Sequence

from expectations.columns import Bilingual
from expectations.contract import Contract
from expectations.layout import looked_up
from expectations.rule import Rule
from expectations.words import allowed_values, joined

# Reads the codes of `table.column`, in order; of a kind of spelling, one spelling a code.
Lookup = Callable[[str], Sequence[str]]
SPELLINGS = "spellings."


def remedy_of(contract: Contract, rule: Rule, layout: str | None, lookup: Lookup) -> Bilingual | None:
    """What to do about a row that breaks ``rule``; None where the message alone says it."""
    column = contract.column_named(rule.column)
    if rule.kind.is_about_writing and (kind := looked_up(column, layout)):
        return allowed_values(lookup(SPELLINGS + kind))
    remedies = [rule.kind.remedy(column), rule.codes and allowed_values(lookup(rule.codes)), rule.remedy]
    return joined([remedy for remedy in remedies if remedy])
