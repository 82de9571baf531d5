"""SQL that decides what a clean row is: a new state, a duplicate, or a conflict (rulings 5, 6 and 17).

Works on temporary tables of one delivery: ``batch_typed``, ``batch_broken`` (row_number, reasons), then ``batch_clean``,
``batch_decisions``. Landed = accepted + quarantined + duplicate holds by construction and is counted all the same.
"""

from expectations.columns import Column
from expectations.contract import Contract
from expectations.typed_read import content_hash, keyed_hash
from transforms.sql import identifier


def state_columns(contract: Contract) -> list[tuple[str, str, str]]:
    """(name, SQL type, comment) of each column of ``states.<source>``, in order."""
    kept = [(column.column, _kept_type(column), _comment(column)) for column in contract.kept]
    return [
        ("record_key", "VARCHAR", "the key as one text; personal parts as keyed hashes"),
        *kept,
        *((column.column, column.sql_type, column.description.en) for column in contract.derived),
        ("personal_digest", "VARCHAR", "keyed hash of the columns that are compared but not kept"),
        ("batch_id", "INTEGER", "the delivery that brought the state"),
        ("row_number", "BIGINT", "its data row in that delivery, from 1"),
        ("replaced_by_batch_id", "INTEGER", "the correction that replaced the state; NULL while it stands"),
    ]


def clean_rows(contract: Contract) -> str:
    """SELECT of the rows that broke no rule, as they will be kept. Grain: one clean row."""
    kept = ", ".join(
        f"{keyed_hash(identifier(c.column))} AS {identifier(c.column)}"
        if c.privacy == "pseudonym"
        else identifier(c.column)
        for c in contract.kept
    )
    derived = "".join(f"{identifier(column.column)}, " for column in contract.derived)
    return (
        f"SELECT row_number, record_key, {kept}, {derived}{_digest(contract)} AS personal_digest\nFROM batch_typed\n"
        "WHERE row_number NOT IN (SELECT row_number FROM batch_broken)"
    )


def decisions(contract: Contract, is_correction: bool) -> str:
    """SELECT over ``batch_clean`` and the known states: row_number, decision (accepted, duplicate, conflict), is_superseded.

    Grain: one row whose key and state time occur more than once; every other clean row is a new state.
    """
    keys = ", ".join(["record_key", *map(identifier, contract.order_columns)])
    content = "struct_pack(" + ", ".join(f"{identifier(n)} := {identifier(n)}" for n in _content(contract)) + ")"
    decided = _correction_decisions(keys) if is_correction else _ordinary_decisions(keys)
    return f"""WITH repeated_keys AS (
  SELECT {keys} FROM batch_clean GROUP BY {keys} HAVING count(*) > 1
  UNION SELECT {keys} FROM batch_clean SEMI JOIN {states_table(contract)} USING ({keys})
), contested AS (
  SELECT row_number, {keys}, {content} AS content FROM batch_clean SEMI JOIN repeated_keys USING ({keys})
), known AS (
  SELECT {keys}, {content} AS content, replaced_by_batch_id IS NULL AS is_open
  FROM {states_table(contract)} SEMI JOIN repeated_keys USING ({keys})
), open_states AS (
  SELECT {keys}, content AS open_content FROM known WHERE is_open
), replaced_contents AS (
  SELECT DISTINCT {keys}, content FROM known WHERE NOT is_open
){decided}"""


# Only these keys can be more than one state; every other clean row is a new one.
CONTESTED = "SELECT DISTINCT record_key FROM batch_clean JOIN batch_decisions USING (row_number)"


def repeated_states(contract: Contract, keys: str | None = None) -> str:
    """SELECT of the keys and state times that stand more than once over all deliveries; there are none. ``keys``: a query of those to look at."""
    columns = ", ".join(["record_key", *map(identifier, contract.order_columns)])
    these = f" AND record_key IN ({keys})" if keys else ""
    return f"SELECT {columns} FROM {states_table(contract)} WHERE replaced_by_batch_id IS NULL{these} GROUP BY {columns} HAVING count(*) > 1"


CONFLICTS = "FROM batch_decisions WHERE decision = 'conflict'"


def group_rows(has_conflicts: bool) -> str:
    """SELECT of the typed rows of the delivery with what the identity step found; deliveries of a group are stacked.

    Most deliveries have no conflict (``CONFLICTS`` is empty): then no row is looked up.
    """
    is_conflict = f"row_number IN (SELECT row_number {CONFLICTS})" if has_conflicts else "false"
    return f"SELECT batch_typed.*, {is_conflict} AS is_conflict FROM batch_typed"


def states_table(contract: Contract) -> str:
    return f"states.{identifier(contract.source)}"


def state_at(contract: Contract) -> str:
    """SQL of a row's state time as an instant; NULL where the source has none, or it cannot be read."""
    return f"CAST({identifier(contract.state.time) if contract.state else 'NULL'} AS TIMESTAMP)"


def _ordinary_decisions(keys: str) -> str:
    return f""", first_rows AS (
  SELECT {keys}, min(row_number) AS first_row, arg_min(content, row_number) AS first_content FROM contested GROUP BY {keys}
)
SELECT contested.row_number,
  CASE
    WHEN open_states.record_key IS NULL AND contested.row_number = first_rows.first_row THEN 'accepted'
    WHEN contested.content IS NOT DISTINCT FROM
      CASE WHEN open_states.record_key IS NULL THEN first_content ELSE open_content END THEN 'duplicate'
    WHEN replaced_contents.record_key IS NOT NULL THEN 'duplicate'
    ELSE 'conflict'
  END AS decision,
  false AS is_superseded
FROM contested
JOIN first_rows USING ({keys})
LEFT JOIN open_states USING ({keys})
LEFT JOIN replaced_contents USING ({keys}, content)"""


def _correction_decisions(keys: str) -> str:
    return f""", in_order AS (
  SELECT contested.*, open_states.record_key IS NOT NULL AS has_open, open_content,
    lag(content) OVER (PARTITION BY {keys} ORDER BY row_number) AS row_before,
    row_number = min(row_number) OVER (PARTITION BY {keys}) AS is_first
  FROM contested LEFT JOIN open_states USING ({keys})
), judged AS (
  SELECT row_number, {keys},
    CASE
      WHEN is_first AND NOT has_open THEN 'accepted'
      WHEN content IS NOT DISTINCT FROM CASE WHEN is_first THEN open_content ELSE row_before END THEN 'duplicate'
      ELSE 'accepted'
    END AS decision
  FROM in_order
)
SELECT row_number, decision,
  decision = 'accepted'
    AND row_number < max(row_number) FILTER (decision = 'accepted') OVER (PARTITION BY {keys}) AS is_superseded
FROM judged"""


def _content(contract: Contract) -> list[str]:
    return [*(column.column for column in contract.kept if column.identity), "personal_digest"]


def _digest(contract: Contract) -> str:
    """Keyed hash over the compared columns that are not kept; a NULL part differs from an empty one."""
    if not contract.unkept_identity:
        return "CAST(NULL AS VARCHAR)"
    separator = "chr(31)"
    parts = f" || {separator} || ".join(
        f"coalesce(CAST({identifier(column.column)} AS VARCHAR), chr(30))" for column in contract.unkept_identity
    )
    return content_hash(parts)


def _kept_type(column: Column) -> str:
    return "VARCHAR" if column.privacy == "pseudonym" else column.sql_type


def _comment(column: Column) -> str:
    unit = f" [{column.unit}]" if column.unit else ""
    return f"{column.description.en}{unit} (delivered as {column.name})"
