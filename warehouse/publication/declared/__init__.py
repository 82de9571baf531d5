"""What is published: ``tables.yml`` declares tables and views and defines every column once; ``<name>.sql`` reads each.

A new table or view is one entry in ``tables.yml`` and one .sql file beside it. From the declaration come the comments
in kpi.duckdb, the schema in datapackage.json, and the checks that the query keeps what is declared.
"""

import re
from functools import cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from transforms.sql import load_sql
from transforms.yaml_text import read_yaml

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


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Strict):
    """A published column. ``unit`` is a word of the vocabulary ``units``; an ``object`` is JSON text."""

    type: FieldType
    unit: Text
    description: Text
    required: bool = False
    enum: tuple[Text, ...] = ()

    def is_stored_as(self, sql_type: str) -> bool:
        return re.fullmatch(STORED_TYPES[self.type], sql_type) is not None


class Table(Strict):
    """A published table or view. ``columns`` name entries of the column list; rows of a table stand in the order of ``primary_key``."""

    name: Name
    title: Text
    description: Text
    grain: Text
    primary_key: tuple[Name, ...]
    columns: tuple[Name, ...]

    @property
    def query(self) -> str:
        return load_sql(__name__, f"{self.name}.sql")


class Package(Strict):
    name: Annotated[str, Field(pattern=r"^[a-z0-9._-]+$")]
    title: Text
    description: Text


class Published(Strict):
    """The whole declaration. ``schema_version`` goes up when a published table loses rows or a column, or changes one.

    ``views`` stand in kpi.duckdb alone and read its tables: each answers the question that is its title.
    """

    schema_version: Text
    package: Package
    units: dict[str, Text]
    columns: dict[Name, Column]
    tables: tuple[Table, ...]
    views: tuple[Table, ...]

    @model_validator(mode="after")
    def _holds_together(self) -> "Published":
        relations = (*self.tables, *self.views)
        names = [relation.name for relation in relations]
        if len(names) != len(set(names)):
            raise ValueError("tables, views: a name stands there twice")
        used = {column for relation in relations for column in relation.columns}
        if used != set(self.columns):
            raise ValueError(f"columns: undefined or in no table: {', '.join(sorted(used ^ set(self.columns)))}")
        units = {column.unit for column in self.columns.values()}
        if units != set(self.units):
            raise ValueError(f"units: undefined or of no column: {', '.join(sorted(units ^ set(self.units)))}")
        for relation in relations:
            if not relation.primary_key or not set(relation.primary_key) <= set(relation.columns):
                raise ValueError(f"table {relation.name}: its primary key is some of its columns")
        return self

    def columns_of(self, table: Table) -> dict[str, Column]:
        """The table's columns in their order; those of the primary key are always required."""
        found = {name: self.columns[name] for name in table.columns}
        return found | {name: found[name].model_copy(update={"required": True}) for name in table.primary_key}


@cache
def load_published() -> Published:
    """The declaration of what is published. Raises ValueError for an unknown key or a column that nobody defines."""
    return Published.model_validate(read_yaml(load_sql(__name__, "tables.yml")))
