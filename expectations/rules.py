"""From a rule to SQL: the predicate that must hold, and the reasons that a delivered row breaks.

The same predicate text goes to the quarantine and, where Great Expectations has no native expectation, to its row queries.
"""

from expectations.contract import Contract, Rule
from expectations.typed_read import mark
from transforms.sql import identifier

CONFLICT_CONDITION = "row_number NOT IN (SELECT row_number FROM batch_conflicts)"


def row_rules(contract: Contract) -> list[Rule]:
    """Rules that the delivery alone decides; the conflict rule needs the states that are known already."""
    return [rule for rule in contract.all_rules if not rule.identity]


def condition(contract: Contract, rule: Rule) -> str:
    """SQL that is FALSE for a row that breaks the rule (NULL: the rule does not apply). Grain: one typed row."""
    column = contract.column_named(rule.column)
    name = identifier(rule.column)
    if rule.required:
        return (
            f"({name} IS NOT NULL OR {mark(column, 'unreadable')})"
            if column.can_be_unreadable
            else f"{name} IS NOT NULL"
        )
    if rule.readable:
        return f"NOT {mark(column, 'unreadable')}"
    if rule.identity:
        return CONFLICT_CONDITION
    if rule.allowed is not None:
        return f"{name} IN ({', '.join(_literal(value) for value in rule.allowed)})"
    if rule.range is not None:
        bounds = [
            f"{name} {sign} {bound}"
            for sign, bound in ((">=", rule.range.min), ("<=", rule.range.max))
            if bound is not None
        ]
        return " AND ".join(bounds)
    if rule.group is not None:
        window = f"OVER (PARTITION BY {', '.join(identifier(by) for by in rule.group.by)})"
        same = identifier(rule.group.same)
        return f"min({same}) {window} = max({same}) {window}"
    return f"({rule.sql})"


def broken_rules(contract: Contract) -> str:
    """SELECT over ``batch_typed``: row_number and every quarantine rule that the row breaks. Grain: one row that breaks any."""
    rules = [rule for rule in row_rules(contract) if rule.severity == "quarantine"]
    flags = ",\n    ".join(f"({condition(contract, rule)}) IS FALSE AS {identifier(rule.id)}" for rule in rules)
    reasons = ", ".join(f"CASE WHEN {identifier(rule.id)} THEN '{rule.id}' END" for rule in rules)
    any_broken = " OR ".join(identifier(rule.id) for rule in rules)
    return (
        f"WITH judged AS (\n  SELECT row_number,\n    {flags}\n  FROM batch_typed\n)\n"
        f"SELECT row_number, list_filter([{reasons}], lambda reason: reason IS NOT NULL) AS reasons\n"
        f"FROM judged\nWHERE {any_broken}"
    )


def _literal(value: str | int) -> str:
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
