"""The contract of a source: what is delivered, what we keep of it, and which rules a row must keep.

One YAML file a source, under ``contracts/``. Everything else is made from it: the typed read, the quarantine predicate,
the Great Expectations suite, the table with its comments, the data dictionary, and ``kpi validate``.
Unknown keys are errors, so that a misspelt rule is never a rule that is not there.
"""

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from transforms.yaml_text import read_yaml

CONTRACTS = "expectations.contracts"
Severity = Literal["refuse", "quarantine", "warn"]
Privacy = Literal["public", "restricted", "pseudonym", "drop"]
ColumnType = Literal["text", "id", "integer", "decimal", "date", "timestamp", "boolean", "nip"]
DisabledState = Literal["in force", "expired", "to come"]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
RuleId = Annotated[str, Field(pattern=r"^[A-Z]+(-[A-Z0-9_]+)+$")]

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


class Range(Strict):
    min: int | None = None
    max: int | None = None


class Group(Strict):
    """A condition over the rows of one delivery that share ``by``: they have one value of ``same``."""

    by: list[Identifier]
    same: Identifier


class Rule(Strict):
    """What must hold of a row. Exactly one of ``required``, ``readable``, ``allowed``, ``range``, ``sql``, ``group``, ``identity``.

    A rule is broken where it is FALSE; where a value that it needs is missing it is NULL, which breaks nothing
    (``required`` says that a value must be there), as with SQL's CHECK.
    """

    id: RuleId
    column: Identifier
    message: Bilingual
    severity: Severity = "quarantine"
    required: bool = False
    readable: bool = False
    identity: bool = False
    allowed: list[str | int] | None = None
    range: Range | None = None
    sql: str | None = None
    group: Group | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "Rule":
        kinds = [self.required, self.readable, self.identity, self.allowed, self.range, self.sql, self.group]
        if sum(1 for kind in kinds if kind) != 1:
            raise ValueError(f"rule {self.id}: state exactly one kind of condition")
        return self


class Disabled(Strict):
    """A rule that holds no row from ``since`` to ``until``, both days included. Its failing rows are counted as notes all the same."""

    rule: RuleId
    owner: Annotated[str, Field(min_length=1)]
    reason: Bilingual
    since: date
    until: date

    @model_validator(mode="after")
    def _ends(self) -> "Disabled":
        if self.until < self.since:
            raise ValueError(f"rule {self.rule}: disabled until {self.until}, which is before {self.since}")
        return self

    def is_in_force(self, day: date) -> bool:
        return self.since <= day <= self.until

    def state_on(self, day: date) -> DisabledState:
        if self.is_in_force(day):
            return "in force"
        return "expired" if self.until < day else "to come"


class State(Strict):
    """What orders the rows of one key: the state time, then ``order`` where two states share it."""

    time: Identifier
    order: list[Identifier] = []


class Contract(Strict):
    """One source. Column lists hold our names; ``layouts`` name other shapes in which it is delivered (see layout.py)."""

    source: Identifier
    prefix: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    title: Bilingual
    description: Bilingual
    cadence_days: int
    key: list[Identifier]
    state: State | None = None
    year: str
    part: str | None = None
    columns: list[Column]
    derived: list[DerivedColumn] = []
    layouts: list[Identifier] = []
    rule_sets: list[Identifier] = []
    rules: list[Rule] = []
    disabled: list[Disabled] = []
    _softened: frozenset[str] = PrivateAttr(frozenset())

    @model_validator(mode="after")
    def _is_consistent(self) -> "Contract":
        delivered = [column.column for column in self.columns]
        ours = [*delivered, *(column.column for column in self.derived)]
        unknown = {*self.key, *self.order_columns} - set(ours) | {rule.column for rule in self.rules} - set(delivered)
        if unknown:
            raise ValueError(f"{self.source}: no such column: {', '.join(sorted(unknown))}")
        if self.key[0] not in delivered:
            raise ValueError(f"{self.source}: the key begins with a delivered column")
        for column in self.derived:
            # What is computed is kept as it stands: it must not carry a personal column into the warehouse.
            if unkept := set(re.findall(r"\w+", column.sql)) & {
                c.column for c in self.columns if c.privacy != "public"
            }:
                raise ValueError(
                    f"{self.source}: {column.column} is derived from {', '.join(sorted(unkept))}, not public"
                )
        for values, what in (
            (ours, "column"),
            ([c.name for c in self.columns], "delivered column"),
            ([rule.id for rule in self.all_rules], "rule"),
        ):
            if double := sorted({value for value in values if values.count(value) > 1}):
                raise ValueError(f"{self.source}: {what} stated twice: {', '.join(double)}")
        known = {rule.id for rule in self.all_rules if not rule.identity}
        if strange := sorted({entry.rule for entry in self.disabled} - known):
            raise ValueError(f"{self.source}: no rule to disable: {', '.join(strange)}; a conflict cannot be disabled")
        return self

    @property
    def delivered_names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def kept(self) -> list[Column]:
        """Columns that reach the warehouse; a public text that is the whole key stands there already as ``record_key``."""
        return [column for column in self.columns if column.is_kept and not self._is_record_key(column)]

    def _is_record_key(self, column: Column) -> bool:
        return self.key == [column.column] and column.type in ("text", "id") and column.privacy == "public"

    @property
    def unkept_identity(self) -> list[Column]:
        """Columns that make a row different but are not kept: they are compared by a keyed hash."""
        return [column for column in self.columns if column.identity and not column.is_kept]

    @property
    def order_columns(self) -> list[str]:
        return [self.state.time, *self.state.order] if self.state else []

    @property
    def all_rules(self) -> list[Rule]:
        """Automatic rules (required, readable), shared sets, own rules, and last the conflict rule."""
        rules = [*self._automatic_rules(), *self._shared_rules(), *self.rules, self._conflict_rule()]
        return [rule.model_copy(update={"severity": "warn"}) if rule.id in self._softened else rule for rule in rules]

    def on(self, day: date) -> "Contract":
        """The contract as it judges on ``day``: a rule that is disabled then only notes."""
        softened = frozenset(entry.rule for entry in self.disabled if entry.is_in_force(day))
        if not softened:
            return self
        contract = self.model_copy()
        contract._softened = softened
        return contract

    def column_named(self, ours: str) -> Column:
        return next(column for column in self.columns if column.column == ours)

    def _automatic_rules(self) -> Iterator[Rule]:
        for column in self.columns:
            suffix = column.name.upper()
            if column.required:
                yield Rule(
                    id=f"{self.prefix}-REQ-{suffix}",
                    column=column.column,
                    required=True,
                    message=Bilingual(
                        id=f"Kolom {column.name} wajib diisi.", en=f"Column {column.name} must have a value."
                    ),
                )
            if column.can_be_unreadable:
                form = f" ({_plain_format(column.format)})" if column.format else ""
                reason = _READING.get(column.type, Bilingual(id="", en=""))
                yield Rule(
                    id=f"{self.prefix}-TYPE-{suffix}",
                    column=column.column,
                    readable=True,
                    message=Bilingual(
                        id=f"Kolom {column.name} tidak terbaca sebagai {TYPE_NAMES_ID[column.type]}{form}{reason.id}.",
                        en=f"Column {column.name} cannot be read as {column.type}{form}{reason.en}.",
                    ),
                )
            if column.type == "id":
                longest = max(map(len, NO_IDS))
                yield Rule(
                    id=f"{self.prefix}-NULL-{suffix}",
                    column=column.column,
                    severity="warn",
                    sql=f"length({column.column}) > {longest} OR upper({column.column}) NOT IN {NO_IDS}",
                    message=Bilingual(
                        id=f"Kolom {column.name} berisi kata untuk 'tidak ada' (NULL, None, N/A), dan dibaca sebagai nomor; periksa.",
                        en=f"Column {column.name} holds a word for 'nothing' (NULL, None, N/A), and is read as an id; check it.",
                    ),
                )

    def _shared_rules(self) -> Iterator[Rule]:
        for name in self.rule_sets:
            for rule in _rule_set(name):
                yield rule.model_copy(update={"id": f"{self.prefix}-{rule.id}"})

    def _conflict_rule(self) -> Rule:
        return Rule(
            id=f"{self.prefix}-CONFLICT",
            column=self.key[0],
            identity=True,
            message=Bilingual(
                id="Kunci dan waktu status ini sudah ada dengan isi lain; kirim perbaikan lewat folder corrections/.",
                en="This key and state time are known with another content; deliver a mended row in the folder corrections/.",
            ),
        )


_DAYS = Bilingual(id="; tahun 1900 sampai 2100", en="; years 1900 to 2100")
_READING: dict[ColumnType, Bilingual] = {
    "date": _DAYS,
    "timestamp": Bilingual(id=f"{_DAYS.id}, jam 00:00 sampai 23:59", en=f"{_DAYS.en}, times 00:00 to 23:59"),
    "id": Bilingual(
        id=": ada karakter yang tidak terlihat, atau rumus Excel yang belum dihitung",
        en=": it holds a character that nobody sees, or a formula of Excel that was never computed",
    ),
}


def _sql_type(column_type: ColumnType, digits: int = 12) -> str:
    if column_type == "decimal":
        return f"DECIMAL({digits + DECIMAL_PLACES},{DECIMAL_PLACES})"
    return SQL_TYPES[column_type]


def _plain_format(strptime: str | None) -> str:
    return (
        (strptime or "").replace("%d", "dd").replace("%m", "mm").replace("%Y", "yyyy").replace("%H:%M:%S", "hh:mm:ss")
    )


@cache
def _rule_set(name: str) -> tuple[Rule, ...]:
    text = files(CONTRACTS).joinpath("shared", f"{name}.yml").read_text(encoding="utf-8")
    return tuple(Rule.model_validate(rule) for rule in read_yaml(text)["rules"])


@cache
def load_contract(source: str) -> Contract:
    """The contract of ``source``. Raises KeyError with the known names for an unknown source."""
    if source not in source_names():
        raise KeyError(f"unknown source {source!r}; known: {', '.join(source_names())}")
    text = files(CONTRACTS).joinpath(f"{source}.yml").read_text(encoding="utf-8")
    return Contract.model_validate(read_yaml(text))


@cache
def source_names() -> tuple[str, ...]:
    """All sources that have a contract, by name."""
    return tuple(sorted(p.name.removesuffix(".yml") for p in files(CONTRACTS).iterdir() if p.name.endswith(".yml")))
