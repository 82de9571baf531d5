"""From the rules of a contract to SQL: what a delivered row breaks, and what the validator sees.

Each kind of rule owns its condition (``expectations/kinds``); here they are put together over the rows of a delivery.
"""

from expectations.contract import Contract
from expectations.kinds import Told
from expectations.rule import Rule
from transforms.sql import identifier


def row_rules(contract: Contract) -> list[Rule]:
    """Rules that the delivery alone decides; the conflict rule needs the states that are known already."""
    return [rule for rule in contract.all_rules if not rule.is_kind("identity")]


def condition(contract: Contract, rule: Rule) -> str:
    """SQL that is FALSE for a row that breaks the rule (NULL: the rule does not apply). Grain: one typed row."""
    return rule.kind.condition(rule.id, contract.column_named(rule.column))


def told(contract: Contract, rule: Rule) -> Told:
    """What the validator is told of the rule."""
    return rule.kind.told(rule.id, contract.column_named(rule.column))


def known_categories(contract: Contract) -> str:
    """SQL of a typed row's listed values as a JSON object, each where it is one that its column may have: what a quarantined row still says
    of its group. Any other text stays in the restricted folder, since in a row out of place it may be a name.
    """
    parts = [
        f"'{rule.column}', CASE WHEN {condition(contract, rule)} THEN {identifier(rule.column)} END"
        for rule in contract.all_rules
        if rule.is_kind("allowed") and contract.column_named(rule.column).privacy == "public"
    ]
    return f"CAST(json_object({', '.join(parts)}) AS VARCHAR)"


def validated_rows(contract: Contract, rows: str) -> str:
    """SELECT over ``rows`` as the validator sees them: their columns, the plain values that it judges besides, and for a rule that it
    cannot judge by itself our condition, which it only counts.

    Values that are columns share one query of the validator; a query a rule would read the rows twice for each.
    """
    columns: dict[str, str] = {}
    for rule in contract.all_rules:
        stated = told(contract, rule)
        columns |= stated.values
        if stated.judgement == "own condition":
            columns[rule.id] = f"({condition(contract, rule)})"
    added = "".join(f",\n  {value} AS {identifier(name)}" for name, value in columns.items())
    return f"SELECT {rows}.*{added}\nFROM {rows}"


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
