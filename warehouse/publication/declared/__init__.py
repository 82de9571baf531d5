"""What is published: the tables of facts as they are declared (``transforms.facts``), and what ``tables.yml`` declares beside them.

Another table or view is one entry in ``tables.yml`` and one .sql file beside it. From the declarations come the comments
in kpi.duckdb, the schema in datapackage.json, and the checks that a query keeps what is declared. A column is defined once, in one of them.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import Field, model_validator

from transforms.facts import Column, FactTable, Name, Publication, Strict, Text, fact_tables, load_common
from transforms.sql import load_sql
from transforms.yaml_text import read_yaml


class Table(Strict):
    """A published table or view. ``columns`` name entries of the column list; rows of a table stand in the order of ``primary_key``.

    ``reads``: the query of a table of facts, made from its declaration; any other has a file of its own.
    """

    name: Name
    title: Text
    description: Text
    grain: Text
    primary_key: tuple[Name, ...]
    columns: tuple[Name, ...]
    reads: Text | None = None

    @property
    def query(self) -> str:
        return self.reads or load_sql(__name__, f"{self.name}.sql")


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
    content, common = read_yaml(load_sql(__name__, "tables.yml")), load_common()
    units, columns = dict(common.units), dict(common.columns)
    tables: list[Table] = []
    for table in fact_tables():
        _add(units, table.units, f"{table.table}, units")
        _add(
            columns, {c.published_as or name: c for name, c in table.columns.items() if name in table.own}, table.table
        )
        tables += (made for publication in table.published for made in _of_facts(table, publication))
    _add(units, content["units"], "tables.yml, units")
    _add(columns, content["columns"], "tables.yml")
    made_content = {"units": units, "columns": columns, "tables": [*tables, *content["tables"]]}
    return Published.model_validate(content | made_content)


def _add(known: dict[str, Any], more: Mapping[str, Any], where: str) -> None:
    """A word has one definition. Raises ValueError where it stands in two places."""
    if twice := sorted(known.keys() & more.keys()):
        raise ValueError(f"{where}: defined elsewhere already: {', '.join(twice)}")
    known |= more


def _of_facts(table: FactTable, publication: Publication) -> tuple[Table, Table]:
    """The versions that stand, and all of them."""
    key = tuple(table.columns[name].published_as or name for name in table.key)
    return (
        Table(
            name=publication.name, title=publication.title, description=publication.description, grain=table.grain,
            primary_key=key, columns=tuple(table.published_columns(history=False)),
            reads=table.published_query(publication, history=False),
        ),
        Table(
            name=f"{publication.name}_history", title=f"{publication.title}, all versions",
            description=(
                f"Every version of {publication.versions_of}. What was known at an instant t are the rows with known_from <= t and "
                "known_to empty or > t."
            ),
            grain=f"{table.grain.replace(' and ', ', ')} and version", primary_key=(*key, "known_from", "run"),
            columns=tuple(table.published_columns(history=True)), reads=table.published_query(publication, history=True),
        ),
    )  # fmt: skip
