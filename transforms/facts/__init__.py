"""The tables of facts: each declared once, in ``<table>.yml`` beside this module or, with the query of its rows, in ``transforms/results``.

From the declaration come the table in the warehouse and its staging twin, what is compared when a version is entered, what is
published of it and how that is described. See docs/how-to/add-a-table-of-results.md.
"""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cache, cached_property
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from transforms.definitions import load_indicators
from transforms.exact import decimal_text
from transforms.services.measures import summary_columns
from transforms.sql import identifier, load_sql, names_parameter
from transforms.yaml_text import read_yaml

RESULTS = "transforms.results"
COMMON = "common.yml"
FieldType = Literal["string", "integer", "number", "boolean", "date", "datetime", "object", "any"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[str, Field(min_length=1)]

# How each type of a data package is stored. A binary float is none of them: it never carries a KPI. A list is `any`: what
# the standard calls an array is JSON text.
STORED_TYPES: dict[FieldType, str] = {
    "string": r"VARCHAR",
    "integer": r"INTEGER|BIGINT",
    "number": r"DECIMAL\(\d+,\d+\)",
    "boolean": r"BOOLEAN",
    "date": r"DATE",
    "datetime": r"TIMESTAMP",
    "object": r"VARCHAR",
    "any": r"VARCHAR\[\]",
}
# How a column is stored that says nothing else.
USUAL_TYPES: dict[FieldType, str] = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DECIMAL(28,6)",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "object": "VARCHAR",
    "any": "VARCHAR[]",
}
# What each version of a fact knows of itself. closed_by, the run that ended it, stays in the warehouse.
VERSION_COLUMNS = {
    "known_from": "TIMESTAMP",
    "known_to": "TIMESTAMP",
    "reason": "VARCHAR",
    "run": "VARCHAR",
    "closed_by": "VARCHAR",
}
PUBLISHED_CURRENT, PUBLISHED_HISTORY = ("known_from", "run"), ("known_from", "known_to", "reason", "run")
# The cut-off of a running period moves with the clock: that alone makes no new version.
NOT_COMPARED = ("cut_off",)
# What the run gives each row of a table of results; its query gives the rest.
GIVEN = ("office", "year", "definition_version", "cut_off", "is_provisional")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Strict):
    """A column. ``unit`` is a word of the vocabulary of units; an ``object`` is JSON text.

    ``stored``: the SQL type, where it is not the usual one of ``type``; ``published_as``: its name there, where it has another.
    """

    type: FieldType
    unit: Text
    description: Text
    required: bool = False
    enum: tuple[Text, ...] = ()
    stored: str | None = None
    published_as: Name | None = None

    @model_validator(mode="after")
    def _is_stored_as_its_type(self) -> "Column":
        if not self.is_stored_as(self.sql_type):
            raise ValueError(f"stored: {self.stored} is no {self.type}")
        return self

    def shown(self, value: Any) -> str | None:
        """The value as a reader sees it: a number with its two decimals where it is stored with two, else without trailing zeros."""
        match value:
            case None | str():
                return value
            case bool():
                return str(value).lower()
            case Decimal():
                return decimal_text(value, 2 if self.sql_type.endswith(",2)") else None)
            case date():
                return value.isoformat()
        return str(value)

    @property
    def sql_type(self) -> str:
        return self.stored or USUAL_TYPES[self.type]

    def is_stored_as(self, sql_type: str) -> bool:
        return re.fullmatch(STORED_TYPES[self.type], sql_type) is not None


class Common(Strict):
    """What several tables of facts have: columns, and words of the vocabulary of units."""

    units: dict[str, Text]
    columns: dict[Name, Column]


class Publication(Strict):
    """A published table of the versions that stand, and, named ``<name>_history``, one of all. ``where``: which rows, in SQL."""

    name: Name
    title: Text
    description: Text
    versions_of: Text
    where: str | None = None


class Evidence(Strict):
    """The evidence of an indicator that a query reads, by the version in force in the year; ``parameters`` stand in for the version's own."""

    label: Text
    indicator: Text
    parameters: dict[Name, Any] = {}


class Derivation(Strict):
    """How the rows of a table of results come about, year by year, from its query ``<table>.sql``.

    ``sources``: whose rows it counts, and for whose years it is derived, those of the evidence's indicators among them; ``shared``: whose rows it
    reads besides. ``looks_back_at_earlier_years``: at the rows of earlier years too; ``looks_ahead``: at those of the next one. ``parameters`` are
    bound in the query, beside $year, $clock, $cut_off, $known_batch, $office_code, $two_day_limit_days.

    ``evidence`` stands in the relation ``evidence`` (label, indicator, and the columns of every evidence query but for the band's); with
    ``reads_proposals`` the proposals of all services, of every year up to the next one, in ``proposals`` (services/records.sql), and ``working_days``.
    """

    definition_version: Text
    sources: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    looks_back_at_earlier_years: bool = False
    looks_ahead: bool = False
    evidence: tuple[Evidence, ...] = ()
    reads_proposals: bool = False
    parameters: dict[Name, Any] = {}


class Explained(Strict):
    """How a row is named in an ID, as ``survey|layanan|2024-S1|MUTASI``: ``name``, then ``parts`` (columns of the key), of which the last may be left
    out where ``defaults`` has them. ``value`` is the column that is asked for, ``text`` what it is; the records behind it come of
    ``<table>_records.sql``, which binds the parts by their names."""

    name: Text
    parts: tuple[Name, ...]
    defaults: dict[Name, Text] = {}
    value: Name
    text: Text


class Partition(Strict):
    """To which partition a row belongs, in SQL over its alias ``{row}``: the service or indicator, and the year."""

    item: Text
    year: Text = "{row}.year"


class FactTable(Strict):
    """A table of facts, bitemporal. ``key`` finds the standing version; ``described`` are columns that are published and not kept here:
    the relation ``published_from`` has them. Columns stand in the order in which they are published.

    ``partition``: where a table of results says none, its own name and the year; scores have none, they rest on the entered values.
    """

    table: Name
    grain: Text
    key: tuple[Name, ...]
    columns: dict[Name, Column]
    own: tuple[Name, ...]
    described: tuple[Name, ...] = ()
    published_from: Name | None = None
    published: tuple[Publication, ...]
    units: dict[str, Text] = {}
    partition: Partition | None = None
    derivation: Derivation | None = None
    explained: Explained | None = None
    sql: str = ""

    @model_validator(mode="after")
    def _holds_together(self) -> "FactTable":
        needed = {*self.key, *GIVEN} if self.derivation else {*self.key, "definition_version", "cut_off"}
        if lacking := sorted(needed - set(self.kept)):
            raise ValueError(f"{self.table}: a table of facts has the columns {', '.join(lacking)} too")
        if not set(self.described) <= set(self.columns):
            raise ValueError(f"{self.table}: described: columns that are not there")
        if self.derivation and (unbound := [n for n in self.derivation.parameters if not names_parameter(self.sql, n)]):
            raise ValueError(f"{self.table}: its query has no parameter {', '.join(unbound)}")
        if self.derivation and not ({"office", "year"} <= set(self.key) and self.measures):
            raise ValueError(
                f"{self.table}: a table of results has office and year in its key, and a column beside its key"
            )
        if self.derivation and not self.derivation.sources:
            raise ValueError(
                f"{self.table}: a table of results has sources, of its own or of its evidence's indicators"
            )
        if self.explained and {*self.explained.parts} | {"office", "year"} != {*self.key, "year"}:
            raise ValueError(f"{self.table}: the parts of an ID are its key")
        return self

    @property
    def name(self) -> str:
        return f"facts.{self.table}"

    @property
    def fresh(self) -> str:
        """The temporary table of what a run derives."""
        return f"fresh_{self.table}"

    @property
    def staged(self) -> str:
        """What a backfill has derived and no run has entered yet."""
        return f"facts.staged_{self.table}"

    def partition_of(self, row: str) -> dict[str, str]:
        """SQL of the ``item`` and ``year`` of the rows of the relation ``row``. Raises ValueError for the scores, which have no partition."""
        if self.partition is None:
            raise ValueError(f"{self.table} is not derived by partitions")
        return {"item": self.partition.item.format(row=row), "year": self.partition.year.format(row=row)}

    @cached_property
    def kept(self) -> tuple[str, ...]:
        """The columns of a fact in the warehouse, without those of its version."""
        return tuple(name for name in self.columns if name not in self.described)

    @cached_property
    def compared(self) -> tuple[str, ...]:
        """The columns that make a version differ."""
        return tuple(name for name in self.kept if name not in (*self.key, *NOT_COMPARED))

    @property
    def records_sql(self) -> str:
        """The query of the records behind one row of a table of results."""
        return load_sql(RESULTS, f"{self.table}_records.sql")

    @property
    def measures(self) -> tuple[str, ...]:
        """What the query of a table of results says of its key."""
        return tuple(name for name in self.compared if name not in GIVEN)

    @cached_property
    def ddl(self) -> dict[str, str]:
        """SQL type of each kept column."""
        return {name: self.columns[name].sql_type for name in self.kept}

    def published_columns(self, *, history: bool) -> dict[str, str]:
        """The published name of each column to the expression that reads it."""
        of_fact = {column.published_as or name: identifier(name) for name, column in self.columns.items()}
        return of_fact | {name: identifier(name) for name in (PUBLISHED_HISTORY if history else PUBLISHED_CURRENT)}

    def published_query(self, publication: Publication, *, history: bool) -> str:
        """SELECT of what is published: the versions that stand, or all of them."""
        columns = ", ".join(
            column if column == identifier(name) else f"{column} AS {identifier(name)}"
            for name, column in self.published_columns(history=history).items()
        )
        conditions = [c for c in (publication.where, None if history else "known_to IS NULL") if c]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {columns} FROM {self.published_from or self.name}{where}"


@cache
def load_common() -> Common:
    return Common.model_validate(read_yaml(load_sql(__name__, COMMON)))


@cache
def fact_tables() -> tuple[FactTable, ...]:
    """All tables of facts. Raises ValueError naming the file where a declaration is not whole."""
    return (*_tables_of(__name__), *result_tables())


@cache
def partitioned_tables() -> tuple[FactTable, ...]:
    """Those that are derived partition by partition, and can be staged: all but the scores."""
    return tuple(table for table in fact_tables() if table.partition is not None)


def tables_of(items: Iterable[str]) -> list[FactTable]:
    """Those that these items (services, indicators, tables of results) may have rows in."""
    named = set(items)
    return [table for table in partitioned_tables() if table.derivation is None or table.table in named]


@cache
def result_tables() -> tuple[FactTable, ...]:
    """Those whose rows come from one query."""
    return _tables_of(RESULTS)


def fact_table(name: str) -> FactTable:
    """The table of facts ``name``. Raises KeyError where none is declared."""
    return {table.table: table for table in fact_tables()}[name]


def read_table(content: dict[str, Any], sql: str) -> FactTable:
    """A declaration as read from YAML. A column without a definition is defined in common.yml; ``+measures`` and its like stand for columns that are
    declared with the services."""
    common, inserted = load_common().columns, summary_columns()
    columns = {
        n: c for name, column in content["columns"].items() for n, c in inserted.get(name, {name: column}).items()
    }
    unknown = [name for name, column in columns.items() if column is None and name not in common]
    if unknown:
        raise ValueError(f"columns: {', '.join(unknown)}: defined neither here nor in {COMMON}")
    defined = {name: common[name] if column is None else column for name, column in columns.items()}
    own = [name for name, column in columns.items() if column is not None]
    partition = {"partition": {"item": f"'{content['table']}'"}} if "derivation" in content else {}
    if derivation := content.get("derivation"):
        content = content | {"derivation": derivation | {"sources": _sources_of(derivation)}}
    return FactTable.model_validate(partition | content | {"columns": defined, "own": own, "sql": sql})


def _sources_of(derivation: dict[str, Any]) -> list[str]:
    """The declared sources and those of the indicators whose evidence is read. Raises ValueError for an unknown indicator."""
    of_indicators = {indicator.id: indicator.sources for indicator in load_indicators()}
    named = [evidence["indicator"] for evidence in derivation.get("evidence", [])]
    if unknown := sorted(set(named) - of_indicators.keys()):
        raise ValueError(f"evidence: no such indicator: {', '.join(unknown)}")
    return list(
        dict.fromkeys([*derivation.get("sources", []), *(source for name in named for source in of_indicators[name])])
    )


def _tables_of(package: str) -> tuple[FactTable, ...]:
    names = sorted(file.name for file in files(package).iterdir() if file.name.endswith(".yml") and file.name != COMMON)
    found = []
    for name in names:
        query = files(package).joinpath(name.removesuffix(".yml") + ".sql")
        if (package == RESULTS) != query.is_file():
            raise ValueError(
                f"{package}/{name}: a table of results, and no other, has its query {query.name} beside it"
            )
        try:
            table = read_table(read_yaml(load_sql(package, name)), query.read_text("utf-8") if query.is_file() else "")
        except ValueError as fault:
            raise ValueError(f"{package}/{name}: {fault}") from fault
        if table.table != name.removesuffix(".yml") or (table.derivation is None) == bool(table.sql):
            raise ValueError(f"{package}/{name}: the file is called as its table; a derivation belongs to a query")
        found.append(table)
    return tuple(found)
