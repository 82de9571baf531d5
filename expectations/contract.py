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

from pydantic import Field, PrivateAttr, model_validator

from expectations.columns import (
    NO_IDS,
    TYPE_NAMES_ID,
    Bilingual,
    Column,
    ColumnType,
    DerivedColumn,
    Identifier,
    Strict,
    plain_format,
)
from expectations.kinds.identity import Identity
from expectations.kinds.measure import Measure
from expectations.kinds.readable import Readable
from expectations.kinds.required import Required
from expectations.rule import Rule, RuleId
from transforms.names import did_you_mean
from transforms.sql import identifier
from transforms.yaml_text import read_yaml

CONTRACTS = "expectations.contracts"
DisabledState = Literal["in force", "expired", "to come"]


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
    order: list[Identifier] = Field(default_factory=list)


class Contract(Strict):
    """One source. Column lists hold our names."""

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
    derived: list[DerivedColumn] = Field(default_factory=list)
    rule_sets: list[Identifier] = Field(default_factory=list)
    rules: list[Rule] = Field(default_factory=list)
    disabled: list[Disabled] = Field(default_factory=list)
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
        known = {rule.id for rule in self.all_rules if not rule.is_kind("identity")}
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
        softened = self.disabled_on(day)
        if not softened:
            return self
        contract = self.model_copy()
        contract._softened = softened
        return contract

    def disabled_on(self, day: date) -> frozenset[str]:
        """Ids of the rules that hold no row on ``day``."""
        return frozenset(entry.rule for entry in self.disabled if entry.is_in_force(day))

    def column_named(self, ours: str) -> Column:
        return next(column for column in self.columns if column.column == ours)

    def _automatic_rules(self) -> Iterator[Rule]:
        for column in self.columns:
            suffix = column.name.upper()
            if column.required:
                yield Rule(
                    id=f"{self.prefix}-REQ-{suffix}",
                    column=column.column,
                    kind=Required(True),
                    message=Bilingual(
                        id=f"Kolom {column.name} wajib diisi.", en=f"Column {column.name} must have a value."
                    ),
                )
            if column.can_be_unreadable:
                form = f" ({plain_format(column.format)})" if column.format else ""
                reason = _READING.get(column.type, Bilingual(id="", en=""))
                yield Rule(
                    id=f"{self.prefix}-TYPE-{suffix}",
                    column=column.column,
                    kind=Readable(True),
                    message=Bilingual(
                        id=f"Kolom {column.name} tidak terbaca sebagai {TYPE_NAMES_ID[column.type]}{form}{reason.id}.",
                        en=f"Column {column.name} cannot be read as {column.type}{form}{reason.en}.",
                    ),
                )
            if column.type == "id":
                yield Rule(
                    id=f"{self.prefix}-NULL-{suffix}",
                    column=column.column,
                    severity="warn",
                    kind=Measure(of=f"upper({identifier(column.column)})", forbidden=list(NO_IDS)),
                    remedy=Bilingual(
                        id="Tulis nomor yang sebenarnya, atau kosongkan sel bila memang tidak ada.",
                        en="Write the real number, or leave the cell empty where there is none.",
                    ),
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
            kind=Identity(True),
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


@cache
def _rule_set(name: str) -> tuple[Rule, ...]:
    text = files(CONTRACTS).joinpath("shared", f"{name}.yml").read_text(encoding="utf-8")
    return tuple(Rule.model_validate(rule) for rule in read_yaml(text)["rules"])


@cache
def load_contract(source: str) -> Contract:
    """The contract of ``source``. Raises KeyError with the known names for an unknown source."""
    if source not in source_names():
        raise KeyError(
            f"unknown source {source!r}{did_you_mean(source, source_names()) or ';'} known: {', '.join(source_names())}"
        )
    text = files(CONTRACTS).joinpath(f"{source}.yml").read_text(encoding="utf-8")
    return Contract.model_validate(read_yaml(text))


@cache
def source_names() -> tuple[str, ...]:
    """All sources that have a contract, by name."""
    return tuple(sorted(p.name.removesuffix(".yml") for p in files(CONTRACTS).iterdir() if p.name.endswith(".yml")))
