"""SQL that reads a landed delivery (all text) into typed rows, one a delivered row, nothing dropped.

A text that is not a value of its column's type becomes NULL and is marked in ``<column>__unreadable``: the row goes on to
the rules, so that every reason is found, not only the first.
"""

from dataclasses import dataclass

from expectations.columns import DECIMAL_PLACES, Column, DerivedColumn
from expectations.contract import Contract
from transforms.odd_text import UNCOMPUTED
from transforms.sql import identifier

NULL_TOKENS = "('', '-', 'null', '<nil>')"
# A delivery in the agreed layout; layout.py gives the others.
AS_LANDED = "SELECT * FROM read_parquet($landing, file_row_number = true)"
_WHITE_SPACE = "' \t\r\n\u00a0'"
# What carries nothing where it stands: soft hyphens, marks of byte order and direction, joiners, spaces of no width.
_EMPTY_MARKS = r"[\x{00AD}\x{061C}\x{180E}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{206F}\x{FEFF}]"
# What an id must not hold, for nobody sees it: control characters, and every space but the plain one.
_UNSEEN = r"\p{C}|[^ \P{Z}]"
# No day that the office could mean lies outside; year 1 and year 9999 are how programs write none.
_YEAR = "(19[0-9]{2}|20[0-9]{2}|2100)"
FIRST_YEAR, LAST_YEAR = 1900, 2100
_ISO_DAY = rf"{_YEAR}-[0-9]{{2}}-[0-9]{{2}}"
_ISO_TIMESTAMP = rf"{_ISO_DAY}([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{{1,9}})?)?)?"
# The zones of the earth go from -12 to +14.
_ZONE = "( ?(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?))"
_SHAPES = {
    "%d-%m-%Y": rf"[0-9]{{2}}-[0-9]{{2}}-{_YEAR}",
    "%Y-%m-%d": _ISO_DAY,
    "%Y-%m-%d 00:00:00": rf"{_ISO_DAY} 00:00:00",
}
# A day in a typed file may carry a midnight, and that one the zone of a service: it is the same day.
_ISO_DATE = _ISO_DAY + r"([T ]00:00:00([.]0+)?(Z|[+]0[07]:?00)?)?"


@dataclass(frozen=True)
class FileTraits:
    """What the file's format allows: a decimal comma (CSV with `;`), real dates and numbers (Parquet, JSON, Excel)."""

    decimal_comma: bool = False
    is_typed: bool = False


def typed_rows(contract: Contract, traits: FileTraits, landed: str = AS_LANDED) -> str:
    """SELECT over ``landed``, the delivered rows under the agreed names. Grain: one delivered row. Parameters: $landing, $batch_id.

    Columns: batch_id, row_number (1 = first data row), our columns, ``__unreadable`` and ``__cleaned`` marks, derived columns,
    record_key.
    """
    read = [column for column in contract.columns if column.identity]
    values = ",\n    ".join(part for column in read for part in _read(column, traits))
    typed = ",\n    ".join(part for column in read for part in _typed(column))
    derived = "".join(f", {derived_value(column)} AS {identifier(column.column)}" for column in contract.derived)
    return (
        f"WITH values_read AS (\n  SELECT file_row_number + 1 AS row_number,\n    {values}\n"
        f"  FROM ({landed})\n), typed AS (\n  SELECT row_number,\n    {typed}\n"
        f"  FROM values_read\n), completed AS (\n  SELECT *{derived} FROM typed\n)\n"
        f"SELECT CAST($batch_id AS INTEGER) AS batch_id, *, {record_key(contract)} AS record_key FROM completed"
    )


def derived_value(column: DerivedColumn) -> str:
    """SQL of a derived column over the typed columns of its row."""
    return f"CAST({column.sql} AS {column.sql_type})"


def record_key(contract: Contract) -> str:
    """SQL of the key as one text; a personal part stands as its keyed hash. NULL where a part is missing."""
    pseudonyms = {column.column for column in contract.columns if column.privacy == "pseudonym"}
    parts = [
        keyed_hash(identifier(name)) if name in pseudonyms else f"CAST({identifier(name)} AS VARCHAR)"
        for name in contract.key
    ]
    return " || '|' || ".join(parts)


def keyed_hash(text: str) -> str:
    """SQL of HMAC-SHA-256 (hexadecimal) of a text under the installation's key; NULL stays NULL.

    DuckDB has no HMAC: it is two nested SHA-256 over the padded keys, which stand in session variables, not in the text.
    """
    inner = f"from_hex(sha256(getvariable('hmac_inner_pad') || encode({text})))"
    return f"sha256(getvariable('hmac_outer_pad') || {inner})"


def content_hash(text: str) -> str:
    """SQL of a keyed hash (128 bits, hexadecimal) that only tells whether two contents are equal; no pseudonym is made of it.

    A secret of 32 bytes before the text, hashed once: a quarter of the work of an HMAC, for every row that is kept.
    """
    return f"left(sha256(getvariable('content_secret') || encode({text})), 32)"


def delivered_text(text: str) -> str:
    """SQL of a delivered text in Unicode's composed form (NFC), without marks that carry nothing and white space around it; NULL for the null tokens."""
    # Trimming every value costs more than all the parsing: only those are trimmed that are not plain text from first to last letter,
    # and only those looked through for marks that are more than plain letters.
    is_plain = f"strlen({text}) = length({text})"
    trimmed = f"trim({text}, {_WHITE_SPACE})"
    composed = f"trim(nfc_normalize(regexp_replace({text}, '{_EMPTY_MARKS}', '', 'g')), {_WHITE_SPACE})"
    return (
        f"CASE WHEN {is_plain} AND {text} >= '!' AND reverse({text}) >= '!' THEN CASE WHEN {text} NOT IN {NULL_TOKENS} THEN {text} END "
        f"WHEN {is_plain} THEN CASE WHEN {trimmed} NOT IN {NULL_TOKENS} THEN {trimmed} END "
        f"WHEN {composed} NOT IN {NULL_TOKENS} THEN {composed} END"
    )


def _read(column: Column, traits: FileTraits) -> list[str]:
    """The value, and the delivered text where the next step still looks at it."""
    delivered, name = identifier(column.name), identifier(column.column)
    if column.type in ("text", "id", "nip"):
        text = delivered_text(delivered)
        # A number and an id say what they cannot be; another text that nobody has computed is none.
        is_none = column.type == "text" and traits.is_typed
        return [f"nullif({text}, '{UNCOMPUTED}') AS {name}" if is_none else f"{text} AS {name}"]
    # What is written as the system itself would write it needs no pattern: nearly every value, at a tenth of the work.
    value = f"CASE {_canonical(column, delivered)} ELSE {_value(column, f'({delivered_text(delivered)})', traits)} END"
    return [f"{value} AS {name}", f"{delivered} AS {column.mark('delivered')}"]


def cleaned_number(text: str) -> str:
    """SQL of an employee number without the spaces and the leading apostrophe of real files."""
    return f"CASE WHEN {_needs_cleaning(text)} THEN ltrim(replace({text}, ' ', ''), '''') ELSE {text} END"


def _needs_cleaning(text: str) -> str:
    return f"(contains({text}, ' ') OR starts_with({text}, ''''))"


def _is_number(text: str) -> str:
    """SQL: whether a text is 18 digits. Nearly every one is written as its number is, which costs a fifth of the pattern."""
    is_plain = f"strlen({text}) = 18 AND CAST(try_cast({text} AS BIGINT) AS VARCHAR) = {text}"
    return f"CASE WHEN {is_plain} THEN true ELSE regexp_full_match({text}, '[0-9]{{18}}') END"


def _typed(column: Column) -> list[str]:
    name = identifier(column.column)
    if column.type == "text":
        return [name]
    if column.type == "id":
        is_faulty = f"coalesce({name} = '{UNCOMPUTED}' OR regexp_matches({name}, '{_UNSEEN}'), false)"
        return [f"CASE WHEN NOT {is_faulty} THEN {name} END AS {name}", f"{is_faulty} AS {column.mark('unreadable')}"]
    if column.type == "nip":
        cleaned = cleaned_number(name)
        return [
            f"{cleaned} AS {name}",
            f"coalesce({_needs_cleaning(name)}, false) AS {column.mark('cleaned')}",
            f"{_is_number(cleaned)} AS {column.mark('is_number')}",
        ]
    text = delivered_text(column.mark("delivered"))
    value = name
    if column.default is not None:
        value = f"coalesce({name}, CASE WHEN ({text}) IS NULL THEN CAST('{column.default}' AS {column.sql_type}) END)"
    unreadable = f"CASE WHEN {name} IS NULL THEN ({text}) IS NOT NULL ELSE false END"
    return [f"{value} AS {name}", f"{unreadable} AS {column.mark('unreadable')}"]


def _canonical(column: Column, text: str) -> str:
    """``WHEN ... THEN ...`` of the values whose text is exactly how their type is written, so that nothing can be misread."""
    match column.type:
        case "integer":
            return f"WHEN CAST(try_cast({text} AS BIGINT) AS VARCHAR) = {text} AND length({text}) < 19 THEN try_cast({text} AS BIGINT)"
        case "decimal":
            whole = f"length({text}) <= {column.digits} AND CAST(try_cast({text} AS BIGINT) AS VARCHAR) = {text}"
            return f"WHEN {whole} THEN try_cast({text} AS {column.sql_type})"
        case "date":
            date_format = str(column.format)
            shape = date_format.replace("%d", "__").replace("%m", "__").replace("%Y", "____")
            # strptime skips white space before a number and at the end: the first letter and the x leave it no place.
            day = f"CAST(try_strptime(substr({text}, 1, 10) || 'x', '{date_format[:8]}x') AS DATE)"
            year = f"substr({text}, {date_format.replace('%d', 'dd').replace('%m', 'mm').index('%Y') + 1}, 4)"
            in_range = f"{year} BETWEEN '{FIRST_YEAR}' AND '{LAST_YEAR}'"
            return f"WHEN {text} LIKE '{shape}' AND {text} >= '0' AND {in_range} THEN {day}"
        case "timestamp":
            moment = f"try_cast({text} AS TIMESTAMP)"
            is_plain = f"{text} LIKE '____-__-_____:__:__' AND CAST({moment} AS VARCHAR) = replace({text}, 'T', ' ')"
            return f"WHEN {is_plain} AND {text} >= '{FIRST_YEAR}' AND {text} < '{LAST_YEAR + 1}' THEN {moment}"
        case _:
            return f"WHEN {text} IN ('true', '1') THEN true WHEN {text} IN ('false', '0') THEN false"


def _value(column: Column, name: str, traits: FileTraits) -> str:
    match column.type:
        case "integer":
            return _matching(
                rf"[+-]?[0-9]{{1,18}}{'([.]0+)?' if traits.is_typed else ''}",
                name,
                f"try_cast(split_part({name}, '.', 1) AS BIGINT)",
            )
        case "decimal":
            number = f"replace({name}, ',', '.')" if traits.decimal_comma else name
            # More than six decimals would be rounded without a word; trailing zeros carry nothing.
            shape = rf"[+-]?[0-9]{{1,{column.digits}}}([.][0-9]{{1,{DECIMAL_PLACES}}}0*)?"
            return _matching(shape, number, f"try_cast({number} AS {column.sql_type})")
        case "date":
            return _date(str(column.format), name, traits)
        case "timestamp":
            local = _matching(_ISO_TIMESTAMP, name, f"try_cast({name} AS TIMESTAMP)")
            closed_up = f"regexp_replace({name}, ' (Z|[+-])', '\\1')"
            zoned = _matching(
                _ISO_TIMESTAMP + _ZONE, name, f"try_cast({closed_up} AS TIMESTAMPTZ) AT TIME ZONE 'Asia/Jakarta'"
            )
            return f"coalesce({local}, {zoned})"
        case _:
            return f"CASE WHEN lower({name}) IN ('true', '1') THEN true WHEN lower({name}) IN ('false', '0') THEN false END"


def _date(date_format: str, name: str, traits: FileTraits) -> str:
    own = _matching(_SHAPES[date_format], name, f"CAST(try_strptime({name}, '{date_format}') AS DATE)")
    if not traits.is_typed:
        return own
    return f"coalesce({own}, {_matching(_ISO_DATE, name, f'try_cast(substr({name}, 1, 10) AS DATE)')})"


def _matching(shape: str, text: str, value: str) -> str:
    return f"CASE WHEN regexp_full_match({text}, '{shape}') THEN {value} END"
