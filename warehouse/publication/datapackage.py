"""The description of a publication as a Frictionless Data Package (v1, profile tabular-data-package)."""

import json
from datetime import datetime
from typing import Any

from transforms.facts import Column
from transforms.periods import WIB
from transforms.reference import office
from warehouse.publication.declared import Table, load_published
from warehouse.publication.tables import DATABASE, parquet_path

DATAPACKAGE = "datapackage.json"
MEDIATYPE = "application/vnd.apache.parquet"


def datapackage_text(clock: datetime) -> str:
    """The content of datapackage.json. ``clock`` is the run's (naive, WIB): the package says nothing of the moment of writing."""
    return json.dumps(datapackage(clock), indent=2, ensure_ascii=False) + "\n"


def datapackage(clock: datetime) -> dict[str, Any]:
    """The descriptor. Beyond the standard: ``unit`` of a field, ``grain`` of a resource, ``units``, which explains the
    words, and ``views``, which answer a question each, in kpi.duckdb."""
    published = load_published()
    return {
        "profile": "tabular-data-package",
        "name": published.package.name,
        "title": f"{published.package.title}: {office().name}",
        "description": published.package.description,
        "version": published.schema_version,
        "created": clock.replace(tzinfo=WIB).isoformat(),
        "units": published.units,
        "resources": [_resource(table, published.columns_of(table)) for table in published.tables],
        "views": [_view(view, published.columns_of(view)) for view in published.views],
    }


def _resource(table: Table, columns: dict[str, Column]) -> dict[str, Any]:
    return {
        "profile": "tabular-data-resource",
        "name": table.name,
        "path": parquet_path(table),
        "format": "parquet",
        "mediatype": MEDIATYPE,
        "title": table.title,
        "description": table.description,
        "grain": table.grain,
        "schema": _schema(table, columns),
    }


def _view(view: Table, columns: dict[str, Column]) -> dict[str, Any]:
    return {
        "name": view.name,
        "path": DATABASE,
        "title": view.title,
        "description": view.description,
        "grain": view.grain,
        "schema": _schema(view, columns),
    }


def _schema(table: Table, columns: dict[str, Column]) -> dict[str, Any]:
    return {
        "fields": [_field(name, column) for name, column in columns.items()],
        "primaryKey": list(table.primary_key),
        "missingValues": [""],
    }


def _field(name: str, column: Column) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": name,
        "type": column.type,
        "unit": column.unit,
        "description": column.description,
    }
    constraints: dict[str, Any] = {}
    if column.required:
        constraints["required"] = True
    if column.enum:
        constraints["enum"] = list(column.enum)
    return field | ({"constraints": constraints} if constraints else {})
