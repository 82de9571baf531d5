"""From a rule to SQL: the predicate that must hold, and the reasons that a delivered row breaks.

The same predicate text goes to the quarantine and, where Great Expectations has no native expectation, to its row queries.
"""

from expectations.contract import Contract, Rule
from expectations.typed_read import mark
from transforms.sql import identifier

# What the identity step found; see ``group_rows`` in identity.py.
CONFLICT_CONDITION = "NOT is_conflict"


def row_rules(contract: Contract) -> list[Rule]:
    """Rules that the delivery alone decides; the conflict rule needs the states that are known already."""
    return [rule for rule in contract.all_rules if not rule.identity]


def condition(  # noqa: PLR0911  one return a kind of rule
    contract: Contract, rule: Rule
) -> str:
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
        return _is_allowed(rule)
    if rule.range is not None:
        bounds = [
            f"{name} {sign} {bound}"
            for sign, bound in ((">=", rule.range.min), ("<=", rule.range.max))
            if bound is not None
        ]
        return " AND ".join(bounds)
    if rule.group is not None:
        window = f"OVER (PARTITION BY batch_id, {', '.join(identifier(by) for by in rule.group.by)})"
        same, known = identifier(rule.group.same), _of_known(contract, rule.group.same)
        return f"min({same}) {known}{window} = max({same}) {known}{window}"
    return f"({rule.sql})"


def _is_allowed(rule: Rule) -> str:
    return f"{identifier(rule.column)} IN ({', '.join(_literal(value) for value in rule.allowed or ())})"


def _allowing(contract: Contract) -> dict[str, Rule]:
    """By column, the rule that lists its values."""
    return {rule.column: rule for rule in contract.all_rules if rule.allowed is not None}


def _of_known(contract: Contract, column: str) -> str:
    """A value that the column may not have is a fault of its own row alone: the others of its group are not held for it."""
    rule = _allowing(contract).get(column)
    return f"FILTER (WHERE {_is_allowed(rule)}) " if rule else ""


def known_categories(contract: Contract) -> str:
    """SQL of a typed row's listed values as a JSON object, each where it is one that its column may have: what a held row still says
    of its group. Any other text stays in the restricted folder, since in a row out of place it may be a name.
    """
    parts = [
        f"'{column}', CASE WHEN {_is_allowed(rule)} THEN {identifier(column)} END"
        for column, rule in _allowing(contract).items()
        if contract.column_named(column).privacy == "public"
    ]
    return f"CAST(json_object({', '.join(parts)}) AS VARCHAR)"


def has_own_column(contract: Contract, rule: Rule) -> bool:
    """Whether the validator judges the rule by its condition (a column of ``validated_rows``) and not by a plain column."""
    needs_mark = rule.required and contract.column_named(rule.column).can_be_unreadable
    return needs_mark or rule.sql is not None or rule.group is not None


def validated_rows(contract: Contract, rows: str) -> str:
    """SELECT over ``rows`` as the validator sees them: its columns, and a column a rule that no native expectation states.

    Rules that are columns share one query of the validator; a query a rule would read the rows twice for each.
    """
    conditions = "".join(
        f",\n  ({condition(contract, rule)}) AS {identifier(rule.id)}"
        for rule in contract.all_rules
        if has_own_column(contract, rule)
    )
    return f"SELECT {rows}.*{conditions}\nFROM {rows}"


def warning_counts(contract: Contract) -> str | None:
    """SELECT over ``batch_typed`` of one row: how many rows break each warning, in order; None where there is no warning."""
    warnings = [rule for rule in contract.all_rules if rule.severity == "warn"]
    counts = ", ".join(
        f"count(*) FILTER (({condition(contract, rule)}) IS FALSE) AS {identifier(rule.id)}" for rule in warnings
    )
    return f"SELECT {counts} FROM batch_typed" if warnings else None


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
