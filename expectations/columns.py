"""The columns of a contract: what is delivered, under which name and type, and what we keep of it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from transforms.sql import identifier

Privacy = Literal["public", "restricted", "pseudonym", "drop"]
ColumnType = Literal["text", "id", "integer", "decimal", "date", "timestamp", "boolean", "nip"]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

DECIMAL_PLACES = 6
SQL_TYPES: dict[ColumnType, str] = {
    "text": "VARCHAR",
    "id": "VARCHAR",
    "integer": "BIGINT",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "boolean": "BOOLEAN",
    "nip": "VARCHAR",
}
# What a clerk calls the types.
TYPE_NAMES_ID: dict[ColumnType, str] = {
    "text": "teks",
    "id": "nomor pengenal",
    "integer": "bilangan bulat",
    "decimal": "angka desimal",
    "date": "tanggal",
    "timestamp": "tanggal dan jam",
    "boolean": "true/false",
    "nip": "NIP",
}


# Ids that are probably none: what programs and people write where they have nothing.
NO_IDS = ("NULL", "NONE", "NIL", "NAN", "N/A", "NA", "#N/A", "(NULL)", "<NULL>", "UNDEFINED", "UNKNOWN", "KOSONG")


class Strict(BaseModel):
    """A definition file's part: frozen, and a key that nobody reads is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Bilingual(Strict):
    """A text for the people of the office (``id``, Indonesian) and for engineers (``en``)."""

    id: str
    en: str


class Column(Strict):
    """A delivered column and what becomes of it. ``name`` is the file's, ``column`` ours.

    ``privacy`` decides its fate: ``public`` is kept; ``pseudonym`` is kept as a keyed hash; ``restricted`` and ``drop``
    stay in landing and quarantine (``drop`` marks personal data). Columns with ``identity: false`` do not make a row different.
    ``category``: its values are few and known, and how often each occurs is watched from delivery to delivery.
    An ``id`` names a thing and is looked up in no list: a text in which nothing stands that cannot be seen.
    ``digits`` is how many a decimal may have before its point; it always has room for six after it.
    """

    name: Identifier
    column: Identifier
    type: ColumnType
    description: Bilingual
    format: str | None = None
    unit: str | None = None
    privacy: Privacy = "public"
    identity: bool = True
    required: bool = False
    category: bool = False
    default: str | None = None
    digits: Annotated[int, Field(ge=1, le=22)] = 12

    @model_validator(mode="after")
    def _dates_state_their_format(self) -> "Column":
        if (self.type == "date") != (self.format is not None):
            raise ValueError(f"column {self.name}: a date, and only a date, states its format")
        return self

    @property
    def sql_type(self) -> str:
        return _sql_type(self.type, self.digits)

    def mark(self, what: str) -> str:
        """SQL name of the column that marks how this one was read: ``unreadable``, ``cleaned``, ``is_number``."""
        return identifier(f"{self.column}__{what}")

    @property
    def is_kept(self) -> bool:
        return self.privacy in ("public", "pseudonym")

    @property
    def can_be_unreadable(self) -> bool:
        """Whether a delivered text can fail to be a value of the column's type."""
        return self.type not in ("text", "nip")


class DerivedColumn(Strict):
    """A kept column that is computed from the delivered ones of its row: ``sql`` is over our names, after typing.

    It can be part of the key or be the state time. It adds nothing to what makes a row different.
    """

    column: Identifier
    type: Literal["text", "integer", "date", "timestamp", "boolean"]
    sql: str
    description: Bilingual

    @property
    def sql_type(self) -> str:
        return _sql_type(self.type)


def _sql_type(column_type: ColumnType, digits: int = 12) -> str:
    if column_type == "decimal":
        return f"DECIMAL({digits + DECIMAL_PLACES},{DECIMAL_PLACES})"
    return SQL_TYPES[column_type]


def plain_format(strptime: str | None) -> str:
    """A format as people write it: `dd-mm-yyyy`."""
    return (
        (strptime or "").replace("%d", "dd").replace("%m", "mm").replace("%Y", "yyyy").replace("%H:%M:%S", "hh:mm:ss")
    )
